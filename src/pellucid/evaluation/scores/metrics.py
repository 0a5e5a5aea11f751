"""What a model scores, and what a model that learned nothing would."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.errors import DataError, OptionError
from pellucid.evaluation.scores.outputs import read_outputs
from pellucid.nn.model import Model
from pellucid.stats.intervals import wilson_interval
from pellucid.types import Array


@dataclass(frozen=True, eq=False)
class Scores:
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
    classes : tuple of str
        Their names, in the order of the confusion matrix.
    """

    n_samples: int
    n_correct: int
    accuracy: float
    balanced_accuracy: float
    baseline: float
    most_common: str
    confusion: list[list[int]]
    classes: tuple[str, ...]

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """What the true accuracy may be: Wilson's interval, 95 %."""
        return wilson_interval(self.n_correct, self.n_samples)

    @property
    def baseline_interval(self) -> tuple[float, float]:
        """What always answering that class may score on other samples: Wilson's interval, 95 %."""
        return wilson_interval(max(map(sum, self.confusion)), self.n_samples)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        return {
            **asdict(self),
            "classes": list(self.classes),
            "accuracy_interval": list(self.accuracy_interval),
            "baseline_interval": list(self.baseline_interval),
        }


def evaluate(model: Model, data: Dataset) -> Scores:
    """Return what a trained classifier scores on a data set.

    For everything else that can be said of it, with intervals, and for models of labels and quantities, see
    :func:`pellucid.evaluation.scores.measure.assess`.

    Parameters
    ----------
    model : Model
    data : Dataset
        As loaded; the model prepares it. Classes are matched by their names: they may stand in another order.

    Raises
    ------
    DataError
        If the data is empty or has classes that the model does not know.
    ShapeError
        If its samples have another shape than those that the model was trained on.
    OptionError
        If the model does not tell classes apart.
    PellucidError
        If the model's weights or scores are not numbers.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((2,))
    >>> result = evaluate(model, Dataset(np.zeros((3, 2)), np.array([0, 0, 1])))
    >>> low, high = result.accuracy_interval
    >>> print(f"{result.n_correct} of {result.n_samples}: between {low:.2f} and {high:.2f}")
    2 of 3: between 0.21 and 0.94
    """
    if model.loss_kind != "classification":
        raise OptionError(
            f"evaluate: expected a model that tells classes apart, got one trained on {model.loss}. Use "
            "pellucid.evaluation.scores.measure.assess, which takes any."
        )
    outputs = read_outputs(model, data)
    return score(outputs.y, outputs.predicted, outputs.classes)


def score(y: Array, predicted: Array, classes: tuple[str, ...] = ()) -> Scores:
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
    if not len(y):
        raise DataError("score: expected at least one sample, got none.")
    k = max(len(classes), int(max(y.max(), predicted.max())) + 1)
    confusion = np.bincount(y * k + predicted, minlength=k * k).reshape(k, k)
    totals, hits = confusion.sum(axis=1), np.diag(confusion)
    n_correct = int(hits.sum())
    names = classes if len(classes) == k else tuple(str(label) for label in range(k))
    return Scores(
        n_samples=len(y),
        n_correct=n_correct,
        accuracy=n_correct / len(y),
        balanced_accuracy=float((hits[totals > 0] / totals[totals > 0]).mean()),
        baseline=float(totals.max() / len(y)),
        most_common=names[int(totals.argmax())],
        confusion=confusion.tolist(),
        classes=names,
    )
