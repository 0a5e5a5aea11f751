"""A training that is stopped and resumed ends with the same bits as one that never stopped."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid import BatchNorm, Dataset, Dense, Dropout, Flatten, Sequential, dispatch, train
from pellucid.errors import FormatError, OptionError
from pellucid.training.callbacks import Checkpoint, EarlyStopping, StopOnInterrupt, WeightEMA
from pellucid.training.checkpoint import latest_checkpoint, save_checkpoint
from pellucid.training.events import EpochEnd, StepEnd
from pellucid.training.executor import thread_shards
from pellucid.training.optimizers import LBFGS, Adam
from pellucid.training.schedules.cosine import Cosine

pytestmark = pytest.mark.kernels


@pytest.fixture
def data(rng: np.random.Generator) -> Dataset:
    X = rng.integers(0, 256, (40, 4, 4, 1), dtype=np.uint8)
    return Dataset(X, (X.reshape(40, -1).mean(axis=1) > 127).astype(np.int64), ("dark", "bright"))


def network() -> Sequential:
    return Sequential([Flatten(), Dense(8, activation="relu"), BatchNorm(), Dropout(0.3), Dense(1)])


class StopAt:
    """Ends the training after a step, as a killed process would, but for the checkpoint before it."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, event: Any) -> bool:
        return isinstance(event, StepEnd) and event.step + 1 == self.step


def everything(seed: int = 5, **changes: Any) -> dict[str, Any]:
    return {
        "optimizer": Adam(0.01),
        "schedule": Cosine(warmup=3),
        "n_epochs": 6,
        "batch_size": 7,
        "validation": 0.2,
        "seed": seed,
        "callbacks": [EarlyStopping(patience=2), WeightEMA(0.9)],
        **changes,
    }


@every(("stop", "n_threads"), [(1, 1), (5, 1), (7, 1), (23, 1), (10, 2), (5, 3)])
def test_resumed_equals_uninterrupted_bit_for_bit(
    data: Dataset, tmp_path: Path, stop: int, n_threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_shards, "UPDATE_SIZE", 1)  # the optimizer's work is split, too
    whole, options = network(), everything(n_threads=n_threads)
    history = train(whole, data, **options)
    first, options = network(), everything(n_threads=n_threads)
    options["callbacks"] += [Checkpoint(tmp_path, every_steps=1, keep=2), StopAt(stop)]
    train(first, data, **options)
    second, options = network(), everything(n_threads=n_threads)
    options["callbacks"] += [Checkpoint(tmp_path, every_steps=1000)]
    resumed = train(second, data, **options, resume=tmp_path)
    np.testing.assert_array_equal(second.theta, whole.theta)
    assert resumed.columns == history.columns
    assert resumed.n_steps == history.n_steps
    for one, two in zip(whole._leaves(), second._leaves(), strict=True):
        for key in one.state:
            np.testing.assert_array_equal(two.state[key], one.state[key])


@every(
    ("how", "n_epochs", "steps"),
    [({"every_steps": 2, "keep": 3}, 4, (16, 18, 20)), ({"every_minutes": 1e-9, "keep": 9}, 1, range(1, 6))],
)
def test_the_last_few_are_kept_and_none_half_written(
    data: Dataset, tmp_path: Path, how: Any, n_epochs: int, steps: Any
) -> None:
    train(network(), data, **everything(callbacks=[Checkpoint(tmp_path, **how)], n_epochs=n_epochs))
    assert names_in(tmp_path) == [f"step-{n:08d}.checkpoint" for n in steps]
    assert latest_checkpoint(tmp_path).name == names_in(tmp_path)[-1]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_written_last_is_kept_whatever_its_number(data: Dataset, tmp_path: Path) -> None:
    train(network(), data, **everything(callbacks=[Checkpoint(tmp_path, every_steps=10)]))
    later = everything(callbacks=[Checkpoint(tmp_path, every_steps=1), StopAt(4)], n_epochs=4)
    train(network(), data, **later)
    assert names_in(tmp_path) == [f"step-{n:08d}.checkpoint" for n in (2, 3, 4)]
    assert latest_checkpoint(tmp_path).name == "step-00000004.checkpoint"
    train(network(), data, **everything(callbacks=[], n_epochs=4), resume=tmp_path)
    for n in (2, 3, 4):  # a clock that was set back does not make them old
        os.utime(tmp_path / f"step-{n:08d}.checkpoint", (4e9, 4e9))
    train(network(), data, **everything(callbacks=[Checkpoint(tmp_path, every_steps=1), StopAt(3)]))
    assert names_in(tmp_path) == [f"step-{n:08d}.checkpoint" for n in (1, 2, 3)]


