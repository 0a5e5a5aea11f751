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
    total: Array = np.ones(h * w, X.dtype) @ X.reshape(
        m, h * w, c
    )  # a product: mean() is slow along short rows
    means: Array = total.astype(np.float64) / (h * w)
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
    result = np.empty_like(X) if out is None else out
    for image, M, changed in zip(
        X, maps.astype(X.dtype), result, strict=True
    ):  # one at a time stays in cache
        colours = image.reshape(-1, c) @ M[:c, :c]
        colours += M[c, :c]
        np.clip(colours.reshape(image.shape), 0, 1, out=changed)
    return result
