"""What the rows of an array look like, found a block at a time: their range, finite or not, whole or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.data.stored.base import StoredArray

N_TRIED = 100_000  # numbers that are looked at, over all rows, to tell whole ones from others
BYTE = 255


@dataclass(frozen=True, eq=False)
class Survey:
    """What each row looks like.

    Attributes
    ----------
    low, high : Array, shape (m,), float64
        The least and the largest number; NaN where there is one.
    n_bad : Array, shape (m,)
        How many are NaN or infinite.
    is_whole, is_divided : Array, shape (m,), bool
        Whether those looked at are whole numbers, and whether they are once multiplied by 255.
    """

    low: Array
    high: Array
    n_bad: Array
    is_whole: Array
    is_divided: Array

    def take(self, rows: Array) -> Survey:
        """Return the survey of some rows."""
        return Survey(*(each[rows] for each in vars(self).values()))


def survey_of(X: StoredArray) -> Survey:
    """Return what the rows of a stored array look like, by one pass over its file."""
    m = len(X)
    low, high = np.zeros(m), np.zeros(m)
    n_bad, is_whole, is_divided = np.zeros(m, np.int64), np.ones(m, bool), np.ones(m, bool)
    is_float = X.dtype.kind == "f"
    for rows, block in X.blocks():
        flat = block.reshape(len(block), -1)
        low[rows], high[rows] = flat.min(axis=1), flat.max(axis=1)
        if not is_float:
            continue
        is_bad = ~(np.isfinite(low[rows]) & np.isfinite(high[rows]))  # NaN comes through both
        n_bad[rows][is_bad] = (~np.isfinite(flat[is_bad])).sum(axis=1)
        some = flat[:, :: max(1, X.size // N_TRIED)].astype(np.float64)
        with np.errstate(invalid="ignore"):
            is_whole[rows] = (some == np.rint(some)).all(axis=1)
            is_divided[rows] = (np.abs(some * BYTE - np.rint(some * BYTE)) <= 1e-3).all(axis=1)
    return Survey(low, high, n_bad, is_whole, is_divided)
