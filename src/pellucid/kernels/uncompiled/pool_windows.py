"""Window positions of a pooling, tap by tap, for its forward and backward."""

import numpy as np

from pellucid.kernels.uncompiled import blocks
from pellucid.kernels.uncompiled.blocks import meeting
from pellucid.ops.conv_geometry import NO_PADDING, Geometry
from pellucid.types import Array


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


def is_disjoint(geometry: Geometry) -> bool:
    """Return whether no pixel is in two windows."""
    return geometry.stride[0] >= geometry.kernel[0] and geometry.stride[1] >= geometry.kernel[1]


def is_tiled(geometry: Geometry) -> bool:
    """Return whether every pixel is in exactly one window."""
    covered = geometry.h_out * geometry.stride[0], geometry.w_out * geometry.stride[1]
    is_whole = covered == (geometry.h, geometry.w) and geometry.padding == NO_PADDING
    return geometry.stride == geometry.kernel and is_whole


def image_blocks(array: Array, geometry: Geometry) -> list[slice]:
    """Return runs of images whose inputs and outputs fit the cache; a large image is taken whole."""
    row_bytes = (geometry.w * geometry.stride[0] + 2 * geometry.w_out) * geometry.c_in * array.itemsize
    n = max(1, blocks.BLOCK_BYTES // (row_bytes * geometry.h_out))
    return [slice(i, i + n) for i in range(0, geometry.m, n)]
