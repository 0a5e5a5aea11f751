"""Arrays in files, in one piece or in chunks; changed files; copies whose columns can be read."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from pellucid.data.readers.reading import reading
from pellucid.data.stored.base import BLOCK_BYTES, Converted, StoredArray
from pellucid.errors import DataError, OutputError
from pellucid.text import first_line
from pellucid.types import Array, Shape


class Stamp(NamedTuple):
    """What a file looked like when its array was opened."""

    path: Path
    size: int  # bytes
    changed: int  # nanoseconds

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Return what a file looks like now."""
        status = os.stat(path)
        return cls(path, status.st_size, status.st_mtime_ns)

    def check(self, where: str) -> None:
        """Raise DataError if the file is not what it was."""
        try:
            now = Stamp.of(self.path)
        except OSError as error:
            raise DataError(
                f"{where}: cannot read the file any more ({first_line(error)}). Put it back, and load it again."
            ) from None
        if now != self:
            raise DataError(
                f"{where}: the file was changed after it was opened, with {self.size:,} bytes. Load it "
                "again, and leave it as it is while it is read."
            )


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
        cuts = np.flatnonzero(np.diff(rows[order] // self.chunk_rows) > 0) + 1
        with self.opened() as array:
            for places in np.split(order, cuts) if len(order) else ():  # rows to read at once
                first, last = int(rows[places[0]]), int(rows[places[-1]]) + 1
                block = array[first:last]
                if block.shape != (last - first, *self.shape[1:]):
                    raise DataError(
                        f"{self.where}: expected rows of shape {self.shape[1:]}, found {block.shape[1:]}. The file "
                        "was changed: load it again."
                    )
                out[places] = block[rows[places] - first]
        self.n_read += out.nbytes
        return out


@contextmanager
def with_cheap_columns(X: StoredArray) -> Iterator[StoredArray]:
    """Give a stored array whose columns can be read without the rest of their rows.

    It is the array itself where it lies uncompressed in its file, and where it is small. Of another (in compressed
    chunks, or in pictures) every slice of columns would decode everything; it is decoded once, into a temporary
    file that is deleted at the end, in the folder for such files (TMPDIR).

    Raises
    ------
    OutputError
        If there is no room for the file.
    """
    if X.has_cheap_columns or X.nbytes <= BLOCK_BYTES:
        yield X
    elif isinstance(X, Converted):
        with with_cheap_columns(X.base) as base:
            yield Converted(base, X.convert, X.dtype)
    else:
        with tempfile.TemporaryDirectory(prefix="pellucid-") as folder:
            yield _copied(X, Path(folder, "rows"))


def _copied(X: StoredArray, path: Path) -> RawArray:
    free = shutil.disk_usage(path.parent).free
    advice = "Set TMPDIR to a folder with more room, or store the samples uncompressed."
    if free < X.nbytes:
        raise OutputError(
            f"{X.where}: the dual form needs {X.nbytes:,} bytes for an uncompressed copy, {path.parent.parent} has "
            f"{free:,}. {advice}"
        )
    try:
        with open(path, "wb") as file:
            for _, block in X.blocks():
                file.write(block.data)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot write an uncompressed copy ({first_line(error)}). {advice}"
        ) from None
    return RawArray(X.where, Stamp.of(path), 0, X.shape, X.dtype)
