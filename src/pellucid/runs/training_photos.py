"""Where a model's training photos are now: by its own record, that of its run folder, or as named."""

import json
from pathlib import Path
from typing import Any

from pellucid.cli.options import load as load_named
from pellucid.data.dataset import Dataset
from pellucid.data.hashing import data_hash
from pellucid.data.source import BUILTIN
from pellucid.errors import DataError, PellucidError, ShapeError
from pellucid.nn.model import Model
from pellucid.runs.record import data_record_of

LEFT_OUT = "Nearest training photos and the check for novelty are left out"


def find_training_photos(model: Model, path: Path, data: str | None = None) -> tuple[Dataset | None, str]:
    """Return a model's training photos, and what is to be said of them; None where they cannot be had.

    Parameters
    ----------
    model : Model
    path : Path
        Its file or run folder.
    data : str, optional
        Where they are; default: where they were when it was trained.

    Returns
    -------
    photos : Dataset or None
    note : str
        Why there are none, or that they are others than those of the training; empty otherwise.

    Raises
    ------
    PellucidError
        If data that were named cannot be read, or are not images of the model's shape.
    """
    training = model.summary_of_training
    known = training.get("data_sha256")
    if data is not None:
        found = _load(data, model, {})
        if found.X.shape[1:] != model.input_shape:
            raise ShapeError(
                f"--data: expected images of shape {model.input_shape}, as the model takes, got "
                f"{found.X.shape[1:]} from {data}. Name the data that it was trained on."
            )
        is_other = known is not None and known != data_hash(found)
        return (
            found,
            f"Mind that {data} is not the very data that the model was trained on." if is_other else "",
        )
    record = _run_record(path)
    source = record.get("path") or training.get("data")
    if known is None or not isinstance(source, str):
        return None, f"The model does not say what it was trained on. {LEFT_OUT}; name the data with --data."
    if source not in BUILTIN and not Path(source).expanduser().exists():
        return None, f"The training data are no longer at {source}. {LEFT_OUT}; name their place with --data."
    try:
        found = _load(source, model, record["reading"])
    except PellucidError as error:
        return None, f"The training data cannot be had: {error} {LEFT_OUT}."
    if data_hash(found) != known:
        return None, (
            f"The data at {source} are not those that the model was trained on. {LEFT_OUT}; name the right ones "
            "with --data."
        )
    return found, ""


def _load(source: str, model: Model, reading: dict[str, Any]) -> Dataset:
    """Return the training part, read as the training read it as far as that is known."""
    options = dict(reading)
    seed = int(model.summary_of_training.get("options", {}).get("seed", 1))
    shape: Any = model.input_shape
    if source not in BUILTIN and Path(source).expanduser().is_dir() and len(shape) >= 2:
        options.setdefault("image_size", f"{shape[0]}x{shape[1]}")
    found = load_named(source, seed=seed, **options).train
    if len(found) < 2:
        raise DataError(f"{source}: expected two training photos or more, got {len(found)}.")
    return found


def _run_record(path: Path) -> dict[str, Any]:
    """Return what a run folder's metrics say of the data, empty where there are none."""
    folder = path if path.is_dir() else path.parent
    try:
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        metrics = {}
    return data_record_of(metrics)
