"""The 2-D convolution: the sum over the taps of a kernel of a shifted image times the tap's weights.

A tap is one position (i, j) of a kernel. Over all windows, it sees the image shifted by (i, j), and it
mixes the channels of each pixel by the matrix W[i, j]: so a convolution is kh kw matrix products.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import ShapeError
from pellucid.ops.arrays import check_buffer, check_dtype, written
from pellucid.ops.conv_geometry import NO_PADDING, Geometry, Padding, Pair, crop, pad, taps, window_geometry
from pellucid.types import Array

PIXELS = (0, 1, 2)  # the axes of (m, h, w, channels) that gradients of kernels are summed over


class ConvCache(NamedTuple):
    """What the backward of a convolution needs: X and W themselves, not copies."""

    X: Array  # (m, h, w, c_in)
    W: Array  # (kh, kw, c_in / groups, c_out)
    has_bias: bool
    geometry: Geometry
    kept: Any = None  # for a fast twin: what it would otherwise recompute


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
) -> tuple[Array, ConvCache]:
    """Return Z = b + sum over i, j of X_ij W_ij, and the cache; tap i, j of the kernel sees X_ij.

    Parameters
    ----------
    X : Array, shape (m, h, w, c_in)
        Images, channels last.
    W : Array, shape (kh, kw, c_in / groups, c_out), dtype of X
        The kernels.
    b : Array, shape (c_out,), or None
        Added to every pixel.
    stride : (int, int), optional
        The distance between windows, down and across.
    padding : ((int, int), (int, int)), optional
        Zeros put around X: (top, bottom), (left, right).
    dilation : (int, int), optional
        The distance between the taps of a kernel.
    groups : int, optional
        Input and output channels are split into this many groups that are convolved separately.
    out : Array, shape (m, h_out, w_out, c_out), C-contiguous, optional
        Written and returned; must not alias X.

    Returns
    -------
    Z : Array, shape (m, h_out, w_out, c_out), dtype of X
        h_out = floor((h + top + bottom - dilation (kh - 1) - 1) / stride) + 1, and w_out likewise.
    cache : ConvCache

    Raises
    ------
    ShapeError
        If shapes do not fit each other, or no window fits into the padded images.

    Notes
    -----
    ``Z[n, y, x, o] = b[o] + sum over i, j, c of X[n, y sy + i dy - top, x sx + j dx - left, c] W[i, j, c, o]``:
    a correlation, which neural-network libraries call convolution (LeCun et al., 1989).
    2 m h_out w_out kh kw c_in c_out / groups operations.

    Examples
    --------
    >>> X, W = np.arange(9.0).reshape(1, 3, 3, 1), np.ones((2, 2, 1, 1))
    >>> conv2d_forward(X, W)[0][0, :, :, 0]
    array([[ 8., 12.],
           [20., 24.]])
    """
    geometry = conv_geometry(X, W, b, stride, padding, dilation, groups)
    check_buffer("conv2d_forward", "out", out, geometry.out_shape, contiguous=True)
    P = pad(X, padding)
    Z = np.empty(geometry.out_shape, X.dtype) if out is None else out
    Z[...] = 0 if b is None else b
    for i, j, rows, columns in taps(geometry):
        for c, o in channel_groups(geometry):
            Z[..., o] += P[:, rows, columns, c] @ W[i, j, :, o]
    return Z, ConvCache(X, W, b is not None, geometry)


def conv2d_backward(
    dZ: Array,
    cache: ConvCache,
    *,
    dX: Array | None = None,
    dW: Array | None = None,
    db: Array | None = None,
    needs_dX: bool = True,
) -> tuple[Array | None, Array, Array | None]:
    """dW_ij = sum X_ij^T dZ, dX_ij += dZ W_ij^T, db = sum dZ: sums over pixels; tap i, j of the kernel sees X_ij.

    Parameters
    ----------
    dZ : Array, shape (m, h_out, w_out, c_out)
        Gradient of the loss for Z.
    cache : ConvCache
    dX, dW, db : Array, C-contiguous, optional
        Buffers, written and returned, of the shapes of X, W and b; must not alias dZ.
    needs_dX : bool, optional
        False returns None for dX, which the first layer does not need.

    Returns
    -------
    dX : Array or None, shape (m, h, w, c_in)
    dW : Array, shape (kh, kw, c_in / groups, c_out)
    db : Array or None, shape (c_out,)
        None where the forward had no bias.

    Notes
    -----
    Each tap is an affine map of the pixels that it sees, so that its gradients are those of
    :func:`pellucid.ops.linear.linear_backward`; a pixel's gradient is the sum over all the taps that see it.
    Twice the forward's operations; as many as the forward without dX.

    Examples
    --------
    >>> X, W = np.arange(9.0).reshape(1, 3, 3, 1), np.ones((2, 2, 1, 1))
    >>> Z, cache = conv2d_forward(X, W, np.zeros(1))
    >>> dX, dW, db = conv2d_backward(np.ones_like(Z), cache)
    >>> dX[0, :, :, 0], dW[:, :, 0, 0], db
    (array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]]), array([[ 8., 12.],
           [20., 24.]]), array([4.]))
    """
    X, W, has_bias, geometry, _ = cache
    check_gradient_buffers(dZ, dX, dW, db, cache)
    P = pad(X, geometry.padding)
    dP = np.zeros(P.shape, dZ.dtype)
    dW = np.empty(W.shape, W.dtype) if dW is None else dW
    for i, j, rows, columns in taps(geometry):
        for c, o in channel_groups(geometry):
            dW[i, j, :, o] = np.tensordot(P[:, rows, columns, c], dZ[..., o], axes=(PIXELS, PIXELS))
            if needs_dX:
                dP[:, rows, columns, c] += dZ[..., o] @ W[i, j, :, o].T
    db = written(dZ.sum(axis=PIXELS), db, W.dtype) if has_bias else None
    return written(crop(dP, geometry.padding), dX, X.dtype) if needs_dX else None, dW, db


def channel_groups(geometry: Geometry) -> Iterator[tuple[slice, slice]]:
    """Yield the input channels and the output channels of each group.

    Examples
    --------
    >>> g = window_geometry("", (1, 2, 2, 4), (1, 1), c_out=2, stride=(1, 1), padding=NO_PADDING, groups=2)
    >>> list(channel_groups(g))
    [(slice(0, 2, None), slice(0, 1, None)), (slice(2, 4, None), slice(1, 2, None))]
    """
    a, b = geometry.c_in // geometry.groups, geometry.c_out // geometry.groups
    for g in range(geometry.groups):
        yield slice(g * a, g * a + a), slice(g * b, g * b + b)


def conv_geometry(
    X: Array, W: Array, b: Array | None, stride: Pair, padding: Padding, dilation: Pair, groups: int
) -> Geometry:
    """Return the sizes of a convolution; ShapeError unless X, W and b fit each other, DataError for another dtype.

    Examples
    --------
    >>> X, W = np.zeros((2, 5, 5, 3)), np.zeros((3, 3, 3, 8))
    >>> conv_geometry(X, W, None, (1, 1), NO_PADDING, (1, 1), 1).out_shape
    (2, 3, 3, 8)
    """
    where = "conv2d_forward"
    if W.ndim != 4:
        raise ShapeError(f"{where}: expected W of shape (kh, kw, c_in / groups, c_out), got {W.shape}.")
    kh, kw, c_each, c_out = W.shape
    geometry = window_geometry(
        where,
        X.shape,
        (kh, kw),
        c_out=c_out,
        stride=tuple(stride),  # lists cannot be looked up
        padding=tuple(map(tuple, padding)),
        dilation=tuple(dilation),
        groups=groups,
    )
    if groups < 1 or c_out % groups or geometry.c_in != groups * c_each:
        raise ShapeError(
            f"{where}: with {groups} groups, expected W of shape (kh, kw, {geometry.c_in} / {groups}, a multiple "
            f"of {groups}) for X of shape {X.shape}, got {W.shape}. Channels are the last axis of X."
        )
    if b is not None and b.shape != (c_out,):
        raise ShapeError(f"{where}: expected b of shape ({c_out},), one for each kernel, got {b.shape}.")
    check_dtype(where, X, "W", W)
    return geometry


def check_gradient_buffers(
    dZ: Array, dX: Array | None, dW: Array | None, db: Array | None, cache: ConvCache
) -> None:
    """Raise ShapeError unless dZ has the output's shape, and each buffer is contiguous and of its array's shape."""
    check_buffer("conv2d_backward", "dZ", dZ, cache.geometry.out_shape)
    check_buffer("conv2d_backward", "dX", dX, cache.X.shape, contiguous=True)
    check_buffer("conv2d_backward", "dW", dW, cache.W.shape, contiguous=True)
    check_buffer("conv2d_backward", "db", db, cache.W.shape[3:], contiguous=True)
