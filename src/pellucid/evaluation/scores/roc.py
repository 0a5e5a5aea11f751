"""How well scores rank: ROC and precision-recall curves and the areas under them, also on resamples.

Both curves lower a threshold through all scores and watch what is predicted positive. The area under the ROC curve
is how often a positive sample scores above a negative one. The area under the precision-recall curve is the average
precision.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pellucid.types import Array


class RocCurve(NamedTuple):
    """At each threshold, the fraction of negatives and of positives that are predicted positive."""

    false_positive_rate: Array  # (n,), rising from 0 to 1
    true_positive_rate: Array  # (n,), likewise
    thresholds: Array  # (n,), falling; the first is infinite: nothing is predicted positive


class PrCurve(NamedTuple):
    """At each threshold, the fraction of predicted positives that are positive, and of positives that are found."""

    precision: Array  # (n,), the last 1
    recall: Array  # (n,), falling to 0
    thresholds: Array  # (n - 1,), rising


def curves_of(is_positive: Array, scores: Array) -> tuple[RocCurve, float, PrCurve, float]:
    """Return ROC and precision-recall curves and their areas, AP = sum_k (recall_k - recall_k-1) precision_k.

    The area under the ROC curve is how often a positive sample scores above a negative one.

    Parameters
    ----------
    is_positive : Array, shape (m,), bool
        Some True, some False: of one kind alone there is no curve.
    scores : Array, shape (m,)
        More is more positive; equal scores count half.

    Examples
    --------
    >>> _, area, _, precision = curves_of(np.array([False, True, False, True]), np.array([0.1, 0.4, 0.35, 0.3]))
    >>> area, round(precision, 3)
    (0.75, 0.833)
    """
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # of each score, falling
    thresholds, hits = scores[order][last], np.cumsum(is_positive[order])[last].astype(float)
    called = last + 1.0  # samples at a threshold or above
    alarms = called - hits
    # Not in the middle of a straight line, or of a row of equal recall.
    bends, steps = np.ones((2, len(hits)), bool)
    bends[1:-1] = (np.diff(hits, 2) != 0) | (np.diff(alarms, 2) != 0)
    steps[1:-1] = (np.diff(hits)[:-1] != 0) | (np.diff(hits)[1:] != 0)
    roc = RocCurve(
        np.append(0, alarms[bends]) / alarms[-1],
        np.append(0, hits[bends]) / hits[-1],
        np.append(np.inf, thresholds[bends]),
    )
    found = hits[steps][::-1]
    precision = np.append(found / called[steps][::-1], 1.0)
    pr = PrCurve(precision, np.append(found / hits[-1], 0.0), thresholds[steps][::-1])
    areas = ResampledAreas(is_positive[:, np.newaxis], scores[:, np.newaxis])(np.ones((len(scores), 1)))
    return roc, float(areas[0][0, 0]), pr, float(areas[1][0, 0])


def sums_over(rows: Array, samples: Array, n: int, m: int) -> Callable[[Array], Array]:
    """Return a function that adds up counts (m, b) over n groups of samples: row r over the samples beside each r.

    It is a sparse product of SciPy's, three times as fast as NumPy's sums, which serve where SciPy is not there.

    Examples
    --------
    >>> sums_over(np.array([0, 2, 2]), np.array([1, 0, 1]), 3, 2)(np.array([[1.0], [10.0]])).tolist()
    [[10.0], [0.0], [11.0]]
    """
    try:
        from scipy.sparse import csr_array
    except ImportError:
        order = np.argsort(rows, kind="stable")
        filled, starts = np.unique(rows[order], return_index=True)

        def add(counts: Array) -> Array:
            sums = np.zeros((n, counts.shape[1]))
            if len(filled):
                sums[filled] = np.add.reduceat(counts[samples[order]], starts, axis=0)
            return sums

        return add
    matrix: Any = csr_array((np.ones(len(rows)), (rows, samples)), shape=(n, m))
    return lambda counts: np.asarray(matrix @ counts)


class ResampledAreas:
    """Both areas for each column of scores, on resamples that are given as counts: see :mod:`.resampling`.

    Samples are sorted by score once. What a resample needs then is how many of its positives have each score, and
    how many of its negatives lie between two such scores: sums over groups of samples, which one sparse product
    gives for all columns and resamples.

    Parameters
    ----------
    is_positive : Array, shape (m, k), bool
    scores : Array, shape (m, k)

    Notes
    -----
    About 10 m operations a column and resample. Equal to scikit-learn's ``roc_auc_score`` and
    ``average_precision_score`` of the samples drawn.

    Examples
    --------
    >>> areas = ResampledAreas(np.array([[False], [True], [True]]), np.array([[0.1], [0.4], [0.0]]))
    >>> roc, precision = areas(np.array([[1.0, 2.0], [1.0, 0.0], [1.0, 1.0]]))
    >>> roc
    array([[0.5, 0. ]])
    """

    def __init__(self, is_positive: Array, scores: Array) -> None:
        self.parts: list[tuple[slice, slice, slice]] = []  # rows of positives, negatives, and those with ties
        rows, samples, start = [], [], 0
        for column, score in zip(is_positive.T, scores.T, strict=True):
            yes, no = np.flatnonzero(column), np.flatnonzero(~column)
            steps, of_yes = np.unique(score[yes], return_inverse=True)
            n = len(steps)
            over, from_ = (np.searchsorted(steps, score[no], side=side) for side in ("right", "left"))
            has_ties = bool((over != from_).any())
            rows += [start + of_yes, start + n + over]
            samples += [yes, no]
            positives, negatives = slice(start, start + n), slice(start + n, start + 2 * n + 1)
            start = negatives.stop
            tied = negatives
            if has_ties:
                rows, samples = [*rows, start + from_], [*samples, no]
                tied = slice(start, start + n + 1)
                start = tied.stop
            self.parts.append((positives, negatives, tied))
        self.sums = sums_over(np.concatenate(rows), np.concatenate(samples), start, len(scores))

    def __call__(self, counts: Array) -> tuple[Array, Array]:
        """Return the ROC areas and the average precisions, each (k, b), for counts (m, b); NaN where undefined."""
        sums = np.ascontiguousarray(self.sums(counts).T)
        roc, precision = np.empty((2, len(self.parts), counts.shape[1]))
        for c, (positives, negatives, tied) in enumerate(self.parts):
            P, N = sums[:, positives], sums[:, negatives]
            ties = None if tied is negatives else sums[:, tied]
            roc[c], precision[c] = _areas(P, N, ties)
        return roc, precision


def _areas(P: Array, N: Array, ties: Array | None) -> tuple[Array, Array]:
    """Return both areas, (b,).

    Parameters
    ----------
    P : Array, shape (b, n)
        Positives at each of n rising scores.
    N : Array, shape (b, n + 1)
        Negatives from each of these scores up to below the next; first, below all of them.
    ties : Array, shape (b, n + 1), or None
        The same with each score's own negatives counted to those below it; None where that is the same.
    """
    n_positive, n_negative = P.sum(axis=1), N.sum(axis=1)
    below = np.cumsum(N[:, :-1], axis=1)  # strictly below each score
    above = np.cumsum(P[:, ::-1], axis=1)[:, ::-1]  # positives at each score or above
    wins = np.einsum("bs,bs->b", P, below)
    if ties is not None:  # equal scores count half
        wins = (wins + np.einsum("bs,bs->b", P, np.cumsum(ties[:, :-1], axis=1))) / 2
    called = np.subtract(n_negative[:, np.newaxis], below, out=below)
    called += above
    np.maximum(called, 1, out=called)  # 0 only where nothing is above, and then neither is gained
    above /= called
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: one kind alone has no area
        roc = wins / (n_positive * n_negative)
        precision = np.einsum("bs,bs->b", P, above) / np.where(n_negative > 0, n_positive, np.nan)
    return roc, precision
