"""Convolution and pooling as a loop for every axis, nothing clever: what the plain ops are held to."""

from typing import Any

import numpy as np

from pellucid.types import Array


def conv2d(X: Array, W: Array, b: Array, *, stride: Any, padding: Any, dilation: Any, groups: int) -> Array:
    """Return each window of X (m, h, w, c_in) weighted by each kernel of W, plus b."""
    kh, kw, c_each, c_out = W.shape
    P = padded(X, padding, 0.0)
    Z = np.zeros((len(X), *sizes(P, (kh, kw), stride, dilation), c_out))
    for n, y, x, o in np.ndindex(Z.shape):
        first = o // (c_out // groups) * c_each  # the first channel of this kernel's group
        Z[n, y, x, o] = b[o]
        for i, j, c in np.ndindex(kh, kw, c_each):
            pixel = P[n, y * stride[0] + i * dilation[0], x * stride[1] + j * dilation[1], first + c]
            Z[n, y, x, o] += pixel * W[i, j, c, o]
    return Z


def max_pool(X: Array, *, size: Any, stride: Any, padding: Any) -> tuple[Array, Array]:
    """Return the largest number of each window, and its place in the window: the first along the rows."""
    P = padded(X, padding, -np.inf)
    Z = np.zeros((len(X), *sizes(P, size, stride), X.shape[3]))
    winner = np.zeros(Z.shape, int)
    for n, y, x, c in np.ndindex(Z.shape):
        window = P[n, y * stride[0] :, x * stride[1] :, c][: size[0], : size[1]]
        Z[n, y, x, c], winner[n, y, x, c] = window.max(), window.argmax()
    return Z, winner


def average_pool(X: Array, *, size: Any, stride: Any, padding: Any, count_include_pad: bool) -> Array:
    """Return the mean of each window: of its pixels, or of its pixels and padding zeros."""
    P, inside = padded(X, padding, 0.0), padded(np.ones(X.shape), padding, 0.0)
    Z = np.zeros((len(X), *sizes(P, size, stride), X.shape[3]))
    for n, y, x, c in np.ndindex(Z.shape):
        window, real = (A[n, y * stride[0] :, x * stride[1] :, c][: size[0], : size[1]] for A in (P, inside))
        Z[n, y, x, c] = window.sum() / (size[0] * size[1] if count_include_pad else real.sum())
    return Z


def padded(X: Array, padding: Any, value: float) -> Array:
    return np.pad(X.astype(float), ((0, 0), *padding, (0, 0)), constant_values=value)


def sizes(P: Array, size: Any, stride: Any, dilation: Any = (1, 1)) -> list[int]:
    return [
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(P.shape[1:3], size, stride, dilation, strict=True)
    ]
