"""From what people call y to what a loss compares outputs with, checked."""

from typing import Any

import numpy as np

from pellucid.errors import DataError, ShapeError
from pellucid.ops.losses.labels import encode_labels
from pellucid.types import Array


def encode_binary(y: Array, n_out: int, dtype: Any, *, where: str = "binary_cross_entropy") -> Array:
    """Return labels 0 and 1, shape (m,) or (m, 1), as targets of shape (m, 1).

    Parameters
    ----------
    y : Array, shape (m,) or (m, 1)
    n_out : int
        The model's outputs; must be 1.
    dtype : dtype
        Of the targets.
    where : str, optional
        The loss, for messages.

    Raises
    ------
    ShapeError, DataError
        If the model has not one output, or a label is not 0 or 1.

    Examples
    --------
    >>> encode_binary(np.array([0, 1]), 1, np.float64)
    array([[0.],
           [1.]])
    """
    if n_out != 1:
        raise ShapeError(
            f"{where}: expected a model with 1 output, got {n_out}. Make the last layer Dense(1), or choose "
            "categorical_cross_entropy (one class a sample) or multi_label (any number of them)."
        )
    y = np.asarray(y)
    if y.shape not in ((len(y),), (len(y), 1)):
        raise ShapeError(f"{where}: expected labels of shape (m,), got {y.shape}.")
    strange = np.unique(y[(y != 0) & (y != 1)])
    if len(strange):
        raise DataError(
            f"{where}: expected labels 0 and 1, got also {strange[:5].tolist()}. "
            "A model with one output tells two classes apart; more classes need one output each. "
            "If y is a quantity, choose mean_squared_error."
        )
    return np.asarray(y, dtype).reshape(-1, 1)


def encode_classes(y: Array, n_out: int, dtype: Any, *, where: str = "categorical_cross_entropy") -> Array:
    """Return labels (m,) as indices, or probabilities (m, k) as targets.

    Parameters
    ----------
    y : Array, shape (m,) or (m, n_out)
        A label for each sample, or a probability for each class: rows that add up to 1.
    n_out : int
        The model's outputs: k, at least 2.
    dtype : dtype
        Of soft targets.
    where : str, optional
        The loss, for messages.

    Raises
    ------
    ShapeError, DataError

    Examples
    --------
    >>> encode_classes(np.array([[0.5, 0.5]]), 2, np.float64)
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


def encode_multi_label(y: Array, n_out: int, dtype: Any) -> Array:
    """Return a matrix of 0 and 1, shape (m, n_out), as targets.

    Examples
    --------
    >>> encode_multi_label(np.array([[0, 1]]), 2, np.float64)
    array([[0., 1.]])
    """
    Y = _matrix(np.asarray(y), n_out, dtype, "multi_label")
    strange = np.unique(Y[(Y != 0) & (Y != 1)])
    if len(strange):
        raise DataError(f"multi_label: expected targets 0 and 1, got also {strange[:5].tolist()}.")
    return Y


def encode_quantities(y: Array, n_out: int, dtype: Any, *, where: str, least: float | None = None) -> Array:
    """Return numbers, shape (m,) for one output or (m, n_out), as targets of shape (m, n_out).

    Parameters
    ----------
    y : Array, shape (m,) or (m, n_out)
    n_out : int
        The model's outputs.
    dtype : dtype
        Of the targets.
    where : str
        The loss, for messages.
    least : float, optional
        The smallest number allowed.

    Raises
    ------
    ShapeError, DataError
        If the shape does not fit; if a number is NaN, infinite, too large for the dtype, or below ``least``.

    Examples
    --------
    >>> encode_quantities(np.array([1.5, 2.5]), 1, np.float64, where="mean_squared_error")
    array([[1.5],
           [2.5]])
    """
    y = np.asarray(y)
    Y = _matrix(y[:, None] if y.ndim == 1 and n_out == 1 else y, n_out, dtype, where)
    if least is not None and Y.size and float(Y.min()) < least:
        raise DataError(f"{where}: expected targets of {least:g} or more, got {float(Y.min()):g}.")
    return Y


def _matrix(y: Array, n_out: int, dtype: Any, where: str) -> Array:
    """Return numbers of shape (m, n_out) in that dtype, every one finite."""
    if y.ndim != 2 or y.shape[1] != n_out:
        raise ShapeError(
            f"{where}: expected targets of shape (m, {n_out}), a column for each output of the model, "
            f"got {y.shape}."
        )
    if y.dtype.kind not in "buif":
        raise DataError(f"{where}: expected numbers as targets, got dtype {y.dtype}.")
    with np.errstate(over="ignore"):  # said below, in words
        Y = y.astype(dtype, copy=False)
    if not np.isfinite(Y).all():
        first = int(np.argmin(np.isfinite(Y).all(axis=1)))
        raise DataError(
            f"{where}: expected finite targets, got {y[first].tolist()} for sample {first} (counted from 0), "
            f"as {np.dtype(dtype)}. Fill in or drop such samples; scale numbers that are too large."
        )
    return Y
