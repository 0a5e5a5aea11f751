"""Arrays of an ONNX file: every size in it is compared with the bytes that are there before anything is made."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import FormatError, OutOfMemoryError
from pellucid.text import shown
from pellucid.types import Array

MOST_BYTES = 2**31  # of a file, which is protobuf's limit, and of an array beside it
DTYPES = {  # by ONNX's number of the type: NumPy's, and the field of the numbers where there are no raw bytes
    1: ("<f4", "float_data"),
    2: ("|u1", "int32_data"),
    3: ("|i1", "int32_data"),
    5: ("<i2", "int32_data"),
    6: ("<i4", "int32_data"),
    7: ("<i8", "int64_data"),
    9: ("|b1", "int32_data"),
    11: ("<f8", "double_data"),
}
_STRING, _HALF, _EXTERNAL = 8, 10, 1


def array_of(tensor: Any, folder: Path | None, *, half: bool = False) -> Array:
    """Return a tensor as an array.

    Parameters
    ----------
    tensor : onnx.TensorProto
    folder : Path or None
        Where arrays may lie that are kept outside the file; None refuses them.
    half : bool, optional
        Read raw bytes of float16, too: only Cast takes them.

    Raises
    ------
    FormatError
        If its numbers are of a type that is not read, or their count is not what its shape says.
    """
    where = f"the array {shown(tensor.name)}"
    dims = list(tensor.dims)
    if any(not 0 <= n < MOST_BYTES for n in dims) or len(dims) > 8:
        raise FormatError(f"{where} has the shape {shown(dims)}, which is none.")
    count = math.prod(dims)
    if tensor.data_type == _STRING:
        texts = [text.decode("utf-8", "replace") for text in tensor.string_data]
        _check(where, dims, count, len(texts), "texts")
        return np.array(texts, dtype=object).reshape(dims)
    is_half = half and tensor.data_type == _HALF and tensor.HasField("raw_data")
    if not is_half and tensor.data_type not in DTYPES:
        raise FormatError(
            f"{where} holds numbers of ONNX's type {tensor.data_type}, which is not read (half precision, "
            "quantized). Export the network in float32."
        )
    dtype, field = ("<f2", "") if is_half else DTYPES[tensor.data_type]
    if tensor.data_location == _EXTERNAL:
        raw = _outside(tensor, where, folder, count * np.dtype(dtype).itemsize)
    elif tensor.HasField("raw_data"):
        raw = bytes(tensor.raw_data)
    else:
        numbers = getattr(tensor, field)
        _check(where, dims, count, len(numbers), "numbers")
        return np.array(numbers).astype(dtype).reshape(dims)
    _check(where, dims, count * np.dtype(dtype).itemsize, len(raw), "bytes")
    return np.frombuffer(raw, dtype).reshape(dims)


def _check(where: str, dims: list[int], wanted: int, found: int, what: str) -> None:
    if wanted != found:
        raise FormatError(
            f"{where} should have the shape {dims}, {wanted} {what}, and has {found}. The file is damaged; export "
            "it again."
        )


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
