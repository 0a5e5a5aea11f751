"""Affine maps of colours, in one pass over the pixels; plain: :mod:`pellucid.ops.colour`."""

from typing import Any

import numpy as np

from pellucid.kernels.compiled import compiled
from pellucid.ops import colour
from pellucid.types import Array

ONE, TWO, THREE = (
    np.uint64(1),
    np.uint64(2),
    np.uint64(3),
)  # as an index, a number with a sign might count from the end


def recolour(X: Array, maps: Array, *, out: Array | None = None) -> Array:
    """Return every pixel (r, g, b, 1) of image i times maps[i], clipped to 0..1."""
    m, h, w, c = X.shape
    result = np.empty(X.shape, X.dtype) if out is None else out
    if c != 3 or not (X.flags.c_contiguous and result.flags.c_contiguous):
        return colour.recolour(X, maps, out=result)
    if result is not X:
        result[...] = X
    _recolour(result.reshape(m, h * w * c), maps.astype(X.dtype))
    return result


def mean_colours(X: Array) -> Array:
    """Return the mean colour of each image, float64 of shape (m, c)."""
    m, h, w, c = X.shape
    if c != 3 or not X.flags.c_contiguous:
        return colour.mean_colours(X)
    totals = np.empty((m, c))
    _totals(X.reshape(m, h * w * c), totals)
    totals /= h * w
    return totals


@compiled
def _totals(X: Array, out: Array) -> None:
    """out = the sums of the first, second and third of every three numbers of each image."""
    zero = X.dtype.type(0)
    for k in range(len(X)):
        image = X[k]
        r, g, b = zero, zero, zero
        for p in range(np.uint64(image.size // 3)):
            r += image[THREE * p]
            g += image[THREE * p + ONE]
            b += image[THREE * p + TWO]
        out[k, 0], out[k, 1], out[k, 2] = r, g, b


@compiled
def _recolour(X: Array, maps: Array) -> None:
    """Each pixel X <- min(max(0, X[0] M[0, j] + X[1] M[1, j] + X[2] M[2, j] + M[3, j]), 1) for j = 0, 1, 2."""
    zero, one = X.dtype.type(0), X.dtype.type(1)
    for k in range(len(X)):
        M, image = maps[k], X[k]
        r0, r1, r2, r3 = M[0, 0], M[1, 0], M[2, 0], M[3, 0]
        g0, g1, g2, g3 = M[0, 1], M[1, 1], M[2, 1], M[3, 1]
        b0, b1, b2, b3 = M[0, 2], M[1, 2], M[2, 2], M[3, 2]
        for p in range(np.uint64(image.size // 3)):
            r, g, b = image[THREE * p], image[THREE * p + ONE], image[THREE * p + TWO]
            image[THREE * p] = _clip(r * r0 + g * r1 + b * r2 + r3, zero, one)
            image[THREE * p + ONE] = _clip(r * g0 + g * g1 + b * g2 + g3, zero, one)
            image[THREE * p + TWO] = _clip(r * b0 + g * b1 + b * b2 + b3, zero, one)


@compiled
def _clip(z: Any, low: Any, high: Any) -> Any:
    """Return z moved into low ... high; NaN stays."""
    z = low if z < low else z
    return high if z > high else z
