"""Images of another size: each pixel repeated, zeros around them, or weighted sums of rows and columns."""

from typing import NamedTuple

import numpy as np

from pellucid.ops.arrays import written
from pellucid.ops.conv_geometry import Padding, Pair, crop
from pellucid.types import Array


class UpsampleCache(NamedTuple):
    """What the backward of upsampling needs."""

    factor: Pair


class ResampleCache(NamedTuple):
    """What the backward of resampling needs."""

    down: Array  # (h_out, h)
    across: Array  # (w_out, w)


class ZeroPadCache(NamedTuple):
    """What the backward of zero padding needs."""

    padding: Padding


def upsample_forward(X: Array, factor: Pair, *, out: Array | None = None) -> tuple[Array, UpsampleCache]:
    """Return Z = each pixel of X repeated: nearest-neighbour enlargement by whole factors.

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
    """Return Z = X with zeros around it.

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
    crop(Z, padding)[...] = X
    return Z, ZeroPadCache(padding)


def zero_pad_backward(dZ: Array, cache: ZeroPadCache, *, dX: Array | None = None) -> Array:
    """dX = dZ without its padding.

    Examples
    --------
    >>> _, cache = zero_pad_forward(np.ones((1, 1, 1, 1)), ((0, 0), (1, 2)))
    >>> zero_pad_backward(np.arange(4.0).reshape(1, 1, 4, 1), cache).ravel()
    array([1.])
    """
    inner = crop(dZ, cache.padding)
    return inner.copy() if dX is None else written(inner, dX, dZ.dtype)


def linear_weights(n: int, n_out: int, *, align_corners: bool = False) -> Array:
    """Return the weights of n pixels in each of n_out pixels between them: linear interpolation, (n_out, n).

    Pixel i has its centre at i + 1/2, or with ``align_corners`` the first and last pixels keep their places.

    Examples
    --------
    >>> linear_weights(2, 4)
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.  , 1.  ]])
    """
    i = np.arange(n_out)
    places = i * (n - 1) / max(n_out - 1, 1) if align_corners else (i + 0.5) * n / n_out - 0.5
    return hats(places, n)


def hats(places: Array, n: int) -> Array:
    """Return the weights of n pixels at places between them, (places, n); outside it is the nearest pixel.

    Examples
    --------
    >>> hats(np.array([-1.0, 0.25]), 2)
    array([[1.  , 0.  ],
           [0.75, 0.25]])
    """
    return np.maximum(0, 1 - np.abs(np.clip(places, 0, n - 1)[:, None] - np.arange(n)))


def reflect_weights(n: int, sides: Pair) -> Array:
    """Return the weights of n pixels where those inside are mirrored at the first and at the last, (n_out, n).

    Examples
    --------
    >>> reflect_weights(3, (1, 0))
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """
    return np.pad(np.eye(n), (sides, (0, 0)), mode="reflect")


def resample_forward(
    X: Array, down: Array, across: Array, *, out: Array | None = None
) -> tuple[Array, ResampleCache]:
    """Return Z = D X A^T, channel by channel: rows, then columns, as weighted sums.

    Parameters
    ----------
    X : Array, shape (m, h, w, c)
    down : Array, shape (h_out, h)
        D, the weights of the rows; rounded to the dtype of X.
    across : Array, shape (w_out, w)
        A, the weights of the columns; likewise.
    out : Array, shape (m, h_out, w_out, c), C-contiguous, optional
        Written and returned; must not alias X.

    Returns
    -------
    Z : Array, shape (m, h_out, w_out, c), dtype of X
    cache : ResampleCache

    Examples
    --------
    >>> X = np.array([1.0, 3.0]).reshape(1, 1, 2, 1)
    >>> resample_forward(X, np.eye(1), linear_weights(2, 3, align_corners=True))[0].ravel()
    array([1., 2., 3.])
    """
    m, h, w, c = X.shape
    down, across = down.astype(X.dtype, copy=False), across.astype(X.dtype, copy=False)
    rows = np.matmul(down, X.reshape(m, h, w * c)).reshape(m, len(down), w, c)
    Z: Array = np.matmul(across, rows, out=out)
    return Z, ResampleCache(down, across)


def resample_backward(dZ: Array, cache: ResampleCache, *, dX: Array | None = None) -> Array:
    """dX = D^T dZ A, channel by channel.

    Examples
    --------
    >>> _, cache = resample_forward(np.zeros((1, 1, 2, 1)), np.eye(1), linear_weights(2, 3, align_corners=True))
    >>> resample_backward(np.ones((1, 1, 3, 1)), cache).ravel()
    array([1.5, 1.5])
    """
    (m, h_out, _, c), (down, across) = dZ.shape, cache
    h, w = down.shape[1], across.shape[1]
    rows = np.matmul(across.T, dZ).reshape(m, h_out, w * c)
    dX = np.empty((m, h, w, c), dZ.dtype) if dX is None else dX
    np.matmul(down.T, rows, out=dX.reshape(m, h, w * c))
    return dX
