"""Pictures on one scale and at one small size, for comparing copies."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pellucid.data.stored.base import BLOCK_BYTES, StoredArray, row_blocks
from pellucid.types import Array, is_image_shape

_BLOCK = 256  # pictures at a time, so that no array as large as the data is made


def are_pictures(X: Any) -> bool:
    """Return whether an array holds pictures: (m, h, w), or (m, h, w, c) of 1, 3 or 4 channels, 4 x 4 or more.

    Examples
    --------
    >>> are_pictures(np.zeros((5, 8, 8, 3))), are_pictures(np.zeros((5, 192)))
    (True, False)
    """
    is_array = isinstance(X, np.ndarray | StoredArray) and X.dtype.kind in "buif"
    return is_array and is_image_shape(X.shape[1:], 4)


def has_colour(X: Any) -> bool:
    """Return whether any pixel of pictures is not grey.

    Examples
    --------
    >>> has_colour(np.zeros((1, 2, 2, 3), np.uint8)), has_colour(np.eye(3, dtype=np.uint8).reshape(1, 1, 3, 3))
    (False, True)
    """
    return X.ndim == 4 and X.shape[3] == 3 and any((some[..., :1] != some).any() for _, some in row_blocks(X))


class PixelScale:
    """Scales pixels of any dtype to 0..255, in the same way for every part of a data set.

    Bytes stay as they are; booleans and floats from 0 to 1 are multiplied by 255; 16-bit values are divided by
    257; anything else is rescaled from its smallest to its largest value. NaN becomes 0, infinities the limits.

    Examples
    --------
    >>> scale = PixelScale(np.array([[[[0.0]]], [[[1.0]]]]))
    >>> float(scale.apply(np.array(0.2)))
    51.0
    """

    def __init__(self, *parts: Any) -> None:
        self.low, self.factor = 0.0, 1.0
        kind = parts[0].dtype
        if kind.kind == "b":
            self.factor = 255.0
        elif kind == np.uint16:
            self.factor = 1 / 257
        elif kind != np.uint8:
            low, high = _ends(parts)
            if kind.kind == "f" and low >= 0 and high <= 1:
                self.factor = 255.0
            elif low < 0 or high > 255 or kind.kind == "f":
                self.low, self.factor = low, 255.0 / (high - low) if high > low else 1.0

    def apply(self, X: Array) -> Array:
        """Return pixels from 0 to 255, float32."""
        if X.dtype == np.uint8:
            return X.astype(np.float32)
        values = (
            np.asarray((X - self.low) * self.factor, np.float32) if self.low else X * np.float32(self.factor)
        )
        return np.clip(np.nan_to_num(values, nan=0.0, posinf=255.0, neginf=0.0), 0, 255).astype(np.float32)


def _ends(parts: tuple[Any, ...]) -> tuple[float, float]:
    """Return the least and the largest finite number; 0 and 0 where there is none."""
    values = []
    for part in parts:
        X = np.concatenate([part.survey.low, part.survey.high]) if isinstance(part, StoredArray) else part
        if not np.isfinite(X).all():
            X = X[np.isfinite(X)]
        values += [float(X.min()), float(X.max())] if X.size else []
    return (min(values), max(values)) if values else (0.0, 0.0)


def blocks(X: Any, rows: Array | None = None) -> Iterator[tuple[slice, Array]]:
    """Yield batches of pictures, the chosen ones or all, with an axis for channels, and their indices."""
    n, n_bytes = len(X) if rows is None else len(rows), 4 * math.prod(X.shape[1:])  # once they are float32
    step = max(1, min(_BLOCK, BLOCK_BYTES // max(1, n_bytes)))
    for start in range(0, n, step):
        here = slice(start, min(start + step, n))
        part = X[here] if rows is None else X[rows[here]]
        yield here, part if part.ndim == 4 else part[..., None]


def area_weights(start: Array, length: Array, n: int, side: int) -> tuple[Array, Array]:
    """Return the share of each of ``side`` pixels in n cells, (k, n, side), with rows of sum 1; and coverage.

    Parameters
    ----------
    start, length : Array, shape (k,)
        Of intervals, in sides; they may reach beyond 0 and 1.

    Examples
    --------
    >>> area_weights(np.array([0.25]), np.array([0.5]), 1, 4)[0]
    array([[[0. , 0.5, 0.5, 0. ]]], dtype=float32)
    """
    ends = ((start[:, None] + length[:, None] * np.arange(n + 1) / n) * side).astype(np.float32)
    pixels = np.arange(side, dtype=np.float32)
    overlap = np.minimum(ends[:, 1:, None], pixels + 1)
    overlap -= np.maximum(ends[:, :-1, None], pixels)
    np.maximum(overlap, 0, out=overlap)
    total = overlap.sum(axis=2)
    overlap /= np.maximum(total, 1e-6)[..., None]
    return overlap, total / (length[:, None] * side / n)


def pool(pixels: Array, side: int) -> Array:
    """Return pictures at side x side, each pixel the mean over the area it covers; smaller sides stay.

    Parameters
    ----------
    pixels : Array, shape (m, h, w) or (m, h, w, c), float32
    side : int

    Returns
    -------
    pooled : Array, shape (m, min(h, side), min(w, side)) or with c, float32

    Examples
    --------
    >>> pool(np.array([[[1.0, 2.0, 6.0]]], np.float32), 2).ravel()     # half of the 2 belongs to each
    array([1.3333..., 4.6666...], dtype=float32)
    """
    m, height, width = pixels.shape[:3]
    whole = np.zeros(1), np.ones(1)
    down, across = (area_weights(*whole, min(side, n), n)[0][0] for n in (height, width))
    rows = down @ pixels.reshape(m, height, -1)
    pooled = across @ rows.reshape(m, len(down), width, -1)
    return np.asarray(pooled.reshape(m, len(down), len(across), *pixels.shape[3:]), np.float32)


def edges(pooled: Array) -> Array:
    """Return the differences between neighbouring pixels, across and down, as one row per picture.

    A picture that is brighter or darker overall has the same ones.
    """
    m = len(pooled)
    return np.concatenate(
        [np.diff(pooled, axis=2).reshape(m, -1), np.diff(pooled, axis=1).reshape(m, -1)], axis=1
    )


def cosines(A: Array, B: Array) -> Array:
    """Return the cosine of each row of A with that of B, (m,); about 0 where one shows next to nothing.

    Examples
    --------
    >>> cosines(np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[6.0, 8.0], [1.0, 0.0]]))
    array([1., 0.])
    """
    norms = np.linalg.norm(A, axis=1) * np.linalg.norm(B, axis=1)
    return np.asarray((A * B).sum(axis=1) / np.maximum(norms, 1e-3))
