"""Stored arrays made of others without reading: some rows, or rows that are converted as they are read."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from pellucid.data.stored.base import StoredArray
from pellucid.data.stored.survey import Survey, survey_of
from pellucid.types import Array


class Chosen(StoredArray):
    """Some rows of a stored array, in an order of their own.

    Parameters
    ----------
    base : StoredArray
    rows : Array of int, shape (n,)
        Their numbers in it.
    """

    def __init__(self, base: StoredArray, rows: Array) -> None:
        super().__init__(base.where, (len(rows), *base.shape[1:]), base.dtype)
        self.base, self.rows = base, rows
        self.has_cheap_columns = base.has_cheap_columns

    def choose(self, rows: Any) -> StoredArray:
        """Return some of these rows."""
        return Chosen(self.base, self.rows[self._numbers(rows)])

    def read_rows(self, rows: Array) -> Array:
        """Return rows by their numbers here."""
        return self.base.read_rows(self.rows[rows])

    def read_columns(self, start: int, stop: int, rows: Array) -> Array:
        """Return columns of rows by their numbers here."""
        return self.base.read_columns(start, stop, self.rows[rows])

    @cached_property
    def survey(self) -> Survey:
        """What these rows look like: of many, by that of the whole array, which is found once."""
        if "survey" in vars(self.base) or 2 * len(self) > len(self.base):
            return self.base.survey.take(self.rows)
        return survey_of(self)


class Converted(StoredArray):
    """Rows of a stored array, converted as they are read: prepared for a network, or brought into another range.

    Parameters
    ----------
    base : StoredArray
    convert : callable
        ``convert(X, columns)`` returns rows X, (n, ...), converted; where ``columns`` is a slice they are these
        columns of flattened rows. One that can be pickled.
    dtype : dtype
        Of what it returns.
    """

    def __init__(
        self, base: StoredArray, convert: Callable[[Array, slice | None], Array], dtype: Any
    ) -> None:
        super().__init__(base.where, base.shape, dtype)
        self.base, self.convert = base, convert
        self.has_cheap_columns = base.has_cheap_columns

    def read_rows(self, rows: Array) -> Array:
        """Return converted rows."""
        return self.convert(self.base.read_rows(rows), None)

    def read_columns(self, start: int, stop: int, rows: Array) -> Array:
        """Return columns of converted rows."""
        return self.convert(self.base.read_columns(start, stop, rows), slice(start, stop))


def choose_rows(arrays: Any, rows: Any) -> Any:
    """Return some rows of an array, or of several by name; of one on disk another on disk: nothing is read yet.

    Examples
    --------
    >>> import numpy as np
    >>> choose_rows(np.arange(4), slice(1, 3))
    array([1, 2])
    """
    if isinstance(arrays, dict):
        return {name: choose_rows(array, rows) for name, array in arrays.items()}
    return arrays.choose(rows) if isinstance(arrays, StoredArray) else arrays[rows]
