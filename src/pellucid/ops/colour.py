"""Affine maps of colours, for changes of brightness, contrast, saturation and hue. There is no backward."""

import numpy as np

from pellucid.ops.arrays import written
from pellucid.types import Array


def mean_colours(X: Array) -> Array:
    """Return the mean colour of each image, float64 of shape (m, c).

    Examples
    --------
    >>> mean_colours(np.array([0.25, 0.75]).reshape(1, 1, 2, 1))
    array([[0.5]])
    """
    means: Array = X.mean(axis=(1, 2), dtype=np.float64)
    return means


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
    c = X.shape[3]
    matrix, shift = maps[:, None, :c, :c], maps[:, None, None, c, :c]
    return written(np.clip(X @ matrix + shift, 0, 1), out, X.dtype)
