"""Pooling: each window of an image is reduced to its maximum or its mean, channel by channel."""

from typing import NamedTuple

import numpy as np

from pellucid.ops.arrays import check_buffer, written
from pellucid.ops.conv_geometry import NO_PADDING, Geometry, Padding, Pair, crop, pad, pool_geometry, taps
from pellucid.types import Array, Shape


class MaxPoolCache(NamedTuple):
    """What the backward of max pooling needs."""

    # (m, h_out, w_out, c) integers: which tap, counted along the rows of the window, was largest
    winner: Array
    geometry: Geometry


class AveragePoolCache(NamedTuple):
    """What the backward of average pooling needs."""

    # (h_out, w_out, 1), or (1, 1, 1): 1 / the number of entries in each mean
    weight: Array
    geometry: Geometry


def max_pool_forward(
    X: Array,
    *,
    size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    out: Array | None = None,
) -> tuple[Array, MaxPoolCache]:
    """Return Z = the largest number of each window, and the cache.

    Parameters
    ----------
    X : Array, shape (m, h, w, c)
    size : (int, int)
        Height and width of a window.
    stride : (int, int), optional
        The distance between windows; default: ``size``, so that they touch and do not overlap.
    padding : ((int, int), (int, int)), optional
        (top, bottom), (left, right), each less than the window. Padding is never the maximum.
    out : Array, shape (m, h_out, w_out, c), optional
        Written and returned; must not alias X.

    Returns
    -------
    Z : Array, shape (m, h_out, w_out, c), dtype of X
        h_out = floor((h + top + bottom - size) / stride) + 1: pixels beyond the last whole window are ignored.
    cache : MaxPoolCache
        Holds one winner per window; ties go to the first along the rows, as in PyTorch. A NaN wins.

    Raises
    ------
    ShapeError
        If no window fits, or a padding is as large as the window.

    Examples
    --------
    >>> Z, cache = max_pool_forward(np.arange(16.0).reshape(1, 4, 4, 1), size=(2, 2))
    >>> Z[0, :, :, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    geometry = pool_geometry("max_pool_forward", X.shape, size, stride or size, padding)
    check_buffer("pooling", "out", out, geometry.out_shape)
    P, is_pixel = pad(X, padding, -np.inf), pad(np.ones(X.shape, bool), padding)
    Z, winner = np.full(geometry.out_shape, -np.inf, X.dtype), np.full(geometry.out_shape, -1)
    for tap, (_, _, rows, columns) in enumerate(taps(geometry)):
        seen = P[:, rows, columns]
        # The first of those that tie
        is_largest = (winner < 0) | (seen > Z) | (np.isnan(seen) & ~np.isnan(Z))
        wins = is_largest & is_pixel[:, rows, columns]
        Z, winner = np.where(wins, seen, Z), np.where(wins, tap, winner)
    return written(Z, out, X.dtype), MaxPoolCache(winner, geometry)


def max_pool_backward(dZ: Array, cache: MaxPoolCache, *, dX: Array | None = None) -> Array:
    """dX = the sum over windows of dZ at the pixel that was the window's largest, 0 at all others.

    Parameters
    ----------
    dZ : Array, shape (m, h_out, w_out, c)
    cache : MaxPoolCache
    dX : Array, shape (m, h, w, c), optional
        Written and returned; must not alias dZ.

    Returns
    -------
    Array, shape (m, h, w, c), dtype of dZ

    Notes
    -----
    Ranzato et al., 2007: max pooling, the position of each maximum kept for the backward pass.

    Examples
    --------
    >>> Z, cache = max_pool_forward(np.arange(4.0).reshape(1, 2, 2, 1), size=(2, 2))
    >>> max_pool_backward(np.ones_like(Z), cache)[0, :, :, 0]
    array([[0., 0.],
           [0., 1.]])
    """
    winner, geometry = cache
    check_pool_gradients(dZ, dX, geometry)
    dP = pad(np.zeros((geometry.m, geometry.h, geometry.w, geometry.c_in), dZ.dtype), geometry.padding)
    for tap, (_, _, rows, columns) in enumerate(taps(geometry)):
        dP[:, rows, columns] += np.where(winner == tap, dZ, 0)
    return written(crop(dP, geometry.padding), dX, dZ.dtype)


def average_pool_forward(
    X: Array,
    *,
    size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    count_include_pad: bool = True,
    out: Array | None = None,
) -> tuple[Array, AveragePoolCache]:
    """Return Z = the mean of each window, and the cache.

    Parameters
    ----------
    X : Array, shape (m, h, w, c)
    size : (int, int)
        Height and width of a window.
    stride : (int, int), optional
        Default: ``size``.
    padding : ((int, int), (int, int)), optional
        (top, bottom), (left, right), each less than the window.
    count_include_pad : bool, optional
        True: padding counts as zeros, and each sum is divided by all entries of a window (PyTorch's default).
        False: by the pixels in it alone (Keras's way).
    out : Array, shape (m, h_out, w_out, c), optional
        Written and returned; must not alias X.

    Returns
    -------
    Z : Array, shape (m, h_out, w_out, c), dtype of X
    cache : AveragePoolCache

    Raises
    ------
    ShapeError
        If no window fits, or a padding is as large as the window.

    Examples
    --------
    >>> X = np.ones((1, 2, 2, 1))
    >>> average_pool_forward(X, size=(2, 2), padding=((1, 0), (0, 0)))[0].item()
    0.5
    >>> average_pool_forward(X, size=(2, 2), padding=((1, 0), (0, 0)), count_include_pad=False)[0].item()
    1.0
    """
    geometry = pool_geometry("average_pool_forward", X.shape, size, stride or size, padding)
    check_buffer("pooling", "out", out, geometry.out_shape)
    weight = window_weights(geometry, count_include_pad).astype(X.dtype)
    P = pad(X, padding)
    total = sum(P[:, rows, columns] for _, _, rows, columns in taps(geometry))
    return written(total * weight, out, X.dtype), AveragePoolCache(weight, geometry)


def average_pool_backward(dZ: Array, cache: AveragePoolCache, *, dX: Array | None = None) -> Array:
    """dX = the sum over the windows that a pixel is in of dZ / n, n the number of entries of the window's mean.

    Parameters
    ----------
    dZ : Array, shape (m, h_out, w_out, c)
    cache : AveragePoolCache
    dX : Array, shape (m, h, w, c), optional
        Written and returned; must not alias dZ.

    Returns
    -------
    Array, shape (m, h, w, c), dtype of dZ

    Notes
    -----
    LeCun et al., 1998, section II.B: averages as the subsampling of LeNet-5.

    Examples
    --------
    >>> Z, cache = average_pool_forward(np.ones((1, 2, 2, 1)), size=(2, 2))
    >>> average_pool_backward(np.ones_like(Z), cache)[0, :, :, 0]
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    weight, geometry = cache
    check_pool_gradients(dZ, dX, geometry)
    dP = pad(np.zeros((geometry.m, geometry.h, geometry.w, geometry.c_in), dZ.dtype), geometry.padding)
    for _, _, rows, columns in taps(geometry):
        dP[:, rows, columns] += dZ * weight
    return written(crop(dP, geometry.padding), dX, dZ.dtype)


class GlobalAverageCache(NamedTuple):
    """What the backward of the global average needs."""

    shape: Shape  # of X


def global_average_forward(X: Array, *, out: Array | None = None) -> tuple[Array, GlobalAverageCache]:
    """Return Z = the mean of each channel over the whole image, and the cache.

    Parameters
    ----------
    X : Array, shape (m, h, w, c)
    out : Array, shape (m, c), optional
        Written and returned.

    Returns
    -------
    Z : Array, shape (m, c), dtype of X
    cache : GlobalAverageCache

    Examples
    --------
    >>> global_average_forward(np.arange(4.0).reshape(1, 2, 2, 1))[0]
    array([[1.5]])
    """
    m, h, w, c = X.shape
    # A product is a sum along rows, several times as fast
    weights = np.full((1, h * w), 1 / (h * w), X.dtype)
    return written((weights @ X.reshape(m, h * w, c))[:, 0], out, X.dtype), GlobalAverageCache(X.shape)


def global_average_backward(dZ: Array, cache: GlobalAverageCache, *, dX: Array | None = None) -> Array:
    """dX = dZ / (h w) at every pixel of the channel.

    Parameters
    ----------
    dZ : Array, shape (m, c)
    cache : GlobalAverageCache
    dX : Array, shape (m, h, w, c), optional
        Written and returned.

    Notes
    -----
    Lin, Chen and Yan, 2014, section 3.2.

    Examples
    --------
    >>> Z, cache = global_average_forward(np.zeros((1, 2, 2, 1)))
    >>> global_average_backward(np.ones((1, 1)), cache).ravel()
    array([0.25, 0.25, 0.25, 0.25])
    """
    _, h, w, _ = cache.shape
    dX = np.empty(cache.shape, dZ.dtype) if dX is None else dX
    dX[...] = dZ[:, None, None, :] / (h * w)
    return dX


def window_weights(geometry: Geometry, count_include_pad: bool) -> Array:
    """Return 1 / the number of entries in each window's mean, (1, 1, 1) or (h_out, w_out, 1)."""
    if count_include_pad or geometry.padding == NO_PADDING:
        return np.full((1, 1, 1), 1 / (geometry.kernel[0] * geometry.kernel[1]))
    is_real = pad(np.ones((1, geometry.h, geometry.w, 1)), geometry.padding)[0]
    count: Array = sum(is_real[rows, columns] for _, _, rows, columns in taps(geometry))
    return 1 / count


def check_pool_gradients(dZ: Array, dX: Array | None, geometry: Geometry) -> None:
    """Raise ShapeError unless dZ has the output's shape and dX, if given, the input's."""
    check_buffer("pooling", "dZ", dZ, geometry.out_shape)
    check_buffer("pooling", "dX", dX, (geometry.m, geometry.h, geometry.w, geometry.c_in))
