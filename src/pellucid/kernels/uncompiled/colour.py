"""Affine maps of colours, several pixels in one product; plain: :mod:`pellucid.ops.colour`."""

import math

import numpy as np

from pellucid.kernels.uncompiled.columns import column_sums, n_joined
from pellucid.types import Array


def mean_colours(X: Array) -> Array:
    """Return the mean colour of each image, float64 of shape (m, c)."""
    sums = [column_sums(image) for image in X]
    return np.array(sums).reshape(len(X), X.shape[3]) / math.prod(X.shape[1:3])


def recolour(X: Array, maps: Array, *, out: Array | None = None) -> Array:
    """Return every pixel (r, g, b, 1) of image i times maps[i], clipped to 0..1."""
    m, h, w, c = X.shape
    result = np.empty_like(X, order="C") if out is None else out
    # Rows of c numbers are too short for a fast product: r neighbouring pixels have one block-diagonal matrix.
    r = math.gcd(h * w, 4)
    wide_maps = np.zeros((m, r, c, r, c), X.dtype)
    for k in range(r):
        wide_maps[:, k, :, k] = maps[:, :c, :c]
    s = n_joined(h * w, c, X.itemsize)
    shifts = np.tile(maps[:, None, c, :c], (1, 1, s)).astype(X.dtype)
    for i in range(m):  # an image at a time stays in the core's cache
        product = X[i].reshape(-1, r * c) @ wide_maps[i].reshape(r * c, r * c)
        shifted = product.reshape(-1, s * c)
        shifted += shifts[i]
        np.clip(shifted.reshape(h, w, c), 0, 1, out=result[i])
    return result
