"""The slow, obvious twins of convolution and pooling: a loop for every axis, nothing clever.

Tests hold the fast ops to these. Read them first: they say what the others compute.
"""

import numpy as np

from pellucid.ops.conv_geometry import NO_PADDING, Padding, Pair, output_length
from pellucid.types import Array


def conv2d_forward(
    X: Array,
    W: Array,
    b: Array,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """Return Z (m, h_out, w_out, c_out): each window of X (m, h, w, c_in) weighed by each kernel, plus b.

    Examples
    --------
    >>> conv2d_forward(np.ones((1, 2, 2, 1)), np.ones((2, 2, 1, 1)), np.zeros(1))
    array([[[[4.]]]])
    """
    kh, kw, c_each, c_out = W.shape
    P, (m, h_out, w_out) = _padded(X, padding, 0.0), _sizes(X, (kh, kw), stride, padding, dilation)
    Z = np.zeros((m, h_out, w_out, c_out))
    for n, y, x, o in np.ndindex(Z.shape):
        first = o // (c_out // groups) * c_each  # the first channel of this kernel's group
        Z[n, y, x, o] = b[o]
        for i, j, c in np.ndindex(kh, kw, c_each):
            pixel = P[n, y * stride[0] + i * dilation[0], x * stride[1] + j * dilation[1], first + c]
            Z[n, y, x, o] += pixel * W[i, j, c, o]
    return Z


def conv2d_backward(
    dZ: Array,
    X: Array,
    W: Array,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> tuple[Array, Array, Array]:
    """Return dX, dW and db, each entry the sum over every path from it to the loss.

    Examples
    --------
    >>> dX, dW, db = conv2d_backward(np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1)), np.full((1, 1, 1, 1), 3.0))
    >>> dX.item(), dW.item(), db.item()
    (3.0, 1.0, 1.0)
    """
    kh, kw, c_each, c_out = W.shape
    P = _padded(X, padding, 0.0)
    dP, dW, db = np.zeros(P.shape), np.zeros(W.shape), np.zeros(c_out)
    for n, y, x, o in np.ndindex(dZ.shape):
        first = o // (c_out // groups) * c_each
        db[o] += dZ[n, y, x, o]
        for i, j, c in np.ndindex(kh, kw, c_each):
            pixel = n, y * stride[0] + i * dilation[0], x * stride[1] + j * dilation[1], first + c
            dP[pixel] += dZ[n, y, x, o] * W[i, j, c, o]
            dW[i, j, c, o] += dZ[n, y, x, o] * P[pixel]
    return _cropped(dP, X, padding), dW, db


def max_pool_forward(X: Array, *, size: Pair, stride: Pair, padding: Padding = NO_PADDING) -> Array:
    """Return the largest number of each window of X (m, h, w, c), channel by channel.

    Examples
    --------
    >>> max_pool_forward(np.arange(4.0).reshape(1, 2, 2, 1), size=(2, 2), stride=(2, 2))
    array([[[[3.]]]])
    """
    P = _padded(X, padding, -np.inf)
    Z = np.zeros((*_sizes(X, size, stride, padding), X.shape[3]))
    for n, y, x, c in np.ndindex(Z.shape):
        rows, columns = _window(y, size[0], stride[0]), _window(x, size[1], stride[1])
        Z[n, y, x, c] = P[n, rows, columns, c].max()
    return Z


def max_pool_backward(
    dZ: Array, X: Array, *, size: Pair, stride: Pair, padding: Padding = NO_PADDING
) -> Array:
    """Return dX: each number of dZ goes to the largest of its window, to the first of those that tie.

    Examples
    --------
    >>> max_pool_backward(np.ones((1, 1, 1, 1)), np.ones((1, 1, 2, 1)), size=(1, 2), stride=(1, 2)).ravel()
    array([1., 0.])
    """
    P = _padded(X, padding, -np.inf)
    dP = np.zeros(P.shape)
    for n, y, x, c in np.ndindex(dZ.shape):
        rows, columns = _window(y, size[0], stride[0]), _window(x, size[1], stride[1])
        i, j = np.unravel_index(
            P[n, rows, columns, c].argmax(), size
        )  # argmax takes the first of those that tie
        dP[n, rows, columns, c][i, j] += dZ[n, y, x, c]
    return _cropped(dP, X, padding)


def average_pool_forward(
    X: Array, *, size: Pair, stride: Pair, padding: Padding = NO_PADDING, count_include_pad: bool = True
) -> Array:
    """Return the mean of each window of X (m, h, w, c): of its pixels, or of its pixels and padding zeros.

    Examples
    --------
    >>> average_pool_forward(np.arange(4.0).reshape(1, 2, 2, 1), size=(2, 2), stride=(2, 2))
    array([[[[1.5]]]])
    """
    P, inside = _padded(X, padding, 0.0), _padded(np.ones(X.shape), padding, 0.0)
    Z = np.zeros((*_sizes(X, size, stride, padding), X.shape[3]))
    for n, y, x, c in np.ndindex(Z.shape):
        rows, columns = _window(y, size[0], stride[0]), _window(x, size[1], stride[1])
        count = size[0] * size[1] if count_include_pad else inside[n, rows, columns, c].sum()
        Z[n, y, x, c] = P[n, rows, columns, c].sum() / count
    return Z


def average_pool_backward(
    dZ: Array,
    X: Array,
    *,
    size: Pair,
    stride: Pair,
    padding: Padding = NO_PADDING,
    count_include_pad: bool = True,
) -> Array:
    """Return dX: each number of dZ is shared evenly by what its mean was taken of.

    Examples
    --------
    >>> average_pool_backward(np.ones((1, 1, 1, 1)), np.ones((1, 1, 2, 1)), size=(1, 2), stride=(1, 2)).ravel()
    array([0.5, 0.5])
    """
    inside = _padded(np.ones(X.shape), padding, 0.0)
    dP = np.zeros(inside.shape)
    for n, y, x, c in np.ndindex(dZ.shape):
        rows, columns = _window(y, size[0], stride[0]), _window(x, size[1], stride[1])
        count = size[0] * size[1] if count_include_pad else inside[n, rows, columns, c].sum()
        dP[n, rows, columns, c] += dZ[n, y, x, c] / count
    return _cropped(dP, X, padding)


def _window(y: int, size: int, stride: int) -> slice:
    return slice(y * stride, y * stride + size)


def _padded(X: Array, padding: Padding, value: float) -> Array:
    return np.pad(X.astype(float), ((0, 0), *padding, (0, 0)), constant_values=value)


def _cropped(P: Array, X: Array, padding: Padding) -> Array:
    (top, _), (left, _) = padding
    return P[:, top : top + X.shape[1], left : left + X.shape[2]]


def _sizes(
    X: Array, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair = (1, 1)
) -> tuple[int, int, int]:
    h_out = output_length(X.shape[1], kernel[0], stride[0], padding[0], dilation[0])
    w_out = output_length(X.shape[2], kernel[1], stride[1], padding[1], dilation[1])
    return len(X), h_out, w_out
