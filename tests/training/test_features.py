"""A training of what follows frozen layers: exact, whichever way it is computed; stopped, resumed and extended."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.ops.cases import HAS_NUMBA

import pellucid as pl
from pellucid.errors import FormatError, OptionError, TrainingError
from pellucid.nn.freezing import frozen_names
from pellucid.nn.rebuild import description, named_arrays, rebuild
from pellucid.training import features
from pellucid.training.callbacks import Callback, Checkpoint
from pellucid.training.events import EpochEnd
from pellucid.training.nonfinite import replay_nonfinite
from pellucid.training.optimizers import LBFGS, SGD, Adam

KERNELS = ["numpy", "numba"] if HAS_NUMBA else ["numpy"]


@pytest.fixture
def data(rng: np.random.Generator) -> pl.Dataset:
    X = rng.integers(0, 256, (40, 6, 6, 1), dtype=np.uint8)
    return pl.Dataset(X, (X[:, :3].reshape(40, -1).mean(axis=1) > 127).astype(np.int64), ("dark", "bright"))


def network(dtype: str = "float64", until: str = "batchnorm_1") -> pl.Model:
    layers = [pl.Conv2D(4), pl.BatchNorm(), pl.Activation("relu"), pl.Dropout(0.4), pl.Residual(pl.Conv2D(4))]
    layers += [pl.GlobalAvgPool2D(), pl.Dense(8), pl.BatchNorm(), pl.Activation("relu"), pl.Dropout(0.2)]
    return frozen(pl.Sequential([*layers, pl.Dense(1)], dtype=dtype), until)


def frozen(model: pl.Model, until: str) -> pl.Model:
    model.initialize((6, 6, 1), seed=3)
    pl.freeze(model, until)
    return model


def stack() -> pl.Model:
    layers = [pl.Flatten(), pl.Dense(12, "relu"), pl.Dense(6, "relu"), pl.Dense(1)]
    return frozen(pl.Sequential(layers), "dense_1")


def options(**changes: Any) -> dict[str, Any]:
    return {"optimizer": Adam(0.01), "n_epochs": 4, "batch_size": 7, "validation": 0.2, **changes}


def arrays(model: pl.Model) -> dict[str, Any]:
    return {key: array.copy() for key, array in named_arrays(model).items()}


@every("kernels", KERNELS)
@every(
    ("until", "more"),
    [
        *((until, {}) for until in ("conv2d_1", "dropout_1", "batchnorm_2")),
        ("batchnorm_1", {"n_threads": 2}),
        ("conv2d_2", {"batch_size": 0}),
        ("batchnorm_1", {"precise_bn": True, "weight_ema": 0.8}),
    ],
)
def test_computed_once_and_in_every_step_agree(
    data: pl.Dataset, monkeypatch: pytest.MonkeyPatch, until: str, kernels: str, more: dict[str, Any]
) -> None:
    once, each = network(until=until), network(until=until)
    before = arrays(once)
    history = pl.train(once, data, **options(kernels=kernels, **more))
    assert history.note == "direct form: what the frozen layers make of the samples is computed once"
    monkeypatch.setattr(features, "MAX_FEATURE_BYTES", 0)
    again = pl.train(each, data, **options(kernels=kernels, **more))
    assert again.note == "direct form: its first layers are frozen"
    frozen = frozen_names(once)
    # Kernels round predictions otherwise; a bias before batch norm has a gradient of rounding, scaled up by Adam.
    atol = 1e-6 if kernels == "numba" else 1e-12
    for key, array in arrays(each).items():
        np.testing.assert_allclose(arrays(once)[key], array, rtol=0, atol=atol)
        if key.split(".")[0] in frozen:
            np.testing.assert_array_equal(arrays(once)[key], before[key])
    assert not np.array_equal(once.theta, network(until=until).theta)
    for name, column in history.columns.items():
        np.testing.assert_allclose(column, again.columns[name], rtol=0, atol=atol)


@every("kernels", KERNELS)
def test_a_stack_of_dense_layers_goes_on_by_its_kernel(
    data: pl.Dataset, monkeypatch: pytest.MonkeyPatch, kernels: str
) -> None:
    clipped = SGD(0.05, momentum=0.9, weight_decay=0.01, clip_norm=1.0)
    for optimizer in (Adam(0.01), clipped, LBFGS(max_iterations=5)):
        more: dict[str, Any] = {"optimizer": optimizer, "kernels": kernels}
        more |= {"batch_size": None, "n_epochs": 6} if isinstance(optimizer, LBFGS) else {}
        once, each = stack(), stack()
        pl.train(once, data, **options(**more))
        with monkeypatch.context() as patch:
            patch.setattr(features, "MAX_FEATURE_BYTES", 0)
            pl.train(each, data, **options(**more))
        np.testing.assert_allclose(once.theta, each.theta, atol=2e-5)
        np.testing.assert_array_equal(arrays(once)["dense_1.W"], arrays(stack())["dense_1.W"])
        for key in ("dense_2.W", "dense_3.b"):
            assert not np.array_equal(arrays(once)[key], arrays(stack())[key])


class Count(Callback):
    """Counts passes through the first layer, and predicts in the middle of the training."""

    def __init__(self, data: pl.Dataset) -> None:
        super().__init__()
        self.data, self.n_rows = data, 0

    def epoch_end(self, event: EpochEnd) -> None:
        plain = rebuild(description(event.run.model), named_arrays(event.run.model))
        plain.preprocessing = event.run.model.preprocessing
        before = self.n_rows
        own = event.run.model.decision_function(self.data.X)
        self.n_rows = before
        np.testing.assert_allclose(own, plain.decision_function(self.data.X), rtol=1e-9)


def test_features_are_computed_once_unless_samples_are_augmented(data: pl.Dataset) -> None:
    model, count = network(), Count(data)
    first = model._leaves()[0]

    def counted(X: Any, *, training: bool = False) -> Any:
        assert not training
        count.n_rows += len(X)
        return type(first).forward(first, X, training=training)

    vars(first)["forward"] = counted  # a hook would have the layers run at each step
    pl.train(model, data, **options(kernels="numpy", callbacks=[count]))
    assert count.n_rows == 40  # 32 trained on, 8 held out
    count.n_rows = 0
    pl.train(model, data, **options(kernels="numpy", validation=None, augment="photo"))
    assert count.n_rows == 4 * 40


def test_the_optimizer_keeps_nothing_for_frozen_layers(data: pl.Dataset, tmp_path: Path) -> None:
    model, optimizer = network(), Adam(0.01)
    pl.train(model, data, **options(optimizer=optimizer, callbacks=[Checkpoint(tmp_path, every_steps=100)]))
    assert {slot.size for slot in optimizer.slots} == {model.theta.size}
    assert model.theta.size + model._n_frozen == model.n_params > model.theta.size


def test_other_frozen_layers_are_another_training(data: pl.Dataset, tmp_path: Path) -> None:
    pl.train(network(), data, **options(callbacks=[Checkpoint(tmp_path, every_steps=9)]))
    other = network()
    other._leaves()[0].params["W"][0] += 1
    with pytest.raises(FormatError, match="the checkpoint has frozen = "):
        pl.train(other, data, **options(), resume=tmp_path)
    with pytest.raises(FormatError, match="frozen = "):
        pl.train(network(until="conv2d_1"), data, **options(), resume=tmp_path)


def test_the_dual_form_does_not_hold(data: pl.Dataset) -> None:
    with pytest.raises(OptionError, match="the dual form does not hold here: its first layers are frozen"):
        pl.train(stack(), data, optimizer=SGD(0.1), n_epochs=3, form="dual")


def test_a_broken_step_is_found_in_the_part_that_is_trained(data: pl.Dataset, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"It began in .*_[12]"):
        pl.train(network(), data, n_epochs=30, optimizer=SGD(1e200), nonfinite=tmp_path / "bad.safetensors")
    part, X, _, fault = replay_nonfinite(tmp_path / "bad.safetensors")
    assert (X.shape[1:], fault is not None) == (part.input_shape, True)
    assert part.theta.size == network().theta.size
