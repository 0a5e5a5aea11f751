"""Labels and targets, checked and converted to what a loss compares outputs with; class weights."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.types import Array


def default_loss(n_out: int, y: Array) -> str:
    """Return the name of the loss that suits a model's outputs and the targets.

    Parameters
    ----------
    n_out : int
        The model's outputs.
    y : Array, shape (m,) or (m, n_out)
        Whole numbers in one column are labels; a matrix of 0 and 1 has a yes or no for each output; all else
        is continuous.

    Examples
    --------
    >>> default_loss(1, np.array([0, 1])), default_loss(3, np.array([0, 2]))
    ('binary_cross_entropy', 'categorical_cross_entropy')
    >>> default_loss(2, np.array([[0, 1]])), default_loss(1, np.array([0.5]))
    ('multi_label', 'mean_squared_error')
    """
    if y.ndim == 2 and y.shape[1] > 1 and ((y == 0) | (y == 1)).all():
        return "multi_label"
    if y.ndim == 1 and y.dtype.kind in "bui":
        return "binary_cross_entropy" if n_out == 1 else "categorical_cross_entropy"
    return "mean_squared_error"


def encode_binary(y: Array, n_out: int, dtype: Any, *, where: str) -> Array:
    """Return labels 0 and 1, shape (m,) or (m, 1), as targets of shape (m, 1).

    ``where``, here and below, is the loss, for messages. Invalid labels raise ShapeError or DataError.

    Examples
    --------
    >>> encode_binary(np.array([0, 1]), 1, np.float64, where="focal")
    array([[0.],
           [1.]])
    """
    if n_out != 1:
        raise ShapeError(
            f"{where}: expected a model with 1 output, got {n_out}. Make the last layer Dense(1), or choose "
            "categorical_cross_entropy (one class per sample) or multi_label (any number of them)."
        )
    y = np.asarray(y)
    if y.shape not in ((len(y),), (len(y), 1)):
        raise ShapeError(f"{where}: expected labels of shape (m,), got {y.shape}.")
    unexpected = np.unique(y[(y != 0) & (y != 1)])
    if len(unexpected):
        raise DataError(
            f"{where}: expected labels 0 and 1, also got {unexpected[:5].tolist()}. "
            "A model with one output separates two classes; more classes need one output each. "
            "If y is continuous, choose mean_squared_error."
        )
    return np.asarray(y, dtype).reshape(-1, 1)


def encode_classes(y: Array, n_out: int, dtype: Any, *, where: str) -> Array:
    """Return labels (m,) as indices, or probabilities (m, k), rows that add up to 1, as targets.

    Examples
    --------
    >>> encode_classes(np.array([[0.5, 0.5]]), 2, np.float64, where="focal")
    array([[0.5, 0.5]])
    """
    y = np.asarray(y)
    if y.ndim < 2 or n_out < 2 or y.shape == (len(y), 1):
        return encode_labels(y, n_out, where)
    Y = _matrix(y, n_out, dtype, where)
    if Y.size and float(Y.min()) < 0:
        raise DataError(f"{where}: expected probabilities as targets, got {float(Y.min())}.")
    off = np.abs(Y.sum(axis=1, dtype=np.float64) - 1) > 1e-3
    if off.any():
        first = int(np.argmax(off))
        raise DataError(
            f"{where}: expected probabilities that add up to 1, got {Y[first].sum():g} for sample {first} "
            "(counted from 0). If a sample may have several classes, choose multi_label."
        )
    return Y


def encode_labels(y: Array, n_out: int, where: str) -> Array:
    """Return class labels 0 to n_out - 1, shape (m,) and of any dtype, as integers that can be indices.

    Returns
    -------
    Array, shape (m,), intp
        y itself where it is of that dtype.

    Raises
    ------
    ShapeError, DataError

    Examples
    --------
    >>> encode_labels(np.array([2.0, 0.0]), 3, "categorical_cross_entropy")
    array([2, 0])
    """
    if n_out < 2:
        raise ShapeError(
            f"{where}: expected a model with one output for each class, at least 2, got {n_out}. Make the last "
            "layer Dense(k) for k classes, or choose binary_cross_entropy."
        )
    y = np.asarray(y)
    if y.ndim != 1:
        hint = " Try y[:, 0]." if y.shape == (len(y), 1) else ""
        raise ShapeError(f"{where}: expected labels of shape (m,), got {y.shape}.{hint}")
    if y.dtype.kind not in "buif":
        raise DataError(
            f"{where}: expected whole numbers as labels, got dtype {y.dtype}. Number the classes."
        )
    labels = y if y.dtype == np.intp else _whole_numbers(y, where)
    # Seen as unsigned, a negative number is a huge one, so one pass finds both kinds of label out of range.
    if labels.size and int(labels.view(np.uintp).max()) >= n_out:
        unexpected = np.unique(labels[(labels < 0) | (labels >= n_out)])
        raise DataError(
            f"{where}: expected labels from 0 to {n_out - 1}, for a model with {n_out} outputs, also got "
            f"{unexpected[:5].tolist()}. Number the classes from 0, or make the last layer wider."
        )
    return labels


def encode_multi_label(y: Array, n_out: int, dtype: Any, *, where: str) -> Array:
    """Return a matrix of 0 and 1, shape (m, n_out), as targets.

    Examples
    --------
    >>> encode_multi_label(np.array([[0, 1]]), 2, np.float64, where="multi_label")
    array([[0., 1.]])
    """
    Y = _matrix(np.asarray(y), n_out, dtype, where)
    unexpected = np.unique(Y[(Y != 0) & (Y != 1)])
    if len(unexpected):
        raise DataError(f"{where}: expected targets 0 and 1, also got {unexpected[:5].tolist()}.")
    return Y


def encode_quantities(
    y: Array, n_out: int, dtype: Any, *, where: str, at_least: float | None = None
) -> Array:
    """Return numbers, shape (m,) for one output or (m, n_out), as targets of shape (m, n_out).

    Raises
    ------
    ShapeError, DataError
        If the shape does not fit; if a number is NaN, infinite, too large for the dtype, or below ``at_least``.

    Examples
    --------
    >>> encode_quantities(np.array([1.5, 2.5]), 1, np.float64, where="huber")
    array([[1.5],
           [2.5]])
    """
    y = np.asarray(y)
    Y = _matrix(y[:, None] if y.ndim == 1 and n_out == 1 else y, n_out, dtype, where)
    if at_least is not None and Y.size and float(Y.min()) < at_least:
        raise DataError(f"{where}: expected targets of at least {at_least:g}, got {float(Y.min()):g}.")
    return Y


def one_hot(y: Array, k: int, dtype: Any) -> Array:
    """Return labels (m,) as rows with a single 1, shape (m, k): for mixing targets.

    Examples
    --------
    >>> one_hot(np.array([1, 0]), 2, np.float64)
    array([[0., 1.],
           [1., 0.]])
    """
    rows: Array = encode_labels(y, k, "one_hot")[:, None] == np.arange(k)
    return rows.astype(dtype)


def per_output(where: str, values: float | Sequence[float] | None, Z: Array) -> Array:
    """Return one number for each output, shape (k,) or (), in the dtype of Z; ones for None.

    Examples
    --------
    >>> per_output("example", [1, 2], np.zeros((3, 2)))
    array([1., 2.])
    """
    array = np.asarray(1 if values is None else values, Z.dtype)
    if array.shape not in ((), Z.shape[1:]):
        raise OptionError(f"{where}: expected {Z.shape[1]} numbers, one for each output, got {array.size}.")
    return array


def class_weights_to_sample_weights(
    y: Array, class_weight: str | Mapping[Any, float] | Sequence[float] | Array, k: int
) -> Array:
    """Return a weight for each sample, from weights for the classes.

    Parameters
    ----------
    y : Array, shape (m,)
        Labels from 0 to k - 1.
    class_weight : "balanced", mapping, or sequence of k numbers
        "balanced" gives every class that occurs the same total. A mapping leaves other classes at 1.
    k : int
        Classes, at least 2.

    Returns
    -------
    Array, shape (m,), float64

    Raises
    ------
    OptionError, DataError, ShapeError
        If there is not one finite weight of at least 0 for each class, or the labels do not fit.

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
    return np.asarray(table, np.float64)[labels]


