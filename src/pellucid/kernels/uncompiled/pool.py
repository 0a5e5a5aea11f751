"""Pooling: each window of an image is reduced to its maximum or its mean, channel by channel.

Windows are never laid out. One tap of all windows is a shifted image, and taps are taken one after another, for a
few images at a time, so that they stay in the core's cache. Plain: :mod:`pellucid.ops.pool`.
"""

import numpy as np

from pellucid.kernels.uncompiled import blocks
from pellucid.kernels.uncompiled.blocks import meeting
from pellucid.ops.arrays import check_buffer
from pellucid.ops.conv_geometry import NO_PADDING, Geometry, Padding, Pair, pool_geometry
from pellucid.ops.pool import (
    AveragePoolCache,
    MaxPoolCache,
    check_pool_gradients,
    window_weights,
)
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
    geometry = pool_geometry("max_pool_forward", X.shape, size, stride or size, padding)
    Z = _output(out, geometry, X)
    index = np.dtype(np.uint8) if size[0] * size[1] <= 256 else np.dtype(np.uint32)
    marks, masks = (workspace or Workspace()).of(index), (workspace or Workspace()).of(np.dtype(bool))
    winner = marks.take("pool.winner", geometry.out_shape)
    first = first_taps(geometry).astype(index)
    for images in image_blocks(X, geometry):
        best, won = Z[images], winner[images]
        is_larger, mark = masks.take("pool.mask", won.shape), marks.take("pool.mark", won.shape)
        won[...] = first
        if first.any():  # some windows begin on padding
            best[...] = -np.inf
        for tap, (to_y, at_y), (to_x, at_x) in taps(geometry):
            seen, held, larger = X[images, at_y, at_x], best[:, to_y, to_x], is_larger[:, to_y, to_x]
            if tap == 0:
                np.copyto(held, seen)
                continue
            np.greater(seen, held, out=larger)
            np.maximum(seen, held, out=held)
            # Taps come in rising order: of those larger than all before them, the last is the winner.
            np.multiply(larger, index.type(tap), out=mark[:, to_y, to_x])
            np.maximum(won[:, to_y, to_x], mark[:, to_y, to_x], out=won[:, to_y, to_x])
    return Z, MaxPoolCache(winner, geometry)


def max_pool_backward(
    dZ: Array, cache: MaxPoolCache, *, dX: Array | None = None, workspace: Workspace | None = None
) -> Array:
    """dX = the sum over windows of dZ at the pixel that was the window's largest, 0 at all others."""
    winner, geometry = cache
    dX = _input_gradient(dX, dZ, geometry)
    scratch, masks = (workspace or Workspace()).of(dZ.dtype), (workspace or Workspace()).of(np.dtype(bool))
    for images in image_blocks(dZ, geometry):
        won, sent = winner[images], dZ[images]
        is_won = masks.take("pool.mask", won.shape)
        part = scratch.take("pool.part", won.shape)
        if not is_tiled(geometry):
            dX[images] = 0
        for tap, (to_y, at_y), (to_x, at_x) in taps(geometry):
            target = dX[images, at_y, at_x]
            np.equal(won, winner.dtype.type(tap), out=is_won)
            if is_disjoint(geometry):  # no pixel is in two windows
                np.multiply(sent[:, to_y, to_x], is_won[:, to_y, to_x], out=target)
            else:
                np.multiply(sent, is_won, out=part)
                target += part[:, to_y, to_x]
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
    geometry = pool_geometry("average_pool_forward", X.shape, size, stride or size, padding)
    Z = _output(out, geometry, X)
    weight = window_weights(geometry, count_include_pad).astype(X.dtype)
    for images in image_blocks(X, geometry):
        total = Z[images]
        total[...] = 0
        for _, (to_y, at_y), (to_x, at_x) in taps(geometry):
            total[:, to_y, to_x] += X[images, at_y, at_x]
        total *= weight
    return Z, AveragePoolCache(weight, geometry)


def average_pool_backward(
    dZ: Array, cache: AveragePoolCache, *, dX: Array | None = None, workspace: Workspace | None = None
) -> Array:
    """dX = the sum over the windows that a pixel is in of dZ / n, n the number of entries of the window's mean."""
    weight, geometry = cache
    dX = _input_gradient(dX, dZ, geometry)
    scratch = (workspace or Workspace()).of(dZ.dtype)
    for images in image_blocks(dZ, geometry):
        part = scratch.take("pool.part", dZ[images].shape)
        np.multiply(dZ[images], weight, out=part)
        if not is_tiled(geometry):
            dX[images] = 0
        for _, (to_y, at_y), (to_x, at_x) in taps(geometry):
            if is_disjoint(geometry):
                dX[images, at_y, at_x] = part[:, to_y, to_x]
            else:
                dX[images, at_y, at_x] += part[:, to_y, to_x]
    return dX


def _output(out: Array | None, geometry: Geometry, X: Array) -> Array:
    check_buffer("pooling", "out", out, geometry.out_shape)
    return np.empty(geometry.out_shape, X.dtype) if out is None else out


def _input_gradient(dX: Array | None, dZ: Array, geometry: Geometry) -> Array:
    check_pool_gradients(dZ, dX, geometry)
    return np.empty((geometry.m, geometry.h, geometry.w, geometry.c_in), dZ.dtype) if dX is None else dX


def taps(geometry: Geometry) -> list[tuple[int, tuple[slice, slice], tuple[slice, slice]]]:
    """Return each tap's number, and which outputs see which pixels through it, along rows and along columns."""
    (kh, kw), (sy, sx), ((top, _), (left, _)) = geometry.kernel, geometry.stride, geometry.padding
    return [
        (
            i * kw + j,
            meeting(geometry.h, geometry.h_out, i - top, sy),
            meeting(geometry.w, geometry.w_out, j - left, sx),
        )
        for i, j in np.ndindex(kh, kw)
    ]


def first_taps(geometry: Geometry) -> Array:
    """Return the number of each window's first tap that is not on padding, shape (h_out, w_out, 1)."""
    (_, kw), (sy, sx), ((top, _), (left, _)) = geometry.kernel, geometry.stride, geometry.padding
    i = np.maximum(top - sy * np.arange(geometry.h_out), 0)
    j = np.maximum(left - sx * np.arange(geometry.w_out), 0)
    return (i[:, None] * kw + j)[:, :, None]


def is_disjoint(geometry: Geometry) -> bool:
    """Return whether no pixel is in two windows."""
    return geometry.stride[0] >= geometry.kernel[0] and geometry.stride[1] >= geometry.kernel[1]


def is_tiled(geometry: Geometry) -> bool:
    """Return whether every pixel is in exactly one window."""
    covered = geometry.h_out * geometry.stride[0], geometry.w_out * geometry.stride[1]
    is_whole = covered == (geometry.h, geometry.w) and geometry.padding == NO_PADDING
    return geometry.stride == geometry.kernel and is_whole


def image_blocks(array: Array, geometry: Geometry) -> list[slice]:
    """Return runs of images whose inputs and outputs fit the cache; a large image is taken whole."""
    row_bytes = (geometry.w * geometry.stride[0] + 2 * geometry.w_out) * geometry.c_in * array.itemsize
    n = max(1, blocks.BLOCK_BYTES // (row_bytes * geometry.h_out))
    return [slice(i, i + n) for i in range(0, geometry.m, n)]