def test_a_training_goes_on_from_what_was_written_last_though_the_clock_was_set_back(
    data: Dataset, tmp_path: Path
) -> None:
    def set_clock_back(event: Any) -> bool:
        if isinstance(event, StepEnd) and event.step == 3:
            for path in tmp_path.iterdir():
                os.utime(path, (4e9, 4e9))  # as those from before an hour that comes again
        return isinstance(event, StepEnd) and event.step == 7

    options = everything()
    options["callbacks"] += [Checkpoint(tmp_path, every_steps=2, keep=9), set_clock_back]
    train(network(), data, **options)
    assert latest_checkpoint(tmp_path).name == "step-00000008.checkpoint"


INT, TERM = signal.SIGINT, signal.SIGTERM


@every(
    ("at", "number", "step"),
    [(StepEnd, INT, 7), (StepEnd, TERM, 10), (EpochEnd, INT, 10), (EpochEnd, TERM, 5)],
)
def test_an_interrupt_writes_a_checkpoint_from_which_it_goes_on(
    data: Dataset, tmp_path: Path, at: type, number: int, step: int
) -> None:
    whole = network()
    history = train(whole, data, **everything())
    stop, options = StopOnInterrupt(takes_sigterm=True), everything()

    def press(event: Any) -> None:
        if isinstance(event, at) and event.step + 1 == step:
            os.kill(os.getpid(), number)

    options["callbacks"] += [stop, Checkpoint(tmp_path, every_minutes=60), press]
    before = signal.getsignal(number)
    stopped = train(network(), data, **options)
    assert signal.getsignal(number) is before
    assert (stop.signal, stopped.is_complete) == (number, False)
    second = network()
    resumed = train(second, data, **everything(), resume=tmp_path)
    np.testing.assert_array_equal(second.theta, whole.theta)
    assert resumed.columns == history.columns


def test_other_kernels_networks_and_damaged_files(data: Dataset, tmp_path: Path) -> None:
    train(network(), data, **everything(callbacks=kept(tmp_path)))
    with dispatch.use("plain"), pytest.warns(RuntimeWarning, match="last digits"):
        other = train(network(), data, **everything(callbacks=[]), resume=tmp_path)
    same = train(network(), data, **everything(callbacks=[]), resume=tmp_path)
    assert other.kernels == "plain"
    np.testing.assert_allclose(other.losses, same.losses, rtol=1e-10)
    other = Sequential([Flatten(), Dense(1)])
    with pytest.raises(FormatError, match="architecture"):
        train(other, data, **everything(callbacks=[]), resume=tmp_path)
    newest = latest_checkpoint(tmp_path)
    newest.write_bytes(newest.read_bytes()[:-100])
    with pytest.raises(FormatError, match="not a whole checkpoint"):
        train(network(), data, **everything(callbacks=[]), resume=tmp_path)
    with pytest.raises(FormatError, match="no checkpoint to resume from"):
        latest_checkpoint(tmp_path / "elsewhere")
    with pytest.raises(OptionError, match="every_steps or every_minutes"):
        Checkpoint(tmp_path)


EARLY = EarlyStopping(patience=2)


