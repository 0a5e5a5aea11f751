"""Further metrics, by name or a function of one's own, with bootstrap intervals."""

from typing import Any

import numpy as np

from pellucid.ops.metrics import Metric, measured, metrics_by_name
from pellucid.prediction.predict import Predictions
from pellucid.stats.bootstrap import bootstrap
from pellucid.stats.intervals import Estimate, interval_of
from pellucid.types import Array


def further_metrics(
    predictions: Predictions, metrics: Any, *, level: float, n_resamples: int, seed: int
) -> dict[str, Estimate]:
    """Return metrics of predictions by name, each with the percentile interval of its resamples.

    Parameters
    ----------
    predictions : Predictions
    metrics : sequence of str or callable
        As :func:`pellucid.ops.metrics.metrics_by_name` takes them.
    level, n_resamples, seed
        As for :func:`.measure.evaluate`.

    Examples
    --------
    >>> y = np.array([[1.0], [3.0], [4.0]])
    >>> predictions = Predictions("regression", y, y + 1, np.empty((3, 0)), False, ())
    >>> further_metrics(predictions, ["mean_absolute_error"], level=0.95, n_resamples=10, seed=1)
    {'mean_absolute_error': Estimate(value=1.0, ...)}
    """
    y_true, y_pred = (_plain(y) for y in (predictions.y_true, predictions.y_pred))
    strata = predictions.y_true if predictions.kind == "classification" else None
    found = {}
    for name, function in metrics_by_name(metrics).items():

        def of_resamples(counts: Array, name: str = name, function: Metric = function) -> Array:
            rows = [np.repeat(np.arange(len(y_true)), column.astype(int)) for column in counts.T]
            return np.array([measured(name, function, y_true[some], y_pred[some]) for some in rows])

        value = measured(name, function, y_true, y_pred)
        values = bootstrap(of_resamples, len(y_true), strata=strata, n_resamples=n_resamples, seed=seed)
        undefined = "it is undefined for these samples" if np.isnan(value) else ""
        found[name] = interval_of(None if undefined else value, values, undefined, level=level)
    return found


def _plain(y: Array) -> Array:
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
