"""What training again and again says: over the folds of cross-validation, and over starts."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.stats import LEVEL, check_level
from pellucid.types import Array


@dataclass(frozen=True)
class FoldMean:
    """A mean over the folds of repeated cross-validation, with what it may be.

    Attributes
    ----------
    mean, low, high : float
        ``low`` and ``high`` are None where nothing is left to judge by: of a single fold, or where all are alike.
    p_value : float or None
        How often a mean this far from 0 would come by chance; None likewise.
    """

    mean: float
    low: float | None
    high: float | None
    p_value: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        return asdict(self)


def corrected_t_interval(values: Array, test_share: float, *, level: float = LEVEL) -> FoldMean:
    """Return the mean of one figure a fold, and an interval that allows for folds sharing their training samples.

    Parameters
    ----------
    values : Array, shape (n,)
        A score, or the difference of two models' scores, of each fold.
    test_share : float
        Test samples over training samples of a fold: 0.25 for five folds.
    level : float, optional

    Raises
    ------
    ShapeError, OptionError
        If there are no values, the share is not above 0 or the level is out of range.

    Notes
    -----
    Nadeau and Bengio (2003), "Inference for the generalization error", section 4: folds that share training
    samples are not independent, and the plain t test finds differences that are none. The variance of the mean is
    taken as (1/n + test_share) s^2 instead of s^2 / n; t has n - 1 degrees of freedom.

    Examples
    --------
    >>> result = corrected_t_interval(np.array([0.02, 0.04, 0.0, 0.03, 0.01]), 0.25)
    >>> print(f"{result.mean:.2f} ({result.low:.2f} to {result.high:.2f}), p = {result.p_value:.2f}")
    0.02 (-0.01 to 0.05), p = 0.13
    """
    check_level("corrected_t_interval", level)
    x = np.asarray(values, float)
    if x.ndim != 1 or not len(x):
        raise ShapeError(f"corrected_t_interval: expected values of shape (n,), n at least 1, got {x.shape}.")
    if not test_share > 0:
        raise OptionError(f"corrected_t_interval: test_share: expected above 0, got {test_share}.")
    mean, n = float(x.mean()), len(x)
    if np.ptp(x) <= 1e-12 * max(1.0, abs(mean)):  # a single fold, or the same in every one but for rounding
        return FoldMean(mean, None, None, None)
    error = math.sqrt((1 / n + test_share) * float(x.var(ddof=1)))
    from scipy.special import stdtr, stdtrit  # Student's t: its distribution function and the inverse

    reach = float(stdtrit(n - 1, (1 + level) / 2)) * error
    p_value = float(2 * stdtr(n - 1, -abs(mean) / error))
    return FoldMean(mean, mean - reach, mean + reach, p_value)


@dataclass(frozen=True)
class MeanDifference:
    """How much more one group of scores has than another, both drawn independently.

    Attributes
    ----------
    mean : float
        Of B's scores less that of A's.
    low, high : float or None
        What it may be; None where a group has a single score, or no score of either differs from its group's.
    wins, ties : float
        The share of all pairs, one score of each, in which B's is higher, and in which they are equal.
    """

    mean: float
    low: float | None
    high: float | None
    wins: float
    ties: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        return asdict(self)


def welch_advantage(scores_a: Array, scores_b: Array, *, level: float = LEVEL) -> MeanDifference:
    """Return by how much scores of B exceed scores of A, such as those of trainings from different starts.

    Parameters
    ----------
    scores_a, scores_b : Array, shapes (n_a,) and (n_b,)
    level : float, optional

    Raises
    ------
    ShapeError, OptionError
        If a group is empty, or the level is out of range.

    Notes
    -----
    Welch (1947), "The generalization of Student's problem when several different population variances are
    involved": the two groups need not vary alike. The share of pairs is the Mann-Whitney statistic over n_a n_b.

    Examples
    --------
    >>> result = welch_advantage(np.array([0.70, 0.74, 0.72]), np.array([0.74, 0.80, 0.78]))
    >>> print(f"{result.mean:.3f} ({result.low:.3f} to {result.high:.3f}), higher in {result.wins:.2f}")
    0.053 (-0.009 to 0.116), higher in 0.89
    """
    check_level("welch_advantage", level)
    a, b = np.asarray(scores_a, float), np.asarray(scores_b, float)
    if a.ndim != 1 or b.ndim != 1 or not len(a) or not len(b):
        raise ShapeError(
            f"welch_advantage: expected two arrays of scores, (n,), n at least 1, got {a.shape} and {b.shape}."
        )
    mean = float(b.mean() - a.mean())
    apart = np.subtract.outer(b, a)
    wins, ties = float((apart > 0).mean()), float((apart == 0).mean())
    if min(len(a), len(b)) == 1:
        return MeanDifference(mean, None, None, wins, ties)
    of_a, of_b = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
    if of_a + of_b < 1e-30:  # none varies
        return MeanDifference(mean, None, None, wins, ties)
    from scipy.special import stdtrit

    freedom = (of_a + of_b) ** 2 / (of_a**2 / (len(a) - 1) + of_b**2 / (len(b) - 1))
    reach = float(stdtrit(freedom, (1 + level) / 2)) * math.sqrt(of_a + of_b)
    return MeanDifference(mean, mean - reach, mean + reach, wins, ties)
