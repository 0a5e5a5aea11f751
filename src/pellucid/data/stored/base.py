"""Arrays that stay in their file: they tell their shape and read rows; parts and converted forms of them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from pellucid.errors import DataError
from pellucid.progress import ProgressBar
from pellucid.types import Array, Shape

N_TRIED = 100_000  # numbers that are looked at, over all rows, to tell whole ones from others
BYTE = 255
BLOCK_BYTES: Final = 2**26  # read at a time: large enough that a disk streams, small beside any memory


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
    for rows, block in X.blocks():
        flat = block.reshape(len(block), -1)
        low[rows], high[rows] = flat.min(axis=1), flat.max(axis=1)
        if X.dtype.kind != "f":
            continue
        is_bad = ~(np.isfinite(low[rows]) & np.isfinite(high[rows]))  # NaN comes through both
        n_bad[rows][is_bad] = (~np.isfinite(flat[is_bad])).sum(axis=1)
        some = flat[:, :: max(1, X.size // N_TRIED)].astype(np.float64)
        with np.errstate(invalid="ignore"):
            is_whole[rows] = (some == np.rint(some)).all(axis=1)
            is_divided[rows] = (np.abs(some * BYTE - np.rint(some * BYTE)) <= 1e-3).all(axis=1)
    return Survey(low, high, n_bad, is_whole, is_divided)


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
            return self.read_rows(np.array([rows % len(self)]))[0]
        return self.read_rows(self._numbers(rows))

    def __iter__(self) -> Iterator[Array]:
        for _, block in self.blocks():
            yield from block

    def choose(self, rows: Any) -> StoredArray:
        """Return some rows, by a slice, a mask or their numbers, as another stored array: nothing is read."""

        return Chosen(self, self._numbers(rows))

    def astype(self, dtype: Any, *, copy: bool = True) -> StoredArray:
        """Return the array in another dtype, to which rows are converted as they are read."""

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
