"""A training that is stopped and resumed ends with the same bits as one that never stopped."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid import dispatch
from pellucid.data.dataset import Dataset
from pellucid.errors import FormatError, OptionError
from pellucid.nn.activation import Dropout
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.norm import BatchNorm
from pellucid.nn.sequential import Sequential
from pellucid.training.callbacks.checkpoint import Checkpoint
from pellucid.training.callbacks.early_stopping import EarlyStopping
from pellucid.training.callbacks.weight_ema import WeightEMA
from pellucid.training.checkpoint import latest_checkpoint
from pellucid.training.events import StepEnd
from pellucid.training.executor import thread_shards
from pellucid.training.fit import train
from pellucid.training.optimizers.adam import Adam
from pellucid.training.optimizers.sgd import SGD
from pellucid.training.schedules.cosine import Cosine


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


@pytest.mark.parametrize(
    ("stop", "n_threads"), [*((stop, 1) for stop in (1, 5, 7, 10, 15, 23)), (10, 2), (5, 3)]
)
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
    for one, two in zip(whole.leaves(), second.leaves(), strict=True):
        for key in one.state:
            np.testing.assert_array_equal(two.state[key], one.state[key])


@pytest.mark.parametrize("form", ["dual", "direct"])
@pytest.mark.parametrize("batch_size", [None, 9])
def test_both_forms_resume_bit_for_bit(
    data: Dataset, tmp_path: Path, form: str, batch_size: int | None
) -> None:
    def dense() -> Sequential:
        return Sequential([Flatten(), Dense(5, activation="relu"), Dense(1)], dtype="float64")

    def options() -> dict[str, Any]:
        return {
            "optimizer": SGD(0.05, momentum=0.9, weight_decay=0.01),
            "n_epochs": 12,
            "batch_size": batch_size,
            "form": form,
        }

    whole = dense()
    train(whole, data, **options())
    train(dense(), data, **options(), callbacks=[Checkpoint(tmp_path, every_steps=1), StopAt(8)])
    second = dense()
    second.initialize((4, 4, 1), seed=99)  # the checkpoint's W_0 counts, not this one
    train(second, data, **options(), resume=tmp_path)
    np.testing.assert_array_equal(second.theta, whole.theta)


def test_a_killed_process_resumes(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        import numpy as np
        import pellucid as pl
        from pellucid.training.optimizers.adam import Adam
        from pellucid.training.callbacks.checkpoint import Checkpoint
        rng = np.random.default_rng(0)
        data = pl.Dataset(rng.standard_normal((200, 30)), rng.integers(0, 2, 200))
        model = pl.Sequential([pl.Dense(20, activation="relu"), pl.Dense(1)])
        folder, resume = sys.argv[1], (sys.argv[2] if len(sys.argv) > 2 else None)
        pl.train(model, data, optimizer=Adam(0.01), n_epochs=300, batch_size=20, resume=resume,
                 callbacks=[Checkpoint(folder, every_steps=5)])
        np.save(folder + "/theta.npy", model.theta)
        """
    )
    run = [sys.executable, "-c", script]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    subprocess.run([*run, str(whole)], check=True)
    process = subprocess.Popen([*run, str(killed)])
    while not list(killed.glob("step-000001*.checkpoint")):
        time.sleep(0.005)
        assert process.poll() is None, "it ended before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (killed / "theta.npy").exists()
    subprocess.run([*run, str(killed), str(killed)], check=True)
    np.testing.assert_array_equal(np.load(killed / "theta.npy"), np.load(whole / "theta.npy"))


def test_the_last_few_are_kept_and_none_half_written(data: Dataset, tmp_path: Path) -> None:
    options = everything(callbacks=[Checkpoint(tmp_path, every_steps=2, keep=3)], n_epochs=4)
    train(network(), data, **options)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"step-{n:08d}.checkpoint" for n in (16, 18, 20)]
    assert latest_checkpoint(tmp_path).name == names[-1]


def test_by_the_clock(data: Dataset, tmp_path: Path) -> None:
    options = everything(callbacks=[Checkpoint(tmp_path, every_minutes=1e-9, keep=100)], n_epochs=1)
    train(network(), data, **options)
    assert len(list(tmp_path.iterdir())) == 5


def test_other_settings_and_damaged_files_are_refused(data: Dataset, tmp_path: Path) -> None:
    saved = everything(callbacks=[Checkpoint(tmp_path, every_steps=4)])
    train(network(), data, **saved)
    for change, words in (
        ({"batch_size": 8}, "its batch size is 7, here it is 8"),
        ({"seed": 6}, "its seed is 5"),
        ({"optimizer": Adam(0.02)}, "optimizer"),
        ({"n_epochs": 7}, "n epochs"),
        ({"shuffle": False}, "its shuffle is true, here it is false"),
    ):
        with pytest.raises(FormatError, match=words):
            train(network(), data, **everything(callbacks=[], **change), resume=tmp_path)
    smoothed = everything(callbacks=[], loss={"type": "auto", "label_smoothing": 0.1})
    with pytest.raises(FormatError, match=r"its loss is .*here it is .*label_smoothing"):
        train(network(), data, **smoothed, resume=tmp_path)
    with dispatch.use("plain"), pytest.raises(FormatError, match=r"its kernels is .*num(py|ba).*plain"):
        train(network(), data, **everything(callbacks=[]), resume=tmp_path)
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
