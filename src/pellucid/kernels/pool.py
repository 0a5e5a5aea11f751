"""Pooling, window by window, along the channels; plain: :mod:`pellucid.ops.pool`."""

from typing import Any

import numpy as np

from pellucid.kernels.arrays import are_served, by_rows
from pellucid.kernels.compiled import compiled, inlined
from pellucid.ops import pool
from pellucid.ops.arrays import check_buffer
from pellucid.ops.conv_geometry import NO_PADDING, Geometry, Padding, Pair, pool_geometry
from pellucid.ops.pool import AveragePoolCache, MaxPoolCache, check_pool_gradients, window_weights
from pellucid.threads import cut, helpers
from pellucid.types import Array
from pellucid.workspace import Workspace


def max_pool_forward(
    X: Array,
    *,
    size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    out: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, MaxPoolCache]:
    """Return Z, the largest number of each window, and the cache.

    With a workspace the winners live there: the cache is valid until its next use.
    """
    if not are_served(X, out):
        return pool.max_pool_forward(X, size=size, stride=stride, padding=padding, out=out)
    g = pool_geometry("max_pool_forward", X.shape, size, stride or size, padding)
    check_buffer("pooling", "out", out, g.out_shape)
    Z = np.empty(g.out_shape, X.dtype) if out is None else out
    index = np.dtype(np.uint8 if size[0] * size[1] <= 256 else np.uint32)
    winner = (workspace or Workspace()).take("pool.winner", g.out_shape, index)
    sizes, rows_of = _sizes(g), (by_rows(Z), by_rows(winner))

    def compute(rows: slice) -> None:
        """Write some rows: their first window begins further down."""
        top = g.padding[0][0] - rows.start * g.stride[0]
        _largest(by_rows(X), (*sizes[:-2], top, sizes[-1]), *(array[:, rows] for array in rows_of))

    workers = helpers() if len(X) == 1 else None
    if workers is None:
        compute(slice(0, g.h_out))
    else:
        parts = cut(g.h_out, workers.n)
        workers.run(lambda i: compute(parts[i]))
    return Z, MaxPoolCache(winner, g)


def max_pool_backward(
    dZ: Array, cache: MaxPoolCache, *, dX: Array | None = None, workspace: Workspace | None = None
) -> Array:
    """dX = the sum over windows of dZ at the pixel that was the window's largest, 0 at all others."""
    winner, g = cache
    if not are_served(dZ, dX):
        return pool.max_pool_backward(dZ, cache, dX=dX)
    check_pool_gradients(dZ, dX, g)
    dX = np.empty((g.m, g.h, g.w, g.c_in), dZ.dtype) if dX is None else dX
    _gradient_of_largest(by_rows(dZ), by_rows(winner), _sizes(g), by_rows(dX))
    return dX


def average_pool_forward(
    X: Array,
    *,
    size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    count_include_pad: bool = True,
    out: Array | None = None,
) -> tuple[Array, AveragePoolCache]:
    """Return Z, the mean of each window, and the cache."""
    if not are_served(X, out):
        return pool.average_pool_forward(
            X, size=size, stride=stride, padding=padding, count_include_pad=count_include_pad, out=out
        )
    g = pool_geometry("average_pool_forward", X.shape, size, stride or size, padding)
    check_buffer("pooling", "out", out, g.out_shape)
    Z = np.empty(g.out_shape, X.dtype) if out is None else out
    weight = window_weights(g, count_include_pad).astype(X.dtype)
    _mean(by_rows(X), _each(weight, g), _sizes(g), by_rows(Z))
    return Z, AveragePoolCache(weight, g)


def average_pool_backward(dZ: Array, cache: AveragePoolCache, *, dX: Array | None = None) -> Array:
    """dX = the sum over the windows that a pixel is in of dZ / n, n the number of entries of the window's mean."""
    weight, g = cache
    if not are_served(dZ, dX):
        return pool.average_pool_backward(dZ, cache, dX=dX)
    check_pool_gradients(dZ, dX, g)
    dX = np.empty((g.m, g.h, g.w, g.c_in), dZ.dtype) if dX is None else dX
    _gradient_of_mean(by_rows(dZ), _each(weight, g), _sizes(g), by_rows(dX))
    return dX


def _each(weight: Array, g: Geometry) -> Array:
    """Return the weight of every window of an image, (h_out, w_out)."""
    return np.ascontiguousarray(np.broadcast_to(weight[..., 0], (g.h_out, g.w_out)))


