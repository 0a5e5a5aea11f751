"""A score with its interval: Wilson's for fractions, percentiles of bootstrapped values for everything else."""

import math
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import OptionError
from pellucid.types import Array

LEVEL = 0.95  # the default level of every interval
ALPHA = 0.05  # the significance level of every test: a p-value below it counts as beyond chance


def wilson_interval(n_correct: int, n: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Return the confidence interval of a fraction.

    Parameters
    ----------
    n_correct, n : int
        Samples classified correctly, and all samples; 0 <= n_correct <= n and n at least 1.
    level : float, optional
        Between 0 and 1: the fraction of test sets whose interval contains the true accuracy (approximately).

    Returns
    -------
    low, high : float
        Between 0 and 1.

    Raises
    ------
    OptionError
        If there are no samples, more correct ones than samples, or the level is not between 0 and 1.

    Notes
    -----
    Wilson (1927), "Probable inference, the law of succession, and statistical inference": the fractions p that a
    normal test would not reject, |n_correct / n - p| <= z sqrt(p (1 - p) / n). Unlike the fraction plus and minus
    two standard errors, it stays within 0 and 1, and is no point where all are correct. In closed form, not by
    ``scipy.stats.binomtest``, which computes a p-value for each of the many intervals of a calibration curve.

    Examples
    --------
    >>> low, high = wilson_interval(40, 50)
    >>> print(f"{low:.2f} to {high:.2f}")
    0.67 to 0.89
    """
    check_level("wilson_interval", level)
    if not 0 <= n_correct <= n or n < 1:
        raise OptionError(
            f"wilson_interval: expected 0 <= n_correct <= n with n at least 1, got n_correct={n_correct}, n={n}. "
            "Pass the number of correct answers and the number of all answers."
        )
    from statistics import NormalDist  # here, since `predict` imports this module and never asks

    z = NormalDist().inv_cdf((1 + level) / 2)
    fraction, over = n_correct / n, z * z / n
    center = fraction + over / 2
    reach = z * math.sqrt(fraction * (1 - fraction) / n + over / (4 * n))
    low, high = (center - reach) / (1 + over), (center + reach) / (1 + over)
    return (0.0 if n_correct == 0 else max(low, 0.0)), (1.0 if n_correct == n else min(high, 1.0))


def exceeds(a: float, n_a: int, b: float, n_b: int) -> bool:
    """Return whether a fraction of some samples is larger than one of others, beyond chance.

    Newcombe (1998), "Interval estimation for the difference between independent proportions", method 10: whether
    the interval of a - b that the two Wilson intervals make is above 0.

    Examples
    --------
    >>> exceeds(1.0, 30, 10 / 11, 11), exceeds(1.0, 300, 10 / 11, 11)
    (False, True)
    """
    low, high = wilson_interval(round(a * n_a), n_a)[0], wilson_interval(round(b * n_b), n_b)[1]
    return a - b > math.hypot(a - low, high - b)


def check_level(where: str, level: float) -> None:
    """Raise OptionError if a level is not between 0 and 1."""
    if not 0 < level < 1:
        raise OptionError(f"{where}: level: expected a number between 0 and 1, such as 0.95, got {level}.")


class Estimate(NamedTuple):
    """A score and its confidence interval."""

    value: float | None  # None: undefined here, and ``reason`` says why
    low: float | None = None  # None: no interval
    high: float | None = None
    reason: str = ""  # why something is None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serializable dictionary; the reason only where there is one."""
        fields = self._asdict()
        return fields if self.reason else {name: fields[name] for name in ("value", "low", "high")}


def proportion(
    n_correct: int, n: int, *, level: float = LEVEL, reason: str = "there are no samples"
) -> Estimate:
    """Return a fraction with Wilson's interval; where ``n`` is 0, an undefined estimate with that reason.

    Examples
    --------
    >>> proportion(0, 0, reason="no sample was predicted as it").to_dict()
    {'value': None, 'low': None, 'high': None, 'reason': 'no sample was predicted as it'}
    """
    if n == 0:
        return Estimate(None, reason=reason)
    return Estimate(n_correct / n, *wilson_interval(n_correct, n, level=level))


def percentile_interval(values: Array, *, level: float = LEVEL) -> tuple[float, float] | None:
    """Return the range of the middle of bootstrapped values, or None where over 5 % of them are undefined.

    Parameters
    ----------
    values : Array, shape (n_resamples,)
        NaN where a resample has no such score: ignored while they are few.
    level : float, optional

    Examples
    --------
    >>> low, high = percentile_interval(np.arange(101.0))
    >>> print(f"{low:.1f} to {high:.1f}")
    2.5 to 97.5
    """
    check_level("percentile_interval", level)
    defined = values[~np.isnan(values)]
    if len(defined) < 0.95 * len(values) or not len(defined):
        return None
    low, high = np.quantile(defined, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def interval_of(value: float | None, values: Array, reason: str, *, level: float = LEVEL) -> Estimate:
    """Return a score with the percentile interval of its bootstrapped values, or the reason why there is none.

    A point is not an interval: a perfect score is perfect in every resample, since the bootstrap knows only the
    mistakes that were made.

    Parameters
    ----------
    value : float or None
        None: undefined, for the reason given.
    values : Array, shape (n_resamples,)
    reason : str

    Examples
    --------
    >>> interval_of(1.0, np.ones(100), "").reason
    'every resample scores the same, so that resampling cannot say how uncertain it is'
    """
    if value is None:
        return Estimate(None, reason=reason)
    interval = percentile_interval(values, level=level)
    if interval is None:
        return Estimate(value, reason="too few samples: many resamples have no such score")
    if is_point(*interval):
        return Estimate(
            value, reason="every resample scores the same, so that resampling cannot say how uncertain it is"
        )
    return Estimate(value, *interval)


def is_point(low: float, high: float) -> bool:
    """Return whether the ends of an interval are equal up to rounding."""
    return high - low <= 1e-12 * max(abs(low), abs(high))
