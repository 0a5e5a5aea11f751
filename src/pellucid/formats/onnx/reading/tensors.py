"""Arrays of an ONNX file: every size in it is compared with the bytes that are there before anything is made."""

import importlib
import math
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import FormatError, OutOfMemoryError
from pellucid.text import first_line, shown
from pellucid.types import Array

MOST_BYTES = 2**31  # of a file, which is protobuf's limit, and of an array beside it
# NumPy's names of the types that are read, by ONNX's numbers.
DTYPES = {1: "<f4", 2: "|u1", 3: "|i1", 5: "<i2", 6: "<i4", 7: "<i8", 9: "|b1", 11: "<f8"}
_STRING, _HALF, _EXTERNAL = 8, 10, 1


def array_of(tensor: Any, folder: Path | None, *, half: bool = False) -> Array:
    """Return a tensor as an array.

    Parameters
    ----------
    tensor : onnx.TensorProto
    folder : Path or None
        Where arrays may lie that are kept outside the file; None refuses them.
    half : bool, optional
        Read float16, too: only Cast takes it.

    Raises
    ------
    FormatError
        If its numbers are of a type that is not read, or their count is not what its shape says.
    """
    where = f"the array {shown(tensor.name)}"
    dims = list(tensor.dims)
    if any(not 0 <= n < MOST_BYTES for n in dims) or len(dims) > 8:
        raise FormatError(f"{where} has the shape {shown(dims)}, which is none.")
    kind, is_outside = tensor.data_type, tensor.data_location == _EXTERNAL
    if kind not in DTYPES and not (kind == _STRING and not is_outside) and not (kind == _HALF and half):
        raise FormatError(
            f"{where} holds numbers of ONNX's type {kind}, which is not read (half precision, quantized). Export "
            "the network in float32."
        )
    if is_outside:
        dtype = np.dtype(DTYPES.get(kind, "<f2"))
        raw = _outside(tensor, where, folder, math.prod(dims) * dtype.itemsize)
        return np.frombuffer(raw, dtype).reshape(dims)
    try:
        array: Array = importlib.import_module("onnx.numpy_helper").to_array(tensor)
        return array
    except ValueError as error:
        raise FormatError(
            f"{where} should have the shape {dims}, and has other numbers ({first_line(error)}). The file is "
            "damaged; export it again."
        ) from None


def _outside(tensor: Any, where: str, folder: Path | None, n_bytes: int) -> bytes:
    """Return the bytes of an array in another file, which must lie in the model's own folder."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    if folder is None or not location:
        raise FormatError(f"{where} lies in another file, which is not named.")
    home = folder.resolve()
    try:
        path = (home / location).resolve()
        is_inside = path.is_relative_to(home) and path != home and not Path(location).is_absolute()
        is_there = is_inside and path.is_file()
        start = int(entries.get("offset") or 0)
        length = int(entries.get("length") or n_bytes)
    except (OSError, ValueError):
        raise FormatError(f"{where} lies in {shown(location)}, which cannot be read.") from None
    if not is_inside:
        raise FormatError(
            f"{where} lies in {shown(location)}, outside the folder of the model. Arrays are read from the model's "
            "own folder only; put the file there, and write its name alone."
        )
    if not is_there:
        raise FormatError(f"{where} lies in {shown(location)}, which is not beside the model. Put it there.")
    if length != n_bytes or start < 0 or start + length > path.stat().st_size:
        raise FormatError(
            f"{where} should be {n_bytes} bytes of {shown(location)}, from byte {start} on; the file says {length} "
            f"and has {path.stat().st_size}. It is cut off or belongs to another model."
        )
    if length > MOST_BYTES:
        raise OutOfMemoryError(f"{where} has {length} bytes, more than the {MOST_BYTES} that are read.")
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)
