"""Each class against the rest, or each label: a binary problem a column."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from pellucid.evaluation.scores.calibration import Calibration, calibrate, cross_entropies, squared_errors
from pellucid.evaluation.scores.roc import PrCurve, ResampledAreas, RocCurve, curves_of, sums_over
from pellucid.prediction.predict import Predictions
from pellucid.stats.intervals import LEVEL, Estimate, interval_of, proportion
from pellucid.types import Array

NO_PROBABILITIES = "the model's loss gives no probabilities"
Resampled: TypeAlias = dict[tuple[str, int | None], Array]  # values of a score and column; None: the mean


@dataclass(frozen=True, eq=False)
class Columns:
    """Truth and predictions as one binary column a class.

    Attributes
    ----------
    y_true, y_pred : Array, shape (m, k), bool
    scores : Array, shape (m, k)
        The higher, the more likely; logits where there are probabilities.
    probabilities : Array, shape (m, k), or None
    names : tuple of str
    are_labels : bool
        Whether each column is a label, not one of several classes.
    """

    y_true: Array
    y_pred: Array
    scores: Array
    probabilities: Array | None
    names: tuple[str, ...]
    are_labels: bool

    @classmethod
    def of(cls, predictions: Predictions) -> "Columns":
        """Return the columns of predicted classes or labels."""
        y_true, y_pred, names = predictions.y_true, predictions.y_pred, predictions.classes
        are_labels = predictions.kind == "multi_label"
        if not are_labels:
            every = np.arange(len(names))
            y_true, y_pred = y_true[:, np.newaxis] == every, y_pred[:, np.newaxis] == every
        P = predictions.probabilities if predictions.has_probabilities else None
        return cls(y_true.astype(bool), y_pred.astype(bool), predictions.scores, P, names, are_labels)


@dataclass(frozen=True, eq=False)
class ClassScores:
    """The scores of one class against the rest, or of one label.

    Attributes
    ----------
    name : str
    is_label : bool
    n_samples, n_predicted, n_hits : int
        Samples of the class, samples predicted as it, and samples of the class predicted as it.
    estimates : dict of str to Estimate
        precision (hits / predicted), recall (hits / samples) and f1 (2 hits / (samples + predicted)); roc_auc and
        average_precision; brier and log_loss. Of labels also accuracy, and baseline, that of always predicting the
        more common value.
    roc, precision_recall, calibration
        The curves; None where undefined.
    """

    name: str
    is_label: bool
    n_samples: int
    n_predicted: int
    n_hits: int
    estimates: dict[str, Estimate]
    roc: RocCurve | None
    precision_recall: PrCurve | None
    calibration: Calibration | None


class ResampledColumns:
    """The scores of each column, and their means, on resamples given as counts (m, b).

    ``__call__`` returns an array of shape (scores, b), in the order of ``names``: pairs of a score and a column's
    number, or None for the mean over the columns. NaN where a resample has no such score.
    """

    def __init__(self, columns: Columns) -> None:
        self.k, self.are_labels = len(columns.names), columns.are_labels
        true, predicted = columns.y_true.T, columns.y_pred.T
        rows, samples = np.nonzero(np.concatenate([true, predicted, true & predicted]))
        self.sums = sums_over(rows, samples, 3 * self.k, len(columns.y_true))
        self.areas = ResampledAreas(columns.y_true, columns.scores)
        self.means: Array | None = None
        scores = ["f1", "roc_auc", "average_precision"]
        if columns.probabilities is not None:
            squares = squared_errors(columns.y_true, columns.probabilities)
            losses = cross_entropies(columns.y_true, columns.scores)
            self.means = np.concatenate([squares, losses], axis=1).T.copy()
            scores += ["brier", "log_loss"]
        self.names: list[tuple[str, int | None]] = [(score, c) for score in scores for c in range(self.k)]
        self.names += [(score, None) for score in ("precision", "recall", *scores)]

    def __call__(self, counts: Array) -> Array:
        """Return every score of each resample."""
        true, predicted, both = self.sums(counts).reshape(3, self.k, -1)
        blocks = [divide(2 * both, true + predicted), *self.areas(counts)]
        if self.means is not None:
            blocks += [*(self.means @ counts / counts.sum(axis=0)).reshape(2, self.k, -1)]
        precision, recall, of_f1 = divide(both, predicted), divide(both, true), blocks[0]
        if self.are_labels:  # as in scikit-learn, 0 where undefined
            precision, recall, of_f1 = map(np.nan_to_num, (precision, recall, of_f1))
        else:  # a class that neither occurs nor is predicted counts in no mean
            precision = np.where(true + predicted > 0, np.nan_to_num(precision), np.nan)
        averaged = [mean_of_defined(block) for block in (precision, recall, of_f1, *blocks[1:])]
        return np.concatenate([*blocks, np.stack(averaged)])


def divide(a: Array, b: Array) -> Array:
    """Return a / b, NaN where b is 0."""
    return np.divide(a, b, out=np.full(np.shape(a), np.nan), where=b > 0)


def mean_of_defined(values: Array) -> Array:
    """Return the mean over the first axis of the values that are not NaN; NaN where all are.

    Examples
    --------
    >>> mean_of_defined(np.array([[1.0, np.nan], [3.0, np.nan]]))
    array([ 2., nan])
    """
    is_defined = ~np.isnan(values)
    return divide(np.where(is_defined, values, 0).sum(axis=0), is_defined.sum(axis=0))


def class_scores(columns: Columns, c: int, resampled: Resampled, level: float = LEVEL) -> ClassScores:
    """Return the scores of column c.

    Parameters
    ----------
    columns : Columns
    c : int
    resampled : dict
        For each of ``ResampledColumns.names``, its bootstrapped values.
    level : float, optional
    """
    true, predicted, name = columns.y_true[:, c], columns.y_pred[:, c], columns.names[c]
    n, n_predicted, n_hits = (int(np.count_nonzero(part)) for part in (true, predicted, true & predicted))
    absent, never = f"no sample is {name!r}", f"no sample was predicted as {name!r}"
    one_class = f"every sample is {name!r}" if n == len(true) else absent
    values: dict[str, tuple[float | None, str]] = {
        "f1": (2 * n_hits / (n + n_predicted) if n + n_predicted else None, f"{absent}, and {never}"),
        **dict.fromkeys(("roc_auc", "average_precision"), (None, one_class)),
        **dict.fromkeys(("brier", "log_loss"), (None, NO_PROBABILITIES)),
    }
    roc = pr = calibration = None
    if 0 < n < len(true):
        roc, area, pr, precision = curves_of(true, columns.scores[:, c])
        values |= {"roc_auc": (area, ""), "average_precision": (precision, "")}
    if columns.probabilities is not None:
        P = columns.probabilities[:, c]
        losses = {"brier": squared_errors(true, P), "log_loss": cross_entropies(true, columns.scores[:, c])}
        values |= {score: (float(each.mean(dtype=float)), "") for score, each in losses.items()}
        calibration = calibrate(true, P, level=level)
    estimates = {}
    if columns.are_labels:
        estimates["accuracy"] = proportion(int((true == predicted).sum()), len(true), level=level)
        estimates["baseline"] = proportion(max(n, len(true) - n), len(true), level=level)
    estimates["precision"] = proportion(n_hits, n_predicted, level=level, reason=never)
    estimates["recall"] = proportion(n_hits, n, level=level, reason=absent)
    for score, (value, reason) in values.items():
        estimates[score] = interval_of(value, resampled.get((score, c), np.empty(0)), reason, level=level)
    return ClassScores(name, columns.are_labels, n, n_predicted, n_hits, estimates, roc, pr, calibration)
