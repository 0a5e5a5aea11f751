"""Metrics: one number of true and predicted labels or quantities, each a function; ``METRICS`` has them by name.

A metric takes ``y_true`` and ``y_pred``: class numbers (m,), 0 and 1 (m, k) for several labels, or quantities. Any
such function will do; ``@metric`` lets it be named.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from pellucid.errors import OptionError, unknown_name
from pellucid.text import shown
from pellucid.types import Array

Metric: TypeAlias = Callable[[Array, Array], float]
METRICS: dict[str, Metric] = {}
F = TypeVar("F", bound=Callable[..., Any])


def metric(function: F) -> F:
    """Enter a function in ``METRICS``, under its own name, so that ``train(metrics=...)`` can name it.

    Examples
    --------
    >>> @metric
    ... def largest_error(y_true, y_pred):
    ...     return np.abs(y_true - y_pred).max()
    >>> metrics_by_name(["largest_error"])["largest_error"] is largest_error
    True
    >>> del METRICS["largest_error"]
    """
    METRICS[function.__name__] = function
    return function


def metrics_by_name(given: Any) -> dict[str, Metric]:
    """Return metrics, given as names or functions, by name.

    Raises
    ------
    OptionError
        If one is neither, or there is none of that name.

    Examples
    --------
    >>> list(metrics_by_name(["accuracy", np.corrcoef]))
    ['accuracy', 'corrcoef']
    """
    entries = [given] if isinstance(given, str) or callable(given) else given
    if not isinstance(entries, Sequence):
        raise OptionError(f"metrics: expected a list of names or functions, got {shown(given)}.")
    found: dict[str, Metric] = {}
    for entry in entries:
        if isinstance(entry, str):
            if entry not in METRICS:
                raise OptionError(f"metrics: {unknown_name('metric', entry, METRICS)}")
            found[entry] = METRICS[entry]
        elif callable(entry):
            found[getattr(entry, "__name__", type(entry).__name__)] = entry
        else:
            raise OptionError(
                f"metrics: expected a name or a function of (y_true, y_pred), got {shown(entry)}. "
                f"Names: {', '.join(sorted(METRICS))}."
            )
    return found


def measured(name: str, function: Metric, y_true: Array, y_pred: Array) -> float:
    """Return a metric as a number; OptionError where the function returns another thing.

    Examples
    --------
    >>> measured("accuracy", accuracy, np.array([0, 1]), np.array([0, 0]))
    0.5
    """
    value = function(y_true, y_pred)
    if np.ndim(value) or not isinstance(value, int | float | np.number | np.ndarray):
        raise OptionError(f"metrics: expected {name} to return one number, got {shown(value)}.")
    return float(value)


@metric
def accuracy(y_true: Array, y_pred: Array) -> float:
    """Return the fraction of right predictions; of several labels a sample, of all labels.

    Examples
    --------
    >>> accuracy(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 0]))
    0.75
    """
    return float(np.mean(y_true == y_pred))


@metric
def balanced_accuracy(y_true: Array, y_pred: Array) -> float:
    """Return the mean over the classes of the fraction that is found.

    Examples
    --------
    >>> balanced_accuracy(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]))
    0.5
    """
    return float(np.mean([np.mean(y_pred[y_true == label] == label) for label in np.unique(y_true)]))


@metric
def f1(y_true: Array, y_pred: Array) -> float:
    """Return the mean over the classes of F1 = 2 TP / (2 TP + FP + FN).

    Examples
    --------
    >>> f1(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]))
    0.7333333333333334
    """
    labels = np.unique([y_true, y_pred])
    of_each = [
        2 * np.sum((y_true == k) & (y_pred == k)) / (np.sum(y_true == k) + np.sum(y_pred == k))
        for k in labels
    ]
    return float(np.mean(of_each))


@metric
def mean_absolute_error(y_true: Array, y_pred: Array) -> float:
    """Return the mean of |y_true - y_pred|.

    Examples
    --------
    >>> mean_absolute_error(np.array([1.0, 3.0]), np.array([2.0, 3.0]))
    0.5
    """
    return float(np.mean(np.abs(y_true - y_pred)))


@metric
def root_mean_squared_error(y_true: Array, y_pred: Array) -> float:
    """Return the root of the mean of (y_true - y_pred)^2.

    Examples
    --------
    >>> root_mean_squared_error(np.array([1.0, 3.0]), np.array([4.0, 3.0 + 3.0]))
    3.0
    """
    return float(np.sqrt(np.mean((y_true - y_pred) ** 2)))


@metric
def r_squared(y_true: Array, y_pred: Array) -> float:
    """Return 1 - the squared errors over the squared deviations from the mean; NaN where all targets are equal.

    Examples
    --------
    >>> r_squared(np.array([1.0, 3.0]), np.array([1.0, 2.0]))
    0.5
    """
    total = np.sum((y_true - np.mean(y_true, axis=0)) ** 2)
    return float(1 - np.sum((y_true - y_pred) ** 2) / total) if total else float("nan")
