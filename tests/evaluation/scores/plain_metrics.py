"""Every metric once more, as plainly as it can be written: to be read, and to test the fast ones against.

Labels are integers from 0 to k - 1, shape (m,); ``y_true`` is True where a sample is of the class in question. A
fraction of nothing is NaN.
"""

import math

import numpy as np

from pellucid.types import Array


def confusion_matrix(y: Array, predicted: Array, k: int) -> Array:
    """Return how often each true class (row) was predicted as each (column), (k, k).

    Examples
    --------
    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2)
    array([[1, 0],
           [1, 1]])
    """
    matrix = np.zeros((k, k), int)
    for true, guess in zip(y, predicted, strict=True):
        matrix[true, guess] += 1
    return matrix


def accuracy(y: Array, predicted: Array) -> float:
    """Return the fraction of samples that are predicted correctly."""
    return sum(bool(a == b) for a, b in zip(y, predicted, strict=True)) / len(y)


def precision(y_true: Array, y_pred: Array) -> float:
    """Return the fraction of predicted positives that are positive."""
    return _fraction(sum(bool(a and b) for a, b in zip(y_true, y_pred, strict=True)), int(y_pred.sum()))


def recall(y_true: Array, y_pred: Array) -> float:
    """Return the fraction of positives that are predicted positive."""
    return _fraction(sum(bool(a and b) for a, b in zip(y_true, y_pred, strict=True)), int(y_true.sum()))


def f1(y_true: Array, y_pred: Array) -> float:
    """Return the harmonic mean of precision and recall: 2 / (1 / precision + 1 / recall)."""
    if not y_true.any() and not y_pred.any():
        return math.nan
    p, r = precision(y_true, y_pred), recall(y_true, y_pred)
    return 2 / (1 / p + 1 / r) if p > 0 and r > 0 else 0.0


def balanced_accuracy(y: Array, predicted: Array) -> float:
    """Return the mean recall of the classes that occur."""
    return float(np.mean([recall(y == c, predicted == c) for c in np.unique(y)]))


def roc_area(y_true: Array, scores: Array) -> float:
    """Return how often a sample that is so scores above one that is not (Hanley, McNeil 1982); ties count half."""
    wins = [(a > b) + 0.5 * (a == b) for a in scores[y_true] for b in scores[~y_true]]
    return _fraction(sum(wins), len(wins))


def average_precision(y_true: Array, scores: Array) -> float:
    """Return the mean, over the samples that are so, of the precision when the threshold is at their score."""
    if not y_true.any() or y_true.all():
        return math.nan
    return float(np.mean([precision(y_true, scores >= score) for score in scores[y_true]]))


def roc_points(y_true: Array, scores: Array) -> list[tuple[float, float]]:
    """Return the false and true positive rate of every threshold, from none called so to all."""
    thresholds = [math.inf, *sorted(set(scores.tolist()), reverse=True)]
    return [(recall(~y_true, scores >= t), recall(y_true, scores >= t)) for t in thresholds]


def precision_recall_points(y_true: Array, scores: Array) -> list[tuple[float, float]]:
    """Return the precision and the recall of every threshold, from all called so to the fewest."""
    return [
        (precision(y_true, scores >= t), recall(y_true, scores >= t)) for t in sorted(set(scores.tolist()))
    ]


def brier_score(y: Array, P: Array) -> float:
    """Return the mean squared distance of the probabilities (m, k) from 1 at the true class and 0 elsewhere.

    Summed over the classes, as Brier (1950) has it; of two classes only one counts, since the other says the same.
    """
    k = P.shape[1]
    total = sum((P[i, c] - (y[i] == c)) ** 2 for i in range(len(y)) for c in range(k))
    return float(total / len(y) / (2 if k == 2 else 1))


def log_loss(y: Array, P: Array) -> float:
    """Return the mean of -log of the true class's probability, in nats; infinite where one is 0."""
    losses = [math.inf if P[i, y[i]] == 0 else -math.log(P[i, y[i]]) for i in range(len(y))]
    return sum(losses) / len(y)


def calibration_error(y_true: Array, probabilities: Array, n_bins: int) -> float:
    """Return the expected calibration error: the mean over bins of abs(fraction positive - mean predicted)."""
    total = 0.0
    for b in range(n_bins):
        low, high = b / n_bins, (b + 1) / n_bins
        inside = (probabilities > low) & (probabilities <= high) | ((b == 0) & (probabilities == 0))
        if inside.any():
            total += inside.sum() / len(y_true) * abs(y_true[inside].mean() - probabilities[inside].mean())
    return float(total)


def _fraction(n: float, total: int) -> float:
    return n / total if total else math.nan
