"""Class labels, checked, as indices."""

import numpy as np

from pellucid.errors import DataError, ShapeError
from pellucid.types import Array


def encode_labels(y: Array, n_out: int, where: str) -> Array:
    """Return class labels 0 to n_out - 1, shape (m,), as integers that can be indices.

    Parameters
    ----------
    y : Array, shape (m,)
        Whole numbers, of any dtype.
    n_out : int
        The model's outputs: k, at least 2.
    where : str
        The loss, for messages.

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
        strange = np.unique(labels[(labels < 0) | (labels >= n_out)])
        raise DataError(
            f"{where}: expected labels from 0 to {n_out - 1}, for a model with {n_out} outputs, got also "
            f"{strange[:5].tolist()}. Number the classes from 0, or make the last layer wider."
        )
    return labels


def _whole_numbers(y: Array, where: str) -> Array:
    if y.dtype.kind == "f":
        broken = ~np.isfinite(y) | (np.abs(y) > 2**53)
        broken[~broken] = y[~broken] != np.rint(y[~broken])
        if broken.any():
            first = int(np.argmax(broken))
            raise DataError(
                f"{where}: expected whole numbers as labels, got {y[first]} for sample {first} (counted from 0). "
                "If y is a quantity, choose mean_squared_error."
            )
    return y.astype(np.intp)


def rows_of(labels: Array, m: int, k: int, where: str) -> tuple[Array, Array]:
    """Return the index of each row's own label in an array (m, k); labels are checked.

    Examples
    --------
    >>> np.array([[1, 2], [3, 4]])[rows_of(np.array([1, 0]), 2, 2, "example")]
    array([2, 3])
    """
    if len(labels) != m:
        raise ShapeError(f"{where}: expected {m} labels, one for each row of logits, got {len(labels)}.")
    return np.arange(m), encode_labels(labels, k, where)
