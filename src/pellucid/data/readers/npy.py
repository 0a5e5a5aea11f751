"""Arrays in .npy files, memory-mapped: what is larger than the memory is read where it is needed."""

from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.readers.array_names import find_classes, find_pairs, role_of
from pellucid.data.readers.reading import check_file, reading
from pellucid.data.stored.files import Stamp
from pellucid.data.stored.raw import RawArray
from pellucid.data.validate import RawPart, RawSplit
from pellucid.errors import DataError, OptionError
from pellucid.text import join_some, printable
from pellucid.types import Array, Shape


def read_npy(
    path: Path, *, x_key: str | None = None, y_key: str | None = None, on_disk: bool = False
) -> RawSplit:
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
    if x_key is not None:
        raise OptionError(f"{path}: x_key does not apply to an .npy file, which is X. Leave it out.")
    check_file(path, "an .npy file")
    names = sorted(beside.stem for beside in path.parent.glob("*.npy"))
    pairs = find_pairs(names)
    if y_key is not None:
        pairs = {
            "": (path.stem, y_key),
            **{rest: pair for rest, pair in pairs.items() if pair[0] != path.stem},
        }
    rest = next((rest for rest, pair in pairs.items() if pair[0] == path.stem), None)
    if rest is None or pairs[rest][1] not in names:
        raise DataError(
            f"{path}: expected its labels beside it, such as X.npy and y.npy, or photos_x.npy and photos_y.npy, "
            f"found {join_some(names, most=8)}. Save them so, or name their file with y_key."
        )
    train = _part(path.parent, *pairs[rest], on_disk)
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
