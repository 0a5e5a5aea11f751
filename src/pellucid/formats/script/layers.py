"""Forward passes as plain functions of NumPy, which a script gets a copy of, as far as its network needs them.

X has a sample in each row: (m, n), or images (m, height, width, channels). Float32 in, float32 out.
"""

import math

import numpy as np

from pellucid.types import Array

Pair = tuple[int, int]
Sides = tuple[Pair, Pair]  # (top, bottom), (left, right)
NONE: Sides = ((0, 0), (0, 0))


def ndtr(Z: Array) -> Array:
    """Return the standard normal distribution function of Z."""
    erfc = np.frompyfunc(math.erfc, 1, 1)  # NumPy has none of its own
    return np.asarray(erfc(Z * -math.sqrt(0.5)), Z.dtype) / 2


def softmax(Z: Array) -> Array:
    """Return exp(Z) divided by its sum over the last axis: positive numbers that sum to 1."""
    E = np.exp(Z - Z.max(axis=-1, keepdims=True))  # the shift changes nothing, and keeps exp from overflowing
    return E / E.sum(axis=-1, keepdims=True)


def class_probabilities(Z: Array) -> Array:
    """Return a probability for each class, (m, k); one output Z is the second class's, and the first's is 0."""
    return softmax(np.hstack([0 * Z, Z]) if Z.shape[1] == 1 else Z)


def flatten(X: Array) -> Array:
    """Return each sample as one row."""
    return X.reshape(len(X), -1)


def zero_pad(X: Array, padding: Sides, value: float = 0.0) -> Array:
    """Return images with zeros, or that value, around them."""
    return np.pad(X, ((0, 0), *padding, (0, 0)), constant_values=value) if padding != NONE else X


def windows(X: Array, size: Pair, stride: Pair, dilation: Pair = (1, 1)) -> list[tuple[int, int, Array]]:
    """Return, for each place (i, j) in a window, the pixels that all windows have there, (m, h_out, w_out, c)."""
    reach = [step * (n - 1) for n, step in zip(size, dilation, strict=True)]
    h, w = X.shape[1] - reach[0], X.shape[2] - reach[1]
    found = []
    for i, j in np.ndindex(*size):
        y, x = i * dilation[0], j * dilation[1]
        found.append((i, j, X[:, y : y + h : stride[0], x : x + w : stride[1]]))
    return found


def conv2d(
    X: Array,
    W: Array,
    b: Array | None = None,
    stride: Pair = (1, 1),
    padding: Sides = NONE,
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """Return images X convolved with kernels W (height, width, channels of a group, filters), plus b.

    Each place of the kernel is one matrix product: the pixels there, times the weights there.
    """
    taps = windows(zero_pad(X, padding), W.shape[:2], stride, dilation)
    Z = np.zeros((*taps[0][2].shape[:3], W.shape[3]), X.dtype)  # (m, h_out, w_out, filters)
    if groups == 1:
        for i, j, P in taps:
            Z += P @ W[i, j]
    else:  # c channels of each group g, and its f filters
        W = W.reshape(*W.shape[:3], groups, -1)
        for i, j, P in taps:
            of_groups = P.reshape(*P.shape[:3], groups, -1)
            Z += np.einsum("mhwgc,cgf->mhwgf", of_groups, W[i, j]).reshape(Z.shape)
    return Z if b is None else Z + b


def max_pool(X: Array, size: Pair, stride: Pair, padding: Sides = NONE) -> Array:
    """Return the largest number of each window; padding is never the largest."""
    return np.max([P for _, _, P in windows(zero_pad(X, padding, -np.inf), size, stride)], axis=0)


def average_pool(
    X: Array, size: Pair, stride: Pair, padding: Sides = NONE, count_include_pad: bool = True
) -> Array:
    """Return the mean of each window; padding counts as zeros, or not at all."""
    mean = np.mean([P for _, _, P in windows(zero_pad(X, padding), size, stride)], axis=0)
    if count_include_pad or padding == NONE:
        return mean
    inside = zero_pad(np.ones_like(X[:1]), padding)  # 1 where there is a pixel, 0 where there is none
    return mean / np.mean([P for _, _, P in windows(inside, size, stride)], axis=0)


def global_average(X: Array) -> Array:
    """Return the mean of each channel over the whole image, (m, channels)."""
    return X.mean(axis=(1, 2))


def upsample(X: Array, factor: Pair) -> Array:
    """Return images whose pixels are repeated down and across."""
    return X.repeat(factor[0], axis=1).repeat(factor[1], axis=2)


def reflect_pad(X: Array, padding: Sides) -> Array:
    """Return images with their own pixels, mirrored, around them."""
    return np.pad(X, ((0, 0), *padding, (0, 0)), mode="reflect")


def resize(X: Array, size: Pair, align_corners: bool = False) -> Array:
    """Return images in another size, by bilinear interpolation."""
    for axis, n_out in enumerate(size, 1):
        n, i = X.shape[axis], np.arange(n_out)
        at = i * (n - 1) / max(n_out - 1, 1) if align_corners else (i + 0.5) * n / n_out - 0.5
        weights = np.maximum(0, 1 - np.abs(np.clip(at, 0, n - 1)[:, None] - np.arange(n)))
        X = np.moveaxis(np.tensordot(weights.astype(X.dtype), X, (1, axis)), 0, axis)
    return X


def batch_norm(
    X: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, epsilon: float = 1e-5
) -> Array:
    """Return X scaled, channel by channel, by the mean and variance that the training has seen."""
    scale = gamma / np.sqrt(running_var + epsilon)
    return X * scale + (beta - running_mean * scale)


def layer_norm(X: Array, gamma: Array, beta: Array, epsilon: float = 1e-5) -> Array:
    """Return X scaled to mean 0 and variance 1 along its last axis, times gamma, plus beta."""
    D = X - X.mean(axis=-1, keepdims=True)
    return D / np.sqrt((D * D).mean(axis=-1, keepdims=True) + epsilon) * gamma + beta
