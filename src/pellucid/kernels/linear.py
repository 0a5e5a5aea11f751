"""The affine map: products by BLAS, biases and their sums in one pass each: :mod:`pellucid.ops.linear`."""

from typing import Any

import numpy as np

from pellucid.kernels.arrays import are_served
from pellucid.kernels.compiled import compiled
from pellucid.kernels.rows import add_rows, width
from pellucid.ops.linear import LinearCache
from pellucid.types import Array


@compiled
def sum_rows(dZ: Array, db: Array) -> None:
    """db = the sum of dZ over rows; dZ is flat."""
    sums = np.zeros(width(db.size, dZ.size), dZ.dtype)
    for start in range(0, dZ.size, sums.size):
        d = dZ[start : start + sums.size]
        for i in range(d.size):
            sums[i] += d[i]
    db[:] = 0
    add_rows(sums, db)


def linear_backward(
    dZ: Array,
    cache: LinearCache,
    *,
    dX: Array | None = None,
    dW: Array | None = None,
    db: Array | None = None,
    needs_dX: bool = True,
) -> tuple[Array | None, Array, Array | None] | Any:
    """dX = dZ W^T, dW = X^T dZ, db = the sum over rows of dZ."""
    X, W, has_bias = cache
    if not are_served(dZ, db):
        return NotImplemented
    dX = np.dot(dZ, W.T, out=dX) if needs_dX else None
    dW = np.dot(X.T, dZ, out=dW)
    if not has_bias:
        return dX, dW, None
    db = np.empty(dZ.shape[1:], dZ.dtype) if db is None else db
    sum_rows(dZ.ravel(), db)
    return dX, dW, db
