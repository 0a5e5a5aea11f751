"""Each field of a checkpoint, of another type or size: one sentence says so, or the training goes on exactly."""

import functools
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from tests.fuzz.files import bounded
from tests.fuzz.resumes import StopAfter, assert_same
from tests.fuzz.search import Subject

import pellucid as pl
from pellucid.errors import TrainingError
from pellucid.tensors import write_tensors
from pellucid.training.callbacks.checkpoint import Checkpoint
from pellucid.training.callbacks.early_stopping import EarlyStopping
from pellucid.training.callbacks.weight_ema import WeightEMA
from pellucid.training.checkpoint import _KEY, latest_checkpoint, read_checkpoint
from pellucid.training.history import History

MISSING, EXTRA = "(missing)", "(one more)"
NUMBERS = [-1, 0, 2, 10**6, 10**12, 2**53, 10**30, 2.5, 1e308, float("nan"), float("inf")]
OTHERS = [MISSING, EXTRA, None, True, "", "x", [], [1], [[]], {}, {"a": 1}]
MEASURED = ("history", "epoch_loss", "optimizer", "schedule", "EarlyStopping", "WeightEMA")  # any number


@dataclass
class Changed:
    """A field of a checkpoint, by the keys that lead to it, and what stands there."""

    keys: tuple[Any, ...]
    value: Any
    n_epochs: int


def run(**options: Any) -> tuple[pl.Model, History]:
    """Train a small network."""
    rng = np.random.default_rng(1)
    data = pl.Dataset(rng.standard_normal((20, 3)), np.arange(20) % 2, ("dark", "bright"))
    model = pl.Sequential([pl.Dense(4, activation="relu"), pl.BatchNorm(), pl.Dense(1)])
    own = [EarlyStopping(patience=50), WeightEMA(0.9)]
    options = (
        {"n_epochs": 4, "kernels": "numpy"} | options | {"callbacks": own + options.get("callbacks", [])}
    )
    history = pl.train(
        model, data, optimizer="adam", schedule="step", batch_size=8, validation=0.2, **options
    )
    return model, history


@functools.cache
def whole(n_epochs: int) -> tuple[pl.Model, History]:
    """Return what a training that never stopped ends with."""
    return run(n_epochs=n_epochs)


@functools.cache
def checkpoint() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and arrays of a checkpoint in the middle of an epoch."""
    with tempfile.TemporaryDirectory() as folder:
        run(callbacks=[Checkpoint(folder, every_steps=1), StopAfter(4)])
        return read_checkpoint(latest_checkpoint(folder))


def fields(tree: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the keys of every entry of a tree."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [keys for key, value in entries for keys in [(*before, key), *fields(value, (*before, key))]]


def change(header: dict[str, Any], keys: tuple[Any, ...], value: Any) -> Any:
    """Return a header with another value in one field."""
    header = json.loads(json.dumps(header))
    owner: Any = header
    for key in keys[:-1]:
        owner = owner[key]
    if value == MISSING:
        del owner[keys[-1]]
    elif value != EXTRA:
        owner[keys[-1]] = value
    elif isinstance(owner, dict):
        owner["one more"] = owner[keys[-1]]
    else:
        owner.append(owner[keys[-1]])
    return header


def check_changed(case: Changed) -> None:
    """Go on from a checkpoint after a change of one field."""
    header, arrays = checkpoint()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "step-00000004.checkpoint"
        write_tensors(path, _KEY, change(header, case.keys, case.value), arrays)
        refusal: pl.PellucidError | None = None
        with bounded():
            try:
                resumed = run(resume=path, n_epochs=case.n_epochs)
            except pl.PellucidError as error:
                refusal = error
    if refusal is not None:
        assert str(refusal).startswith(str(path)) or isinstance(refusal, TrainingError)  # of a rate of 1e30
        assert len(str(refusal)) < 600
        return
    is_number = isinstance(case.value, int | float) and not isinstance(case.value, bool)
    has_other_columns = case.keys[0] == "history" and len(case.keys) == 2
    is_free = case.keys[0] in MEASURED or case.keys == ("settings", "n_threads")
    if not (is_number and is_free) and not has_other_columns:  # else what was measured is lost
        assert_same(whole(case.n_epochs), resumed)


cases = st.deferred(
    lambda: st.builds(
        Changed,
        st.sampled_from(fields(checkpoint()[0])),
        st.sampled_from([*NUMBERS, *OTHERS]),
        st.sampled_from([4, 6]),
    )
)
SUBJECTS = {"fields of checkpoints": Subject(cases, check_changed, 90)}
