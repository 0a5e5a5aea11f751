"""Calibration: of the samples predicted with probability 0.8, are 80 % positive?"""

from typing import NamedTuple

import numpy as np

from pellucid.rng import stream
from pellucid.stats.bootstrap import N_RESAMPLES
from pellucid.stats.intervals import LEVEL, percentile_interval, wilson_interval
from pellucid.text import percent
from pellucid.types import Array

N_BINS = 10
_AT_A_TIME = 1_000_000  # random numbers


class Calibration(NamedTuple):
    """Samples in bins of equal width by their probability; empty bins are left out."""

    edges: Array  # (n_bins + 1,), 0 to 1
    bins: Array  # (n,) the numbers of the bins that have samples
    counts: Array  # (n,) samples in each
    mean_predicted: Array  # (n,) their mean probability
    fraction_positive: Array  # (n,) the fraction of them that is positive
    low: Array  # (n,) Wilson's interval of that fraction
    high: Array  # (n,)
    error: float  # expected calibration error: the mean of |fraction_positive - mean_predicted| over samples
    chance_range: tuple[float, float] | None  # errors of a perfectly calibrated model on as few samples

    def in_words(self) -> str:
        """Return the calibration error, whether chance explains it, and which way the model errs."""
        confidence = float(self.mean_predicted @ self.counts / self.counts.sum())
        accuracy = float(self.fraction_positive @ self.counts / self.counts.sum())
        means = f"Mean confidence {percent(confidence)}, accuracy {percent(accuracy)}"
        words = f"{means}; calibration error {self.error:.3f}"
        if self.chance_range is None:
            return f"{words}."
        low, high = self.chance_range
        finding = "overconfident" if confidence > accuracy else "underconfident"
        if self.error <= high:
            finding = "within chance"
        elif abs(confidence - accuracy) < self.error / 2:
            finding = "overconfident in part, underconfident in part"
        return f"{words}, {finding} (perfectly calibrated: {low:.3f} to {high:.3f})."


def calibrate(
    y_true: Array,
    probabilities: Array,
    *,
    level: float = LEVEL,
    with_chance: bool = False,
    seed: int = 1,
) -> Calibration:
    """Return the calibration curve, and its error E = sum_b n_b / m |fraction_positive_b - mean_predicted_b|.

    Parameters
    ----------
    y_true : Array, shape (m,), bool
        Whether each sample is positive.
    probabilities : Array, shape (m,)
        That it is.
    level : float, optional
        Of the intervals.
    with_chance : bool, optional
        Also draw truths from the probabilities themselves, and give the range of their errors: on few samples, even
        a perfectly calibrated model has a large one.
    seed : int, optional
        Of ``stream(seed, "calibration")``.

    Returns
    -------
    Calibration

    Notes
    -----
    ``N_BINS`` bins of equal width go from 0 to 1; a probability on an edge belongs to the one below.
    Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning",
    section 2; Guo et al. (2017), "On calibration of modern neural networks", equation 3. A resampled interval
    would be misleading: chance can only add to the error.

    Examples
    --------
    >>> curve = calibrate(np.array([True, True, False, True]), np.array([0.91, 0.95, 0.93, 0.31]))
    >>> curve.counts, curve.fraction_positive.round(2), round(curve.error, 2)
    (array([1, 3]), array([1.  , 0.67]), 0.37)
    """
    edges = np.linspace(0, 1, N_BINS + 1)
    bins = np.searchsorted(edges[1:-1], probabilities)
    full, at, counts = np.unique(bins, return_inverse=True, return_counts=True)
    mean_predicted, n_positive = np.bincount(at, probabilities) / counts, np.bincount(at, y_true)
    fraction_positive = n_positive / counts
    ranges = [
        wilson_interval(int(hits), int(n), level=level)
        for hits, n in zip(n_positive.tolist(), counts.tolist(), strict=True)
    ]
    low, high = np.array(ranges).T
    error = float((np.abs(fraction_positive - mean_predicted) * counts).sum() / counts.sum())
    chance_range = None
    if with_chance:
        chance_range = percentile_interval(_errors_by_chance(bins, probabilities, seed), level=level)
    return Calibration(edges, full, counts, mean_predicted, fraction_positive, low, high, error, chance_range)


def _errors_by_chance(bins: Array, probabilities: Array, seed: int) -> Array:
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
    """Return L = (p - y)^2 of each probability; their mean is the Brier score (Brier, 1950).

    Examples
    --------
    >>> squared_errors(np.array([True, False]), np.array([0.5, 0.5]))
    array([0.25, 0.25])
    """
    return np.square(probabilities - y_true)


def cross_entropies(y_true: Array, logits: Array) -> Array:
    """Return L = -log p where y is true, else -log(1 - p), in nats; their mean is the log loss.

    From logits it is exact for confident mistakes, where a probability would be rounded to 0.

    Examples
    --------
    >>> cross_entropies(np.array([True, False]), np.array([0.0, 1000.0])).round(4).tolist()
    [0.6931, 1000.0]
    """
    return np.logaddexp(0, np.where(y_true, -logits, logits))
