"""Which samples are worth looking at, in which order, and what was predicted for each."""

from dataclasses import dataclass

import numpy as np

from pellucid.prediction.predict import Predictions
from pellucid.text import shorten
from pellucid.types import Array

LONGEST_NAME = 80  # characters

GALLERIES = {
    "mistakes": "The mistakes",
    "confident mistakes": "The most confident mistakes",
    "highest losses": "The highest losses",
    "confident hits": "The most confident hits",
}


@dataclass(frozen=True)
class SamplePrediction:
    """What a classifier predicts for one sample, and what is true.

    Attributes
    ----------
    index : int
        Of the sample in its data set.
    predicted, actual : str
        Class names.
    probability : float
        Of the predicted class.
    loss : float
        The cross-entropy, minus the logarithm of the probability of the true class.
    is_correct : bool
    """

    index: int
    predicted: str
    actual: str
    probability: float
    loss: float
    is_correct: bool


def sample_prediction(predictions: Predictions, index: int) -> SamplePrediction:
    """Return what is predicted for one sample.

    Parameters
    ----------
    predictions : Predictions
        Of a classifier with probabilities.
    index : int
        Of the sample in its data set.

    Examples
    --------
    >>> y, scores = np.array([0, 1]), np.array([[-1.0, 1.0], [-1.0, 1.0]])
    >>> found = Predictions("classification", y, np.array([1, 1]), scores, True, ("non-cat", "cat"))
    >>> sample_prediction(found, 0)
    SamplePrediction(index=0, predicted='cat', actual='non-cat', probability=0.73..., ...)
    """
    predicted, actual = (
        shorten(predictions.classes[labels[index]], LONGEST_NAME)
        for labels in (predictions.y_pred, predictions.y_true)
    )
    return SamplePrediction(
        int(index),
        predicted,
        actual,
        float(predictions.confidences[index]),
        float(predictions.losses[index]),
        bool(predictions.is_correct[index]),
    )


def pick(kind: str, predictions: Predictions, n: int | None = None) -> Array:
    """Return which samples belong in a gallery, in the order in which to show them.

    Parameters
    ----------
    kind : {"mistakes", "confident mistakes", "highest losses", "confident hits"}
        Misclassified samples in the order of the data; those with the highest probability first; samples whose true
        class has the lowest probability, correct ones too if there are no others; correctly classified samples,
        the most confident first.
    predictions : Predictions
        Of a classifier with probabilities.
    n : int, optional
        At most that many; default: all.

    Returns
    -------
    Array, shape (n or fewer,), dtype int64
        Row numbers. Equally confident ones stay in the order of the data.

    Raises
    ------
    OptionError
        If there are no probabilities.

    Examples
    --------
    >>> y, logit = np.array([0, 1, 1, 0]), np.array([0.4, 2.2, -1.4, -2.3])
    >>> scores = np.stack([-logit, logit], axis=1)
    >>> found = Predictions("classification", y, (logit > 0).astype(int), scores, True, ("no", "yes"))
    >>> [pick(kind, found, 2).tolist() for kind in GALLERIES]
    [[0, 2], [2, 0], [2, 0], [3, 1]]
    """
    correct = predictions.is_correct
    if kind == "highest losses":
        return np.argsort(-predictions.losses, kind="stable")[:n]
    if kind == "mistakes":
        return np.flatnonzero(~correct)[:n]
    order = _most_confident_first(predictions)
    chosen: Array = order[correct[order] == (kind == "confident hits")]
    return chosen[:n]


def confusion_cells(predictions: Predictions) -> dict[tuple[int, int], list[int]]:
    """Return the samples in each cell of the confusion matrix, the most confident first.

    Parameters
    ----------
    predictions : Predictions
        Of a classifier with probabilities.

    Returns
    -------
    dict of (true class, predicted class) to list of int
        Only cells with samples.
    """
    cells: dict[tuple[int, int], list[int]] = {}
    for i in _most_confident_first(predictions):
        cells.setdefault((int(predictions.y_true[i]), int(predictions.y_pred[i])), []).append(i)
    return dict(sorted(cells.items()))


def _most_confident_first(predictions: Predictions) -> Array:
    chosen: Array = predictions.scores[np.arange(len(predictions)), predictions.y_pred]
    return np.argsort(-chosen, kind="stable")
