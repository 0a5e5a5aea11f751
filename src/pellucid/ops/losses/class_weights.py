"""Labels as one-hot rows, and weights for classes as weights for samples."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.errors import OptionError
from pellucid.ops.losses.labels import encode_labels
from pellucid.types import Array


def one_hot(y: Array, k: int, dtype: Any) -> Array:
    """Return labels (m,) as rows with a single 1, shape (m, k): for mixing targets.

    Examples
    --------
    >>> one_hot(np.array([1, 0]), 2, np.float64)
    array([[0., 1.],
           [1., 0.]])
    """
    return np.eye(k, dtype=dtype)[encode_labels(y, k, "one_hot")]


def class_weights_to_sample_weights(
    y: Array, class_weight: str | Mapping[Any, float] | Sequence[float] | Array, k: int
) -> Array:
    """Return a weight for each sample, from weights for the classes.

    Parameters
    ----------
    y : Array, shape (m,)
        Labels from 0 to k - 1.
    class_weight : "balanced", mapping, or sequence of k numbers
        "balanced" gives every class that occurs the same total, m over their number: rare classes count more. A
        mapping from label to weight leaves the classes that it does not name at 1.
    k : int
        Classes, at least 2.

    Returns
    -------
    Array, shape (m,), float64

    Raises
    ------
    OptionError
        If there is not one finite weight of 0 or more for each class.
    DataError, ShapeError
        If the labels do not fit.

    Examples
    --------
    >>> class_weights_to_sample_weights(np.array([0, 0, 0, 1]), "balanced", 2)
    array([0.66666667, 0.66666667, 0.66666667, 2.        ])
    >>> class_weights_to_sample_weights(np.array([0, 1]), {1: 5}, 2)
    array([1., 5.])
    """
    labels = encode_labels(y, k, "class_weight")
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise OptionError(
                f"class_weight: expected 'balanced', a mapping or {k} numbers, got {class_weight!r}."
            )
        counts = np.bincount(labels, minlength=k)
        table = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1.0)) if len(labels) else counts
    else:
        table = _class_table(class_weight, k)
    weights: Array = np.asarray(table, np.float64)[labels]
    return weights


def _class_table(class_weight: Mapping[Any, float] | Sequence[float] | Array, k: int) -> Array:
    table = np.ones(k)
    try:
        if isinstance(class_weight, Mapping):
            for label, weight in class_weight.items():
                index = int(label)  # TOML and JSON keys are text
                if not 0 <= index < k:
                    raise OptionError(f"class_weight: expected labels from 0 to {k - 1}, got {label!r}.")
                table[index] = weight
        else:
            table = np.asarray(class_weight, np.float64)
    except (TypeError, ValueError) as error:
        if isinstance(error, OptionError):
            raise
        raise OptionError(f"class_weight: expected numbers, got {class_weight!r}.") from None
    if table.shape != (k,) or not (np.isfinite(table) & (table >= 0)).all():
        raise OptionError(
            f"class_weight: expected {k} finite weights of 0 or more, one for each class, got {class_weight!r}."
        )
    return table
