"""Every field of a checkpoint replaced by what no training has: refused in one line, or a training that goes on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.tensors import read_tensors, write_tensors
from pellucid.training.callbacks import Checkpoint, EarlyStopping

KEY = "pellucid_checkpoint"


def go(callback: Any = None, resume: Path | None = None) -> None:
    X, y = np.random.default_rng(0).standard_normal((24, 5)), np.arange(24) % 2
    model = pl.Sequential([pl.Dense(4, activation="relu"), pl.BatchNorm(), pl.Dense(1)])
    callbacks = [EarlyStopping(patience=9), *([callback] if callback else [])]
    options: Any = {"batch_size": 8, "optimizer": "adam", "schedule": "reduce_on_plateau"}
    pl.train(model, (X, y), n_epochs=4, validation=(X, y), callbacks=callbacks, resume=resume, **options)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    folder = tmp_path_factory.mktemp("checkpoints")
    go(Checkpoint(folder, every_steps=7))
    return read_tensors(min(folder.glob("*.checkpoint")), KEY, kind="checkpoint", advice="")


def resume(folder: Path, header: Any, arrays: Any) -> str:
    """Return what a checkpoint is refused for, or nothing."""
    path = folder / "changed.checkpoint"
    write_tensors(path, KEY, header, arrays)
    try:
        go(resume=path)
    except pl.PellucidError as error:
        return str(error)
    return ""


@every(
    ("owner", "name", "value"),
    [
        *(("settings", "n_threads", value) for value in ("x", float("nan"), 2.5, 10**12, -1, [2])),
        ("settings", "form", ["dual"]),
        ("optimizer", "learning_rate", float("nan")),
        ("optimizer", "beta1", 1e12),
        ("optimizer", "n_steps", -1),
        ("optimizer", "n_steps", 1e300),
        ("schedule", "reached", float("nan")),
        ("EarlyStopping", "n_waited", 0.5),
    ],
)
def test_numbers_of_no_training_are_refused_by_name(
    saved: Any, tmp_path: Path, owner: str, name: str, value: float
) -> None:
    header, arrays = saved
    changed = {**header, owner: {**header[owner], name: value}}
    assert name in resume(tmp_path, changed, arrays)


def test_places_and_losses_of_no_training_are_refused_with_the_files_name(saved: Any, tmp_path: Path) -> None:
    header, arrays = saved
    for change, words in (
        ({"position": [1, 4, 4]}, ": step 4 is not step 4 after 1 epoch of 3"),
        ({"epoch_loss": [float("nan"), 0.0]}, ": epoch_loss: expected a finite number"),
    ):
        found = resume(tmp_path, {**header, **change}, arrays)
        assert found.startswith(f"{tmp_path / 'changed.checkpoint'}: ")
        assert words in found


def test_arrays_of_another_kind_are_refused_by_name(saved: Any, tmp_path: Path) -> None:
    header, arrays = saved
    kept = {name: array for name, array in arrays.items() if not name.startswith("EarlyStopping")}
    for name, array in kept.items():  # weights of an epoch that a better one follows are never looked at
        for new in (array * np.nan, array.astype(np.int32), array.ravel()[:1], array[..., None]):
            if new.shape != array.shape or not np.array_equal(new, array):
                refused = resume(tmp_path, header, {**arrays, name: new})
                assert refused, name
                assert name.rpartition("/")[2] in refused or "parameters" in refused
