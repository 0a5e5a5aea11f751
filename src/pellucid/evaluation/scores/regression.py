"""Metrics of regression: how far predicted quantities are from the true ones."""

from collections.abc import Callable

import numpy as np

from pellucid.stats.bootstrap import Statistic, bootstrap
from pellucid.stats.intervals import LEVEL, Estimate, interval_of
from pellucid.types import Array

NO_SPREAD = "every sample has the same target"


def regression_metrics(y_true: Array, y_pred: Array) -> dict[str, float | None]:
    """Return the metrics of predicted quantities, over all targets of a sample together.

    Parameters
    ----------
    y_true, y_pred : Array, shape (m, n)

    Returns
    -------
    dict
        mean_absolute_error and root_mean_squared_error, in the targets' unit; r_squared, the fraction of their
        variance that the predictions explain, at best 1, None where there is no variance; baseline, the root mean
        squared error of always predicting the mean.

    Examples
    --------
    >>> regression_metrics(np.array([[1.0], [3.0]]), np.array([[1.0], [2.0]]))["r_squared"]
    0.5
    """
    errors, deviations = y_pred - y_true, y_true - y_true.mean(axis=0)
    squares, total = float((errors**2).sum()), float((deviations**2).sum())
    varies = bool((y_true != y_true[0]).any())
    return {
        "mean_absolute_error": float(np.abs(errors).mean()),
        "root_mean_squared_error": float(np.sqrt((errors**2).mean())),
        "r_squared": 1 - squares / total if varies else None,
        "baseline": float(np.sqrt(total / y_true.size)) if varies else 0.0,
    }


def regression_estimates(
    y_true: Array,
    y_pred: Array,
    *,
    resample: Callable[[Statistic, int], Array] = bootstrap,
    level: float = LEVEL,
) -> dict[str, Estimate]:
    """Return the values of :func:`regression_metrics`, each with its percentile bootstrap interval.

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
    sums = np.concatenate(
        [
            np.abs(errors).sum(axis=1, keepdims=True),
            (errors**2).sum(axis=1, keepdims=True),
            (deviations**2).sum(axis=1, keepdims=True),
            deviations,
        ],
        axis=1,
    ).T.copy()
    rounding = 1e-12 * float((deviations**2).max(initial=0)) * m * n

    def scores(counts: Array) -> Array:
        absolute, squares, about_old_mean, *means = sums @ counts
        total = about_old_mean - (np.array(means) ** 2).sum(axis=0) / m  # about the resample's own mean
        total[total <= rounding] = 0
        r_squared = np.full(len(total), np.nan)
        np.divide(squares, total, out=r_squared, where=total > 0)
        return np.stack(
            [absolute / (m * n), np.sqrt(squares / (m * n)), 1 - r_squared, np.sqrt(total / (m * n))]
        )

    values = resample(scores, m)
    return {
        name: interval_of(value, sampled, NO_SPREAD, level=level)
        for (name, value), sampled in zip(regression_metrics(y_true, y_pred).items(), values, strict=True)
    }
