"""Arrays stored in chunks, each compressed for itself: the chunked data sets of HDF5 files, and zarr arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pellucid.data.stored.base import StoredArray
from pellucid.errors import DataError
from pellucid.types import Array, Shape


class ChunkedArray(StoredArray):
    """An array in chunks of some rows.

    A row takes reading its whole chunk. Rows are therefore read chunk by chunk, each once, and put into the order
    asked for; a shuffled batch of b rows still decompresses up to b chunks.

    Parameters
    ----------
    where : str
    shape : tuple of int
    dtype : dtype
    chunk_rows : int
        Rows of a chunk.
    opened : callable
        Returns a context manager of what gives rows by slices, the file unchanged; one that can be pickled.
    """

    def __init__(
        self, where: str, shape: Shape, dtype: Any, chunk_rows: int, opened: Callable[[], Any]
    ) -> None:
        super().__init__(where, shape, dtype)
        self.chunk_rows, self.opened = max(1, chunk_rows), opened

    def read_rows(self, rows: Array) -> Array:
        """Return rows; each chunk is read once."""
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        order = np.argsort(rows, kind="stable")
        with self.opened() as array:
            for first, last, places in self._spans(rows, order):
                block = array[first:last]
                if block.shape != (last - first, *self.shape[1:]):
                    raise DataError(
                        f"{self.where}: expected rows of shape {self.shape[1:]}, found {block.shape[1:]}. The file "
                        "was changed: load it again."
                    )
                if len(places) == last - first and (rows[places] == np.arange(first, last)).all():
                    out[places] = block
                else:
                    out[places] = block[rows[places] - first]
        self.n_read += out.nbytes
        return out

    def _spans(self, rows: Array, order: Array) -> Iterator[tuple[int, int, Array]]:
        """Yield first and last + 1 of rows to read at once, and the places in the result that they have."""
        chunks = rows[order] // self.chunk_rows
        cuts = np.flatnonzero(np.diff(chunks) > 0) + 1
        for places in np.split(order, cuts) if len(order) else ():
            yield int(rows[places[0]]), int(rows[places[-1]]) + 1, places
