"""Whether probabilities mean what they say: of the samples that got 0.8, are 80 % so?"""

from typing import NamedTuple

import numpy as np

from pellucid.ops.losses.multi_label import yes_no
from pellucid.rng import stream
from pellucid.stats.bootstrap import N_RESAMPLES
from pellucid.stats.intervals import LEVEL, percentile_interval, wilson_interval
from pellucid.types import Array

N_BINS = 10
_AT_A_TIME = 1_000_000  # random numbers


class Calibration(NamedTuple):
    """The samples in bins of equal width by the probability that they got; empty bins are left out.

    ``error`` is the expected calibration error: over the bins, the mean distance between what was said and what
    was so.
    """

    edges: Array  # (n_bins + 1,), 0 to 1
    bins: Array  # (n,) the numbers of those that have samples
    counts: Array  # (n,) how many
    said: Array  # (n,) their mean probability
    observed: Array  # (n,) the share of them that is so
    low: Array  # (n,) Wilson's interval of that share
    high: Array  # (n,)
    error: float
    by_chance: tuple[float, float] | None  # the errors of a model that means what it says, on so few samples


def calibrate(
    y_true: Array,
    probabilities: Array,
    *,
    n_bins: int = N_BINS,
    level: float = LEVEL,
    with_chance: bool = False,
    seed: int = 1,
) -> Calibration:
    """Return the calibration curve of probabilities, and its expected calibration error.

    Parameters
    ----------
    is_so : Array, shape (m,), bool
        Whether what was said with that probability is so.
    probabilities : Array, shape (m,)
    n_bins : int, optional
        Of equal width from 0 to 1; a probability on an edge belongs to the bin below.
    level : float, optional
        Of the intervals.
    with_chance : bool, optional
        Also draw truths from the probabilities themselves and see which errors they give: on few samples, even a
        perfectly calibrated model has a large one.
    seed : int, optional
        Of ``stream(seed, "calibration")``.

    Returns
    -------
    Calibration

    Notes
    -----
    Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning",
    section 2; Guo et al. (2017), "On calibration of modern neural networks", equation 3: sum over bins of n_b / m
    times abs(observed_b - said_b). A resampled interval would say nothing of use: chance can only add to the error.

    Examples
    --------
    >>> curve = calibrate(np.array([True, True, False, True]), np.array([0.91, 0.95, 0.93, 0.31]))
    >>> curve.counts, curve.observed.round(2), round(curve.error, 2)
    (array([1, 3]), array([1.  , 0.67]), 0.37)
    """
    edges = np.linspace(0, 1, n_bins + 1)
    bins = np.searchsorted(edges[1:-1], probabilities)
    counts = np.bincount(bins, minlength=n_bins)
    full = counts > 0
    said = np.bincount(bins, probabilities, minlength=n_bins)[full] / counts[full]
    n_so = np.bincount(bins, y_true, minlength=n_bins)[full]
    counts, observed = counts[full], n_so / counts[full]
    ranges = [
        wilson_interval(int(so), int(n), level=level)
        for so, n in zip(n_so.tolist(), counts.tolist(), strict=True)
    ]
    low, high = np.array(ranges).T
    error = float((np.abs(observed - said) * counts).sum() / counts.sum())
    chance = _errors_by_chance(bins, probabilities, n_bins, seed) if with_chance else None
    by_chance = None if chance is None else percentile_interval(chance, level=level)
    return Calibration(edges, np.flatnonzero(full), counts, said, observed, low, high, error, by_chance)


def _errors_by_chance(bins: Array, probabilities: Array, n_bins: int, seed: int) -> Array:
    """Return the calibration errors of N_RESAMPLES truths that are drawn from the probabilities."""
    rng, m = stream(seed, "calibration"), len(bins)
    order = np.argsort(bins, kind="stable")
    p, starts = probabilities[order], np.searchsorted(bins[order], np.unique(bins))
    step = max(1, _AT_A_TIME // m)
    parts = []
    for start in range(0, N_RESAMPLES, step):
        gaps: Array = (rng.random((min(step, N_RESAMPLES - start), m)) < p) - p
        parts.append(np.abs(np.add.reduceat(gaps, starts, axis=1)).sum(axis=1) / m)
    return np.concatenate(parts)


def squared_errors(y_true: Array, probabilities: Array) -> Array:
    """Return (p - y)^2 of each probability; their mean is the Brier score (Brier 1950).

    Examples
    --------
    >>> squared_errors(np.array([True, False]), np.array([0.5, 0.5]))
    array([0.25, 0.25])
    """
    squares: Array = np.square(probabilities - y_true)
    return squares


def surprises(y_true: Array, log_odds: Array) -> Array:
    """Return -log(p) of what is so and -log(1 - p) of what is not, in nats; their mean is the log loss.

    From log-odds it is exact however sure and wrong the model is, where a probability would have been rounded to 0.

    Examples
    --------
    >>> surprises(np.array([True, False]), np.array([0.0, 1000.0])).round(4).tolist()
    [0.6931, 1000.0]
    """
    parts = yes_no(log_odds)
    return np.where(y_true, parts.yes, parts.no)
