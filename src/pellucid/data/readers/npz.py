"""NumPy's .npz archives, read without pickle, so that no file can run code."""

import struct
import zipfile
from functools import partial
from pathlib import Path

import numpy as np

from pellucid.data.readers.array_names import find_parts
from pellucid.data.readers.npy import npy_header
from pellucid.data.readers.reading import check_file, check_fits, reading
from pellucid.data.stored.base import StoredArray
from pellucid.data.stored.files import Stamp
from pellucid.data.stored.raw import RawArray
from pellucid.data.validate import RawSplit
from pellucid.errors import DataError
from pellucid.text import printable
from pellucid.types import Array


def read_npz(
    path: Path, *, x_key: str | None = None, y_key: str | None = None, on_disk: bool = False
) -> RawSplit:
    """Read inputs, labels and class names from an .npz file.

    Parameters
    ----------
    path : Path
        Holding ``X, y`` or ``X_train, y_train, X_test, y_test``, and ``classes`` if the labels have names.
    x_key, y_key : str, optional
        The names of two arrays, where they differ.
    on_disk : bool, optional
        Leave the inputs in the file, which must not be compressed.

    Returns
    -------
    RawSplit

    Raises
    ------
    DataError
        If the file is missing, damaged, not an .npz file, holds objects, or has no such arrays (with the
        names of those it has).
    OptionError
        If only one of the two keys is given.
    """
    check_file(path, "an .npz file")
    with (
        reading(path, "an .npz file", "It may be cut off. Write it again with numpy.savez(path, X=X, y=y)."),
        open(path, "rb") as stream,  # numpy.load, given a path, leaves the file open when it fails
    ):
        archive = np.load(stream, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise DataError(
                f"{path}: expected an .npz file, found a single array. Use numpy.savez(path, X=X, y=y)."
            )
        with archive:
            read = partial(_read, archive, path=path)
            inputs = partial(_stored, archive, path=path) if on_disk else read
            return find_parts(list(archive.files), path, (x_key, y_key), read, inputs).split()


def _member(archive: "np.lib.npyio.NpzFile", name: str) -> zipfile.ZipInfo:
    assert archive.zip is not None
    return archive.zip.getinfo(name if name in archive.zip.namelist() else f"{name}.npy")


def _stored(archive: "np.lib.npyio.NpzFile", name: str, path: Path) -> StoredArray:
    """Return an array of the archive that stays in it."""
    where = f"{path}, {printable(name)}"
    info, packed = _member(archive, name), archive.zip
    assert packed is not None
    if info.compress_type != zipfile.ZIP_STORED:
        raise DataError(
            f"{where}: is compressed, and cannot be read in slices. Write it with numpy.savez instead of "
            "savez_compressed, or load without on_disk."
        )
    with packed.open(info) as member:
        header = npy_header(member, where)
        n_header = member.tell()
    with open(path, "rb") as file:  # the local header, whose extra field may differ from the directory's
        file.seek(info.header_offset + 26)
        n_name, n_extra = struct.unpack("<HH", file.read(4))
    offset = info.header_offset + 30 + n_name + n_extra + n_header
    return RawArray(where, Stamp.of(path), offset, *header)


def _read(archive: "np.lib.npyio.NpzFile", name: str, path: Path) -> Array:
    check_fits(f"{path}, {printable(name)}", _member(archive, name).file_size)
    try:
        member = archive[name]
    except ValueError as error:
        if "pickle" in str(error):
            raise DataError(
                f"{path}, {printable(name)}: expected numbers or words, found objects, which are not read because "
                "they can run code. Save it with a numeric or string dtype."
            ) from None
        raise
    if not isinstance(member, np.ndarray):  # a member that is not in NumPy's format is returned as bytes
        raise DataError(
            f"{path}, {printable(name)}: expected an array, found other bytes. Write it with numpy.savez."
        )
    return member
