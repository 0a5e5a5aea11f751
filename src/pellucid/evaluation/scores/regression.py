"""Metrics of regression: how far predicted quantities are from the true ones."""

from collections.abc import Callable

import numpy as np

from pellucid.ops.metrics import mean_explained
from pellucid.prediction.metrics import regression_metrics
from pellucid.stats.bootstrap import Statistic, bootstrap
from pellucid.stats.intervals import LEVEL, Estimate, interval_of
from pellucid.types import Array

NO_SPREAD = "every sample has the same target"


def regression_estimates(
    y_true: Array,
    y_pred: Array,
    *,
    resample: Callable[[Statistic, int], Array] = bootstrap,
    level: float = LEVEL,
) -> dict[str, Estimate]:
    """Return the values of ``regression_metrics``, each with its percentile bootstrap interval.

    Parameters
    ----------
    y_true, y_pred : Array, shape (m, n)
    resample : callable, optional
        ``bootstrap``, or one with other options. Samples are drawn with all their targets, and without strata.
    level : float, optional

    Examples
    --------
    >>> y = np.arange(20.0)[:, np.newaxis]
    >>> regression_estimates(y, y + [[1.0]])["mean_absolute_error"].value
    1.0
    """
    m, n = y_true.shape
    errors, deviations = y_pred - y_true, y_true - y_true.mean(axis=0)
    sums = np.column_stack([np.abs(errors).sum(axis=1), errors**2, deviations**2, deviations]).T.copy()
    rounding = 1e-12 * (deviations**2).max(axis=0, initial=0)[:, np.newaxis] * m

    def scores(counts: Array) -> Array:
        absolute, *by_target = sums @ counts
        squares, about_old_mean, deviation = np.array(by_target).reshape(3, n, -1)
        total = about_old_mean - deviation**2 / m  # about the resample's own mean
        total[total <= rounding] = 0
        rms, baseline = (np.sqrt(part / m).mean(axis=0) for part in (squares, total))
        return np.stack([absolute / (m * n), rms, mean_explained(squares, total), baseline])

    values = resample(scores, m)
    return {
        name: interval_of(value, sampled, NO_SPREAD, level=level)
        for (name, value), sampled in zip(regression_metrics(y_true, y_pred).items(), values, strict=True)
    }
