"""How far a score may be from the truth: intervals, from few samples wide, from many narrow.

Shares (so many right of so many) have a formula, Wilson's. Everything else is resampled: see
:mod:`pellucid.stats_resampling`.
"""

from typing import Any, NamedTuple

import numpy as np

from pellucid.stats_resampling import N_RESAMPLES, Statistic, bootstrap
from pellucid.stats_wilson import LEVEL, check_level, wilson_interval
from pellucid.types import Array

__all__ = [
    "LEVEL",
    "Estimate",
    "bootstrap_interval",
    "check_level",
    "interval_of",
    "is_point",
    "percentile_interval",
    "proportion",
    "wilson_interval",
]


class Estimate(NamedTuple):
    """A score, and what it may be on other samples of the same kind."""

    value: float | None  # None: undefined here, and ``reason`` says why
    low: float | None = None  # None: no interval
    high: float | None = None
    reason: str = ""  # why something is None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it; the reason only where there is one."""
        fields = self._asdict()
        return fields if self.reason else {name: fields[name] for name in ("value", "low", "high")}


def proportion(
    n_correct: int, n: int, *, level: float = LEVEL, reason: str = "there are no samples"
) -> Estimate:
    """Return so many of so many with Wilson's interval; of none at all, an undefined estimate with that reason.

    Examples
    --------
    >>> proportion(0, 0, reason="nothing was answered").to_dict()
    {'value': None, 'low': None, 'high': None, 'reason': 'nothing was answered'}
    """
    if n == 0:
        return Estimate(None, reason=reason)
    return Estimate(n_correct / n, *wilson_interval(n_correct, n, level=level))


def percentile_interval(values: Array, *, level: float = LEVEL) -> tuple[float, float] | None:
    """Return the range of the middle of bootstrapped values, or None where a twentieth of them is undefined.

    Parameters
    ----------
    values : Array, shape (n_resamples,)
        NaN where a resample has no such score: left out if they are few.
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
    """Return a score with the percentile interval of its bootstrapped values, or why there is none.

    A point is no interval: where a score is perfect, it is so in every resample, since the bootstrap knows no
    mistakes but those that were made.

    Parameters
    ----------
    value : float or None
        None: undefined, for that reason.
    values : Array, shape (n_resamples,)
    reason : str

    Examples
    --------
    >>> interval_of(1.0, np.ones(100), "").reason
    'every resample scores the same, so that resampling cannot say how far off it may be'
    """
    if value is None:
        return Estimate(None, reason=reason)
    interval = percentile_interval(values, level=level)
    if interval is None:
        return Estimate(value, reason="too few samples: many resamples have no such score")
    low, high = interval
    if is_point(low, high):
        return Estimate(
            value,
            reason="every resample scores the same, so that resampling cannot say how far off it may be",
        )
    return Estimate(value, low, high)


def is_point(low: float, high: float) -> bool:
    """Return whether the ends of an interval are the same but for rounding."""
    return high - low <= 1e-12 * max(abs(low), abs(high))


def bootstrap_interval(
    statistic: Statistic,
    n: int,
    *,
    strata: Array | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 1,
) -> tuple[float, float] | None:
    """Return the percentile bootstrap interval of one statistic: see :func:`bootstrap`.

    Where a score is perfect on the samples at hand, it is perfect in each resample, and the interval a point: the
    bootstrap knows no mistakes but those that were made. ``wilson_interval`` does.

    Returns
    -------
    low, high : float
        Or None where more than a twentieth of the resamples has no such score.

    Examples
    --------
    >>> y, predicted = np.array([0, 0, 1, 1] * 10), np.array([0, 0, 1, 0] * 10)
    >>> low, high = bootstrap_interval(lambda counts: (y == predicted) @ counts / 40, 40, strata=y)
    >>> print(f"{low:.2f} to {high:.2f}")
    0.65 to 0.85
    """
    values = bootstrap(statistic, n, strata=strata, n_resamples=n_resamples, seed=seed)
    return percentile_interval(values, level=level)
