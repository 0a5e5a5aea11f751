"""Enlarging images: each pixel repeated, or zeros around them."""

from typing import NamedTuple

import numpy as np

from pellucid.ops.conv_geometry import Padding, Pair
from pellucid.types import Array, Shape


class UpsampleCache(NamedTuple):
    """What the backward of upsampling needs."""

    factor: Pair


class ZeroPadCache(NamedTuple):
    """What the backward of zero padding needs."""

    padding: Padding
    shape: Shape  # of X


def upsample_forward(X: Array, factor: Pair, *, out: Array | None = None) -> tuple[Array, UpsampleCache]:
    """Return Z, each pixel of X repeated: nearest-neighbour enlargement by whole factors.

    Parameters
    ----------
    X : Array, shape (m, h, w, c)
    factor : (int, int)
        (f, g): how many times, down and across.
    out : Array, shape (m, f h, g w, c), C-contiguous, optional
        Written and returned; must not alias X.

    Returns
    -------
    Z : Array, shape (m, f h, g w, c), dtype of X
    cache : UpsampleCache

    Examples
    --------
    >>> upsample_forward(np.array([[[[1.0], [2.0]]]]), (1, 2))[0].ravel()
    array([1., 1., 2., 2.])
    """
    (m, h, w, c), (f, g) = X.shape, factor
    Z = np.empty((m, h * f, w * g, c), X.dtype) if out is None else out
    Z.reshape(m, h, f, w, g, c)[...] = X[:, :, None, :, None, :]
    return Z, UpsampleCache(factor)


def upsample_backward(dZ: Array, cache: UpsampleCache, *, dX: Array | None = None) -> Array:
    """dX = the sum of dZ over the copies of each pixel.

    dZ is (m, f h, g w, c), dX (m, h, w, c). Odena, Dumoulin and Olah, 2016, explain why to upsample this way.

    Examples
    --------
    >>> _, cache = upsample_forward(np.zeros((1, 1, 2, 1)), (1, 2))
    >>> upsample_backward(np.arange(4.0).reshape(1, 1, 4, 1), cache).ravel()
    array([1., 5.])
    """
    f, g = cache.factor
    m, height, width, c = dZ.shape
    dX = np.empty((m, height // f, width // g, c), dZ.dtype) if dX is None else dX
    dX[...] = 0
    for i, j in np.ndindex(f, g):
        dX += dZ[:, i::f, j::g]
    return dX


def zero_pad_forward(X: Array, padding: Padding, *, out: Array | None = None) -> tuple[Array, ZeroPadCache]:
    """Return Z, X with zeros around it.

    Parameters
    ----------
    X : Array, shape (m, h, w, c)
    padding : ((int, int), (int, int))
        (top, bottom), (left, right), 0 or more each.
    out : Array, shape (m, top + h + bottom, left + w + right, c), optional
        Written and returned; must not alias X.

    Returns
    -------
    Z : Array, dtype of X
    cache : ZeroPadCache

    Examples
    --------
    >>> zero_pad_forward(np.ones((1, 1, 1, 1)), ((0, 0), (1, 2)))[0].ravel()
    array([0., 1., 0., 0.])
    """
    (m, h, w, c), ((top, bottom), (left, right)) = X.shape, padding
    Z = np.empty((m, top + h + bottom, left + w + right, c), X.dtype) if out is None else out
    Z[...] = 0
    Z[:, top : top + h, left : left + w] = X
    return Z, ZeroPadCache(padding, X.shape)


def zero_pad_backward(dZ: Array, cache: ZeroPadCache, *, dX: Array | None = None) -> Array:
    """dX = dZ without its padding.

    Examples
    --------
    >>> _, cache = zero_pad_forward(np.ones((1, 1, 1, 1)), ((0, 0), (1, 2)))
    >>> zero_pad_backward(np.arange(4.0).reshape(1, 1, 4, 1), cache).ravel()
    array([1.])
    """
    (top, _), (left, _) = cache.padding
    dX = np.empty(cache.shape, dZ.dtype) if dX is None else dX
    np.copyto(dX, dZ[:, top : top + cache.shape[1], left : left + cache.shape[2]])
    return dX
