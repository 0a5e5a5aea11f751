"""A run folder's own account of itself: where its data came from, and how to get the whole run back."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pellucid.cli.options import load as load_named
from pellucid.data.dataset import Split
from pellucid.data.download import fetch
from pellucid.data.hashing import data_hash
from pellucid.data.readers.images import read_image
from pellucid.data.source import BUILTIN
from pellucid.errors import DataError, FormatError, PellucidError
from pellucid.evaluation.scores.of_run import RunResult, examine
from pellucid.evaluation.scores.predictions import check_weights
from pellucid.formats.safetensors import load
from pellucid.nn.model import Model
from pellucid.runs.config import RunConfig
from pellucid.training.history import History
from pellucid.types import Array, Shape
from pellucid.workflows.reproduce import NEW_PHOTO

FILES = ("model.safetensors", "history.jsonl", "config.toml", "metrics.json")
_READING = ("x_key", "y_key", "target", "skip_bad", "image_size")


def data_record(
    split: Split, config: RunConfig, reading: Mapping[str, object] | None, photo: Path | None
) -> dict[str, object]:
    """Return what a run's metrics.json says of its data, as JSON can hold it."""
    is_file = config.data not in BUILTIN and Path(config.data).expanduser().exists()
    options = {name: value for name, value in (reading or {}).items() if value not in (None, False)}
    return {
        "name": config.data,
        "path": str(Path(config.data).expanduser().resolve()) if is_file else None,
        "reading": options,
        "seed": config.options.seed,
        "photo": None if photo is None else str(photo.expanduser().resolve()),
        "n_train": len(split.train),
        "n_test": len(split.test),
        "train_sha256": data_hash(split.train),
        "test_sha256": data_hash(split.test),
    }


