"""The 2-D convolution by whichever algorithm suits its shape, a block of images at a time.

===========  ======================================================================================
depthwise    as many groups as input channels: vectors of channels
winograd     3x3, stride 1, enough channels: a quarter of the multiplications
direct       everything else: sums of products, in registers, from images where they lie
===========  ======================================================================================
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from pellucid.kernels.conv_algorithm import ConvAlgorithm
from pellucid.kernels.conv_depthwise import DepthwiseConv
from pellucid.kernels.conv_direct import DirectConv
from pellucid.kernels.conv_winograd import WinogradConv
from pellucid.ops.arrays import check_buffer
from pellucid.ops.conv import ConvCache, check_gradient_buffers, conv_geometry
from pellucid.ops.conv_geometry import NO_PADDING, Geometry, Padding, Pair
from pellucid.types import Array
from pellucid.workspace import Workspace

ALGORITHMS: tuple[type[ConvAlgorithm], ...] = (DepthwiseConv, WinogradConv, DirectConv)


def conv2d_forward(
    X: Array,
    W: Array,
    b: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    out: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, ConvCache]:
    """Return Z = b + sum over i, j of X_ij W_ij, and the cache; tap i, j of the kernel sees X_ij."""
    geometry = conv_geometry(X, W, b, stride, padding, dilation, groups)
    check_buffer("conv2d_forward", "out", out, geometry.out_shape, contiguous=True)
    Z = np.empty(geometry.out_shape, X.dtype) if out is None else out
    X = np.ascontiguousarray(X)
    algorithm = algorithm_for(geometry, X.dtype, workspace)
    algorithm.set_weights(W)
    for block in blocks(algorithm, len(X)):
        algorithm.forward(X[block], Z[block])
        if b is not None:
            Z[block] += b
    return Z, ConvCache(X, W, b is not None, geometry)


def conv2d_backward(
    dZ: Array,
    cache: ConvCache,
    *,
    dX: Array | None = None,
    dW: Array | None = None,
    db: Array | None = None,
    needs_dX: bool = True,
    workspace: Workspace | None = None,
) -> tuple[Array | None, Array, Array | None]:
    """dW_ij = sum X_ij^T dZ, dX_ij += dZ W_ij^T, db = sum dZ, over pixels; tap i, j of the kernel sees X_ij."""
    X, W, has_bias, geometry, _ = cache
    check_gradient_buffers(dZ, dX, dW, db, cache)
    X, dZ = np.ascontiguousarray(X), np.ascontiguousarray(dZ)
    dX = (np.empty_like(X) if dX is None else dX) if needs_dX else None
    dW = np.empty(W.shape, W.dtype) if dW is None else dW
    algorithm = algorithm_for(geometry, X.dtype, workspace)
    algorithm.set_weights(W)
    algorithm.begin_backward()
    for block in blocks(algorithm, len(X)):
        algorithm.backward(X[block], dZ[block], None if dX is None else dX[block])
    algorithm.end_backward(dW)
    if has_bias:
        db = np.sum(dZ.reshape(-1, geometry.c_out), axis=0, out=db)
    return dX, dW, db


def algorithm_for(geometry: Geometry, dtype: Any, workspace: Workspace | None) -> ConvAlgorithm:
    """Return what computes a convolution, with its scratch memory: kept in the workspace, where there is one.

    Examples
    --------
    >>> from pellucid.ops.conv_geometry import window_geometry
    >>> g = window_geometry("", (1, 8, 8, 16), (3, 3), c_out=16, stride=(1, 1), padding=((1, 1), (1, 1)))
    >>> [type(algorithm_for(one, "float32", None)).__name__ for one in (g, g._replace(c_in=3))]
    ['WinogradConv', 'DirectConv']
    """
    geometry = geometry._replace(m=0)

    def make() -> ConvAlgorithm:
        return next(one for one in ALGORITHMS if one.fits(geometry))(geometry, np.dtype(dtype))

    return make() if workspace is None else workspace.keep((geometry, np.dtype(dtype)), make)


def blocks(algorithm: ConvAlgorithm, m: int) -> Iterator[slice]:
    """Yield the images to hand over at a time."""
    for start in range(0, m, algorithm.block):
        yield slice(start, min(start + algorithm.block, m))
