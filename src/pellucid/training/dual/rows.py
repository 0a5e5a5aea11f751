"""The rows that a dual form is made of: products with all of them, by one pass over their columns each."""

import math
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import numpy as np

from pellucid import ranks
from pellucid.data.batches import read_ahead
from pellucid.data.stored.base import BLOCK_BYTES, StoredArray
from pellucid.data.stored.files import with_cheap_columns
from pellucid.progress import ProgressBar
from pellucid.types import Array

SLICE_COLUMNS = 4096  # of X turned into float64 at a time


class SlicedRows:
    """Rows in memory or on disk, of which some columns are read at a time.

    Parameters
    ----------
    X, X_validation : Array or StoredArray, shape (m, ...)
        Prepared; each row is flattened.

    Notes
    -----
    Of rows on disk at most three blocks of 64 MB are in memory, two of which are read while one is worked on, and
    two slices of 4,096 columns in float64, 66 kB for each row. One pass gives all that a training begins with, and
    another its weights at the end, however many steps lie between. Of several ranks each takes some of the columns.
    """

    def __init__(self, X: Any, X_validation: Any = None) -> None:
        self.X = X
        self.parts = [X] if X_validation is None else [X, X_validation]
        self.n_in = math.prod(X.shape[1:])
        self.n_validation = 0 if X_validation is None else len(X_validation)

    def __len__(self) -> int:
        return len(self.X)

    def sample(self, rows: Array) -> Array:
        """Return rows by their numbers; of rows on disk at most a block of 64 MB, or one."""
        if isinstance(self.X, StoredArray):
            rows = rows[next(self.X.cut(len(rows)))]
        return self.X[rows].reshape(len(rows), -1)

    def first_products(self, W_0: Array, gram: Array | None = None) -> tuple[Array, Array]:
        """Return what a training begins with, by one pass over the columns of all rows, float64.

        Returns
        -------
        products : Array, shape (m + m_validation, m + 1)
            The training rows, and below them those of validation, times [X_c^T | mu].
        Z_0 : Array, shape (m + m_validation, n_out)
            The rows times W_0.

        Examples
        --------
        >>> X = np.array([[1.0], [3.0]])
        >>> SlicedRows(X).first_products(np.array([[2.0]]))
        (array([[-1.,  1.,  2.],
           [-3.,  3.,  6.]]), array([[2.],
           [6.]]))
        """
        m, n = len(self), len(self) + self.n_validation
        products, Z_0 = np.zeros((n, m + 1)), np.zeros((n, W_0.shape[1]))
        kept = slice(m if gram is not None else 0, n)  # rows whose products are to be computed
        for columns, parts in self._slices(self.parts, "computing products", ranks.part(self.n_in)):
            first = 0
            for part in parts:
                here = slice(first, first + len(part))
                if here.start >= kept.start:
                    products[here, :m] += part @ parts[0].T
                Z_0[here] += part @ W_0[columns]
                first = here.stop
        ranks.all_sum(Z_0)
        centre(ranks.all_sum(products[kept]))
        if gram is not None:
            products[:m] = gram
        return products, Z_0

    def gram(self) -> Array:
        """Return [X X_c^T | X mu], float64 of shape (m, m + 1), which trainings on the same rows share."""
        m = len(self)
        products = np.zeros((m, m + 1))
        for _, (part,) in self._slices(self.parts[:1], "computing products", ranks.part(self.n_in)):
            products[:, :m] += part @ part.T
        return centre(ranks.all_sum(products))

    def transposed_product(self, D: Array, *, over_ranks: bool = False) -> Array:
        """Return X^T D, by one pass over the columns of X; with ``over_ranks`` each rank takes some of them."""
        W = np.zeros((self.n_in, D.shape[1]))
        own = ranks.part(self.n_in) if over_ranks else slice(0, self.n_in)
        for columns, (part,) in self._slices(self.parts[:1], "computing weights", own):
            W[columns] = part.T @ D
        return ranks.all_sum(W) if over_ranks else W

    def _slices(self, parts: list[Any], stage: str, own: slice) -> Iterator[tuple[slice, list[Array]]]:
        """Yield slices of some columns, few enough to be turned into float64, and these of each part."""
        if not any(isinstance(part, StoredArray) for part in parts):
            rows = [part.reshape(len(part), -1) for part in parts]
            width = max(1, self.n_in if self.X.dtype == np.float64 else SLICE_COLUMNS)
            for start in range(own.start, own.stop, width):
                columns = slice(start, min(start + width, own.stop))
                yield columns, _as_float64(rows, columns)
            return
        column_bytes = sum(len(part) * part.dtype.itemsize for part in parts)
        width = max(1, BLOCK_BYTES // column_bytes // SLICE_COLUMNS) * SLICE_COLUMNS

        def read(start: int) -> tuple[int, list[Array]]:
            stop = min(start + width, own.stop)
            return start, [_columns(part, start, stop) for part in parts]

        firsts = range(own.start, own.stop, width)
        with closing(read_ahead(read, firsts, n=1)) as blocks, ProgressBar() as show:
            for first, block in blocks:
                n = block[0].shape[1]
                for start in range(0, n, SLICE_COLUMNS):
                    stop = min(start + SLICE_COLUMNS, n)
                    yield slice(first + start, first + stop), _as_float64(block, slice(start, stop))
                show(stage, first + n - own.start, own.stop - own.start)


@contextmanager
def sliced_rows(X: Any, X_validation: Any = None) -> Iterator[SlicedRows]:
    """Give rows of arrays in memory, or of stored ones, whose columns are made cheap to read meanwhile."""
    with ExitStack() as stack:
        parts = [
            stack.enter_context(with_cheap_columns(part)) if isinstance(part, StoredArray) else part
            for part in (X, X_validation)
        ]
        yield SlicedRows(*parts)


def _columns(part: Any, start: int, stop: int) -> Array:
    if isinstance(part, StoredArray):
        return part.read_columns(start, stop, np.arange(len(part)))
    return part.reshape(len(part), -1)[:, start:stop]


def _as_float64(rows: list[Array], columns: slice) -> list[Array]:
    return [part[:, columns].astype(np.float64, copy=False) for part in rows]


def centre(products: Array) -> Array:
    """Turn [X X^T | 0] into [X X_c^T | X mu], in place."""
    K, of_mean = products[:, :-1], products[:, -1]
    if K.size:
        K.mean(axis=1, out=of_mean)
        K -= of_mean[:, None]
    return products
