"""Dropout: mask and product in one pass over the random bits: :mod:`pellucid.ops.dropout`."""

from typing import Any

import numpy as np

from pellucid.kernels.arrays import are_served
from pellucid.kernels.compiled import compiled
from pellucid.ops.dropout import LEVELS, DropoutCache, dropped_levels, skip_draws
from pellucid.types import Array


@compiled
def drop(X: Array, bits: Array, n_dropped: int, scale: float, mask: Array, Y: Array) -> None:
    """mask = 0 where bits < n_dropped, else scale; Y = X mask. All are flat; Y may be X."""
    T = X.dtype.type
    zero, kept, least = T(0), T(scale), np.uint16(n_dropped)
    for i in range(X.size):
        m = kept if bits[i] >= least else zero
        mask[i] = m
        Y[i] = X[i] * m


def random_bits(size: int, rng: np.random.Generator, skip: int = 0) -> Array:
    """Return that many random numbers of 16 bits, after the ones to skip."""
    first = skip_draws(rng, skip)
    words = rng.integers(0, 1 << 64, -(-(first + size) // 4), dtype=np.uint64)
    return words.astype("<u8", copy=False).view("<u2")[first : first + size]  # the same on every machine


def dropout_forward(
    X: Array,
    rate: float,
    rng: np.random.Generator,
    *,
    skip: int = 0,
    out: Array | None = None,
    mask: Array | None = None,
) -> tuple[Array, DropoutCache] | Any:
    """Return Y = X mask, mask 0 with probability rate, else 1 / (1 - rate).

    The bits are drawn 64 at a time. They are the plain op's for every generator that hands out the low half of a
    64-bit draw first, as NumPy's PCG64 does.
    """
    n_dropped = dropped_levels(rate)
    if not are_served(X, out, mask):
        return NotImplemented
    bits = random_bits(X.size, rng, skip)
    mask = np.empty_like(X) if mask is None else mask
    Y = np.empty_like(X) if out is None else out
    drop(X.ravel(), bits, n_dropped, LEVELS / (LEVELS - n_dropped), mask.ravel(), Y.ravel())
    return Y, DropoutCache(mask)