@every(
    ("change", "name", "before", "now"),
    [
        ({"batch_size": 8}, "batch_size", "7", "8"),
        ({"seed": 6}, "seed", "5", "6"),
        ({"optimizer": Adam(0.02)}, r"optimizer\.learning_rate", "0.01", "0.02"),
        ({"shuffle": False}, "shuffle", "true", "false"),
        ({"loss": {"type": "auto", "label_smoothing": 0.1}}, r"loss\.label_smoothing", "nothing", "0.1"),
        ({"class_weight": "balanced"}, "class_weight", "null", '"balanced"'),
        ({"sample_weight": np.arange(40) + 1.0}, "sample_weights", "null", ".*"),
        ({"callbacks": [EARLY, WeightEMA(0.5)]}, r"WeightEMA\.decay", "0.9", "0.5"),
        ({"callbacks": [EARLY]}, "WeightEMA", "{.*}", "nothing"),
        ({"callbacks": [WeightEMA(0.9)]}, "EarlyStopping", "{.*", "nothing"),
        ({"precise_bn": True}, "PreciseBatchNorm", "nothing", "{"),
        ({"validation": 0.3}, "n_samples", "32", "28"),
        ({"augment": "photo"}, "augment", "null", "{"),
        ({"n_threads": 2}, "n_threads", "1", "2"),
    ],
)
def test_each_setting_that_differs_is_refused_by_name(
    data: Dataset, tmp_path: Path, change: dict[str, Any], name: str, before: str, now: str
) -> None:
    train(network(), data, **everything(n_threads=1, callbacks=[*everything()["callbacks"], *kept(tmp_path)]))
    words = f"the checkpoint has {name} = {before}, this training {name} = {now}"
    with pytest.raises(FormatError, match=words):
        train(network(), data, **{**everything(n_threads=1), **change}, resume=tmp_path)


def kept(folder: Path) -> list[Checkpoint]:
    return [Checkpoint(folder, every_steps=4)]


def test_other_data_of_the_same_size_are_refused(data: Dataset, tmp_path: Path) -> None:
    train(network(), data, **everything(callbacks=kept(tmp_path)))
    relabelled = Dataset(data.X, 1 - data.y, data.classes)
    renamed = Dataset(data.X, data.y, ("night", "day"))
    brighter = Dataset(data.X ^ 1, data.y, data.classes)
    for other, words in ((relabelled, "training_data"), (renamed, "classes"), (brighter, "training_data")):
        with pytest.raises(FormatError, match=f"the checkpoint has {words}.* = .*, this training {words}"):
            train(network(), other, **everything(callbacks=[]), resume=tmp_path)
    held = data.take(slice(0, 8))
    train(network(), data, **everything(callbacks=kept(tmp_path), validation=held))
    options = everything(callbacks=[], validation=relabelled.take(slice(0, 8)))
    with pytest.raises(FormatError, match="validation_data"):
        train(network(), data, **options, resume=tmp_path)


def test_callbacks_that_only_look_on_may_come_and_go(data: Dataset, tmp_path: Path) -> None:
    whole, options = network(), everything()
    options["callbacks"] = [StopOnInterrupt(), *options["callbacks"], *kept(tmp_path)]
    train(whole, data, **options)
    second = network()
    train(second, data, **everything(), resume=tmp_path)  # its average is now the second callback
    np.testing.assert_array_equal(second.theta, whole.theta)


def test_a_callback_of_ones_own_saves_what_can_be_resumed(data: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "own.checkpoint"

    def save(event: Any) -> None:
        if isinstance(event, EpochEnd) and event.epoch == 1:
            save_checkpoint(event.run, path)

    whole, again = network(), network()
    train(whole, data, n_epochs=4, batch_size=10, callbacks=[save])
    train(again, data, n_epochs=4, batch_size=10, resume=path)
    np.testing.assert_array_equal(again.theta, whole.theta)


def test_a_callback_with_a_state_that_is_missing_is_named(data: Dataset, tmp_path: Path) -> None:
    class Counter:
        def __call__(self, event: Any) -> None: ...

        def state(self) -> dict[str, int]:
            return {"n": 1}

        def load_state(self, state: dict[str, int]) -> None: ...

    train(network(), data, **everything(callbacks=[Counter(), *kept(tmp_path)]))
    words = "the state of optimizer, schedule, Counter; this training has optimizer"
    with pytest.raises(FormatError, match=words):
        train(network(), data, **everything(callbacks=[]), resume=tmp_path)


def test_threads_that_are_left_open_are_those_of_the_checkpoint(data: Dataset, tmp_path: Path) -> None:
    train(network(), data, **everything(n_threads=2, callbacks=kept(tmp_path)))
    resumed = train(network(), data, **everything(callbacks=[]), resume=tmp_path)
    assert resumed.n_threads == 2


def test_lbfgs_says_that_it_cannot_be_resumed(data: Dataset, tmp_path: Path) -> None:
    model = Sequential([Flatten(), Dense(1)])
    with pytest.raises(OptionError, match=r"L-BFGS cannot be resumed"):
        train(model, data, optimizer=LBFGS(), callbacks=kept(tmp_path))
    assert list(tmp_path.iterdir()) == []
