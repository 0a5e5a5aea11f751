"""Dropout: while training, each value is set to 0 with a fixed probability, and the rest are scaled up."""

import math
from typing import NamedTuple

import numpy as np

from pellucid.errors import OptionError
from pellucid.types import Array, Shape

LEVELS = 1 << 16  # 16 random bits decide whether a value is dropped


class DropoutCache(NamedTuple):
    """What the backward of dropout needs."""

    mask: Array  # shape of X: 0 where dropped, else 1 / (1 - rate)


def dropout_forward(
    X: Array,
    rate: float,
    rng: "np.random.Generator",
    *,
    skip: int = 0,
    out: Array | None = None,
    mask: Array | None = None,
) -> tuple[Array, DropoutCache]:
    """Return Y = X mask, mask 0 with probability rate, else 1 / (1 - rate).

    Parameters
    ----------
    X : Array, any shape
    rate : float
        The probability of dropping a value, from 0 to below 1; rounded to the nearest 1 / 65536.
    rng : numpy.random.Generator
        Advances by one 64-bit draw for every four values, whatever the rate.
    skip : int, optional
        Where X is a part of a batch: how many values of the batch come before it. The mask is then that part of the
        batch's mask; the generator, which must be new, needs the method ``advance``, as PCG64 has it.
    out : Array, shape of X, optional
        Written and returned; may be X itself.
    mask : Array, shape and dtype of X, optional
        Written and kept for the backward.

    Returns
    -------
    Y : Array, shape and dtype of X
        Its expected value is X, so that prediction needs no correction.
    cache : DropoutCache

    Raises
    ------
    OptionError
        If the rate is out of range.

    Notes
    -----
    Srivastava et al., 2014; the "inverted" form, which scales while training.

    Examples
    --------
    >>> Y, _ = dropout_forward(np.ones(1000), 0.5, np.random.default_rng(0))
    >>> np.unique(Y).tolist(), bool(abs(Y.mean() - 1) < 0.1)
    ([0.0, 2.0], True)
    """
    n_dropped = dropped_levels(rate)
    p = n_dropped / LEVELS  # the rate, rounded
    is_kept = draw_levels(X.shape, rng, skip) >= n_dropped
    mask = np.multiply(is_kept, X.dtype.type(1 / (1 - p)), out=mask)
    return np.multiply(X, mask, out=out), DropoutCache(mask)


def dropout_backward(dY: Array, cache: DropoutCache, *, dX: Array | None = None) -> Array:
    """dX = dY mask.

    Parameters
    ----------
    dY : Array, any shape
    cache : DropoutCache
    dX : Array, shape of dY, optional
        Written and returned; may be dY itself.

    Returns
    -------
    Array, shape and dtype of dY

    Examples
    --------
    >>> Y, cache = dropout_forward(np.ones(8), 0.5, np.random.default_rng(0))
    >>> bool(np.array_equal(dropout_backward(np.ones(8), cache), Y))
    True
    """
    return np.multiply(dY, cache.mask, out=dX)


def draw_levels(shape: Shape, rng: "np.random.Generator", skip: int = 0) -> Array:
    """Return equally likely numbers from 0 to 65535, of whole 64-bit draws: the next op finds the same stream.

    Examples
    --------
    >>> draw_levels((1, 2), np.random.default_rng(0)).dtype
    dtype('uint16')
    """
    if skip:
        rng.bit_generator.advance(skip // 4)  # type: ignore[attr-defined]  # of PCG64, not of every bit generator
    first, n = skip % 4, math.prod(shape)
    draws = rng.integers(0, 1 << 64, -(-(first + n) // 4), dtype=np.uint64)
    # Alike on every machine
    return draws.astype("<u8", copy=False).view("<u2")[first : first + n].reshape(shape)


def dropped_levels(rate: float) -> int:
    """Return how many of 65536 equally likely draws drop a value; OptionError unless 0 <= rate < 1.

    Examples
    --------
    >>> dropped_levels(0.5)
    32768
    """
    if not 0 <= rate < 1:
        raise OptionError(f"dropout_forward: expected a rate from 0 to below 1, got {rate}. Try 0.5.")
    return min(round(rate * LEVELS), LEVELS - 1)
