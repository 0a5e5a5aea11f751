"""Class labels of any kind to and from the numbers for training, with scikit-learn's messages."""

from typing import Any

import numpy as np
import scipy.sparse

from pellucid.estimators.checks import (
    check_classification_targets,
    check_sample_weight,
    column_or_1d,
    type_of_target,
)
from pellucid.types import Array


def is_multilabel(y: Any) -> bool:
    """Return whether each sample may have several labels: in a matrix of 0 and 1.

    Raises
    ------
    ValueError
        With scikit-learn's message, if they are not labels, or a matrix of more than 0 and 1.

    Examples
    --------
    >>> is_multilabel(np.array([[0, 1], [1, 1]])), is_multilabel(np.array([0, 1]))
    (True, False)
    """
    kind = type_of_target(y, input_name="y")
    if kind == "multiclass-multioutput":
        raise ValueError("Multioutput target data is not supported with label binarization")
    if kind not in ("binary", "multiclass", "multilabel-indicator"):
        check_classification_targets(y)  # raises
    return bool(kind == "multilabel-indicator")


def learn_labels(y: Any) -> tuple[Array, Array, str]:
    """Return labels as used for training, the classes found in them, and of which kind they are.

    Returns
    -------
    codes : Array, shape (m,) or (m, k)
        Indices into the classes; with several labels per sample, 0 and 1 for each class.
    classes : Array, shape (k,)
    kind : {"binary", "multiclass", "multilabel"}

    Examples
    --------
    >>> learn_labels(np.array(["owl", "cat", "owl"]))[0]
    array([1, 0, 1])
    """
    if is_multilabel(y):
        Y = _indicator(y)
        return Y, np.arange(Y.shape[1]), "multilabel"
    classes, codes = np.unique(y, return_inverse=True)
    return codes.reshape(-1), classes, "binary" if len(classes) <= 2 else "multiclass"


def read_labels(y: Any, classes: Array, kind: str) -> Array:
    """Return labels of known classes, as used for training.

    Raises
    ------
    ValueError
        With scikit-learn's message, if there are others.

    Examples
    --------
    >>> read_labels(np.array(["owl"]), np.array(["cat", "owl"]), "binary")
    array([1])
    """
    if is_multilabel(y) != (kind == "multilabel"):
        raise ValueError(f"y: expected {kind} targets, as in the fit before, got {type_of_target(y)}.")
    if kind == "multilabel":
        Y = _indicator(y)
        if Y.shape[1] != len(classes):
            raise ValueError(f"y: expected {len(classes)} columns, one for each class, got {Y.shape[1]}.")
        return Y
    codes: Array = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
    if not np.array_equal(classes[codes], y):
        raise ValueError(
            f"`y` has classes not in `self.classes_`. `self.classes_` has {classes}. 'y' has {np.unique(y)}."
        )
    return codes


def _indicator(y: Any) -> Array:
    return np.asarray(y.toarray() if scipy.sparse.issparse(y) else y).astype(np.int64)


def checked_weights(weights: Any, X: Any) -> Array | None:
    """Return sample weights that scikit-learn would take, in the dtype of X; a ValueError for others."""
    if weights is None:
        return None
    dtype = X.dtype if X.dtype.kind == "f" else None
    checked: Array = check_sample_weight(weights, X, dtype=dtype, ensure_non_negative=True)
    if not checked.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return checked


def column_of(y: Any) -> Any:
    """Return targets with one axis where they have one column."""
    return column_or_1d(y, warn=True) if getattr(y, "ndim", 1) == 2 and y.shape[1] == 1 else y
