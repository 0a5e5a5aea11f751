"""A run, what its model predicts, and its folder: written once for ``run`` and ``train``, read as it was left."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pellucid.data.copies.duplicates import Leak, find_leaks
from pellucid.data.dataset import Split
from pellucid.data.hashing import data_hash
from pellucid.data.source import DataSource
from pellucid.errors import DataError, FormatError, PellucidError
from pellucid.files import write_atomically
from pellucid.formats.safetensors import load, save
from pellucid.nn.model import Model
from pellucid.prediction.confusion import ConfusionMatrix
from pellucid.prediction.metrics import metrics_of
from pellucid.prediction.predict import Predictions, majority_in_training, positive_class, predict
from pellucid.runs.config import RunConfig
from pellucid.runs.data import is_gone, load_again, moved
from pellucid.text import shown
from pellucid.training.history import History
from pellucid.training.options import TrainingOptions

OF_HISTORY = ("n_steps", "is_complete", "seconds", "setup_seconds", "form", "note", "n_threads", "kernels")


@dataclass(frozen=True, eq=False)
class Run:
    """A run; what its model predicts is computed when it is first asked for, and kept.

    Attributes
    ----------
    folder : Path
    config : RunConfig
    split : Split
        The data, loaded.
    model : Model
        Trained.
    history : History
    saved_scores : mapping of str to dict
        The metrics of the "train" and the "test" part, as a file holds them.
    notes : tuple of str
        What a reader must know: that the data are others than those of the run, say.
    known_leaks : tuple of Leak or None
        Test samples that are training samples too, where they have been searched for.
    doubtful : frozenset of int
        Test samples that have a copy with another label, likewise.
    """

    folder: Path
    config: RunConfig
    split: Split
    model: Model
    history: History
    saved_scores: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    known_leaks: tuple[Leak, ...] | None = None
    doubtful: frozenset[int] = frozenset()

    @property
    def source(self) -> DataSource:
        """Where the data came from."""
        return self.config.source

    @property
    def options(self) -> TrainingOptions:
        """How the model was trained."""
        return self.config.options

    @property
    def kind(self) -> str:
        """``"classification"``, ``"multi_label"`` or ``"regression"``."""
        return self.model._loss.kind

    @property
    def noun(self) -> str:
        """What a sample is called."""
        return self.split.noun

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of what a regression predicts."""
        schema, n = self.split.schema, math.prod(self.split.test.y.shape[1:])
        if schema is not None:
            return schema.target
        return ("the target",) if n == 1 else tuple(f"target {j + 1}" for j in range(n))

    @cached_property
    def train_predictions(self) -> Predictions:
        """What the model predicts for the training part."""
        return predict(self.model, self.split.train)

    @cached_property
    def test_predictions(self) -> Predictions:
        """What it predicts for the test part, without leaks; the baseline is the training part's majority class."""
        found = predict(self.model, self.split.test)
        if found.kind != "classification":
            return found
        model, train = self.model, self.split.train
        majority, positive = majority_in_training(model, train), positive_class(model, train)
        return replace(found, trained_majority=majority, positive=positive)

    @property
    def train_confusion(self) -> ConfusionMatrix:
        """The confusion matrix of the training part."""
        return self.train_predictions.confusion

    @property
    def test_confusion(self) -> ConfusionMatrix:
        """The confusion matrix of the test part."""
        return self.test_predictions.confusion

    @cached_property
    def leaks(self) -> tuple[Leak, ...]:
        """Test samples that are training samples too."""
        if self.known_leaks is not None:
            return self.known_leaks
        return tuple(find_leaks(self.split.train.X, self.split.test.X))

    @cached_property
    def scores(self) -> Mapping[str, dict[str, Any]]:
        """The metrics of the "train" and the "test" part: those of its file, if any."""
        return self.saved_scores or {
            "train": metrics_of(self.train_predictions),
            "test": metrics_of(self.test_predictions),
        }

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds: scores, the training in numbers, and the hashes of the data."""
        history, (train, test) = self.history, self.split
        known = self.model._summary_of_training.get("data_sha256")
        return {
            **self.scores,
            "final_loss": history.losses[-1] if history.losses else None,
            **{name: getattr(history, name) for name in OF_HISTORY},
            "data": {
                "n_train": len(train),
                "n_test": len(test),
                "train_sha256": known or data_hash(train),
                "test_sha256": data_hash(test),
            },
        }


MODEL, HISTORY, CONFIG, METRICS = "model.safetensors", "history.jsonl", "config.toml", "metrics.json"
NONFINITE = "nonfinite.safetensors"
FILES = (MODEL, HISTORY, CONFIG, METRICS)
# Of other weights, others. The last four are what `pellucid export` writes beside a model.
OF_EXPORTS = "model.onnx", "model.html", "predict.py", "predict.npz"
OF_A_MODEL = (*FILES, "history.csv", "report.html", "figures", NONFINITE, *OF_EXPORTS)
CHECKPOINTS = "checkpoints"
OF_A_RUN = (*OF_A_MODEL, CHECKPOINTS, "tensorboard")  # what a run takes the place of
PARTS: tuple[str, ...] = ("train", "test")
_AGAIN = "The file is damaged; run the training again."


def write_run(run: Run, folder: Path) -> None:
    """Write a run into a folder: model, history, configuration and metrics.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    save(run.model, folder / MODEL)
    run.history.write(folder / HISTORY)
    run.history.write(folder / "history.csv")
    write_config(run.config, folder)
    write_atomically(folder / METRICS, json.dumps(run.metrics, indent=2) + "\n")


