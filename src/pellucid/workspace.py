"""Reusable arrays, so that a training step allocates nothing."""

import math
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np

from pellucid.errors import in_memory
from pellucid.types import Array, Shape

Kept = TypeVar("Kept")
MOST_VIEWS = 256  # kept in the cache
CACHE_LINE = 64  # bytes


def aligned(shape: Shape, dtype: Any, *, make: Callable[..., Array] = np.empty) -> Array:
    """Return an array that begins with a line of the processor's cache.

    The product of one float64 row and a matrix takes a quarter longer where what it writes lies across two lines.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
    make : callable, optional
        ``np.zeros`` for zeros; default: the content is arbitrary.

    Examples
    --------
    >>> aligned((2, 3), np.float64).ctypes.data % CACHE_LINE
    0
    """
    n = math.prod(shape) * np.dtype(dtype).itemsize
    room = make(n + CACHE_LINE, np.uint8)
    start = -room.ctypes.data % CACHE_LINE
    return room[start : start + n].view(dtype).reshape(shape)


class Buffers:
    """Arrays of one dtype by name: see ``Workspace.of``.

    ``take`` hands out the beginning of one flat array per name, as long as the largest request so far: a smaller
    last block, or last batch, of each epoch does not allocate again.
    """

    def __init__(self, dtype: Any) -> None:
        self._dtype = dtype
        self._flat: dict[str, Array] = {}
        self.views: dict[tuple[str, Shape], Array] = {}
        self._frames: dict[str, tuple[Shape, tuple[slice, ...]]] = {}
        self._parts: dict[str, Buffers] = {}

    def take(self, name: str, shape: Shape) -> Array:
        """Return the array of that name; its content is arbitrary."""
        view = self.views.get((name, shape))
        if view is not None:
            return view
        flat, size = self._flat.get(name), math.prod(shape)
        if flat is None or flat.size < size:
            with in_memory(
                f"a layer's output of {size:,} numbers ({name} {shape}) does not fit in memory. "
                "Try a smaller batch, a smaller image size or a smaller model."
            ):
                flat = self._flat[name] = np.empty(size, self._dtype)
            self.views = {key: old for key, old in self.views.items() if key[0] != name}
            self._frames.pop(name, None)
        elif len(self.views) > MOST_VIEWS:
            self.views.clear()
            self._frames.clear()
        view = self.views[name, shape] = flat[:size].reshape(shape)
        return view

    def framed(self, name: str, shape: Shape, inside: tuple[slice, ...]) -> Array:
        """Return an array that is 0 except in the slice ``inside``, where its content is arbitrary.

        The zeros are written when shape or frame differ from the last time, so that the blocks of a batch, which
        have the same, write them once. Nothing else may use the name, nor write outside ``inside``.
        """
        array = self.take(name, shape)
        if self._frames.get(name) != (shape, inside):
            array.fill(0)
            self._frames[name] = shape, inside
        return array

    def namespace(self, part: str) -> "Buffers":
        """Return a separate set of arrays, for a part of the work whose arrays have other sizes."""
        if part not in self._parts:
            self._parts[part] = Buffers(self._dtype)
        return self._parts[part]


class Workspace:
    """Arrays by name and dtype that a layer writes again and again.

    Examples
    --------
    >>> workspace = Workspace()
    >>> a = workspace.take("Z", (2, 3), np.float64)
    >>> workspace.take("Z", (2, 3), np.float64) is a
    True
    >>> workspace.take("Z", (1, 3), np.float64).base is a.base
    True
    """

    def __init__(self) -> None:
        self._buffers: dict[Any, Buffers] = {}
        self._kept: dict[Any, Any] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Let a copy begin empty: what arrays share would be torn apart in it."""
        return Workspace, ()

    def keep(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """Return what ``make`` returned the first time that it was called for that key."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def take(self, name: str, shape: Shape, dtype: Any) -> Array:
        """Return the array of that name; its content is arbitrary."""
        buffers = self._buffers.get(dtype)
        if buffers is None:
            return self.of(dtype).take(name, shape)
        # As ``take`` begins, without a call: a small step is mostly calls
        view = buffers.views.get((name, shape))
        return buffers.take(name, shape) if view is None else view

    def of(self, dtype: Any) -> Buffers:
        """Return the arrays of one dtype."""
        buffers = self._buffers.get(dtype)
        if buffers is None:
            buffers = self._buffers[dtype] = Buffers(dtype)
        return buffers
