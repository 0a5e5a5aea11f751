"""Rank correlation: do two lists of numbers have the same order?"""

import numpy as np

from pellucid.types import Array


def rank_correlation(a: Array, b: Array) -> float | None:
    """Return Spearman's rank correlation of two arrays' numbers; None if one of them is constant.

    Parameters
    ----------
    a, b : Array, of one shape
        Equal numbers get the mean of their ranks.

    Notes
    -----
    Spearman (1904), "The proof and measurement of association between two things"; ``scipy.stats.spearmanr``.

    Examples
    --------
    >>> rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([5.0, 6.0, 7.0]))
    1.0
    >>> round(rank_correlation(np.array([1, 1, 2]), np.array([5, 7, 9])), 6)
    0.866025
    """
    if any((array == array.flat[0]).all() for array in (a, b)):
        return None
    from scipy.stats import spearmanr

    return float(np.clip(spearmanr(a.ravel(), b.ravel()).statistic, -1, 1))
