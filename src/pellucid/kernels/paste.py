"""Pieces of images pasted into others in place, a row at a time; plain: :mod:`pellucid.ops.paste`."""

import numpy as np

from pellucid.kernels.compiled import compiled_in_order
from pellucid.ops import paste as plain
from pellucid.types import Array


def paste(X: Array, others: Array, boxes: Array, *, out: Array | None = None) -> Array:
    """Return each image with the pixels of another image of the batch in a rectangle, bit for bit."""
    m, h, w, c = X.shape
    result = np.empty(X.shape, X.dtype) if out is None else out
    if not result.flags.c_contiguous:
        return plain.paste(X, others, boxes, out=result)
    if result is not X:
        result[...] = X
    _paste(result.reshape(m, h, w * c), others, boxes, c)
    return result


@compiled_in_order
def _paste(X: Array, others: Array, boxes: Array, c: int) -> None:
    """X[k, top ... bottom, left ... right] = X[others[k], top ... bottom, left ... right], as X was."""
    m, h, row = X.shape
    rows = np.empty((m, row), X.dtype)  # row i of every image as it was
    for i in range(h):
        for k in range(m):
            if boxes[k, 0] <= i < boxes[k, 0] + boxes[k, 2]:
                piece, kept = X[others[k], i, boxes[k, 1] * c :], rows[k]
                for p in range(boxes[k, 3] * c):
                    kept[p] = piece[p]
        for k in range(m):
            if boxes[k, 0] <= i < boxes[k, 0] + boxes[k, 2]:
                covered, kept = X[k, i, boxes[k, 1] * c :], rows[k]
                for p in range(boxes[k, 3] * c):
                    covered[p] = kept[p]
