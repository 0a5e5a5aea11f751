"""Each class, or each label, judged on its own: is it so or not, and was it said or not?"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.evaluation.scores.calibration import Calibration, calibrate, squared_errors, surprises
from pellucid.evaluation.scores.outputs import Outputs
from pellucid.evaluation.scores.roc import PrCurve, ResampledAreas, RocCurve, pr_curve_of, roc_curve_of
from pellucid.ops.activations import sigmoid_forward
from pellucid.stats.intervals import LEVEL, Estimate, interval_of, proportion
from pellucid.types import Array

NO_PROBABILITIES = "the model's loss gives no probabilities"


@dataclass(frozen=True, eq=False)
class Columns:
    """The truth and the answers as one column a class: so or not, said or not, and with which score.

    Attributes
    ----------
    is_so, is_said : Array, shape (m, k), bool
    scores : Array, shape (m, k)
        More is more of it; log-odds where there are probabilities.
    probabilities : Array, shape (m, k), or None
    names : tuple of str
    are_labels : bool
        Whether each column is a question of its own, not one class of several.
    """

    y_true: Array
    y_pred: Array
    scores: Array
    probabilities: Array | None
    names: tuple[str, ...]
    are_labels: bool

    @classmethod
    def of(cls, outputs: Outputs) -> "Columns":
        """Return the columns of answers, of classes or of labels."""
        y, predicted, scores = outputs.y, outputs.predicted, outputs.scores
        are_labels = y.ndim == 2
        if not are_labels:
            every = np.arange(len(outputs.classes))
            y, predicted = y[:, np.newaxis] == every, predicted[:, np.newaxis] == every
        probabilities = sigmoid_forward(scores)[0] if outputs.is_log_odds else None
        return cls(y.astype(bool), predicted.astype(bool), scores, probabilities, outputs.classes, are_labels)


@dataclass(frozen=True, eq=False)
class ClassFigures:
    """What a model makes of one class against the rest, or of one label.

    Attributes
    ----------
    name : str
    n_samples, n_predicted, n_hits : int
        Samples that are so, that were said to be so, and both.
    estimates : dict of str to Estimate
        precision (of those said to be so, the share that is), recall (of those that are so, the share found) and
        f1 (2 hits / (so + said)); roc_auc and average_precision; brier and log_loss of "it is so". Of labels also
        accuracy, and baseline, that of always the commoner answer.
    roc, precision_recall, calibration
        The curves; None where undefined.
    """

    name: str
    n_samples: int
    n_predicted: int
    n_hits: int
    estimates: dict[str, Estimate]
    roc: RocCurve | None
    precision_recall: PrCurve | None
    calibration: Calibration | None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        return {
            "n_samples": self.n_samples,
            "n_predicted": self.n_predicted,
            "n_hits": self.n_hits,
            "estimates": {name: estimate.to_dict() for name, estimate in self.estimates.items()},
            **{
                name: curve if curve is None else curve_to_dict(curve)
                for name, curve in (
                    ("roc", self.roc),
                    ("precision_recall", self.precision_recall),
                    ("calibration", self.calibration),
                )
            },
        }


def curve_to_dict(curve: RocCurve | PrCurve | Calibration) -> dict[str, Any]:
    """Return a curve as JSON can hold it: what is infinite becomes None."""

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return [x if np.isfinite(x) else None for x in value.tolist()]
        return value

    return {name: plain(value) for name, value in curve._asdict().items()}


class ResampledColumns:
    """The scores of each column, and their means, on resamples that are given as counts (m, b).

    ``__call__`` returns an array of shape (scores, b), in the order of ``names``: pairs of a score and a column's
    number, or None for the mean over the columns. NaN where a resample has no such score.
    """

    def __init__(self, columns: Columns) -> None:
        from scipy.sparse import csr_array

        self.k = len(columns.names)
        so, said = columns.y_true.T, columns.y_pred.T
        self.sums = csr_array(np.concatenate([so, said, so & said]).astype(float))
        self.areas = ResampledAreas(columns.y_true, columns.scores)
        self.means: Array | None = None
        scores = ["f1", "roc_auc", "average_precision"]
        if columns.probabilities is not None:
            squares = squared_errors(columns.y_true, columns.probabilities)
            self.means = np.concatenate([squares, surprises(columns.y_true, columns.scores)], axis=1).T.copy()
            scores += ["brier", "log_loss"]
        self.names: list[tuple[str, int | None]] = [(score, c) for score in scores for c in range(self.k)]
        self.names += [(score, None) for score in ("precision", "recall", *scores)]

    def __call__(self, counts: Array) -> Array:
        """Return every score of each resample."""
        so, said, both = (self.sums @ counts).reshape(3, self.k, -1)
        f1 = divide(2 * both, so + said)
        blocks = [f1, *self.areas(counts)]
        if self.means is not None:
            blocks += [*(self.means @ counts / counts.sum(axis=0)).reshape(2, self.k, -1)]
        is_there = so + said > 0  # a class that neither occurs nor is named counts in no mean
        precision = np.where(is_there, np.nan_to_num(divide(both, said)), np.nan)
        averaged = [mean_of_defined(block) for block in (precision, divide(both, so), *blocks)]
        return np.concatenate([*blocks, np.stack(averaged)])


def divide(a: Array, b: Array) -> Array:
    """Return a / b, NaN where b is 0."""
    ratio: Array = np.divide(a, b, out=np.full(np.shape(a), np.nan), where=b > 0)
    return ratio


def mean_of_defined(values: Array) -> Array:
    """Return the mean over the first axis of what is not NaN; NaN where all is.

    Examples
    --------
    >>> mean_of_defined(np.array([[1.0, np.nan], [3.0, np.nan]]))
    array([ 2., nan])
    """
    is_defined = ~np.isnan(values)
    return divide(np.where(is_defined, values, 0).sum(axis=0), is_defined.sum(axis=0))


def class_metrics(
    columns: Columns, resampled: dict[tuple[str, int | None], Array], *, level: float = LEVEL
) -> tuple[ClassFigures, ...]:
    """Return the figures of every column.

    Parameters
    ----------
    columns : Columns
    resampled : dict
        For each of ``ResampledColumns.names``, its bootstrapped values.
    level : float, optional
    """
    return tuple(_one(columns, c, resampled, level) for c in range(len(columns.names)))


def _one(
    columns: Columns, c: int, resampled: dict[tuple[str, int | None], Array], level: float
) -> ClassFigures:
    from sklearn.metrics import f1_score

    so, said, name = columns.y_true[:, c], columns.y_pred[:, c], columns.names[c]
    n, n_said, n_hits = (int(np.count_nonzero(part)) for part in (so, said, so & said))
    nothing = f"no sample is {name!r}"
    unsaid = f"nothing was predicted as {name!r}"
    values, reasons, roc, pr = _threshold_free(columns, c)
    f1 = float(f1_score(so, said)) if n + n_said else None
    estimates = {}
    if columns.are_labels:
        estimates["accuracy"] = proportion(int((so == said).sum()), len(so), level=level)
        estimates["baseline"] = proportion(max(n, len(so) - n), len(so), level=level)
    estimates |= {
        "precision": proportion(n_hits, n_said, level=level, reason=unsaid),
        "recall": proportion(n_hits, n, level=level, reason=nothing),
        "f1": interval_of(f1, resampled["f1", c], f"{nothing}, and {unsaid}", level=level),
    }
    for score, value in values.items():
        sampled = resampled.get((score, c), np.empty(0))
        estimates[score] = interval_of(value, sampled, reasons[score], level=level)
    P = columns.probabilities
    calibration = None if P is None else calibrate(so, P[:, c], level=level)
    return ClassFigures(name, n, n_said, n_hits, estimates, roc, pr, calibration)


def _threshold_free(
    columns: Columns, c: int
) -> tuple[dict[str, float | None], dict[str, str], RocCurve | None, PrCurve | None]:
    """Return the scores of a column that need no verdict, why one is undefined, and both curves."""
    from sklearn.metrics import brier_score_loss

    so, name, P = columns.y_true[:, c], columns.names[c], columns.probabilities
    values: dict[str, float | None] = dict.fromkeys(("roc_auc", "average_precision", "brier", "log_loss"))
    one_kind = f"every sample is {name!r}" if so.all() else f"no sample is {name!r}"
    reasons = dict.fromkeys(("roc_auc", "average_precision"), one_kind)
    reasons |= dict.fromkeys(("brier", "log_loss"), NO_PROBABILITIES)
    roc = pr = None
    if so.any() and not so.all():
        roc, values["roc_auc"] = roc_curve_of(so, columns.scores[:, c])
        pr, values["average_precision"] = pr_curve_of(so, columns.scores[:, c])
    if P is not None:
        values["brier"] = float(brier_score_loss(so, P[:, c], pos_label=True))
        values["log_loss"] = float(surprises(so, columns.scores[:, c]).mean())
    return values, reasons, roc, pr
