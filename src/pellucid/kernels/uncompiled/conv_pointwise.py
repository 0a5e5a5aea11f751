"""The 1x1 convolution with stride 1: each pixel's channels are mixed on their own, one matrix product."""

import numpy as np

from pellucid.kernels.uncompiled.blocks import add_bias, blocks, length
from pellucid.kernels.uncompiled.columns import ones
from pellucid.ops.conv_geometry import NO_PADDING, Geometry
from pellucid.types import Array
from pellucid.workspace import Buffers


def fits(geometry: Geometry) -> bool:
    """Return whether the kernel is 1x1 with stride 1 and no padding."""
    return geometry.kernel == geometry.stride == (1, 1) and geometry.padding == NO_PADDING


def forward(
    X: Array, W: Array, b: Array | None, geometry: Geometry, out: Array, scratch: Buffers, keep: bool
) -> None:
    """Write Z = X W + b, pixel by pixel, into out (m, h, w, c_out), contiguous.

    Notes
    -----
    2 m h w c_in c_out / groups operations. Plain: :func:`pellucid.ops.conv.conv2d_forward`.
    """
    kernels = _by_group(W, geometry.groups)
    for X_block, Z in _blocks(geometry, X, out):
        np.matmul(_by_group(X_block, geometry.groups), kernels, out=_by_group(Z, geometry.groups))
        if b is not None:
            add_bias(Z, b)


def backward(
    dZ: Array,
    X: Array,
    W: Array,
    kept: None,
    geometry: Geometry,
    dX: Array | None,
    dW: Array,
    db: Array | None,
    scratch: Buffers,
) -> None:
    """Write dX = dZ W^T (unless dX is None), dW = X^T dZ and db, the sums of dZ (unless db is None)."""
    groups = geometry.groups
    kernels = _by_group(W, groups).transpose(0, 2, 1)
    part = scratch.take("conv.dkernels", (groups, kernels.shape[2], kernels.shape[1]))
    total = np.zeros_like(part)
    if db is not None:
        db.fill(0)
    for dZ_block, X_block, dX_block in _blocks(geometry, dZ, X, X if dX is None else dX):
        dZ_groups = _by_group(dZ_block, groups)
        np.matmul(_by_group(X_block, groups).transpose(0, 2, 1), dZ_groups, out=part)
        total += part
        if dX is not None:
            np.matmul(dZ_groups, kernels, out=_by_group(dX_block, groups))
        if db is not None:
            db += ones(len(dZ_block), dZ.dtype) @ dZ_block
    _by_group(dW, groups)[...] = total


def _by_group(A: Array, groups: int) -> Array:
    """Return a view of A (..., c), contiguous, as (groups, rows, c / groups)."""
    return A.reshape(-1, groups, A.shape[-1] // groups).transpose(1, 0, 2)


def _blocks(geometry: Geometry, *arrays: Array) -> list[tuple[Array, ...]]:
    """Return matching pieces of the arrays as rows of pixels that fit the cache together."""
    n_pixels = geometry.m * geometry.h * geometry.w
    flat = [array.reshape(n_pixels, -1) for array in arrays]
    pixel_bytes = (geometry.c_in + geometry.c_out) * arrays[0].itemsize
    return [
        tuple(array[pixels] for array in flat)
        for _, pixels in blocks(1, n_pixels, pixel_bytes)
        if length(pixels)
    ]
