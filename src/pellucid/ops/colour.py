"""Affine maps of colours, for changes of brightness, contrast, saturation and hue. There is no backward."""

import numpy as np

from pellucid.types import Array


def mean_colours(X: Array) -> Array:
    """Return the mean colour of each image, float64 of shape (m, c).

    Examples
    --------
    >>> mean_colours(np.array([0.25, 0.75]).reshape(1, 1, 2, 1))
    array([[0.5]])
    """
    m, h, w, c = X.shape
    # A product: mean() is slow along short rows
    total: Array = np.ones(h * w, X.dtype) @ X.reshape(m, h * w, c)
    return total.astype(np.float64) / (h * w)


def recolour(X: Array, maps: Array, *, out: Array | None = None) -> Array:
    """Return every pixel (r, g, b, 1) of image i times maps[i], clipped to 0..1.

    Parameters
    ----------
    X : Array, shape (m, h, w, c)
    maps : Array, shape (m, c + 1, c + 1)
    out : Array, shape and dtype of X, optional
        Written and returned; may be X itself.

    Examples
    --------
    >>> recolour(np.full((1, 1, 1, 1), 0.5), np.array([[[1.0, 0.0], [0.25, 1.0]]])).ravel()
    array([0.75])
    """
    m, h, w, c = X.shape
    maps = maps.astype(X.dtype)
    colours = np.matmul(X.reshape(m, h * w, c), maps[:, :c, :c]).reshape(m, h, w * c)
    colours += np.tile(maps[:, None, c, :c], w)  # for a row at once: c numbers at a time are slow
    return np.clip(colours.reshape(X.shape), 0, 1, out=out)
