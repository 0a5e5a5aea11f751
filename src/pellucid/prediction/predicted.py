"""The record of a prediction, and how a model's outputs become one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.novelty import Novelty
from pellucid.errors import DataError, OptionError
from pellucid.nn.model import Model, probabilities, read
from pellucid.text import join_some, percent, plural
from pellucid.text_blocks import Result
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
    novelty : Novelty or None
        How unusual a photo is among the training photos, of a model with a pretrained body.
    """

    sample: str | int
    label: str = ""
    probability: float = 1.0
    classes: dict[str, float] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    value: Any = None
    novelty: Novelty | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the prediction as JSON can hold it."""
        of: dict[str, Any] = {"row" if isinstance(self.sample, int) else "image": self.sample}
        if self.novelty is not None:
            of |= {"is_unlike": self.novelty.is_unlike, "novelty_p": self.novelty.p_value}
        if self.value is not None:
            return {**of, "value": self.value}
        if self.labels is not None:
            return {**of, "labels": list(self.labels), "classes": self.classes}
        return {**of, "label": self.label, "probability": self.probability, "classes": self.classes}

    def to_row(self) -> dict[str, Any]:
        """Return the prediction as a row of a table has it: no cell but ``labels`` holds a list."""
        row = self.to_dict()
        values, classes = row.pop("value", []), row.pop("classes", {})
        if isinstance(values, list):
            row |= {f"value {i}": value for i, value in enumerate(values, 1)}
        else:
            row["value"] = values
        return row | {f"p({name})": p for name, p in classes.items()}

    def in_words(self, *, is_brief: bool = False) -> str:
        """Return the prediction as a line shows it; brief: without probabilities."""
        if self.novelty is not None and self.novelty.is_alarm and not is_brief:
            return f"{replace(self, novelty=None).in_words()}. {self.novelty.headline()}"
        if self.value is not None:
            return str(self.value)
        labels = (self.label,) if self.labels is None else self.labels
        sure = {name: "" if is_brief else f" ({percent(self.classes[name], 1)})" for name in labels}
        return ", ".join(f"{name}{p}" for name, p in sure.items()) or f"none of {', '.join(self.classes)}"


class Encoded(NamedTuple):
    """Predictions as an output has them, made in another process."""

    content: bytes
    n: int

    def __len__(self) -> int:
        return self.n


@dataclass(frozen=True)
class PredictedSamples(Result):
    """What a model predicts for samples.

    Attributes
    ----------
    predictions : tuple of Prediction
        In the order of the samples.
    notes : tuple of str
        What to mind about the files.
    faults : dict of str to str
        What is wrong with each image that could not be read.
    """

    predictions: tuple[Prediction, ...]
    notes: tuple[str, ...] = ()
    faults: dict[str, str] = field(default_factory=dict)

    columns = ("sample", "prediction")

    def __len__(self) -> int:
        return len(self.predictions)

    def __getitem__(self, i: int) -> Prediction:
        return self.predictions[i]

    @property
    def headline(self) -> str:
        """How many samples there are, and how many of each class, or between which values."""
        unread = f" {plural(len(self.faults), 'image')} cannot be read." if self.faults else ""
        if self.predictions[0].value is not None:
            values = np.concatenate([np.ravel(each.value) for each in self.predictions])
            found = f"from {values.min():.6g} to {values.max():.6g}"
        else:
            counts = Counter(
                label
                for each in self.predictions
                for label in ((each.label,) if each.labels is None else each.labels or ("no label",))
            )
            found = join_some([f"{n} {label}" for label, n in counts.most_common()])
        return f"{plural(len(self), 'prediction')}: {found}.{unread}"

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each sample: its name, what is predicted, and each class's probability, ``p(cat)``."""
        return [each.to_row() for each in self.predictions]

    def blocks(self) -> list[Any]:
        """Return headline, a line for each sample, and notes."""
        lines = [(each.sample, each.in_words()) for each in self.predictions]
        return [self.headline, (self.columns, lines), *self.notes, *self.faults.values()]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        found = [each.to_dict() for each in self.predictions]
        faults = [{"image": name, "error": error} for name, error in self.faults.items()]
        return {"predictions": found, "notes": list(self.notes), "faults": faults}


def check_scores(where: str, Z: Array, samples: Sequence[str | int]) -> None:
    """Raise DataError if a model's outputs (m, ...) for a sample are NaN or infinite; numbers count from 0."""
    is_bad: Any = ~np.isfinite(Z).reshape(len(Z), -1).all(axis=1)
    if is_bad.any():
        first = samples[int(is_bad.argmax())]
        count = " (counted from 0)" if isinstance(first, int) else ""
        raise DataError(
            f"{where}: the model's scores of {is_bad.sum()} of {len(is_bad)} samples are NaN or infinite, the "
            f"first those of sample {first}{count}. Look at it, or train in float64."
        )


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
        If the model's loss gives no probabilities, or it has several outputs.
    """
    if model._loss.kind == "joint":
        raise OptionError(
            "predict: the model has several outputs. Take model.predict, which returns each by name."
        )
    if model._loss.kind != "regression":
        model._check_probabilities()
    Z, features = model._outputs_and_features(X)
    check_scores("predict", Z, samples)
    Z = Z[:, 0] if Z.shape[1:] == (1,) else Z
    novelties: Sequence[Novelty | None] = [None] * len(samples)
    if features is not None and model._novelty is not None:
        novelties = model._novelty.judge(np.asarray(X), features)
    if model._loss.kind == "regression":
        values = read(model._loss, Z).tolist()
        return [
            Prediction(sample, value=value, novelty=novelty)
            for sample, value, novelty in zip(samples, values, novelties, strict=True)
        ]
    P = probabilities(model._loss, Z)
    names = model.classes or tuple(str(label) for label in range(P.shape[1]))
    found = []
    for sample, row, novelty in zip(samples, P, novelties, strict=True):
        best = int(np.argmax(row))
        classes = {name: float(p) for name, p in zip(names, row, strict=True)}
        yes = tuple(name for name, p in classes.items() if p > 0.5)
        labels = yes if model._loss.kind == "multi_label" else None
        found.append(Prediction(sample, names[best], float(row[best]), classes, labels, novelty=novelty))
    return found
