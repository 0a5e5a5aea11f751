"""The choice between NumPy and compiled kernels for a training: resolved once, recorded, kept by a resumed one."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid import BatchNorm, Dataset, Dense, Dropout, Flatten, LayerNorm, Sequential, dispatch, preset
from pellucid.dispatch.ops import TWINS
from pellucid.errors import OptionError
from pellucid.estimators import MLPClassifier
from pellucid.training import compiling
from pellucid.training.callbacks import Checkpoint, PreciseBatchNorm
from pellucid.training.compiling import compile_ahead
from pellucid.training.cost import LAYER_OPERATIONS, operations_of
from pellucid.training.events import StepEnd
from pellucid.training.fit import fit, train
from pellucid.training.job import Job
from pellucid.training.loop import train_by_options
from pellucid.training.optimizers import SGD, Adam
from pellucid.training.options import TrainingOptions

numba = pytest.importorskip("numba", reason="needs Numba")


@pytest.fixture(autouse=True)
def free_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment say nothing, and whether Numba is there be as it is."""
    monkeypatch.delenv(dispatch.VARIABLE, raising=False)
    monkeypatch.setattr(dispatch, "failure", [])


@pytest.fixture
def data(rng: np.random.Generator) -> Dataset:
    return Dataset(rng.standard_normal((24, 6)), rng.integers(0, 2, 24), ("no", "yes"))


def network() -> Sequential:
    """Return one whose layers run their own kernels: with LayerNorm it is no stack that one kernel trains."""
    return Sequential([Dense(5), BatchNorm(), Dropout(0.5), LayerNorm(), Dense(1)], dtype="float64")


def used(data: Dataset, **options: Any) -> str:
    """Return what a short training says it ran on, and check that it did."""
    seen = set()

    def look(event: Any) -> None:
        if isinstance(event, StepEnd):
            seen.add(dispatch.current())

    history = train(network(), data, n_epochs=2, callbacks=[look], **options)
    assert seen == {history.kernels}
    return history.kernels


