"""What a model predicts for images, or for the rows of a table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.readers.images import check_takes_images, read_sample
from pellucid.data.readers.many import fill_rows
from pellucid.data.readers.named import named_images
from pellucid.errors import DataError
from pellucid.evaluation.scores.predictions import check_weights
from pellucid.formats.safetensors import load
from pellucid.nn.model import Model
from pellucid.progress import CountCallback
from pellucid.text import plural
from pellucid.types import Array, Shape

PIECE = 256  # images that are in memory at the same time


@dataclass(frozen=True)
class Prediction:
    """What a model predicts for one sample.

    Attributes
    ----------
    sample : str or int
        An image as it was named, or the number of a row.
    label : str
        The most probable class; empty of a model of quantities.
    probability : float
        Of that class.
    classes : dict of str to float
        Every class with its probability.
    labels : tuple of str or None
        Of a model of several yes-or-no questions: those answered yes.
    value : float or list of float or None
        Of a model of quantities.
    """

    sample: str | int
    label: str = ""
    probability: float = 1.0
    classes: dict[str, float] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    value: Any = None

    def to_dict(self) -> dict[str, Any]:
        """Return the prediction as JSON can hold it."""
        of: dict[str, Any] = {"row" if isinstance(self.sample, int) else "image": self.sample}
        if self.value is not None:
            return {**of, "value": self.value}
        if self.labels is not None:
            return {**of, "labels": list(self.labels), "classes": self.classes}
        return {**of, "label": self.label, "probability": self.probability, "classes": self.classes}

    def in_words(self, *, is_brief: bool = False) -> str:
        """Return the prediction as a line shows it; brief: without probabilities."""
        if self.value is not None:
            return str(self.value)
        labels = (self.label,) if self.labels is None else self.labels
        sure = {name: "" if is_brief else f" ({100 * self.classes[name]:.1f} %)" for name in labels}
        return ", ".join(f"{name}{p}" for name, p in sure.items()) or f"none of {', '.join(self.classes)}"


@dataclass(frozen=True)
class PredictedFiles:
    """What a model predicts for files.

    Attributes
    ----------
    predictions : tuple of Prediction
    notes : tuple of str
        What to mind about the files.
    faults : dict of str to str
        What is wrong with each image that could not be read.
    """

    predictions: tuple[Prediction, ...]
    notes: tuple[str, ...] = ()
    faults: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        found = [each.to_dict() for each in self.predictions]
        faults = [{"image": name, "error": error} for name, error in self.faults.items()]
        return {"predictions": found, "notes": list(self.notes), "faults": faults}


def predict_samples(model: Model, X: Array, samples: Sequence[str | int]) -> list[Prediction]:
    """Return what a model predicts for samples, in one pass.

    Parameters
    ----------
    model : Model
        Of classes, labels or quantities.
    X : Array, shape (m, ...)
        As the data have it; the model prepares it.
    samples : sequence of str or int, length m
        What each is called.

    Raises
    ------
    ShapeError
        If the model takes samples of another shape.
    OptionError
        If the model's loss gives no probabilities.
    """
    if model.loss_kind == "regression":
        values = model.predict(X).tolist()
        return [Prediction(sample, value=value) for sample, value in zip(samples, values, strict=True)]
    P = model.predict_proba(X)
    names = model.classes or tuple(str(label) for label in range(P.shape[1]))
    found = []
    for sample, row in zip(samples, P, strict=True):
        best = int(np.argmax(row))
        classes = {name: float(p) for name, p in zip(names, row, strict=True)}
        yes = tuple(name for name, p in classes.items() if p > 0.5)
        labels = yes if model.loss_kind == "multi_label" else None
        found.append(Prediction(sample, names[best], float(row[best]), classes, labels))
    return found


def predict_images(
    model: Model, images: Iterable[str | Path], *, progress: CountCallback | None = None
) -> PredictedFiles:
    """Return what a model predicts for images of any size and kind that Pillow opens.

    Parameters
    ----------
    model : Model
        Of images.
    images : iterable of str or Path
    progress : callable, optional
        Called with the number of images read and their number.

    Raises
    ------
    DataError
        If no image can be read; where some can, what is wrong with the others is in ``faults``.
    ShapeError
        If the model does not take images.
    """
    check_takes_images(model.input_shape)
    named = [str(image) for image in images]
    found: list[Prediction] = []
    faults: dict[str, DataError] = {}
    for start in range(0, len(named), PIECE):
        piece = named[start : start + PIECE]
        X = np.empty((len(piece), *model.input_shape), np.uint8)
        rows = fill_rows(
            X, partial(_read, piece, model.input_shape), partial(_count, progress, start, len(named))
        )
        faults |= {piece[i]: error for i, error in rows.faults.items()}
        if rows.found:
            found += predict_samples(model, X[: len(rows.found)], [piece[i] for i in rows.found])
    if not found:
        first = next(iter(faults.values()))
        raise first if len(faults) == 1 else DataError(f"none of {len(named)} images can be read; {first}")
    return PredictedFiles(tuple(found), (), {name: str(error) for name, error in faults.items()})


def _read(names: Sequence[str], shape: Shape, i: int) -> tuple[Array, None]:
    return read_sample(names[i], shape), None


def _count(progress: CountCallback | None, before: int, total: int, done: int, of: int) -> None:
    if progress is not None:
        progress(before + done, total)


def predict_rows(model: Model, path: Path) -> PredictedFiles:
    """Return what a model of a table predicts for every row of a file, and notes on the file.

    Raises
    ------
    DataError
        If the model was not trained on a table, or the file does not fit it.
    """
    if model.schema is None:
        raise DataError(
            f"{path}: the model was trained on {model.input_shape}, not on a table; give it images."
        )
    found = model.schema.encode(path, with_target=False)
    return PredictedFiles(tuple(predict_samples(model, found.X, range(len(found.X)))), found.notes)


def predict_files(
    model_path: Path, files: Sequence[str | Path], *, progress: CountCallback | None = None
) -> PredictedFiles:
    """Return what a saved model predicts for images, or for the rows of one table.

    Parameters
    ----------
    model_path : Path
        A model file or a run folder.
    files : sequence of str or Path
        Images; folders, whose images are taken with those of their sub-folders; patterns such as ``photos/*.jpg``;
        or one .csv or .tsv file.
    progress : callable, optional
        Called with the number of images read and their number.

    Raises
    ------
    PellucidError
        If the model or every file cannot be read, or they do not fit.
    """
    model = load(model_path)
    check_weights(str(model_path), model)
    if len(files) == 1 and Path(files[0]).suffix.lower() in (".csv", ".tsv"):
        return predict_rows(model, Path(files[0]))
    named, n_others = named_images(files)
    found = predict_images(model, named, progress=progress)
    notes = (
        (f"{plural(n_others, 'file')} in the folders not used: no images by their names",) if n_others else ()
    )
    return replace(found, notes=notes)
