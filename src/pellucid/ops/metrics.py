"""Metrics: one number of true and predicted labels or quantities, each a function; ``METRICS`` has them by name.

A metric takes ``y_true`` and ``y_pred``: class numbers (m,), 0 and 1 (m, k) for several labels, or quantities. Any
such function will do, scikit-learn's too; ``@metric`` lets it be named. Of several classes, labels or quantities a
metric is the mean over them, all counted alike: scikit-learn's macro and uniform average.
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
    """Return A = (number of y_pred = y_true) / m; of several labels a sample, of all labels, the mean over them.

    Samples with every label right are ``exact_match`` in an evaluation, and scikit-learn's ``accuracy_score``.

    Examples
    --------
    >>> accuracy(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 0]))
    0.75
    """
    return float(np.mean(y_true == y_pred))


@metric
def balanced_accuracy(y_true: Array, y_pred: Array) -> float:
    """Return B = mean of TP_c / (TP_c + FN_c), the recalls, over the classes c that occur.

    Of several labels a sample each label's 0 and 1 are two classes, and the labels are averaged.

    Examples
    --------
    >>> balanced_accuracy(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]))
    0.5
    """
    if y_true.ndim == 2:
        labels = zip(y_true.T, y_pred.T, strict=True)
        return float(np.mean([balanced_accuracy(true, predicted) for true, predicted in labels]))
    classes, codes = np.unique(y_true, return_inverse=True)
    return mean_recall(np.bincount(codes[y_true == y_pred], minlength=len(classes)), np.bincount(codes))


def mean_recall(n_hits: Array, n_samples: Array) -> float:
    """Return the mean of hits over samples of the classes that occur, (k,) each.

    Examples
    --------
    >>> mean_recall(np.array([1, 1, 0]), np.array([2, 1, 0]))
    0.75
    """
    occurs = n_samples > 0
    return float((n_hits[occurs] / n_samples[occurs]).mean())


@metric
def f1(y_true: Array, y_pred: Array) -> float:
    """Return F1 = mean of 2 TP_c / (2 TP_c + FP_c + FN_c) over the classes c that occur or are predicted.

    Of several labels a sample it is the mean over all labels; one that neither occurs nor is predicted counts as 0.

    Examples
    --------
    >>> f1(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]))
    0.7333333333333334
    """
    if y_true.ndim == 1:
        classes = np.unique([y_true, y_pred])
        y_true, y_pred = (y[:, np.newaxis] == classes for y in (y_true, y_pred))
    hits = np.count_nonzero(y_true.astype(bool) & y_pred.astype(bool), axis=0)
    total = np.count_nonzero(y_true, axis=0) + np.count_nonzero(y_pred, axis=0)
    return float(np.mean(2 * hits / np.maximum(total, 1)))


@metric
def mean_absolute_error(y_true: Array, y_pred: Array) -> float:
    """Return MAE = mean |y_true - y_pred|; of several quantities over all of them.

    Examples
    --------
    >>> mean_absolute_error(np.array([1.0, 3.0]), np.array([2.0, 3.0]))
    0.5
    """
    return float(np.mean(np.abs(y_true - y_pred)))


@metric
def root_mean_squared_error(y_true: Array, y_pred: Array) -> float:
    """Return RMSE = sqrt(mean (y_true - y_pred)^2); of several quantities the mean of each one's.

    Examples
    --------
    >>> root_mean_squared_error(np.array([1.0, 3.0]), np.array([4.0, 3.0 + 3.0]))
    3.0
    """
    return float(np.mean(np.sqrt(np.mean((y_true - y_pred) ** 2, axis=0))))


@metric
def r_squared(y_true: Array, y_pred: Array) -> float:
    """Return R^2 = 1 - sum (y_true - y_pred)^2 / sum (y_true - mean y_true)^2; of several quantities their mean.

    A quantity that does not vary counts as 0, or as 1 where it is predicted exactly; NaN where none varies.

    Examples
    --------
    >>> r_squared(np.array([1.0, 3.0]), np.array([1.0, 2.0]))
    0.5
    """
    return float(mean_explained(*_squares(y_true, y_pred)))


@metric
def r_squared_variance_weighted(y_true: Array, y_pred: Array) -> float:
    """Return R^2 = sum_j v_j R^2_j / sum_j v_j, weighted by each quantity's variance v_j; NaN where none varies.

    Examples
    --------
    >>> y = np.array([[1.0, 10.0], [3.0, 30.0]])
    >>> said = np.array([[1.0, 10.0], [1.0, 30.0]])
    >>> r_squared(y, said), round(r_squared_variance_weighted(y, said), 4)
    (0.0, 0.9802)
    """
    squares, total = _squares(y_true, y_pred)
    return float(1 - squares[total > 0].sum() / total.sum()) if total.any() else float("nan")


def mean_explained(squares: Array, total: Array) -> Array:
    """Return the mean R^2 over quantities, the first axis, from summed squares of errors and of deviations.

    Examples
    --------
    >>> mean_explained(np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([[4.0, 0.0], [0.0, 0.0]]))
    array([0.375,   nan])
    """
    varies = total > 0
    of_each = np.where(squares > 0, 0.0, 1.0)
    np.subtract(
        1, np.divide(squares, total, out=np.ones_like(of_each), where=varies), out=of_each, where=varies
    )
    return np.where(varies.any(axis=0), of_each.mean(axis=0), np.nan)


def _squares(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Return each quantity's summed squares of errors and of deviations from its mean, exactly 0 if constant."""
    y_true, y_pred = (y.reshape(len(y), -1) for y in (y_true, y_pred))
    deviations = np.where((y_true != y_true[0]).any(axis=0), y_true - y_true.mean(axis=0), 0)
    return ((y_true - y_pred) ** 2).sum(axis=0), (deviations**2).sum(axis=0)
