"""Arrays as one run of bytes: what a page, a notebook or a server sends instead of JSON numbers."""

import hashlib
from typing import Any

import numpy as np

from pellucid.types import Array

ALIGNED = 8  # bytes: where a typed array of JavaScript may begin


class Blocks:
    """Arrays one after another, lowest byte first; what comes twice is kept once.

    Attributes
    ----------
    table : list of [int, str, list of int]
        Of each array that was put in: where its bytes begin, "f4", "f8", "u1" or "i4", and its shape.

    Examples
    --------
    >>> blocks = Blocks()
    >>> blocks.put(np.zeros((2, 3), np.float32)), blocks.put(np.zeros(6, np.float32))
    (0, 1)
    >>> blocks.table, len(blocks.content())
    ([[0, 'f4', [2, 3]], [0, 'f4', [6]]], 24)
    """

    def __init__(self) -> None:
        self.table: list[list[Any]] = []
        self.n_bytes = 0
        self._parts: list[bytes] = []
        self._places: dict[tuple[str, bytes], int] = {}

    def put(self, array: Array) -> int:
        """Keep an array, and return its number in the table."""
        array = np.ascontiguousarray(array)
        if array.dtype.kind in "iub" and array.dtype != np.uint8:
            array = array.astype(np.int32)
        kind = f"{array.dtype.kind}{array.dtype.itemsize}"
        content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        key = kind, hashlib.sha256(content).digest()
        if key not in self._places:
            self._places[key] = self.n_bytes
            padded = content + bytes(-len(content) % ALIGNED)
            self._parts.append(padded)
            self.n_bytes += len(padded)
        self.table.append([self._places[key], kind, list(array.shape)])
        return len(self.table) - 1

    def content(self) -> bytes:
        """Return the bytes of all arrays."""
        return b"".join(self._parts)
