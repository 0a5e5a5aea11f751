"""Pixels as the layers take them. There is no backward."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pellucid.types import Array


def scale_pixels(
    X: Array,
    divisor: float,
    dtype: npt.DTypeLike,
    *,
    rows: Array | slice | None = None,
    out: Array | None = None,
) -> Array:
    """Return X / divisor, converted to a floating-point dtype first and divided in it.

    Parameters
    ----------
    X : Array, shape (m, ...), whole numbers
    divisor : float
    dtype : a floating-point dtype
    rows : Array of indices or slice, optional
        The samples that are wanted; default: all.
    out : Array, the result's shape and dtype, optional
        Written and returned.

    Examples
    --------
    >>> scale_pixels(np.array([[0], [51]], np.uint8), 255, np.float64, rows=np.array([1]))
    array([[0.2]])
    """
    wanted: np.dtype[Any] = np.dtype(dtype)
    chosen = X if rows is None else X[rows]
    result = np.empty(chosen.shape, wanted) if out is None else out
    np.divide(chosen, wanted.type(divisor), out=result, dtype=wanted, casting="unsafe")
    return result
