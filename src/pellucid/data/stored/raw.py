"""Arrays that lie uncompressed in a file, row after row: .npy, members of .npz, contiguous HDF5 data sets."""

from typing import Any, BinaryIO

import numpy as np

from pellucid.data.readers.reading import reading
from pellucid.data.stored.base import StoredArray
from pellucid.data.stored.files import Stamp
from pellucid.errors import DataError
from pellucid.types import Array, Shape


class RawArray(StoredArray):
    """An array in the order of C from a place in a file on.

    Rows, and parts of rows, are read into memory of their own. A map of the file would do without the copy, but its
    pages count as memory of the process until something else needs it.

    Parameters
    ----------
    where : str
    stamp : Stamp
        Of the file.
    offset : int
        Of the first number, in bytes.
    shape : tuple of int
    dtype : dtype
        In the file; what is read has the native byte order.
    """

    has_cheap_columns = True

    def __init__(self, where: str, stamp: Stamp, offset: int, shape: Shape, dtype: Any) -> None:
        super().__init__(where, shape, dtype)
        self.stamp, self.offset, self.stored_dtype = stamp, offset, np.dtype(dtype)
        if offset + self.nbytes > stamp.size:
            raise DataError(
                f"{where}: expected {self.nbytes:,} bytes of numbers, found {max(0, stamp.size - offset):,}. The "
                "file is cut off: write or copy it again."
            )

    def read_rows(self, rows: Array) -> Array:
        """Return rows; neighbours are read at once."""
        out = np.empty((len(rows), *self.shape[1:]), self.stored_dtype)
        if not len(rows):
            return out.astype(self.dtype)
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1).tolist()
        spans = [
            (rows[a] * self.row_bytes, out[a:b])
            for a, b in zip(starts, [*starts[1:], len(rows)], strict=True)
        ]
        return self._filled(spans, out)

    def read_columns(self, start: int, stop: int, rows: Array) -> Array:
        """Return a part of each row, read where it lies."""
        out = np.empty((len(rows), stop - start), self.stored_dtype)
        at = start * self.dtype.itemsize
        return self._filled([(row * self.row_bytes + at, out[i : i + 1]) for i, row in enumerate(rows)], out)

    def _filled(self, spans: list[tuple[int, Array]], out: Array) -> Array:
        """Fill parts of an array, each from a place after the first number; return it in the native byte order."""
        self.stamp.check(self.where)
        with (
            reading(self.where, "an array", "Copy the file again."),
            open(self.stamp.path, "rb", buffering=0) as file,
        ):
            for place, part in spans:
                file.seek(self.offset + int(place))
                self._fill(file, part)
        self.n_read += out.nbytes
        return out.astype(self.dtype, copy=False)

    def _fill(self, file: BinaryIO, part: Array) -> None:
        left = memoryview(part.reshape(-1).view(np.uint8).data)
        while left:
            n = file.readinto(left)  # type: ignore[attr-defined]
            if not n:
                raise DataError(
                    f"{self.where}: the file ends {len(left):,} bytes early. Write or copy it again."
                )
            left = left[n:]
