"""Zarr stores: a group of arrays with inputs and labels, as .npz and HDF5 files have them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.readers.array_names import Keys, find_parts
from pellucid.data.readers.reading import check_fits, reading
from pellucid.data.stored.files import ChunkedArray, Stamp
from pellucid.data.validate import RawSplit
from pellucid.errors import DataError, MissingExtraError
from pellucid.text import printable

_GROUP, _ARRAY = (".zgroup", "zarr.json"), (".zarray", "zarr.json")  # of format 2 and of format 3


def is_zarr(path: Path) -> bool:
    """Return whether a folder is a zarr store, by its ending or by what lies in it."""
    return path.suffix.lower() == ".zarr" or any((path / name).is_file() for name in (*_GROUP, *_ARRAY))


def read_zarr(path: Path, keys: Keys = (None, None), *, on_disk: bool = False) -> RawSplit:
    """Read inputs, labels and class names from a zarr store.

    Parameters
    ----------
    path : Path
        A folder that holds a group of arrays, named as in an .npz file. A chunk that was never written counts as
        the array's fill value, as everywhere in zarr.
    keys : (str, str), optional
        The names of two arrays, where they differ.
    on_disk : bool, optional
        Leave the inputs in the store.

    Raises
    ------
    MissingExtraError
        If zarr is not installed.
    DataError
        If the store is damaged, a single array, or has no such arrays.
    """
    try:
        import zarr
    except ImportError:
        raise MissingExtraError(
            f"{path}: a zarr store needs the package zarr. Install it: pip install 'pellucid[dask]'"
        ) from None
    with reading(path, "a zarr store", "It may be damaged. Copy or write it again."):
        found = zarr.open(path, mode="r")
        if not hasattr(found, "arrays"):
            raise DataError(
                f"{path}: expected a group with arrays of inputs and labels, such as X and y, found a single "
                "array. Put both into a group."
            )
        arrays: dict[str, Any] = dict(found.arrays())

        def read(name: str) -> Any:
            check_fits(f"{path}, {printable(name)}", arrays[name].nbytes)
            return np.asarray(arrays[name][...])

        def inputs(name: str) -> Any:
            return _stored(arrays[name], path, name) if on_disk else read(name)

        return find_parts(sorted(arrays), path, keys, read, inputs).split()


def _stored(array: Any, path: Path, name: str) -> ChunkedArray:
    where = f"{path}, {printable(name)}"
    if array.dtype.kind not in "buif" or array.ndim < 1:
        raise DataError(
            f"{where}: expected numbers for X, found {array.dtype} of shape {tuple(array.shape)}."
        )
    described = next(file for file in ((path / name / each) for each in _ARRAY) if file.is_file())
    opened = partial(_opened, where, Stamp.of(described), path, name)
    return ChunkedArray(where, tuple(array.shape), array.dtype, array.chunks[0], opened)


@contextmanager
def _opened(where: str, stamp: Stamp, path: Path, name: str) -> Iterator[Any]:
    """Give an array of a store; the file that describes it is written again when the array is."""
    import zarr

    stamp.check(where)
    with reading(where, "a zarr array", "A part of it may be damaged or gone. Copy or write it again."):
        yield zarr.open_group(path, mode="r")[name]
