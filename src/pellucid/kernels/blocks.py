"""Where the windows of a block of images lie, scratch arrays, and pieces of a batch that fit a core's cache."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from pellucid.kernels.columns import widen
from pellucid.ops.conv_geometry import Geometry, Pair
from pellucid.types import Array, Shape
from pellucid.workspace import Workspace

DType: TypeAlias = np.dtype[Any]
Frame: TypeAlias = tuple[slice, slice]  # rows, columns

BLOCK_BYTES = (
    1 << 20
)  # the tensors of one block of images: about what a core's own cache holds besides the rest
MOST_VIEWS = 256  # that a scratch remembers


@lru_cache(maxsize=4096)  # asked for the same few in every block of every step
def meeting(n: int, n_out: int, offset: int, stride: int) -> tuple[slice, slice]:
    """Return which outputs o have their input o * stride + offset inside 0..n-1, and those inputs.

    Parameters
    ----------
    n, n_out : int
        Lengths of the input and the output axis.
    offset : int
        Of the tap: its place in the window less the padding before; may be negative.
    stride : int

    Returns
    -------
    outputs, inputs : slice
        Equally long, possibly empty.

    Examples
    --------
    >>> meeting(4, 4, -1, 1)
    (slice(1, 4, 1), slice(0, 3, 1))
    """
    first = max(0, -(offset // stride))  # the ceiling of -offset / stride
    stop = max(first, min(n_out, (n - 1 - offset) // stride + 1))
    start = first * stride + offset
    end = start + (stop - first - 1) * stride + 1 if stop > first else start
    return slice(first, stop, 1), slice(start, end, stride)


def blocks(m: int, n_rows: int, row_bytes: int, limit: int | None = None) -> list[tuple[slice, slice]]:
    """Return pieces of a batch, (images, rows), whose tensors fit a core's cache.

    Several images at a time while they are small, a band of rows of one image where they are large.

    Parameters
    ----------
    m, n_rows : int
        Images, and rows of each.
    row_bytes : int
        What one row of one image needs.
    limit : int, optional
        Bytes of a block; default: ``BLOCK_BYTES``.

    Examples
    --------
    >>> blocks(3, 8, 10, limit=160)
    [(slice(0, 2, None), slice(0, 8, None)), (slice(2, 3, None), slice(0, 8, None))]
    >>> blocks(1, 8, 10, limit=40)
    [(slice(0, 1, None), slice(0, 4, None)), (slice(0, 1, None), slice(4, 8, None))]
    """
    limit = BLOCK_BYTES if limit is None else limit
    n_rows_fit = min(n_rows, max(1, limit // row_bytes))
    n_images_fit = max(1, limit // (row_bytes * n_rows)) if n_rows_fit == n_rows else 1
    return [
        (slice(i, min(i + n_images_fit, m)), slice(r, min(r + n_rows_fit, n_rows)))
        for i in range(0, m, n_images_fit)
        for r in range(0, n_rows, n_rows_fit)
    ]


def length(part: slice) -> int:
    """Return how many entries a slice with step 1 takes."""
    return int(part.stop - part.start)


class Scratch:
    """Arrays of one dtype that a workspace keeps, so that a step allocates nothing; made by ``Scratch.of``.

    ``take`` hands out the beginning of one flat array a name, as long as the largest block needs: the smaller
    last block of a batch does not make it anew.
    """

    def __init__(self, dtype: DType, empty: Callable[[Shape, DType], Array] = np.empty) -> None:
        self._dtype, self._empty = dtype, empty  # and not the workspace, which would never be freed then
        self._flat: dict[str, Array] = {}
        self._views: dict[tuple[str, Shape], Array] = {}
        self._frames: dict[str, tuple[Shape, Frame]] = {}
        self._apart: dict[str, Scratch] = {}

    @classmethod
    def of(cls, workspace: Workspace | None, dtype: DType, prefix: str = "") -> "Scratch":
        """Return the workspace's, which remembers its views from call to call; without a workspace a new one."""
        if workspace is None:
            return cls(dtype)
        scratch = workspace.kept.get((cls, dtype, prefix))
        if scratch is None:
            scratch = workspace.kept[cls, dtype, prefix] = cls(dtype, workspace.empty)
        return scratch

    def take(self, name: str, shape: Shape) -> Array:
        """Return an array whose content is left over; ask for the largest first."""
        view = self._views.get((name, shape))
        if view is not None:
            return view
        flat, size = self._flat.get(name), math.prod(shape)
        if flat is None or flat.size < size:
            flat = self._flat[name] = self._empty((size,), self._dtype)
            self._forget_views(name)
        elif len(self._views) > MOST_VIEWS:
            self._forget_views()
        view = self._views[name, shape] = flat[:size].reshape(shape)
        return view

    def _forget_views(self, name: str | None = None) -> None:
        self._views = {key: view for key, view in self._views.items() if name not in (None, key[0])}
        self._frames.pop(name, None) if name else self._frames.clear()

    def framed(self, name: str, shape: Shape, inside: Frame) -> Array:
        """Return an array that is 0 except where ``inside`` says, and left over there.

        The zeros are written when shape or frame differ from the last time, so that the blocks of a batch, which
        have the same, write them once. Nothing else may use the name, nor write outside ``inside``.
        """
        array = self.take(name, shape)
        if self._frames.get(name) != (shape, inside):
            array.fill(0)
            self._frames[name] = shape, inside
        return array

    def apart(self, prefix: str) -> "Scratch":
        """Return one with names of its own, for a part of the work whose arrays have other sizes."""
        if prefix not in self._apart:
            self._apart[prefix] = Scratch(self._dtype, self._empty)
        return self._apart[prefix]


def strided(A: Array, shape: Shape, strides: tuple[int, ...]) -> Array:
    """Return a view by strides in bytes of an array that begins where its memory does, as all of a scratch do.

    It is NumPy's ``as_strided`` without that one's cost, which counts where it is called for every block.

    Examples
    --------
    >>> strided(np.arange(4), (3, 2), (8, 8))
    array([[0, 1],
           [1, 2],
           [2, 3]])
    """
    return np.ndarray(shape, A.dtype, A if A.base is None else A.base, 0, strides)


def padded_rows(
    X: Array, geometry: Geometry, first: int, size: Pair, scratch: Scratch, planes: bool = False
) -> Array:
    """Return some rows of X with zeros where they reach over its edges.

    Parameters
    ----------
    X : Array, shape (n, h, w, c)
    geometry : Geometry
        Says how far the columns reach over the left edge.
    first : int
        The first row, from the edge of the image; negative above it.
    size : (int, int)
        (a, b): how many rows and columns.
    scratch : Scratch
    planes : bool, optional
        Whether channels come first in memory: then runs of pixels are contiguous.

    Returns
    -------
    Array, shape (n, a, b, c)
    """
    (n, h, w, c), (a, b) = X.shape, size
    to_rows, from_rows = meeting(h, a, first, 1)
    to_columns, from_columns = meeting(w, b, -geometry.padding[1][0], 1)
    shape = (c, n, a, b) if planes else (n, a, b, c)
    band = scratch.framed("conv.band", shape, (to_rows, to_columns))
    if planes:
        band = band.transpose(1, 2, 3, 0)
    band[:, to_rows, to_columns] = X[:, from_rows, from_columns]
    return band


def add_bias(Z: Array, b: Array) -> None:
    """Add b (n,) to each row of Z (rows, n), contiguous, in place."""
    wide = widen(Z)
    wide += np.tile(b, wide.shape[1] // len(b))
