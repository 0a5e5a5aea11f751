"""Pooling: each window of an image becomes one number, its largest or its mean, channel by channel.

Windows are never laid out. One tap of all windows is a shifted image, and taps are taken one after another, for a
few images at a time, so that they stay in the core's cache. Twins: :mod:`pellucid.ops.reference_conv`.
"""

from typing import NamedTuple

import numpy as np

from pellucid.ops.columns import ones
from pellucid.ops.conv_geometry import NO_PADDING, Geometry, Padding, Pair, Scratch
from pellucid.ops.pool_windows import (
    first_taps,
    image_blocks,
    input_gradient,
    is_apart,
    is_tiled,
    output,
    pool_geometry,
    shares,
    taps,
)
from pellucid.types import Array, Shape
from pellucid.workspace import Workspace


class MaxPoolCache(NamedTuple):
    """What the backward of max pooling needs."""

    winner: (
        Array  # (m, h_out, w_out, c) integers: which tap, counted along the rows of the window, was largest
    )
    geometry: Geometry


class AveragePoolCache(NamedTuple):
    """What the backward of average pooling needs."""

    share: Array  # (h_out, w_out, 1), or (1, 1, 1): 1 / the number of entries that each mean is taken of
    geometry: Geometry


def max_pool_forward(
    X: Array,
    *,
    size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    out: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, MaxPoolCache]:
    """Return the largest number of each window, and the cache that its backward needs.

    Parameters
    ----------
    X : Array, shape (m, h, w, c)
    size : (int, int)
        Height and width of a window.
    stride : (int, int), optional
        How far windows are apart; default: ``size``, so that they touch and do not overlap.
    padding : ((int, int), (int, int)), optional
        (top, bottom), (left, right), each less than the window. Padding never wins.
    out : Array, shape (m, h_out, w_out, c), optional
        Written and returned; must not alias X.
    workspace : Workspace, optional
        Where scratch arrays and the winners live: with one, the cache is valid until its next use.

    Returns
    -------
    Z : Array, shape (m, h_out, w_out, c), dtype of X
        h_out = floor((h + top + bottom - size) / stride) + 1: what fits no whole window is left out.
    cache : MaxPoolCache
        Holds one winner a window; of equal ones the first along the rows, as PyTorch.

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
    Z = output(out, geometry, X)
    index = np.dtype(np.uint8) if size[0] * size[1] <= 256 else np.dtype(np.uint32)
    marks, masks = Scratch.of(workspace, index), Scratch.of(workspace, np.dtype(bool))
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
            # Taps come in rising order: of those that were larger when they came, the last is the winner.
            np.multiply(larger, index.type(tap), out=mark[:, to_y, to_x])
            np.maximum(won[:, to_y, to_x], mark[:, to_y, to_x], out=won[:, to_y, to_x])
    return Z, MaxPoolCache(winner, geometry)


def max_pool_backward(
    dZ: Array, cache: MaxPoolCache, *, dX: Array | None = None, workspace: Workspace | None = None
) -> Array:
    """Return dX: each number of dZ goes to the one pixel that won its window.

    Parameters
    ----------
    dZ : Array, shape (m, h_out, w_out, c)
    cache : MaxPoolCache
    dX : Array, shape (m, h, w, c), optional
        Written and returned; must not alias dZ.
    workspace : Workspace, optional

    Returns
    -------
    Array, shape (m, h, w, c), dtype of dZ

    Examples
    --------
    >>> Z, cache = max_pool_forward(np.arange(4.0).reshape(1, 2, 2, 1), size=(2, 2))
    >>> max_pool_backward(np.ones_like(Z), cache)[0, :, :, 0]
    array([[0., 0.],
           [0., 1.]])
    """
    winner, geometry = cache
    dX = input_gradient(dX, dZ, geometry)
    scratch, masks = Scratch.of(workspace, dZ.dtype), Scratch.of(workspace, np.dtype(bool))
    for images in image_blocks(dZ, geometry):
        won, sent = winner[images], dZ[images]
        is_won = masks.take("pool.mask", won.shape)
        part = scratch.take("pool.part", won.shape)
        if not is_tiled(geometry):
            dX[images] = 0
        for tap, (to_y, at_y), (to_x, at_x) in taps(geometry):
            target = dX[images, at_y, at_x]
            np.equal(won, winner.dtype.type(tap), out=is_won)
            if is_apart(geometry):  # no pixel is in two windows
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
    """Return the mean of each window, and the cache that its backward needs.

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
    Z = output(out, geometry, X)
    share = shares(geometry, count_include_pad).astype(X.dtype)
    for images in image_blocks(X, geometry):
        total = Z[images]
        total[...] = 0
        for _, (to_y, at_y), (to_x, at_x) in taps(geometry):
            total[:, to_y, to_x] += X[images, at_y, at_x]
        total *= share
    return Z, AveragePoolCache(share, geometry)


def average_pool_backward(
    dZ: Array, cache: AveragePoolCache, *, dX: Array | None = None, workspace: Workspace | None = None
) -> Array:
    """Return dX: each number of dZ is shared evenly by what its mean was taken of.

    Parameters
    ----------
    dZ : Array, shape (m, h_out, w_out, c)
    cache : AveragePoolCache
    dX : Array, shape (m, h, w, c), optional
        Written and returned; must not alias dZ.
    workspace : Workspace, optional

    Returns
    -------
    Array, shape (m, h, w, c), dtype of dZ

    Examples
    --------
    >>> Z, cache = average_pool_forward(np.ones((1, 2, 2, 1)), size=(2, 2))
    >>> average_pool_backward(np.ones_like(Z), cache)[0, :, :, 0]
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    share, geometry = cache
    dX = input_gradient(dX, dZ, geometry)
    scratch = Scratch.of(workspace, dZ.dtype)
    for images in image_blocks(dZ, geometry):
        part = scratch.take("pool.part", dZ[images].shape)
        np.multiply(dZ[images], share, out=part)
        if not is_tiled(geometry):
            dX[images] = 0
        for _, (to_y, at_y), (to_x, at_x) in taps(geometry):
            if is_apart(geometry):
                dX[images, at_y, at_x] = part[:, to_y, to_x]
            else:
                dX[images, at_y, at_x] += part[:, to_y, to_x]
    return dX


class GlobalAverageCache(NamedTuple):
    """What the backward of the global average needs."""

    shape: Shape  # of X


def global_average_forward(X: Array, *, out: Array | None = None) -> tuple[Array, GlobalAverageCache]:
    """Return the mean of each channel over the whole image (Lin et al., 2014, section 3.2).

    Parameters
    ----------
    X : Array, shape (m, h, w, c), C-contiguous for speed
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
    Z = np.empty((m, c), X.dtype) if out is None else out
    # A product with ones adds columns up several times as fast as mean((1, 2)).
    np.matmul(ones(h * w, X.dtype), X.reshape(m, h * w, c), out=Z)
    Z /= h * w
    return Z, GlobalAverageCache(X.shape)


def global_average_backward(dZ: Array, cache: GlobalAverageCache, *, dX: Array | None = None) -> Array:
    """Return dX (m, h, w, c): each number of dZ (m, c) is shared evenly by the pixels of its channel.

    Examples
    --------
    >>> Z, cache = global_average_forward(np.zeros((1, 2, 2, 1)))
    >>> global_average_backward(np.ones((1, 1)), cache).ravel()
    array([0.25, 0.25, 0.25, 0.25])
    """
    dX = np.empty(cache.shape, dZ.dtype) if dX is None else dX
    dX[...] = (dZ / (cache.shape[1] * cache.shape[2]))[:, None, None, :]
    return dX
