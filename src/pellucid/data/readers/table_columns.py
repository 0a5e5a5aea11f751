"""Columns of text as numbers: what a table's schema and the scripts that are exported from it compute."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.data.readers.dates import date_parts, days_of
from pellucid.data.readers.table_text import MISSING, Decimal, number, plain_numbers
from pellucid.types import Array

RARE = "(rare)"  # the category of all words that were rare in the training part, and of new ones
TRUTHS = {
    **dict.fromkeys(("true", "yes", "y", "t", "1", "1.0"), 1.0),
    **dict.fromkeys(("false", "no", "n", "f", "0", "0.0"), 0.0),
}


def cell_value(cell: str, kind: str, decimal: Decimal) -> float | None:
    """Return a cell as a number: a gap is NaN; None where it cannot be read as its column's kind.

    Examples
    --------
    >>> [cell_value(cell, "boolean", ".") for cell in ("Yes", "0", "", "maybe")]
    [1.0, 0.0, nan, None]
    >>> cell_value("3,5", "numeric", ","), cell_value("2/1/1970", "dmy", "."), cell_value("inf", "numeric", ".")
    (3.5, 1.0, None)
    """
    if not cell:
        return np.nan
    if kind == "boolean":
        return TRUTHS.get(cell.lower())
    if kind != "numeric":
        return days_of(cell, kind)
    value = number(cell, decimal)
    return value if value is not None and np.isfinite(value) else None


def cell_values(cells: Sequence[str], kind: str, decimal: Decimal) -> list[float | None]:
    """Return :func:`cell_value` of each cell of a column."""
    plain: Any = plain_numbers(cells, decimal) if kind == "numeric" else None
    return [cell_value(cell, kind, decimal) for cell in cells] if plain is None else plain


def value_columns(values: Array, fill: float, parts: Sequence[str], *, marks_gaps: bool) -> Array:
    """Return numbers as columns of X: gaps filled, dates in their parts, and where it is marked, what was a gap.

    Parameters
    ----------
    values : Array, shape (m,), float64
        With NaN for gaps.
    fill : float
        The median of the training part; of yes and no the more common one.
    parts : sequence of str
        Of a date: see :func:`pellucid.data.readers.dates.date_parts`; empty for numbers.
    marks_gaps : bool
        Whether a last column is 1 where the value was missing.

    Examples
    --------
    >>> value_columns(np.array([3.0, np.nan]), 5.0, (), marks_gaps=True)
    array([[3., 0.],
           [5., 1.]])
    """
    gaps = np.isnan(values)
    filled = np.where(gaps, fill, values)
    columns = date_parts(filled, parts) if parts else filled[:, None]
    return np.hstack([columns, gaps[:, None]]) if marks_gaps else columns


def word_codes(cells: Sequence[str], categories: Sequence[str]) -> Array:
    """Return the place of each cell's word among the categories, (m,) int64; -1 for an unknown one.

    Words that are no category are "(rare)" where that is one; an empty cell is "(missing)".

    Examples
    --------
    >>> word_codes(["cat", "", "owl"], ["cat", "dog"]), word_codes(["owl"], ["cat", "(rare)"])
    (array([ 0, -1, -1]), array([1]))
    """
    places = {word: i for i, word in enumerate(categories)}
    other = places.get(RARE, -1)
    return np.array([places.get(cell or MISSING, other) for cell in cells], np.int64)


def word_columns(codes: Array, n: int) -> Array:
    """Return a column of 0 and 1 for each of n categories, (m, n); all 0 for an unknown word.

    Examples
    --------
    >>> word_columns(np.array([1, -1]), 2)
    array([[0., 1.],
           [0., 0.]])
    """
    return np.asarray(codes[:, None] == np.arange(n), np.float64)
