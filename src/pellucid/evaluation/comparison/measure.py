"""Is one model better than another, or was it luck? Tests for two models that answered the same samples."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.rng import stream
from pellucid.stats import LEVEL, check_level, is_point, percentile_interval
from pellucid.types import Array

N_RESAMPLES = 10_000
RESAMPLED_AT_ONCE = 1_000_000  # numbers drawn at a time, 8 MB


@dataclass(frozen=True)
class McNemar:
    """Who was right how often, and how likely a difference of that size is by chance.

    Attributes
    ----------
    both, only_a, only_b, neither : int
        Samples that both models, one of them, or neither read rightly.
    p_value : float
        Exact: how often two equally good models would differ at least as much in the samples that only one of
        them got right.
    mid_p : float
        The same with splits exactly as uneven as this one counted half: the exact test is over-careful by that.
    chi_square, chi_square_p : float
        The approximation for many samples, with continuity correction.
    """

    both: int
    only_a: int
    only_b: int
    neither: int
    p_value: float
    mid_p: float
    chi_square: float
    chi_square_p: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        return asdict(self)


def mcnemar(correct_a: Array, correct_b: Array) -> McNemar:
    """Test whether two models that answered the same samples are equally good.

    Parameters
    ----------
    correct_a, correct_b : Array, shape (m,), bool
        Whether each model read each sample rightly.

    Returns
    -------
    McNemar

    Raises
    ------
    ShapeError
        If the arrays are empty or do not fit one another.

    Notes
    -----
    McNemar (1947), "Note on the sampling error of the difference between correlated proportions": samples that
    both or neither got right say nothing; of the n = b + c that only one got right, an equally good model gets each
    with chance 1/2. Exact: p = min(1, 2 P[Bin(n, 1/2) <= min(b, c)]). Mid-p (Fagerland et al., 2013): splits as
    uneven as this one count half. Chi-square with Edwards' correction (1948): (|b - c| - 1)^2 / n, one degree of
    freedom; at b = c it is still above 0, as the formula says, where the exact p is 1. With n = 0 every p is 1.

    Examples
    --------
    >>> a = np.array([1, 1, 1, 0, 0, 0, 0, 0], bool)
    >>> b = np.array([1, 0, 0, 1, 1, 1, 1, 0], bool)
    >>> result = mcnemar(a, b)
    >>> result.only_a, result.only_b, round(result.p_value, 4)
    (2, 4, 0.6875)
    """
    a, b = _pair("mcnemar", np.asarray(correct_a, bool), np.asarray(correct_b, bool))
    both, only_a, only_b = (int(np.count_nonzero(part)) for part in (a & b, a & ~b, b & ~a))
    neither, n, fewer = len(a) - both - only_a - only_b, only_a + only_b, min(only_a, only_b)
    if n == 0:
        return McNemar(both, 0, 0, neither, 1.0, 1.0, 0.0, 1.0)
    from scipy.special import bdtr, chdtrc  # not scipy.stats, which takes ten times as long to import

    once = math.comb(n, fewer) / 2**n
    exact = 1.0 if only_a == only_b else min(1.0, float(2 * bdtr(fewer, n, 0.5)))
    mid = 1.0 - once / 2 if only_a == only_b else exact - once
    statistic = (abs(only_a - only_b) - 1) ** 2 / n
    return McNemar(both, only_a, only_b, neither, exact, mid, statistic, float(chdtrc(1, statistic)))


def paired_bootstrap(
    scores_a: Array, scores_b: Array, *, level: float = LEVEL, n_resamples: int = N_RESAMPLES, seed: int = 1
) -> tuple[float, float] | None:
    """Return between what the difference of two models' means, B's less A's, may lie.

    Parameters
    ----------
    scores_a, scores_b : Array, shape (m,)
        A figure of each model for each sample: right or wrong (bool), or a loss.
    level : float, optional
    n_resamples : int, optional
        How often m samples are drawn, with replacement, each with both models' scores.
    seed : int, optional

    Returns
    -------
    low, high : float
        The percentile interval; None where every resample gives the same difference, as it does where the models
        differ on no sample: then resampling cannot say how far off it may be.

    Raises
    ------
    ShapeError, OptionError
        If the arrays are empty or do not fit one another; if the level or the number is out of range.

    Notes
    -----
    Efron and Tibshirani (1993), "An introduction to the bootstrap", section 13.3. Drawing m samples with
    replacement is drawing, for each value that differences take, how often it comes: of right and wrong there are
    three, so that any number of samples costs the same.

    Examples
    --------
    >>> a = np.array([1, 1, 0, 0, 1, 0, 1, 1], bool)
    >>> low, high = paired_bootstrap(a, np.ones(8, bool))
    >>> low > 0, high < 1
    (True, True)
    """
    check_level("paired_bootstrap", level)
    if n_resamples < 100:
        raise OptionError(f"paired_bootstrap: n_resamples: expected 100 or more, got {n_resamples}.")
    a, b = _pair("paired_bootstrap", np.asarray(scores_a, float), np.asarray(scores_b, float))
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise OptionError("paired_bootstrap: expected finite scores, got NaN or infinite ones.")
    values, counts = np.unique(b - a, return_counts=True)
    rng, shares = stream(seed, "paired bootstrap"), counts / len(a)
    means = np.empty(n_resamples)
    step = max(1, RESAMPLED_AT_ONCE // len(values))
    for start in range(0, n_resamples, step):
        part = means[start : start + step]
        part[...] = rng.multinomial(len(a), shares, size=len(part)) @ values / len(a)
    interval = percentile_interval(means, level=level)
    assert interval is not None  # no mean is undefined
    return None if is_point(*interval) else interval


def chance_in_words(p_value: float) -> str:
    """Return what a p-value says, for those who have never met one.

    Examples
    --------
    >>> chance_in_words(0.55)
    'that is well within chance: p = 0.55'
    >>> chance_in_words(0.0004)
    'that is hardly chance: p < 0.001'
    """
    figure = (
        "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}" if p_value < 0.2 else f"p = {p_value:.2f}"
    )
    if p_value < 0.01:
        return f"that is hardly chance: {figure}"
    if p_value < 0.05:
        return f"that is more than chance usually gives: {figure}"
    return f"that can still be chance: {figure}" if p_value < 0.2 else f"that is well within chance: {figure}"


def _pair(where: str, a: Array, b: Array) -> tuple[Array, Array]:
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise ShapeError(
            f"{where}: expected two arrays of shape (m,), m at least 1, got {a.shape} and {b.shape}. "
            "Both models must have answered the same samples."
        )
    return a, b
