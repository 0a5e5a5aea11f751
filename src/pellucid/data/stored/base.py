"""What every array that stays in its file can do: tell its shape, and read rows."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from pellucid.data.stored.survey import Survey, survey_of
from pellucid.errors import DataError
from pellucid.progress import ProgressBar
from pellucid.types import Array, Shape

BLOCK_BYTES: Final = 2**26  # read at a time: large enough that a disk streams, small beside any memory


class NotInMemoryError(DataError, AttributeError):
    """Something needs all samples in memory, and they stay in their file."""


class StoredArray(NDArrayOperatorsMixin, ABC):
    """An array that stays in its file; rows are read when they are asked for, as NumPy arrays.

    It has an array's ``shape``, ``dtype``, ``ndim``, ``size``, ``nbytes`` and length, and ``stored[rows]`` for a
    number, a slice, a mask or an array of row numbers. Whatever else is done with arrays needs all of it in memory,
    and raises NotInMemoryError. It holds no open file: it can be pickled, and read in threads and other processes.

    Parameters
    ----------
    where : str
        The file and the name in it, for messages.
    shape : tuple of int
        (m, ...), m rows of at least one axis.
    dtype : dtype
        Of what is read: numeric, in native byte order.
    """

    def __init__(self, where: str, shape: Shape, dtype: Any) -> None:
        self.where, self.shape = where, tuple(shape)
        self.dtype: np.dtype[Any] = np.dtype(dtype).newbyteorder("=")
        self.n_read = 0  # bytes of rows that were read, as they are in memory

    __hash__ = object.__hash__  # the operators of arrays leave it out

    @abstractmethod
    def read_rows(self, rows: Array) -> Array:
        """Return rows by their numbers, all of them valid, in the order asked for: a new array."""

    def read_columns(self, start: int, stop: int, rows: Array) -> Array:
        """Return columns start to stop of chosen rows, each row flattened: a new array (len(rows), stop - start).

        Cheap where ``has_cheap_columns``; else whole rows are read for it, a block at a time.
        """
        out = np.empty((len(rows), stop - start), self.dtype)
        for block in self.cut(len(rows)):
            some = self.read_rows(rows[block])
            out[block] = some.reshape(len(some), -1)[:, start:stop]
        return out

    has_cheap_columns = False  # whether a part of a row can be read without the rest of it

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(math.prod(self.shape))

    @property
    def row_bytes(self) -> int:
        """Bytes of one row in memory."""
        return int(math.prod(self.shape[1:])) * self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes that the array would take in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Array:
        if isinstance(rows, int | np.integer) and not isinstance(rows, bool):
            if not -len(self) <= rows < len(self):
                raise IndexError(f"{self.where}: row {rows} of {len(self)}")
            row: Array = self.read_rows(np.array([rows % len(self)]))[0]
            return row
        return self.read_rows(self._numbers(rows))

    def __iter__(self) -> Iterator[Array]:
        for _, block in self.blocks():
            yield from block

    def choose(self, rows: Any) -> StoredArray:
        """Return some rows, by a slice, a mask or their numbers, as another stored array: nothing is read."""
        from pellucid.data.stored.views import Chosen

        return Chosen(self, self._numbers(rows))

    def astype(self, dtype: Any, *, copy: bool = True) -> StoredArray:
        """Return the array in another dtype, to which rows are converted as they are read."""
        from pellucid.data.stored.views import Converted

        return self if self.dtype == dtype else Converted(self, partial(_cast, dtype), dtype)

    def _numbers(self, rows: Any) -> Array:
        """Return the numbers of rows that are chosen as NumPy chooses them; NotInMemoryError for anything else."""
        m = len(self)
        if isinstance(rows, slice):
            return np.arange(*rows.indices(m))
        if isinstance(rows, list | np.ndarray) and np.ndim(rows) == 1:
            return np.arange(m)[rows if len(rows) else []]
        raise self._refused()

    def cut(self, n: int) -> Iterator[slice]:
        """Yield slices of n rows that are read at a time."""
        step = max(1, BLOCK_BYTES // max(1, self.row_bytes))
        for start in range(0, n, step):
            yield slice(start, min(start + step, n))

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """Yield all rows, in order, some tens of megabytes at a time: their slice, and the rows themselves."""
        with ProgressBar() as show:
            for rows in self.cut(len(self)):
                yield rows, self.read_rows(np.arange(rows.start, rows.stop))
                show("reading samples", rows.stop, len(self))

    @cached_property
    def survey(self) -> Survey:
        """What the numbers of each row look like: found by one pass over the file, then kept."""
        return survey_of(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.where}: shape {self.shape}, {self.dtype}, on disk)"

    def _refused(self) -> NotInMemoryError:
        return NotInMemoryError(
            f"{self.where}: these samples stay in their file (on_disk), and this needs all of them in memory. Take "
            "some rows, such as X[:1000], or load without on_disk."
        )

    def _refuse(self, *args: Any, **options: Any) -> Any:
        raise self._refused()

    __array__ = __array_ufunc__ = __array_function__ = _refuse

    def __getattr__(self, name: str) -> Any:
        if hasattr(np.ndarray, name) and not name.startswith("__"):
            raise self._refused()
        raise AttributeError(name)


def _cast(dtype: Any, X: Array, columns: slice | None) -> Array:
    return X.astype(dtype)


def ends(X: Any) -> tuple[float, float]:
    """Return the least and the largest number of an array in memory or on disk.

    Examples
    --------
    >>> ends(np.arange(3))
    (0.0, 2.0)
    """
    low, high = (X.survey.low, X.survey.high) if isinstance(X, StoredArray) else (X, X)
    return float(low.min()), float(high.max())


def row_blocks(X: Any) -> Iterator[tuple[slice, Array]]:
    """Yield all rows of an array in memory or on disk, some tens of megabytes at a time: their slice and they.

    Examples
    --------
    >>> [(rows, len(block)) for rows, block in row_blocks(np.zeros((3, 2)))]
    [(slice(0, 3, None), 3)]
    """
    if isinstance(X, StoredArray):
        yield from X.blocks()
        return
    step = max(1, BLOCK_BYTES // max(1, X[:1].nbytes))
    for start in range(0, len(X), step):
        rows = slice(start, min(start + step, len(X)))
        yield rows, X[rows]
