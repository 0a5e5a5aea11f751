"""Statistics: Wilson's interval, the bootstrap, and a score with its interval.

Fractions (so many right of so many) have a formula, Wilson's. Everything else is resampled: test sets of the same
size are drawn again and again from the samples at hand, and how far a score moves from one to the next says how far
it may be from the truth. A resample is a column of counts, how often each sample is in it, so that a score which is
a sum over samples is one product for thousands of resamples.
"""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import DataError, OptionError
from pellucid.progress import CountCallback
from pellucid.rng import stream
from pellucid.types import Array

LEVEL = 0.95  # of every interval that is not told otherwise
N_RESAMPLES = 2000
CHUNK = 100_000  # counts at a time: they stay in the processor's cache

Statistic = Callable[[Array], Array]  # counts (m, b) -> the score of each of b resamples, (b,) or (..., b)


def wilson_interval(n_correct: int, n: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Return what the true accuracy may be, given so many right of so many.

    Parameters
    ----------
    n_correct, n : int
        Samples that were read rightly, and all of them; 0 <= n_correct <= n and n at least 1.
    level : float, optional
        Between 0 and 1: in that share of all test sets, the interval holds the true accuracy (about).

    Returns
    -------
    low, high : float
        Between 0 and 1.

    Raises
    ------
    OptionError
        If there are no samples, more right ones than samples, or the level is not between 0 and 1.

    Notes
    -----
    Wilson (1927), "Probable inference, the law of succession, and statistical inference": the shares p that a
    normal test would not refuse, |n_correct / n - p| <= z sqrt(p (1 - p) / n). Unlike the share plus and minus
    two standard errors, it stays within 0 and 1, and is no point where all are right.

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
            "Pass the number of right answers and the number of all."
        )
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, over = n_correct / n, z * z / n
    centre = share + over / 2
    reach = z * math.sqrt(share * (1 - share) / n + over / (4 * n))
    low, high = (centre - reach) / (1 + over), (centre + reach) / (1 + over)
    return (0.0 if n_correct == 0 else max(low, 0.0)), (1.0 if n_correct == n else min(high, 1.0))


def check_level(where: str, level: float) -> None:
    """Refuse a level that is not between 0 and 1."""
    if not 0 < level < 1:
        raise OptionError(f"{where}: level: expected a number between 0 and 1, such as 0.95, got {level}.")


def bootstrap(
    statistic: Statistic,
    n: int,
    *,
    strata: Array | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 1,
    progress: CountCallback = lambda done, total: None,
) -> Array:
    """Return a statistic of many resamples: test sets of the same size, drawn from the samples with replacement.

    Parameters
    ----------
    statistic : callable
        Takes ``counts``, shape (n, b), float64: how often each sample is in each of b resamples. Returns the
        statistic of each, shape (b,), or several in rows, shape (..., b).
    n : int, at least 1
        Samples.
    strata : Array, shape (n,), optional
        Integer labels. Each resample then has as many samples of each label as there are: scores that a class
        without samples has not are defined in every resample, and how common each class is is taken as given.
        Without it, that varies too.
    n_resamples : int, optional
    seed : int, optional
        Of ``stream(seed, "bootstrap")``: the same seed draws the same resamples.
    tell : callable, optional
        Told how many resamples are done, and of how many.

    Returns
    -------
    values : Array, shape (..., n_resamples)

    Raises
    ------
    DataError, OptionError
        If there are no samples, or fewer than one resample is asked for.

    Notes
    -----
    Efron (1979), "Bootstrap methods: another look at the jackknife". n draws a resample; for 10,000 samples,
    2,000 of them take about 0.2 s, and the statistic whatever it takes.

    Examples
    --------
    >>> errors = np.array([0.0, 1.0, 2.0, 3.0])
    >>> means = bootstrap(lambda counts: errors @ counts / 4, 4)
    >>> means.shape, bool(abs(means.mean() - 1.5) < 0.05)
    ((2000,), True)
    """
    if n < 1:
        raise DataError("bootstrap: expected at least one sample, got none.")
    if n_resamples < 1:
        raise OptionError(f"bootstrap: expected at least one resample, got {n_resamples}.")
    labels = np.zeros(n, np.int64) if strata is None else strata
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    rng = stream(seed, "bootstrap")
    step = min(n_resamples, max(8, CHUNK // n))
    parts = []
    for start in range(0, n_resamples, step):
        progress(start, n_resamples)
        parts.append(statistic(_draw(groups, n, min(step, n_resamples - start), rng)))
    progress(n_resamples, n_resamples)
    return np.concatenate(parts, axis=-1)


def _draw(groups: list[Array], n: int, b: int, rng: np.random.Generator) -> Array:
    """Return how often each sample is drawn in each of b resamples, (n, b)."""
    counts = np.empty((n, b))
    for rows in groups:
        size = len(rows)
        drawn = rng.integers(0, size, (b, size))
        drawn += size * np.arange(b)[:, np.newaxis]  # each resample counts into places of its own
        counts[rows] = np.bincount(drawn.ravel(), minlength=b * size).reshape(b, size).T
    return counts


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
