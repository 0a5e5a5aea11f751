"""Window positions in a block of images, and pieces of a batch that fit a core's cache."""

from functools import lru_cache

import numpy as np

from pellucid.kernels.uncompiled.columns import widen
from pellucid.ops.conv_geometry import Geometry, Pair
from pellucid.types import Array, Shape
from pellucid.workspace import Buffers

BLOCK_BYTES = 1 << 20  # the tensors of one block of images: about what a core's own cache has room for


@lru_cache(maxsize=4096)  # every block of every step asks for the same few
def meeting(n: int, n_out: int, offset: int, stride: int) -> tuple[slice, slice]:
    """Return which outputs o have their input o * stride + offset inside 0..n-1, and those inputs.

    Parameters
    ----------
    n, n_out : int
        Lengths of the input and the output axis.
    offset : int
        Of the tap: its position in the window minus the padding before it; may be negative.
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
        Memory that one row of one image needs.
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


def strided(A: Array, shape: Shape, strides: tuple[int, ...]) -> Array:
    """Return a view by strides in bytes of an array that begins where its memory does, as all of a scratch do.

    NumPy's ``as_strided`` without its overhead, which matters in a call for every block.

    Examples
    --------
    >>> strided(np.arange(4), (3, 2), (8, 8))
    array([[0, 1],
           [1, 2],
           [2, 3]])
    """
    return np.ndarray(shape, A.dtype, A if A.base is None else A.base, 0, strides)


def padded_rows(
    X: Array, geometry: Geometry, first: int, size: Pair, scratch: Buffers, planes: bool = False
) -> Array:
    """Return some rows of X with zeros where they extend past its edges.

    Parameters
    ----------
    X : Array, shape (n, h, w, c)
    geometry : Geometry
        Says how far the columns reach over the left edge.
    first : int
        The first row, from the edge of the image; negative above it.
    size : (int, int)
        (a, b): how many rows and columns.
    scratch : Buffers
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
