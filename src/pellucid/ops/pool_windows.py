"""Where the windows of a pooling lie, tap by tap, and what its forward and backward share."""

import numpy as np

from pellucid.errors import ShapeError
from pellucid.ops import conv_geometry
from pellucid.ops.conv_geometry import (
    NO_PADDING,
    Geometry,
    Padding,
    Pair,
    meeting,
    window_geometry,
)
from pellucid.types import Array, Shape


def pool_geometry(where: str, X_shape: Shape, size: Pair, stride: Pair, padding: Padding) -> Geometry:
    """Return the sizes of a pooling; ShapeError if no window fits or one could lie in the padding alone."""
    c = X_shape[-1] if X_shape else 0
    geometry = window_geometry(where, X_shape, size, c_out=c, stride=stride, padding=padding, groups=c)
    if max(padding[0]) >= size[0] or max(padding[1]) >= size[1]:
        raise ShapeError(
            f"{where}: expected padding less than the {size[0]}x{size[1]} window, got {padding}. "
            "A window that lies in the padding alone has no number to give."
        )
    return geometry


def taps(geometry: Geometry) -> list[tuple[int, tuple[slice, slice], tuple[slice, slice]]]:
    """Return each tap's number, and which outputs see which pixels through it, along rows and along columns."""
    (kh, kw), (sy, sx), ((top, _), (left, _)) = geometry.kernel, geometry.stride, geometry.padding
    return [
        (
            i * kw + j,
            meeting(geometry.h, geometry.h_out, i - top, sy),
            meeting(geometry.w, geometry.w_out, j - left, sx),
        )
        for i, j in np.ndindex(kh, kw)
    ]


def first_taps(geometry: Geometry) -> Array:
    """Return the number of each window's first tap that is not on padding, shape (h_out, w_out, 1)."""
    (_, kw), (sy, sx), ((top, _), (left, _)) = geometry.kernel, geometry.stride, geometry.padding
    i = np.maximum(top - sy * np.arange(geometry.h_out), 0)
    j = np.maximum(left - sx * np.arange(geometry.w_out), 0)
    return (i[:, None] * kw + j)[:, :, None]


def shares(geometry: Geometry, count_include_pad: bool) -> Array:
    """Return 1 / the number of entries that each window's mean is taken of."""
    if count_include_pad or geometry.padding == NO_PADDING:
        return np.full((1, 1, 1), 1 / (geometry.kernel[0] * geometry.kernel[1]))
    count = np.zeros((geometry.h_out, geometry.w_out, 1))
    for _, (to_y, _), (to_x, _) in taps(geometry):
        count[to_y, to_x] += 1
    shares: Array = 1 / count
    return shares


def is_apart(geometry: Geometry) -> bool:
    """Return whether no pixel is in two windows."""
    return geometry.stride[0] >= geometry.kernel[0] and geometry.stride[1] >= geometry.kernel[1]


def is_tiled(geometry: Geometry) -> bool:
    """Return whether every pixel is in exactly one window."""
    covered = geometry.h_out * geometry.stride[0], geometry.w_out * geometry.stride[1]
    is_whole = covered == (geometry.h, geometry.w) and geometry.padding == NO_PADDING
    return geometry.stride == geometry.kernel and is_whole


def output(out: Array | None, geometry: Geometry, X: Array) -> Array:
    """Return out, checked, or a new array for the output."""
    if out is None:
        return np.empty(geometry.out_shape, X.dtype)
    if out.shape != geometry.out_shape:
        raise ShapeError(f"pooling: expected out of shape {geometry.out_shape}, got {out.shape}.")
    return out


def input_gradient(dX: Array | None, dZ: Array, geometry: Geometry) -> Array:
    """Return dX, checked, or a new array for it; dZ is checked too."""
    shape = geometry.m, geometry.h, geometry.w, geometry.c_in
    if dZ.shape != geometry.out_shape:
        raise ShapeError(f"pooling: expected dZ of shape {geometry.out_shape}, got {dZ.shape}.")
    if dX is not None and dX.shape != shape:
        raise ShapeError(f"pooling: expected dX of shape {shape}, got {dX.shape}.")
    return np.empty(shape, dZ.dtype) if dX is None else dX


def image_blocks(array: Array, geometry: Geometry) -> list[slice]:
    """Return runs of images whose inputs and outputs fit the cache; a large image is taken whole."""
    row_bytes = (geometry.w * geometry.stride[0] + 2 * geometry.w_out) * geometry.c_in * array.itemsize
    n = max(1, conv_geometry.BLOCK_BYTES // (row_bytes * geometry.h_out))
    return [slice(i, i + n) for i in range(0, geometry.m, n)]
