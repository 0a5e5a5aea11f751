"""The arrays of a weights file as PyTorch wrote it before version 1.6, read without PyTorch; nothing in it is run.

Such a file is five pickles and the numbers behind them: a magic number, the version, sizes of types, the arrays'
names with where each lies in which storage, and the storages' keys; then for every key a count and the values.
A pickle can name any function of Python. This one may name the four below, which build a dictionary of places, and
is refused at any other.
"""

import io
import math
import pickle
import pickletools
import struct
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import FormatError
from pellucid.types import Array

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
LARGEST = 256 * 2**20  # bytes of a file
# Of a pickle that is read; an object counts wherever it is used, since keys are hashed through all that is in them.
# 300 arrays are 6,900 objects, 7 deep.
MOST_PLACES, MOST_OBJECTS, DEEPEST = 2**20, 2**20, 50
_DTYPES: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Storage(NamedTuple):
    """A flat array of the file, by its key."""

    dtype: np.dtype[Any]
    key: str
    n: int


class _Place(NamedTuple):
    """Where an array lies: in a storage, from an entry on, with a shape and strides in entries."""

    storage: Any
    offset: Any
    shape: Any
    strides: Any


def _place(*arguments: Any) -> _Place:
    """Stand in for torch._utils._rebuild_tensor_v2, whose later arguments say how it is trained."""
    return _Place(*arguments[:4])


class _Reader(pickle.Unpickler):
    """Reads what names nothing but dictionaries, arrays and storages of two types."""

    KNOWN: Mapping[tuple[str, str], Any] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _place,
        **{("torch", name): dtype for name, dtype in _DTYPES.items()},
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name; FormatError for all that a file of weights does not need."""
        if (module, name) not in self.KNOWN:
            raise FormatError(f"it asks for {module}.{name}, which no file of weights needs")
        return self.KNOWN[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        """Return the storage of a reference: ("storage", type, key, device, count, view)."""
        _, dtype, key, _, n, _ = pid
        if not isinstance(dtype, np.dtype) or not isinstance(key, str) or not _is_count(n):
            raise FormatError("a storage in it is not described as PyTorch does")
        return _Storage(dtype, key, n)


def arrays_of(content: bytes) -> dict[str, Array]:
    """Return the arrays of a file's content by name, each contiguous and of its own.

    Parameters
    ----------
    content : bytes
        Of a state dictionary saved by ``torch.save`` before version 1.6, or with
        ``_use_new_zipfile_serialization=False``; at most 256 MB.

    Returns
    -------
    dict of str to Array
        float32 and int64, in the file's order.

    Raises
    ------
    FormatError
        If it is no such file, is damaged, has arrays of other types, or names anything that a dictionary of arrays
        does not need. Nothing that it names is run.
    """
    if len(content) > LARGEST:
        raise FormatError(f"it has {len(content) / 2**20:,.0f} MB; weights files of up to 256 MB are read")
    if content[:4] == b"PK\x03\x04":
        raise FormatError("it is a weights file of PyTorch 1.6 or later (a zip archive)")
    stream = io.BytesIO(content)
    try:
        magic, version, _, places, keys = (_load(stream) for _ in range(5))
        if magic != MAGIC or version != VERSION:
            raise FormatError("it does not begin as PyTorch's weights files do")
        return _arrays(places, _storages(places, keys, stream, content))
    except FormatError:
        raise
    except Exception as error:  # a damaged pickle may fail in any way
        raise FormatError(f"it is no weights file of PyTorch, or it is damaged ({error})") from None


class _Weight(NamedTuple):
    """What an object of a pickle amounts to."""

    objects: int  # it and all that is in it, each counted as often as it is there
    depth: int


def _load(stream: io.BytesIO) -> Any:
    """Return what the next pickle holds, once it is known that it ends soon."""
    start = stream.tell()
    _check_size(stream)
    stream.seek(start)
    return _Reader(stream).load()


def _check_size(stream: io.BytesIO) -> None:
    """Refuse a pickle whose objects are too many or too deep, by what each operation takes and leaves."""
    stack: list[_Weight | None] = []  # None is a mark
    memo: dict[Any, _Weight] = {}
    for operation, argument, _ in pickletools.genops(stream):
        name = operation.name
        taken: list[_Weight | None] = []
        if name.endswith("GET"):
            stack.append(memo[argument])
            continue
        if "PUT" in name or name == "MEMOIZE":
            if len(memo) >= MOST_PLACES or (argument or 0) >= MOST_PLACES:
                raise FormatError(f"it asks for more than {MOST_PLACES:,} places in its memo")
            memo[len(memo) if name == "MEMOIZE" else argument] = stack[-1] or _Weight(1, 1)
            continue
        if pickletools.markobject in operation.stack_before:
            while stack and (top := stack.pop()) is not None:
                taken.append(top)
            n_others = operation.stack_before.index(pickletools.markobject)
        else:
            n_others = len(operation.stack_before)
        taken += [stack.pop() for _ in range(n_others)]
        if pickletools.markobject in operation.stack_after:
            stack.append(None)
            continue
        within = [each for each in taken if each is not None]
        made = _Weight(
            1 + sum(each.objects for each in within), 1 + max((e.depth for e in within), default=0)
        )
        if made.objects > MOST_OBJECTS or made.depth > DEEPEST:
            raise FormatError("it has more objects inside one another than any file of weights")
        stack += [made] * len(operation.stack_after)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


def _storages(places: Any, keys: Any, stream: io.BytesIO, content: bytes) -> dict[str, Array]:
    """Return the flat arrays that follow the pickles, views of the content."""
    if not isinstance(places, dict) or not all(
        isinstance(name, str) and isinstance(place, _Place) and isinstance(place.storage, _Storage)
        for name, place in places.items()
    ):
        raise FormatError("it holds other things than arrays by name")
    described = {place.storage.key: place.storage for place in places.values()}
    if not isinstance(keys, list) or sorted(keys) != sorted(described):
        raise FormatError("its arrays lie in other storages than it has")
    found, at = {}, stream.tell()
    for key in keys:
        _, _, n = described[key]
        (counted,) = struct.unpack_from("<q", content, at)
        if counted != n:
            raise FormatError(f"storage {key!r} has {counted} values where {n} are described")
        found[key] = np.frombuffer(content, described[key].dtype, n, at + 8)
        at += 8 + n * described[key].dtype.itemsize
    return found


def _arrays(places: Mapping[str, _Place], storages: Mapping[str, Array]) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    total = 0  # views may overlap, or repeat one number
    for name, (storage, offset, shape, strides) in places.items():
        flat = storages[storage.key]
        if not all(map(_is_count, (offset, *shape, *strides))) or len(shape) != len(strides):
            raise FormatError(f"array {name!r} is not described as PyTorch does")
        total += math.prod(shape) * flat.itemsize
        last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
        if total > LARGEST or (math.prod(shape) and last >= flat.size):
            raise FormatError(f"array {name!r} reaches beyond its storage")
        steps = [stride * flat.itemsize for stride in strides]
        arrays[name] = np.array(np.lib.stride_tricks.as_strided(flat[offset:], shape, steps), order="C")
    return arrays
