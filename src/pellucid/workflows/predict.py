"""What a model predicts for images, or for the rows of a table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.readers.images import read_sample
from pellucid.errors import DataError
from pellucid.evaluation.scores.predictions import check_weights
from pellucid.formats.safetensors import load
from pellucid.nn.model import Model
from pellucid.types import Array


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


def predict_images(model: Model, images: Iterable[str | Path]) -> list[Prediction]:
    """Return what a model predicts for images of any size and kind that Pillow opens.

    Raises
    ------
    DataError
        If an image cannot be read.
    ShapeError
        If the model does not take images.
    """
    named = [str(image) for image in images]
    X = np.stack([read_sample(image, model.input_shape) for image in named])
    return predict_samples(model, X, named)


def predict_rows(model: Model, path: Path) -> tuple[list[Prediction], tuple[str, ...]]:
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
    return predict_samples(model, found.X, range(len(found.X))), found.notes


def predict_files(model_path: Path, files: Sequence[Path]) -> tuple[list[Prediction], tuple[str, ...]]:
    """Return what a saved model predicts for images, or for the rows of one table, and notes.

    Raises
    ------
    PellucidError
        If the model or a file cannot be read, or they do not fit.
    """
    model = load(model_path)
    check_weights(str(model_path), model)
    if len(files) == 1 and files[0].suffix.lower() in (".csv", ".tsv"):
        return predict_rows(model, files[0])
    return predict_images(model, files), ()
