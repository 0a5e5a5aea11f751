"""Affine maps of colours, in one pass over the pixels; plain: :mod:`pellucid.ops.colour`."""

from typing import Any

import numpy as np

from pellucid.kernels.compiled import compiled
from pellucid.ops import colour
from pellucid.types import Array


def recolour(X: Array, maps: Array, *, out: Array | None = None) -> Array:
    """Return every pixel (r, g, b, 1) of image i times maps[i], clipped to 0..1."""
    m, h, w, c = X.shape
    result = np.empty(X.shape, X.dtype) if out is None else out
    if c != 3 or not (X.flags.c_contiguous and result.flags.c_contiguous):
        return colour.recolour(X, maps, out=result)
    _recolour(X.reshape(m, h * w, c), maps.astype(X.dtype), result.reshape(m, h * w, c))
    return result


@compiled
def _recolour(X: Array, maps: Array, out: Array) -> None:
    """out[j] = min(max(0, X[0] M[0, j] + X[1] M[1, j] + X[2] M[2, j] + M[3, j]), 1) for each pixel X."""
    zero, one = X.dtype.type(0), X.dtype.type(1)
    for k in range(len(X)):
        M, before, after = maps[k], X[k], out[k]
        r0, r1, r2, r3 = M[0, 0], M[1, 0], M[2, 0], M[3, 0]
        g0, g1, g2, g3 = M[0, 1], M[1, 1], M[2, 1], M[3, 1]
        b0, b1, b2, b3 = M[0, 2], M[1, 2], M[2, 2], M[3, 2]
        for p in range(len(before)):
            r, g, b = before[p, 0], before[p, 1], before[p, 2]
            after[p, 0] = _clip(r * r0 + g * r1 + b * r2 + r3, zero, one)
            after[p, 1] = _clip(r * g0 + g * g1 + b * g2 + g3, zero, one)
            after[p, 2] = _clip(r * b0 + g * b1 + b * b2 + b3, zero, one)


@compiled
def _clip(z: Any, low: Any, high: Any) -> Any:
    """Return z moved into low ... high; NaN stays."""
    z = low if z < low else z
    return high if z > high else z