def test_the_argument_the_environment_and_the_size_choose(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert used(data) == "numpy"  # too small
    assert used(data, kernels="numba") == "numba"
    monkeypatch.setenv(dispatch.VARIABLE, "numba")
    assert used(data) == "numba"
    assert used(data, kernels="numpy") == "numpy"
    model = network()
    fit(model, data, TrainingOptions(n_epochs=2, kernels="numba"))
    record = model._summary_of_training
    assert record["kernels"] == record["options"]["kernels"] == "numba"
    monkeypatch.delenv(dispatch.VARIABLE)
    monkeypatch.setattr(dispatch, "AUTO_OPERATIONS", 1e3)
    assert used(data) == "numba"
    with pytest.raises(OptionError, match="kernels"):
        used(data, kernels="fast")


def test_the_operations_are_those_of_the_cheaper_form() -> None:
    wide = Sequential([Flatten(), Dense(1)])
    wide.initialize((50, 50, 3))
    direct, dual, by_adam = (
        operations_of(wide, TrainingOptions(n_epochs=100, **how), 20) - 100 * 2 * LAYER_OPERATIONS
        for how in ({"optimizer": SGD(), "form": "direct"}, {"optimizer": SGD()}, {"optimizer": Adam()})
    )
    assert by_adam == direct == 3.0 * 20 * 100 * wide._n_operations
    assert dual < direct / 10


def test_a_resumed_training_keeps_the_kernels_and_says_so_of_others(data: Dataset, tmp_path: Path) -> None:
    train(network(), data, n_epochs=2, kernels="numba", callbacks=[Checkpoint(tmp_path, every_steps=1)])
    assert train(network(), data, n_epochs=2, resume=tmp_path).kernels == "numba"
    assert train(network(), data, n_epochs=2, resume=tmp_path, kernels="numba").kernels == "numba"
    with pytest.warns(RuntimeWarning, match="goes on with kernels='numpy', it began with kernels='numba'"):
        assert train(network(), data, n_epochs=2, resume=tmp_path, kernels="numpy").kernels == "numpy"


def test_compiling_ahead_changes_nothing(data: Dataset) -> None:
    model, optimizer = network(), Adam()
    model._loss_hook = lambda loss, total: pytest.fail("a loss of zeros was reported")
    job = Job(model, data, TrainingOptions(n_epochs=2, optimizer=optimizer, kernels="numba", validation=0.25))
    optimizer.start(model.theta, model._flat_decay_mask())

    def arrays() -> list[np.ndarray]:
        states = [array for leaf in model._leaves() for array in leaf.state.values()]
        return [model.theta, model.grad, *states]

    before = copy.deepcopy(arrays())
    compile_ahead(job, [PreciseBatchNorm()])
    assert all(map(np.array_equal, arrays(), before))
    assert optimizer.n_steps == 0
    assert job.kernels == "numba"


def test_what_comes_at_the_end_is_compiled_ahead_too(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job(network(), data, TrainingOptions(n_epochs=2, optimizer=Adam(), kernels="numba"))
    measured = []
    monkeypatch.setattr(compiling, "measure_batch_norms", lambda *what: measured.append(what))
    compile_ahead(job)
    assert not measured
    compile_ahead(job, [PreciseBatchNorm()])
    ((model, few),) = measured
    assert model is not job.model
    assert len(few) == 2


def test_a_kernel_that_fails_to_compile_leaves_the_whole_training_to_numpy(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **options: Any) -> Any:
        raise OSError("no space left")

    twins = TWINS["layer_norm_backward"]
    assert twins.kernel is not None
    monkeypatch.setitem(twins.__dict__, "kernel", fail)
    plan = TrainingOptions(n_epochs=2, optimizer=SGD(), kernels="numba")
    with pytest.warns(RuntimeWarning, match="no space left.*NumPy does the work") as caught:
        history = train_by_options(network(), data, plan)
    assert len(caught) == 1
    assert history.kernels == "numpy"
    assert history.losses == train(network(), data, n_epochs=2, optimizer=SGD(), kernels="numpy").losses


def test_a_continued_fit_keeps_the_kernels(data: Dataset) -> None:
    estimator = MLPClassifier(hidden_layer_sizes=(3,), dtype="float32", kernels="numba", random_state=0)
    estimator.partial_fit(data.X, data.y, classes=[0, 1])
    estimator.set_params(kernels=None).partial_fit(data.X, data.y)
    assert estimator.history_.kernels == "numba"
    with pytest.raises(OptionError, match=r"kernels: .* ran on numba, this one would on numpy"):
        estimator.set_params(kernels="numpy").partial_fit(data.X, data.y)


def test_what_is_compiled_is_shown_and_nothing_else() -> None:
    fresh, shown = numba.njit(lambda x: x + 1), []
    with dispatch.use("numba"), dispatch.compiling(lambda *what: shown.append(what)):
        fresh(1)
        assert shown == [("compiling kernels", 0, 0), ("compiling kernels", 1, 0)]
        fresh(2)
        assert len(shown) == 2
    with dispatch.use("numpy"), dispatch.compiling(lambda *what: shown.append(what)):
        fresh(1.5)
    assert len(shown) == 2


def test_a_plain_step_runs_the_layers_and_the_formulas_alone() -> None:
    """No file of kernels, no fused block, no dual form; of ``cnn`` and of Dense layers."""
    import cProfile
    import pstats

    rng, steps = np.random.default_rng(0), []
    for name, size in (("cnn", 32), ("mlp", 8)):
        X, y = rng.integers(0, 256, (16, size, size, 3), dtype=np.uint8), np.arange(16) % 2
        profile = cProfile.Profile()

        def look(event: Any, profile: Any = profile) -> None:
            if isinstance(event, StepEnd):  # the first step has built what it needs
                (profile.enable, profile.disable, lambda: None)[min(event.step, 2)]()

        model = preset(name)
        how: dict[str, Any] = {"batch_size": 0, "kernels": "plain", "augment": "none"}
        history = train(model, (X, y), n_epochs=3, callbacks=[look], **how)
        assert (history.kernels, history.form, history.n_threads) == ("plain", "direct", 1)
        called = {(file, function) for file, _, function in pstats.Stats(profile).stats if "pellucid" in file}
        names = {Path(file).name for file, _ in called}
        assert not [file for file, _ in called if "/kernels/" in file or "/dual/" in file]
        assert not names & {"fusion.py", "fused.py", "dense_stack.py", "thread_shards.py"}
        assert {"sequential.py", "dense.py"} <= names
        steps.append((name, len(called), len({file for file, _ in called})))
    assert steps[0][1] < 130, steps
    alike = [train(preset("mlp"), (X, y), n_epochs=3, kernels=kernels) for kernels in ("plain", "numpy")]
    np.testing.assert_allclose(alike[0].losses, alike[1].losses, rtol=1e-5)
