"""Arrays in .npy and .npz files: what is larger than the memory is read where it is needed."""

import struct
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.readers.array_names import Keys, find_classes, find_pairs, find_parts, role_of
from pellucid.data.readers.reading import check_file, check_fits, reading
from pellucid.data.stored.base import StoredArray
from pellucid.data.stored.files import RawArray, Stamp
from pellucid.data.validate import RawPart, RawSplit
from pellucid.errors import DataError, OptionError
from pellucid.text import join_some, printable
from pellucid.types import Array, Shape


def read_npy(path: Path, keys: Keys = (None, None), *, on_disk: bool = False) -> RawSplit:
    """Read inputs from an .npy file, and their labels from the one beside it.

    Parameters
    ----------
    path : Path
        The inputs, such as ``X.npy`` (labels in ``y.npy``), ``photos_x.npy`` (``photos_y.npy``) or ``X_train.npy``
        (``y_train.npy``; the test part in ``X_test.npy`` and ``y_test.npy``, where they are). Names of classes are
        in ``classes.npy``, if there.
    x_key : None
        The inputs are the file itself.
    y_key : str, optional
        The name of the labels' file, without its ending, where it is another.
    on_disk : bool, optional
        Leave the inputs in their files.

    Returns
    -------
    RawSplit
        Inputs are memory-mapped, read-only: a part that is held out of them is copied. With ``on_disk`` they are
        read in slices, and nothing is copied.

    Raises
    ------
    DataError
        If a file is missing, damaged, or holds objects; if there is no file of labels, with the files beside it.
    OptionError
        If ``x_key`` is given.
    """
    x_key, y_key = keys
    if x_key is not None:
        raise OptionError(f"{path}: x_key does not apply to an .npy file, which is X. Leave it out.")
    check_file(path, "an .npy file")
    names = sorted(beside.stem for beside in path.parent.glob("*.npy"))
    pairs = find_pairs(names)
    rest, y = next(((rest, y) for rest, (x, y) in pairs.items() if x == path.stem), ("", None))
    if y_key is not None:
        rest, y = "", y_key
    if y is None or y not in names:
        raise DataError(
            f"{path}: expected its labels beside it, such as X.npy and y.npy, or photos_x.npy and photos_y.npy, "
            f"found {join_some(names, most=8)}. Save them so, or name their file with y_key."
        )
    train = _part(path.parent, path.stem, y, on_disk)
    test = None
    if role_of(rest) == "train":
        other = next((pair for name, pair in pairs.items() if role_of(name) in ("test", "validation")), None)
        test = None if other is None else _part(path.parent, *other, on_disk)
    classes = find_classes(names, lambda name: _load(path.parent / f"{name}.npy"), path.parent)
    return RawSplit(train, test, classes)


def _part(folder: Path, x: str, y: str, on_disk: bool) -> RawPart:
    where, x_file = f"{folder / printable(x)}.npy and {printable(y)}.npy", folder / f"{x}.npy"
    X = stored_npy(x_file) if on_disk else _load(x_file, is_mapped=True)
    return RawPart(X, _load(folder / f"{y}.npy"), where)


def stored_npy(path: Path) -> RawArray:
    """Return the array of an .npy file, which stays in it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/X.npy", np.arange(6.0).reshape(3, 2))
    ...     X = stored_npy(Path(folder, "X.npy"))
    ...     X.shape, X[1:]
    ((3, 2), array([[2., 3.], [4., 5.]]))
    """
    check_file(path, "an .npy file")
    advice = "It may be cut off. Write it again with numpy.save(path, X)."
    with reading(path, "an .npy file", advice), open(path, "rb") as file:
        header = npy_header(file, str(path))
        return RawArray(str(path), Stamp.of(path), file.tell(), *header)


def npy_header(file: Any, where: str) -> tuple[Shape, np.dtype[Any]]:
    """Return shape and dtype of an array in NumPy's format, and leave the file at its first number.

    Raises
    ------
    DataError
        If it holds objects, or lies in Fortran's order, in which the rows of samples are scattered.
    """
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read(file)
    if dtype.hasobject:
        raise DataError(
            f"{where}: expected numbers, found objects, which are not read because they can run code. Save it with "
            "a numeric dtype."
        )
    if is_fortran and len(shape) > 1:
        raise DataError(
            f"{where}: lies in Fortran's order, in which no row can be read by itself. Save "
            "numpy.ascontiguousarray(X), or load without on_disk."
        )
    return shape, dtype


def _load(path: Path, *, is_mapped: bool = False) -> Array:
    check_file(path, "an .npy file")
    with reading(path, "an .npy file", "It may be cut off. Write it again with numpy.save(path, X)."):
        array = np.load(path, mmap_mode="r" if is_mapped else None, allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise DataError(f"{path}: expected one array, found an archive of several. Name it .npz.")
    return array


def read_npz(path: Path, keys: Keys = (None, None), *, on_disk: bool = False) -> RawSplit:
    """Read inputs, labels and class names from an .npz file.

    Parameters
    ----------
    path : Path
        Holding ``X, y`` or ``X_train, y_train, X_test, y_test``, and ``classes`` if the labels have names.
    keys : (str, str), optional
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
            return find_parts(list(archive.files), path, keys, read, inputs).split()


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
