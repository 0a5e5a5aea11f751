"""Means of repeated trainings: over the folds of cross-validation, and over random seeds."""

import math
from dataclasses import dataclass

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.stats.intervals import LEVEL
from pellucid.types import Array


@dataclass(frozen=True)
class FoldMean:
    """A mean over the folds of repeated cross-validation, with its interval.

    Attributes
    ----------
    mean, low, high : float
        ``low`` and ``high`` are None where nothing varies: a single fold, or equal values in all folds.
    p_value : float or None
        The probability of a mean at least this far from 0 by chance alone; None likewise.
    """

    mean: float
    low: float | None
    high: float | None
    p_value: float | None


def corrected_t_interval(values: Array, test_to_train: float) -> FoldMean:
    """Return the mean of one value per fold, with an interval that allows for folds sharing training samples.

    Parameters
    ----------
    values : Array, shape (n,)
        A score, or the difference of two models' scores, of each fold.
    test_to_train : float
        Test samples over training samples of a fold: 0.25 for five folds.

    Raises
    ------
    ShapeError, OptionError
        If there are no values, or the fraction is not above 0.

    Notes
    -----
    Nadeau and Bengio (2003), "Inference for the generalization error", section 4: folds that share training
    samples are not independent, and the plain t test finds differences that do not exist. The variance of the mean
    is taken as (1/n + test_to_train) s^2 instead of s^2 / n; t has n - 1 degrees of freedom.

    Examples
    --------
    >>> result = corrected_t_interval(np.array([0.02, 0.04, 0.0, 0.03, 0.01]), 0.25)
    >>> print(f"{result.mean:.2f} ({result.low:.2f} to {result.high:.2f}), p = {result.p_value:.2f}")
    0.02 (-0.01 to 0.05), p = 0.13
    """
    x = np.asarray(values, float)
    if x.ndim != 1 or not len(x):
        raise ShapeError(f"corrected_t_interval: expected values of shape (n,), n at least 1, got {x.shape}.")
    if not test_to_train > 0:
        raise OptionError(f"corrected_t_interval: test_to_train: expected above 0, got {test_to_train}.")
    mean, n = float(x.mean()), len(x)
    if np.ptp(x) <= 1e-12 * max(1.0, abs(mean)):  # a single fold, or equal up to rounding
        return FoldMean(mean, None, None, None)
    from scipy.stats import t

    error = math.sqrt((1 / n + test_to_train) * float(x.var(ddof=1)))
    low, high = t.interval(LEVEL, n - 1, loc=mean, scale=error)
    return FoldMean(mean, float(low), float(high), float(2 * t.sf(abs(mean) / error, n - 1)))


@dataclass(frozen=True)
class MeanDifference:
    """By how much one group of scores exceeds another, both drawn independently.

    Attributes
    ----------
    mean : float
        The mean of B's scores minus that of A's.
    low, high : float or None
        Its interval; None where a group has a single score, or no score differs from its group's.
    wins, ties : float
        The fraction of all pairs, one score of each, in which B's is higher, and in which they are equal.
    """

    mean: float
    low: float | None
    high: float | None
    wins: float
    ties: float


def welch_difference(scores_a: Array, scores_b: Array) -> MeanDifference:
    """Return by how much scores of B exceed scores of A, such as those of trainings with different seeds.

    Parameters
    ----------
    scores_a, scores_b : Array, shapes (n_a,) and (n_b,)

    Raises
    ------
    ShapeError, OptionError
        If a group is empty.

    Notes
    -----
    Welch (1947), "The generalization of Student's problem when several different population variances are
    involved": the two groups may vary differently. The fraction of pairs is the Mann-Whitney statistic over
    n_a n_b.

    Examples
    --------
    >>> result = welch_difference(np.array([0.70, 0.74, 0.72]), np.array([0.74, 0.80, 0.78]))
    >>> print(f"{result.mean:.3f} ({result.low:.3f} to {result.high:.3f}), higher in {result.wins:.2f}")
    0.053 (-0.009 to 0.116), higher in 0.89
    """
    a, b = np.asarray(scores_a, float), np.asarray(scores_b, float)
    if a.ndim != 1 or b.ndim != 1 or not len(a) or not len(b):
        raise ShapeError(
            f"welch_difference: expected two arrays of scores, (n,), n at least 1, got {a.shape} and {b.shape}."
        )
    mean = float(b.mean() - a.mean())
    pairs = np.subtract.outer(b, a)
    wins, ties = float((pairs > 0).mean()), float((pairs == 0).mean())
    if min(len(a), len(b)) == 1 or float(a.var()) + float(b.var()) < 1e-30:  # nothing varies
        return MeanDifference(mean, None, None, wins, ties)
    from scipy.stats import t  # ttest_ind warns where one group is constant

    of_a, of_b = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
    freedom = (of_a + of_b) ** 2 / (of_a**2 / (len(a) - 1) + of_b**2 / (len(b) - 1))
    low, high = t.interval(LEVEL, freedom, loc=mean, scale=math.sqrt(of_a + of_b))
    return MeanDifference(mean, float(low), float(high), wins, ties)