def read_run(folder: Path, *, data: str | None = None, allow_other_data: bool = False) -> RunResult:
    """Return a run as it was, from its folder and its data.

    Parameters
    ----------
    folder : Path
        What ``pellucid run`` or ``pellucid train`` left.
    data : str, optional
        Where the data are now; default: where they were.
    allow_other_data : bool, optional
        Go on with data that are not those of the run; the result's notes then say so.

    Raises
    ------
    FormatError
        If it is no run folder, or a file in it is damaged.
    DataError
        If the data are not there any more, or are not those that the run saw.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        what = f"it lacks {', '.join(missing)}"
        if not folder.is_dir():
            what = "it is a file" if folder.exists() else "there is no such folder"
        raise FormatError(f"{folder}: not a run folder: {what}. `pellucid run` makes one.")
    config = _config(folder / "config.toml")
    metrics = _metrics(folder / "metrics.json")
    history = _history(folder / "history.jsonl", metrics)
    model = load(folder)
    check_weights(str(folder), model)
    record = data_record_of(metrics)
    split = _load(folder, record, config, model, data)
    notes = _check_same(folder, split, record, model, allow_other_data)
    _check_fits(folder, split, model)
    photo, lost = _photo_again(split, record)
    return examine(model, split, config, history, photo, notes + lost)


def data_record_of(metrics: Any) -> dict[str, Any]:
    """Return what a run's metrics.json says of its data, as :func:`data_record` made it; empty if it says nothing.

    What is of another type than ``data_record`` writes is left out.
    """
    record = metrics.get("data") if isinstance(metrics, dict) else None
    record = record if isinstance(record, dict) else {}
    kinds = {"path": str, "photo": str, "train_sha256": str, "test_sha256": str, "reading": dict}
    record = {name: value for name, value in record.items() if isinstance(value, kinds.get(name, object))}
    options = {name: value for name, value in record.get("reading", {}).items() if name in _READING}
    record["reading"] = {n: v for n, v in options.items() if isinstance(v, bool if n == "skip_bad" else str)}
    return record


def find_photo(name: str, shape: Shape, photo: Path | None) -> tuple[str, Array] | None:
    """Return the new photo of a run and its name: the one given, else that which goes with built-in data."""
    if len(shape) != 3:
        return None
    if photo is None and name == "catvnoncat":
        beside = fetch("catvnoncat") / NEW_PHOTO
        photo = beside if beside.is_file() else None
    if photo is not None:
        return photo.name, read_image(photo)
    if name != "drawn-cats":
        return None
    from pellucid.data.drawn import load_new_picture

    return "a new drawing of a cat", load_new_picture()


def _photo_again(split: Split, record: Mapping[str, Any]) -> tuple[tuple[str, Array] | None, tuple[str, ...]]:
    given = record.get("photo")
    shape = split.train.X.shape[1:]
    if not isinstance(given, str):
        return find_photo(split.name, shape, None), ()
    try:
        return find_photo(split.name, shape, Path(given)), ()
    except PellucidError:
        return None, (
            f"The new photo of the run, {Path(given).name}, is not there any more; it is left out.",
        )


def _config(path: Path) -> RunConfig:
    try:
        return RunConfig.from_toml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, PellucidError, TypeError) as error:
        raise FormatError(f"{path}: not the configuration of a run ({error}). {_AGAIN}") from None


def _metrics(path: Path) -> dict[str, Any]:
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(f"{path}: not JSON ({error}). {_AGAIN}") from None
    if not isinstance(metrics, dict):
        raise FormatError(f"{path}: expected one JSON object, got {type(metrics).__name__}. {_AGAIN}")
    return metrics


def _history(path: Path, metrics: Mapping[str, Any]) -> History:
    history = History()
    n = 0
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            n += 1
            row = json.loads(line)
            history.append({key: float(value) for key, value in row.items() if key != "epoch"})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise FormatError(f"{path}, line {n}: not a record of a training ({error}). {_AGAIN}") from None
    try:
        history.n_steps = int(metrics.get("n_steps", n))
        history.seconds = float(metrics.get("seconds", 0.0))
    except (ValueError, TypeError) as error:
        raise FormatError(
            f"{path.parent / 'metrics.json'}: not the metrics of a run ({error}). {_AGAIN}"
        ) from None
    history.is_complete = bool(metrics.get("is_complete", True))
    history.form, history.note = str(metrics.get("form", "direct")), str(metrics.get("note", ""))
    last, known = history.losses[-1] if history.losses else None, metrics.get("final_loss")
    if known is not None and last != known:
        raise FormatError(f"{path}: it ends with a cost of {last}, metrics.json says {known}. {_AGAIN}")
    return history


def _load(
    folder: Path, record: Mapping[str, Any], config: RunConfig, model: Model, data: str | None
) -> Split:
    reading = {"target": config.target, **record["reading"]}
    source = data or record.get("path") or config.data
    if data is None and source not in BUILTIN and not Path(source).expanduser().exists():
        raise DataError(
            f"{folder}: the data of this run are no longer at {source}. Name where they are now with --data."
        )
    return load_named(source, seed=config.options.seed, **reading)


def _check_same(
    folder: Path, split: Split, record: Mapping[str, Any], model: Model, allow_other_data: bool
) -> tuple[str, ...]:
    """Return a note for the report if the data are not those of the run, or raise unless that is allowed."""
    known = {
        "training": (model.summary_of_training.get("data_sha256"), split.train),
        "test": (record.get("test_sha256"), split.test),
    }
    changed = [part for part, (sha, now) in known.items() if sha is not None and data_hash(now) != sha]
    if not changed:
        return ()
    which = " and ".join(changed)
    if not allow_other_data:
        raise DataError(
            f"{folder}: the {which} part of {split.name} is not what this run saw: the data have changed, or are "
            "others. Name those of the run with --data; `pellucid report --other-data` reports on others."
        )
    return (f"Mind that the {which} part of the data is not what the network was trained and tested on.",)


def _check_fits(folder: Path, split: Split, model: Model) -> None:
    """Raise DataError unless it is one class a sample, and the model knows the classes and takes the samples."""
    if model.loss_kind != "classification" or split.train.y.ndim > 1:
        raise DataError(
            f"{folder}: the report is of one class a sample, this model is of {model.loss_kind}. "
            "Try `pellucid evaluate`."
        )
    for what, known, there in (
        ("the model knows the classes", ", ".join(model.classes), ", ".join(split.classes)),
        ("the model takes samples of shape", model.input_shape, split.train.X.shape[1:]),
    ):
        if known != there:
            raise DataError(
                f"{folder}: {what} {known}, {split.name} has {there}. Name the data of the run with --data."
            )


_AGAIN = "The file is damaged; run the training again."