def _class_table(class_weight: Mapping[Any, float] | Sequence[float] | Array, k: int) -> Array:
    """Return k weights, checked."""
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
            f"class_weight: expected {k} finite weights of at least 0, one for each class, got {class_weight!r}."
        )
    return table


def _whole_numbers(y: Array, where: str) -> Array:
    """Return whole numbers of any dtype as intp."""
    if y.dtype.kind == "f":
        broken = ~np.isfinite(y) | (np.abs(y) > 2**53)
        broken[~broken] = y[~broken] != np.rint(y[~broken])
        if broken.any():
            first = int(np.argmax(broken))
            raise DataError(
                f"{where}: expected whole numbers as labels, got {y[first]} for sample {first} (counted from 0). "
                "If y is continuous, choose mean_squared_error."
            )
    return y.astype(np.intp)


def _matrix(y: Array, n_out: int, dtype: Any, where: str) -> Array:
    """Return numbers of shape (m, n_out) in that dtype, every one finite."""
    if y.ndim != 2 or y.shape[1] != n_out:
        raise ShapeError(
            f"{where}: expected targets of shape (m, {n_out}), a column for each output of the model, "
            f"got {y.shape}."
        )
    if y.dtype.kind not in "buif":
        raise DataError(f"{where}: expected numbers as targets, got dtype {y.dtype}.")
    with np.errstate(over="ignore"):  # reported below
        Y = y.astype(dtype, copy=False)
    if not np.isfinite(Y).all():
        first = int(np.argmin(np.isfinite(Y).all(axis=1)))
        raise DataError(
            f"{where}: expected finite targets, got {y[first].tolist()} for sample {first} (counted from 0), "
            f"as {np.dtype(dtype)}. Fill in or drop such samples; scale numbers that are too large."
        )
    return Y
