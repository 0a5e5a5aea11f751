"""HDF5 files: the schema of the published photos, and any file with one pair of inputs and labels."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.readers.array_names import Found, Keys, find_parts
from pellucid.data.readers.reading import check_file, check_fits, reading
from pellucid.data.stored.base import StoredArray
from pellucid.data.stored.files import ChunkedArray, RawArray, Stamp
from pellucid.data.validate import RawSplit
from pellucid.errors import DataError
from pellucid.text import printable
from pellucid.types import Array

# Deflate compresses at most 1,032 times. A damaged header can claim any size, and filling in what was never
# stored would exhaust the memory long before anything is noticed.
_MOST_PACKED = 1100
_LARGE = 2**28  # bytes; below it a wrong claim does no harm

_SWAP = {"train": "test", "test": "train"}


def read_h5(path: Path, keys: Keys = (None, None), *, on_disk: bool = False) -> RawSplit:
    """Read inputs, labels and class names from an HDF5 file.

    A file with only a training (or test) part is completed from the file next to it whose name has "test" (or
    "train") in place of that word, as the published train_catvnoncat.h5 and test_catvnoncat.h5 do.

    Parameters
    ----------
    path : Path
    keys : (str, str), optional
        The names of two datasets ("group/name" for one inside a group), where they do not follow the pattern.
    on_disk : bool, optional
        Leave the inputs in the file.

    Returns
    -------
    RawSplit

    Raises
    ------
    DataError
        If the file is missing, damaged, not HDF5, or has no such arrays (with the names of those it has).
    OptionError
        If only one of the two keys is given.
    """
    found = _read_file(path, keys, on_disk)
    if len(found.parts) == 1 and keys[0] is None:
        found = _with_sibling(found, path, on_disk)
    return found.split()


def _with_sibling(found: Found, path: Path, on_disk: bool) -> Found:
    """Add the part from a neighbouring file, if there is one."""
    siblings = {role: path.with_name(path.name.replace(role, other)) for role, other in _SWAP.items()}
    named = next((role for role, file in siblings.items() if file != path and file.is_file()), None)
    if named is None:
        return found
    sibling = siblings[named]
    (own, part), other = next(iter(found.parts.items())), _read_file(sibling, (None, None), on_disk)
    own = own or named
    wanted = _SWAP.get(own, "")
    second = other.parts.get(wanted) or other.parts.get("")
    if not wanted or second is None:
        raise DataError(
            f"{sibling}: expected the {wanted or 'other'} part that belongs to {path.name}, "
            f"found {' and '.join(p.where for p in other.parts.values())}. Rename or move that file."
        )
    if None not in (found.classes, other.classes) and found.classes != other.classes:
        raise DataError(
            f"{sibling}: the classes {other.classes} differ from {found.classes} in {path.name}. "
            "Use files that belong together."
        )
    notes = (*found.notes, f"{wanted} part read from {sibling.name}")
    return Found({own: part, wanted: second}, found.classes or other.classes, notes)


def _read_file(path: Path, keys: Keys, on_disk: bool) -> Found:
    import h5py

    check_file(path, "an HDF5 file")
    with (
        reading(path, "an HDF5 file", "It may be cut off, or of another format. Copy or download it again."),
        h5py.File(path, "r") as file,
    ):
        return find_parts(
            _dataset_names(file),
            path,
            keys,
            lambda name: _read(file[name], path),
            lambda name: _stored(file[name], path) if on_disk else _read(file[name], path),
        )


def _dataset_names(file: Any) -> list[str]:
    """Return the names of all datasets, those inside groups as "group/name"."""
    import h5py

    items: dict[str, Any] = {}
    file.visititems(items.__setitem__)
    return [name for name, item in items.items() if isinstance(item, h5py.Dataset)]


def _read(dataset: Any, path: Path) -> Array:
    """Return a whole dataset; strings of any length as str."""
    text = _check(dataset, path)
    check_fits(_where(dataset, path), math.prod(dataset.shape or ()) * dataset.dtype.itemsize)
    if text is not None and text.length is None:
        return np.array(dataset.asstr()[()], dtype=np.str_)
    return np.asarray(dataset[()])


def _stored(dataset: Any, path: Path) -> StoredArray:
    """Return a dataset that stays in the file; its numbers are read past HDF5 where they lie in one piece."""
    _check(dataset, path)
    where, stamp, offset = _where(dataset, path), Stamp.of(path), dataset.id.get_offset()
    is_plain = dataset.chunks is None and not dataset.external and not dataset.is_virtual
    if is_plain and offset is not None and dataset.dtype.kind in "uif":
        return RawArray(where, stamp, offset, dataset.shape, dataset.dtype)
    chunk_rows = dataset.chunks[0] if dataset.chunks else 1
    opened = partial(_opened, where, stamp, dataset.name)
    return ChunkedArray(where, dataset.shape or (), dataset.dtype, chunk_rows, opened)


@contextmanager
def _opened(where: str, stamp: Stamp, name: str) -> Iterator[Any]:
    """Give a dataset of a file that is as it was."""
    import h5py

    stamp.check(where)
    advice = "A part of it may be damaged. Copy or download the file again."
    with reading(where, "an HDF5 data set", advice), h5py.File(stamp.path, "r") as file:
        yield file[name]


def _check(dataset: Any, path: Path) -> Any:
    """Raise DataError for objects and for a size that cannot be true; return what HDF5 says of a text's length."""
    import h5py

    where = _where(dataset, path)
    text = h5py.check_string_dtype(dataset.dtype)
    if dataset.dtype.hasobject and text is None:
        raise DataError(f"{where}: expected numbers or words, found objects. Save it with a numeric dtype.")
    claimed, stored = math.prod(dataset.shape or ()) * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if claimed > max(_LARGE, _MOST_PACKED * stored):
        raise DataError(
            f"{where}: claims {claimed:,} bytes, but the file holds {stored:,} of them. It is damaged, or "
            "was never filled. Write it again."
        )
    return text


def _where(dataset: Any, path: Path) -> str:
    return f"{path}, {printable(dataset.name.lstrip('/'))}"
