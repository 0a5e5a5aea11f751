"""The bootstrap: resamples of the same size, drawn from the samples with replacement.

How much a score varies from one resample to the next shows how uncertain it is. A resample is a column of counts,
how often each sample is in it, so that a score that is a sum over samples is one product for thousands of
resamples.
"""

from collections.abc import Callable

import numpy as np

from pellucid.errors import DataError, OptionError
from pellucid.progress import CountCallback
from pellucid.rng import stream
from pellucid.stats.intervals import is_point, percentile_interval
from pellucid.stats.paired import check_pair
from pellucid.types import Array

N_RESAMPLES = 2000
N_PAIRED_RESAMPLES = 10_000
CHUNK = 100_000  # counts at a time: they stay in the processor's cache

Statistic = Callable[[Array], Array]  # counts (m, b) -> the score of each of b resamples, (b,) or (..., b)


def bootstrap(
    statistic: Statistic,
    n: int,
    *,
    strata: Array | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 1,
    progress: CountCallback = lambda done, total: None,
) -> Array:
    """Return a statistic of many resamples.

    Parameters
    ----------
    statistic : callable
        Takes ``counts``, shape (n, b), float64: how often each sample is in each of b resamples. Returns the
        statistic of each, shape (b,), or several in rows, shape (..., b).
    n : int, at least 1
        Samples.
    strata : Array, shape (n,), optional
        Integer labels. Each resample then has the same number of samples of each label: scores that are undefined
        for a class without samples are defined in every resample, and class frequencies are taken as given.
        Without it, they vary too.
    n_resamples : int, optional
    seed : int, optional
        Of ``stream(seed, "bootstrap")``: the same seed draws the same resamples.
    progress : callable, optional
        Called with the number of resamples done and of all.

    Returns
    -------
    values : Array, shape (..., n_resamples)

    Raises
    ------
    DataError, OptionError
        If there are no samples, or ``n_resamples`` is below 1.

    Notes
    -----
    Efron (1979), "Bootstrap methods: another look at the jackknife". ``scipy.stats.bootstrap`` hands the statistic
    the samples themselves; with counts, areas under curves are 50 times as fast. For 10,000 samples, drawing 2,000
    resamples takes about 0.2 s, without the statistic.

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
        drawn += size * np.arange(b)[:, np.newaxis]  # each resample counts into its own range
        counts[rows] = np.bincount(drawn.ravel(), minlength=b * size).reshape(b, size).T
    return counts


def paired_bootstrap(correct_a: Array, correct_b: Array) -> tuple[float, float] | None:
    """Return the 95 % confidence interval of the difference of two models' accuracies, B minus A.

    Parameters
    ----------
    correct_a, correct_b : Array, shape (m,), bool
        Whether each model is correct on each sample.

    Returns
    -------
    low, high : float
        The percentile interval; None where every resample gives the same difference, as where the models differ on
        no sample: then resampling cannot say how uncertain it is.

    Raises
    ------
    ShapeError
        If the arrays are empty or do not fit one another.

    Notes
    -----
    Efron and Tibshirani (1993), "An introduction to the bootstrap", section 13.3. Drawing m samples with
    replacement is drawing how often each of the differences -1, 0 and 1 occurs (a multinomial), so that any number
    of samples costs the same.

    Examples
    --------
    >>> a = np.array([1, 1, 0, 0, 1, 0, 1, 1], bool)
    >>> low, high = paired_bootstrap(a, np.ones(8, bool))
    >>> low > 0, high < 1
    (True, True)
    """
    a, b = check_pair("paired_bootstrap", np.asarray(correct_a, int), np.asarray(correct_b, int))
    values, counts = np.unique(b - a, return_counts=True)
    drawn = stream(1, "paired bootstrap").multinomial(len(a), counts / len(a), size=N_PAIRED_RESAMPLES)
    interval = percentile_interval(drawn @ values / len(a))
    assert interval is not None  # no mean is undefined
    return None if is_point(*interval) else interval