def _sizes(g: Geometry) -> tuple[int, ...]:
    """Return what the loops need to know."""
    return g.h, g.w, g.c_in, g.w_out, *g.kernel, *g.stride, g.padding[0][0], g.padding[1][0]


@inlined
def window(sizes: Any, y: Any, x: Any) -> Any:
    """Return where the taps of window (y, x) that lie in the image begin and end: rows, columns."""
    h, w, _, _, kh, kw, sy, sx, top, left = sizes
    rows, columns = top - y * sy, left - x * sx
    return max(0, rows), min(kh, h + rows), max(0, columns), min(kw, w + columns)


@compiled
def _largest(X: Any, sizes: Any, Z: Any, winner: Any) -> None:
    """Z = max over taps (i, j) of X_ij; winner = the first i kw + j that has it. NaN is larger than any number.

    Winners are as wide as numbers until the last is known: bytes beside them are compared one by one.
    """
    _, _, c, w_out, _, kw, sy, sx, top, left = sizes
    best = np.empty(c, np.int32)
    for k in range(len(X)):
        for y in range(Z.shape[1]):
            for x in range(w_out):
                first_i, last_i, first_j, last_j = window(sizes, y, x)
                z, own = Z[k, y, x * c : (x + 1) * c], winner[k, y, x * c : (x + 1) * c]
                z[:] = -np.inf
                best[:] = first_i * kw + first_j
                for i in range(first_i, last_i):
                    for j in range(first_j, last_j):
                        at, tap = (x * sx + j - left) * c, np.int32(i * kw + j)
                        v = X[k, y * sy + i - top, at : at + c]
                        for n in range(c):
                            stays = v[n] <= z[n] or z[n] != z[n]
                            z[n] = z[n] if stays else v[n]
                            best[n] = best[n] if stays else tap
                for n in range(c):
                    own[n] = best[n]


@compiled
def _gradient_of_largest(dZ: Any, winner: Any, sizes: Any, dX: Any) -> None:
    """dX = sum over windows of dZ where the pixel is their winner."""
    _, _, c, w_out, _, kw, sy, sx, top, left = sizes
    zero = dZ.dtype.type(0)
    dX[:] = 0
    for k in range(len(dX)):
        for y in range(dZ.shape[1]):
            for x in range(w_out):
                first_i, last_i, first_j, last_j = window(sizes, y, x)
                d, best = dZ[k, y, x * c : (x + 1) * c], winner[k, y, x * c : (x + 1) * c]
                for i in range(first_i, last_i):
                    for j in range(first_j, last_j):
                        to = dX[k, y * sy + i - top, (x * sx + j - left) * c :]
                        tap = winner.dtype.type(i * kw + j)
                        for n in range(c):
                            to[n] += d[n] if best[n] == tap else zero


@compiled
def _mean(X: Any, weight: Any, sizes: Any, Z: Any) -> None:
    """Z = weight times the sum over taps (i, j) of X_ij."""
    _, _, c, w_out, _, _, sy, sx, top, left = sizes
    for k in range(len(X)):
        for y in range(Z.shape[1]):
            for x in range(w_out):
                first_i, last_i, first_j, last_j = window(sizes, y, x)
                z, share = Z[k, y, x * c : (x + 1) * c], weight[y, x]
                z[:] = 0
                for i in range(first_i, last_i):
                    for j in range(first_j, last_j):
                        v = X[k, y * sy + i - top, (x * sx + j - left) * c :]
                        for n in range(c):
                            z[n] += share * v[n]


@compiled
def _gradient_of_mean(dZ: Any, weight: Any, sizes: Any, dX: Any) -> None:
    """dX = sum over the windows that a pixel is in of weight dZ."""
    _, _, c, w_out, _, _, sy, sx, top, left = sizes
    dX[:] = 0
    for k in range(len(dX)):
        for y in range(dZ.shape[1]):
            for x in range(w_out):
                first_i, last_i, first_j, last_j = window(sizes, y, x)
                d, share = dZ[k, y, x * c : (x + 1) * c], weight[y, x]
                for i in range(first_i, last_i):
                    for j in range(first_j, last_j):
                        to = dX[k, y * sy + i - top, (x * sx + j - left) * c :]
                        for n in range(c):
                            to[n] += share * d[n]
