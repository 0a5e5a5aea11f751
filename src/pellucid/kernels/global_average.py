"""The mean of each channel over an image, and its gradient: :mod:`pellucid.ops.pool`."""

from typing import Any

import numpy as np

from pellucid.kernels.arrays import are_served, check_gradient
from pellucid.kernels.compiled import compiled
from pellucid.kernels.rows import add_rows, repeated
from pellucid.ops.pool import GlobalAverageCache
from pellucid.types import Array

SHORT = 64  # values that are added at a time: what is added up at the end is little beside an image


@compiled
def average(X: Array, Z: Array) -> None:
    """z = the mean over pixels of each channel, for X (m, h w c) and Z (m, c)."""
    c, size = Z.shape[1], X.shape[1]
    sums, total = np.zeros(max(1, SHORT // c) * c, X.dtype), np.zeros(c)
    for k in range(len(X)):
        image = X[k]
        for start in range(0, size, sums.size):
            x = image[start : start + sums.size]
            for i in range(x.size):
                sums[i] += x[i]
        total[:] = 0
        add_rows(sums, total)
        for j in range(c):
            Z[k, j] = total[j] / (size // c)


@compiled
def spread(dZ: Array, dX: Array) -> None:
    """dx = dz / (h w) at every pixel, for dZ (m, c) and dX (m, h w c)."""
    T, (c, size) = dZ.dtype.type, (dZ.shape[1], dX.shape[1])
    for k in range(len(dZ)):
        image, wide = dX[k], repeated(dZ[k], size)
        for i in range(wide.size):
            wide[i] /= T(size // c)
        for start in range(0, size, wide.size):
            x = image[start : start + wide.size]
            for i in range(x.size):
                x[i] = wide[i]


def global_average_forward(X: Array, *, out: Array | None = None) -> tuple[Array, GlobalAverageCache] | Any:
    """Return Z, the mean of each channel over the whole image, and the cache."""
    if not are_served(X, out) or not X.size:
        return NotImplemented
    Z = np.empty((len(X), X.shape[-1]), X.dtype) if out is None else out
    average(X.reshape(len(X), -1), Z)
    return Z, GlobalAverageCache(X.shape)


def global_average_backward(dZ: Array, cache: GlobalAverageCache, *, dX: Array | None = None) -> Array | Any:
    """dX = dZ / (h w) at every pixel of the channel."""
    if not are_served(dZ, dX) or not dZ.size:
        return NotImplemented
    check_gradient("global_average_backward", dZ, (cache.shape[0], cache.shape[-1]))
    dX = np.empty(cache.shape, dZ.dtype) if dX is None else dX
    spread(dZ, dX.reshape(len(dX), -1))
    return dX
