"""What a model scores, and what a model that learned nothing would."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pellucid.errors import DataError
from pellucid.nn.model import Model
from pellucid.types import Array, Dataset


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's score on a data set.

    Attributes
    ----------
    n_samples, n_correct : int
    accuracy : float
        The share of samples whose predicted class is the true one.
    balanced_accuracy : float
        The mean of each class's own accuracy, over the classes that occur.
    baseline : float
        The accuracy of always answering the class that is most common here.
    most_common : str
        That class.
    confusion : list of list of int
        Row: the true class; column: the predicted one.
    """

    n_samples: int
    n_correct: int
    accuracy: float
    balanced_accuracy: float
    baseline: float
    most_common: str
    confusion: list[list[int]]
    classes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        return {**asdict(self), "classes": list(self.classes)}


def evaluate(model: Model, data: Dataset) -> Evaluation:
    """Return what a trained model scores on a data set.

    Parameters
    ----------
    model : Model
    data : Dataset
        As loaded; the model prepares it.

    Raises
    ------
    DataError
        If the data is empty or has classes that the model does not know.
    ShapeError
        If its samples have another shape than those that the model was trained on.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((2,))
    >>> evaluate(model, Dataset(np.zeros((3, 2)), np.array([0, 0, 1]))).n_correct
    2
    """
    if len(data) == 0:
        raise DataError("evaluate: expected at least one sample, got none.")
    if model.classes and data.classes and tuple(data.classes) != tuple(model.classes):
        raise DataError(
            f"evaluate: the model knows the classes {', '.join(model.classes)}, the data has "
            f"{', '.join(data.classes)}. Use data of the same classes."
        )
    return score(data.y, model.predict(data.X), model.classes or data.classes)


def score(y: Array, predicted: Array, classes: tuple[str, ...] = ()) -> Evaluation:
    """Return the score of predictions.

    Parameters
    ----------
    y, predicted : Array, shape (m,)
        Integer labels.
    classes : tuple of str, optional

    Examples
    --------
    >>> score(np.array([0, 0, 1]), np.array([0, 1, 1])).balanced_accuracy
    0.75
    """
    k = max(len(classes), int(max(y.max(), predicted.max())) + 1)
    confusion = np.bincount(y * k + predicted, minlength=k * k).reshape(k, k)
    totals, hits = confusion.sum(axis=1), np.diag(confusion)
    n_correct = int(hits.sum())
    names = classes or tuple(str(label) for label in range(k))
    return Evaluation(
        n_samples=len(y),
        n_correct=n_correct,
        accuracy=n_correct / len(y),
        balanced_accuracy=float((hits[totals > 0] / totals[totals > 0]).mean()),
        baseline=float(totals.max() / len(y)),
        most_common=names[int(totals.argmax())],
        confusion=confusion.tolist(),
        classes=names,
    )
