"""Bytes, of the samples that are wanted, as the layers take them; plain: :mod:`pellucid.ops.pixels`."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from pellucid.kernels.compiled import compiled_in_order
from pellucid.ops import pixels
from pellucid.types import Array


def scale_pixels(
    X: Array,
    divisor: float,
    dtype: npt.DTypeLike,
    *,
    rows: Array | slice | None = None,
    out: Array | None = None,
) -> Array:
    """Return X / divisor, converted to a floating-point dtype first and divided in it; bit for bit."""
    if X.dtype != np.uint8 or not X.flags.c_contiguous:
        return pixels.scale_pixels(X, divisor, dtype, rows=rows, out=out)
    if not isinstance(rows, np.ndarray):
        X = X if rows is None else X[rows]
        rows = np.arange(len(X))
    wanted: np.dtype[Any] = np.dtype(dtype)
    result = np.empty((len(rows), *X.shape[1:]), wanted) if out is None else out
    size = math.prod(X.shape[1:])
    _scale(X.reshape(len(X), size), rows, wanted.type(divisor), result.reshape(len(rows), size))
    return result


@compiled_in_order
def _scale(X: Array, rows: Array, divisor: Any, out: Array) -> None:
    """out[k, i] = X[rows[k], i] / divisor."""
    for k in range(len(rows)):
        sample = X[rows[k]]
        for i in range(len(sample)):
            out[k, i] = out.dtype.type(sample[i]) / divisor
