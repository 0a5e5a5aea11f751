"""A copy of a stored array whose columns can be read: in a temporary file, uncompressed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pellucid.data.stored.base import BLOCK_BYTES, StoredArray
from pellucid.data.stored.files import Stamp
from pellucid.data.stored.raw import RawArray
from pellucid.data.stored.views import Converted
from pellucid.errors import OutputError
from pellucid.text import first_line


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
