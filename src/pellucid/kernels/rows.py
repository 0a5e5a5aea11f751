"""Rows (n, c) as flat parts of whole rows: a loop over a part is long where c is short, and so are its vectors.

These are parts of kernels. The disk cache's keys have this file's text in them.
"""

from typing import Any

import numpy as np

from pellucid.kernels.compiled import inlined
from pellucid.types import Array

PART = 2048  # values that are worked on at a time, if a row has no more: they stay in the first cache


@inlined
def width(c: int, size: int) -> Any:
    """Return the length of a part: a multiple of c."""
    return min(max(c, PART // c * c), max(size, 1))


@inlined
def repeated(row: Array, size: int) -> Any:
    """Return a row as often as it fits into one part."""
    wide = np.empty(width(row.size, size), row.dtype)
    for start in range(0, wide.size, row.size):
        to = wide[start : start + row.size]
        for j in range(to.size):
            to[j] = row[j]
    return wide


@inlined
def add_rows(sums: Array, total: Array) -> None:
    """total += the sum of the rows that are side by side in ``sums``, which becomes 0."""
    for j in range(total.size):
        own = 0.0
        for i in range(j, sums.size, total.size):
            own += sums[i]
        total[j] += own
    for i in range(sums.size):
        sums[i] = 0
