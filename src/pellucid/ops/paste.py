"""Pieces of images pasted into others of their batch. There is no backward."""

import numpy as np

from pellucid.types import Array


def paste(X: Array, others: Array, boxes: Array, *, out: Array | None = None) -> Array:
    """Return each image with the pixels of another image of the batch in a rectangle.

    Parameters
    ----------
    X : Array, shape (m, h, w, c)
    others : Array of int, shape (m,)
        The image that the piece is from.
    boxes : Array of int, shape (m, 4)
        Top, left, height and width of the piece, inside the image.
    out : Array, shape and dtype of X, optional
        Written and returned; may be X itself.

    Examples
    --------
    >>> dark_and_light = np.array([0.0, 1.0])[:, None, None, None] * np.ones((2, 1, 3, 1))
    >>> paste(dark_and_light, np.array([1, 0]), np.array([[0, 1, 1, 2]] * 2))[..., 0]
    array([[[0., 1., 1.]],
           [[1., 0., 0.]]])
    """
    places = [np.s_[top : top + height, left : left + width] for top, left, height, width in boxes]
    pieces = [X[other][place].copy() for other, place in zip(others, places, strict=True)]  # as they were
    result = np.empty_like(X) if out is None else out
    if result is not X:
        result[...] = X
    for image, place, piece in zip(result, places, pieces, strict=True):
        image[place] = piece
    return result
