"""Where in memory the numbers stand that a convolution multiplies: offsets into framed images.

Z, dX and dW are sums of products: Z, for each window, over the taps of the kernel; dX, for each pixel, over the
taps under which a window sees it; dW, for each tap, over the windows. With a stride, the pixels of dX are of
stride^2 kinds, each with taps of its own.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from pellucid.ops.conv_geometry import Geometry, Pair
from pellucid.types import Array


class Sums(NamedTuple):
    """Sums over taps: which numbers each target is the sum of. Offsets are those of a first channel.

    Place p sums, over taps (i, j), what stands at starts[p] + rows[i] + j tap_step pixel.
    """

    targets: Array  # (places,) in rows of ``n_columns`` places
    starts: Array  # (places,)
    n_columns: int
    target_step: int  # from one target of a row to the next
    start_step: int  # likewise, in pixels
    rows: Array  # (taps down,)
    n_taps: int  # across
    tap_step: int  # in pixels
    pixel: int  # numbers in a pixel
    taps: Array  # (taps,) their positions i kw + j in the kernel


class InputSums(NamedTuple):
    """The sums over taps that make dX, from gradients dZ that stand in a frame of zeros."""

    kinds: list[Sums]
    frame: Pair  # height and width
    corner: Pair  # row and column of the first gradient in it
    is_complete: bool  # False: some pixels are under no tap, and their gradient is 0


def grid(rows: Array, columns: Array) -> Array:
    """Return all sums of an offset of a row and one of a column, row by row."""
    offsets: Array = rows[:, None] + columns
    return offsets.ravel()


def of_images(offsets: Array, size: int, n: int) -> Array:
    """Return offsets into one image for n images of that many numbers each."""
    return grid(np.arange(n) * size, offsets)


def output_sums(g: Geometry, n: int) -> Sums:
    """Return the sums over taps that make Z of n framed images."""
    (h, w), (kh, kw), (sy, sx), (dy, dx) = g.padded, g.kernel, g.stride, g.dilation
    starts = grid(np.arange(g.h_out) * sy * w, np.arange(g.w_out) * sx) * g.c_in
    return Sums(
        targets=np.arange(n * g.h_out * g.w_out) * g.c_out,
        starts=of_images(starts, h * w * g.c_in, n),
        n_columns=g.w_out,
        target_step=g.c_out,
        start_step=sx,
        rows=np.arange(kh) * dy * w * g.c_in,
        n_taps=kw,
        tap_step=dx,
        pixel=g.c_in,
        taps=np.arange(kh * kw),
    )


def input_sums(g: Geometry, n: int) -> InputSums:
    """Return the sums over taps that make dX of n images."""
    (h, top, rows), (w, left, columns) = _axis(g, 0), _axis(g, 1)
    kinds = [
        Sums(
            targets=of_images(grid(y.pixels * g.w, x.pixels) * g.c_in, g.h * g.w * g.c_in, n),
            starts=of_images(grid(y.starts * w, x.starts) * g.c_out, h * w * g.c_out, n),
            n_columns=len(x.pixels),
            target_step=g.stride[1] * g.c_in,
            start_step=1,
            rows=y.shifts * w * g.c_out,
            n_taps=len(x.taps),
            tap_step=int(x.shifts[1]) if len(x.taps) > 1 else 1,
            pixel=g.c_out,
            taps=grid(y.taps * g.kernel[1], x.taps),
        )
        for y, x in product(rows, columns)
    ]
    n_reached = sum(len(kind.targets) for kind in kinds)
    return InputSums(kinds, (h, w), (top, left), n_reached == n * g.h * g.w)


class _Kind(NamedTuple):
    """Rows (or columns) of an image that are under the same taps."""

    pixels: Array  # (places,)
    starts: Array  # (places,) in the frame
    taps: Array  # (taps,) backwards
    shifts: Array  # (taps,) from the starts, at equal distances


def _axis(g: Geometry, axis: int) -> tuple[int, int, list[_Kind]]:
    """Return the length of the frame, where gradients begin in it, and the kinds of rows (0) or columns (1).

    Row u = r + t stride of a padded image is under tap i in the window (u - i dilation) / stride, if that is whole:
    in window t - (i dilation - r) / stride.
    """
    stride, dilation, kernel, before = g.stride[axis], g.dilation[axis], g.kernel[axis], g.padding[axis][0]
    n, n_out = ((g.h, g.h_out), (g.w, g.w_out))[axis]
    all_taps, all_pixels = np.arange(kernel)[::-1], np.arange(n)
    front, kinds = (kernel - 1) * dilation // stride, []
    for r in range(stride):
        taps = all_taps[(all_taps * dilation - r) % stride == 0]
        pixels = all_pixels[(all_pixels + before - r) % stride == 0]
        if len(taps) and len(pixels):
            back = (taps * dilation - r) // stride
            starts = front + (pixels + before - r) // stride - back[0]
            kinds.append(_Kind(pixels, starts, taps, back[0] - back))
    return front + max(n_out, (n - 1 + before) // stride + 1), front, kinds
