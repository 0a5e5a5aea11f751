"""Named arrays with a JSON header in one safetensors file: the format of models, checkpoints and recorded steps.

The format is small: the length of a header, a JSON table of names, dtypes, shapes and places, then the arrays'
bytes (https://huggingface.co/docs/safetensors). So a model is loaded by NumPy alone.
"""

import json
import math
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import FormatError
from pellucid.files import write_atomically
from pellucid.types import Array

MOST_HEADER = 100_000_000  # bytes, as the format has it
DTYPES = {  # in the format's order, by which arrays are sorted: from the last, the widest
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "I16": "i2",
    "U16": "u2",
    "F16": "f2",
    "I32": "i4",
    "U32": "u4",
    "F32": "f4",
    "F64": "f8",
    "I64": "i8",
    "U64": "u8",
}


def write_tensors(path: str | Path, key: str, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write arrays and their header to a file, whole or not at all.

    Parameters
    ----------
    path : str or Path
    key : str
        The entry of the file's metadata that holds the header: one for each kind of file.
    header : mapping
        Whatever JSON can hold.
    arrays : mapping of str to Array

    Raises
    ------
    OutputError
        If the file cannot be written; what was there before is kept.
    """
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    order = sorted(whole, key=lambda name: (-list(DTYPES).index(_named(whole[name].dtype)), name))
    table: dict[str, Any] = {"__metadata__": {key: json.dumps(header)}}
    end = 0
    for name in order:
        array, start = whole[name], end
        end += array.nbytes
        table[name] = {"dtype": _named(array.dtype), "shape": array.shape, "data_offsets": [start, end]}
    text = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # so that numbers begin at multiples of their size
    parts = (whole[name].astype(whole[name].dtype.newbyteorder("<"), copy=False).tobytes() for name in order)
    write_atomically(path, b"".join([len(text).to_bytes(8, "little"), text, *parts]))


def read_tensors(
    path: str | Path, key: str, *, kind: str, advice: str
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the header and the arrays of a file that :func:`write_tensors` wrote.

    Parameters
    ----------
    path : str or Path
    key : str
    kind : str
        What is expected, for messages: "checkpoint".
    advice : str
        What to do if the file cannot be used: "Resume from an earlier one."

    Raises
    ------
    FormatError
        If there is no such file, it is cut off, not a safetensors file, or of another kind. Every size in it is
        compared with the file's own before anything is allocated.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "step.safetensors"
    >>> write_tensors(path, "step", {"n": 3}, {"x": np.arange(3)})
    >>> read_tensors(path, "step", kind="step", advice="")
    ({'n': 3}, {'x': array([0, 1, 2])})
    """
    return _read(path, key, kind=kind, advice=advice, with_arrays=True)


def read_header(path: str | Path, key: str, *, kind: str, advice: str) -> dict[str, Any]:
    """Return the header of a file that :func:`write_tensors` wrote, without its arrays.

    Parameters and exceptions are those of :func:`read_tensors`.
    """
    return _read(path, key, kind=kind, advice=advice, with_arrays=False)[0]


def _read(
    path: str | Path, key: str, *, kind: str, advice: str, with_arrays: bool
) -> tuple[dict[str, Any], dict[str, Array]]:
    path = Path(path)
    if not path.is_file():
        raise FormatError(f"{path}: there is no such {kind}. {advice}".rstrip())
    try:
        with path.open("rb") as file:
            metadata, places = _table(file, path.stat().st_size)
            arrays = {name: _array(file, *place) for name, place in places.items()} if with_arrays else {}
    except (_Damaged, OSError, MemoryError) as error:
        raise FormatError(
            f"{path}: not a whole {kind} ({error}). It is cut off or of another kind. {advice}".rstrip()
        ) from None
    if key not in metadata:
        raise FormatError(
            f"{path}: a safetensors file, but not a {kind} of pellucid: no {key!r} in its header."
        )
    try:
        header = json.loads(metadata[key])
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise FormatError(f"{path}: its header is not JSON; the {kind} is damaged. {advice}".rstrip())
    return header, arrays


class _Damaged(Exception):
    """Why a file is no safetensors file, in words."""


def _table(
    file: BufferedReader, size: int
) -> tuple[dict[str, str], dict[str, tuple[int, str, tuple[int, ...]]]]:
    """Return a file's metadata, and where each array begins, its dtype and shape; together they fill the file."""
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(size - 8, MOST_HEADER):
        raise _Damaged(f"a header of {length:,} bytes in a file of {size:,}")
    try:
        table = json.loads(file.read(length).decode())
    except (ValueError, RecursionError):
        raise _Damaged("its header is not JSON") from None
    metadata = table.pop("__metadata__", {}) if isinstance(table, dict) else None
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise _Damaged("its header is no table of arrays")
    places, at = {}, 0
    for name, entry in sorted(table.items(), key=lambda item: _start(*item)):
        dtype, shape, (start, end) = entry.get("dtype"), entry.get("shape"), entry["data_offsets"]
        is_shape = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
        n_bytes = math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize if dtype in DTYPES and is_shape else -1
        if start != at or end - start != n_bytes:
            raise _Damaged(f"{name}: {dtype} {shape} at {start} to {end} is not what follows byte {at}")
        places[name], at = (8 + length + start, dtype, tuple(shape)), end
    if at != size - 8 - length:
        raise _Damaged(f"{at:,} bytes of arrays in a file that has {size - 8 - length:,}")
    return metadata, places


def _start(name: str, entry: Any) -> tuple[int, int]:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not isinstance(offsets, list) or [type(n) for n in offsets] != [int, int]:
        raise _Damaged(f"{name}: no place in the file")
    return offsets[0], offsets[1]


def _array(file: BufferedReader, at: int, dtype: str, shape: tuple[int, ...]) -> Array:
    array = np.empty(shape, np.dtype(DTYPES[dtype]).newbyteorder("<"))
    file.seek(at)
    if array.size and file.readinto(array.reshape(-1).view(np.uint8).data) != array.nbytes:
        raise _Damaged("it ends too early")
    return array.astype(DTYPES[dtype], copy=False)


def _named(dtype: Any) -> str:
    """Return what the format calls a dtype."""
    return next(name for name, known in DTYPES.items() if np.dtype(known) == dtype)
