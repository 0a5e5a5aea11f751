"""Dropout whose bits are drawn 64 at a time; plain: :mod:`pellucid.ops.dropout`."""

import numpy as np

from pellucid.ops.dropout import LEVELS, DropoutCache, dropped_levels
from pellucid.types import Array


def dropout_forward(
    X: Array, rate: float, rng: np.random.Generator, *, out: Array | None = None, mask: Array | None = None
) -> tuple[Array, DropoutCache]:
    """Return Y = X mask, mask 0 with probability rate, else 1 / (1 - rate).

    Also takes a buffer for the cache's mask, of the shape and dtype of X. The bits are the plain op's for every
    generator that hands out the low half of a 64-bit draw first, as NumPy's PCG64 does.
    """
    n_dropped = dropped_levels(rate)
    words = rng.integers(0, 1 << 64, -(-X.size // 4), dtype=np.uint64)
    bits = words.astype("<u8", copy=False).view("<u2")[: X.size].reshape(X.shape)  # the same on every machine
    mask = np.empty(X.shape, X.dtype) if mask is None else mask
    mask[...] = bits >= n_dropped
    mask *= LEVELS / (LEVELS - n_dropped)
    Y = np.multiply(X, mask, out=out)
    return Y, DropoutCache(mask)