def holds_run(folder: Path) -> bool:
    """Return whether a folder has the configuration of a run: one that is complete, or has at least begun."""
    try:
        read_config(folder / CONFIG)
    except FormatError:
        return False
    return True


def newest_run(folder: Path, data: DataSource) -> Path | None:
    """Return the run of these data, by their name, that was begun or written last in a folder of runs, if any."""
    found = sorted(((path.stat().st_mtime, path.parent) for path in folder.glob(f"*/{CONFIG}")), reverse=True)
    runs = (run for _, run in found if holds_run(run))
    name = data.resolved().name
    return next((run for run in runs if read_config(run / CONFIG).source.resolved().name == name), None)


def write_config(config: RunConfig, folder: Path) -> None:
    """Write only what the run was asked for: a training does so before it begins."""
    write_atomically(folder / CONFIG, config.to_toml())


def read_run(
    folder: Path, *, data: str | None = None, allow_other_data: bool = False, split: Split | None = None
) -> Run:
    """Return a run as it was, from its folder and its data.

    Parameters
    ----------
    folder : Path
        What ``pellucid run`` or ``pellucid train`` left.
    data : str, optional
        Where the data are now; default: where they were.
    allow_other_data : bool, optional
        Go on with data that are not those of the run; its notes then say so.
    split : Split, optional
        Its data, where they have been loaded already.

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
        if holds_run(folder.parent) and folder.is_file():
            raise FormatError(
                f"{folder}: not a run folder, but a file of one. Name the folder, {folder.parent}."
            )
        raise FormatError(f"{folder}: not a run folder: {what}. `pellucid run` makes one.")
    config, metrics = read_config(folder / CONFIG), read_metrics(folder / METRICS)
    history, model = _read_history(folder / HISTORY, metrics), load(folder)
    source = moved(config.source, model, data)
    if split is None and is_gone(source) and data is None:
        raise DataError(
            f"{folder}: the data of this run are no longer at {source.name}. Name where they are now with --data."
        )
    split = load_again(source) if split is None else split
    changed = _changed_parts(split, model, metrics)
    if changed and not allow_other_data:
        raise DataError(
            f"{folder}: the {changed} part of {split.name} is not what this run saw: the data have changed, or are "
            f"others. Name those of the run with --data; `pellucid report {folder} --other-data` reports on others."
        )
    note = f"Mind that the {changed} part of the data is not what the network was trained and tested on."
    scores = {part: metrics[part] for part in PARTS if part in metrics}
    return Run(folder, config, split, model, history, scores, (note,) if changed else ())


def read_config(path: Path) -> RunConfig:
    """Return what a run's config.toml holds; FormatError where it is damaged or missing."""
    try:
        return RunConfig.from_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, PellucidError) as error:
        raise FormatError(f"{path}: not the configuration of a run ({error}). {_AGAIN}") from None


def read_metrics(path: Path) -> dict[str, Any]:
    """Return what a run's metrics.json holds; FormatError where it is damaged."""
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not JSON ({error}). {_AGAIN}") from None
    if not isinstance(metrics, dict):
        raise FormatError(f"{path}: expected one JSON object, got {type(metrics).__name__}. {_AGAIN}")
    return metrics


def _read_history(path: Path, metrics: Mapping[str, Any]) -> History:
    history, n = History(), 0
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            n += 1
            row = json.loads(line)
            if not isinstance(row, dict):
                raise TypeError(f"expected a JSON object, got {shown(row)}")
            history.append({key: float(value) for key, value in row.items() if key != "epoch"})
    except (OSError, ValueError, TypeError) as error:
        raise FormatError(f"{path}, line {n}: not a record of a training ({error}). {_AGAIN}") from None
    for name in OF_HISTORY:
        kind = type(getattr(history, name))
        value = metrics.get(name, getattr(history, name))
        if not isinstance(value, (int, float) if kind is float else kind):
            raise FormatError(
                f"{path.with_name(METRICS)}: not the metrics of a run ({name} is {value!r}). {_AGAIN}"
            )
        setattr(history, name, kind(value))
    last, known = history.losses[-1] if history.losses else None, metrics.get("final_loss")
    if known is not None and last != known:
        raise FormatError(f"{path}: it ends with a cost of {last}, {METRICS} says {known}. {_AGAIN}")
    return history


def _changed_parts(split: Split, model: Model, metrics: Mapping[str, Any]) -> str:
    """Return which parts of the data are known to be others than those of the run: "training and test"."""
    recorded = metrics.get("data")
    known = {
        "training": (model._summary_of_training.get("data_sha256"), split.train),
        "test": (recorded.get("test_sha256") if isinstance(recorded, dict) else None, split.test),
    }
    return " and ".join(
        part for part, (sha, now) in known.items() if sha is not None and data_hash(now) != sha
    )
