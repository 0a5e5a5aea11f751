"""Where in memory the numbers stand that a convolution multiplies: lists of offsets into padded images.

Z, dX and dW are all sums of products that :mod:`pellucid.kernels.tiles` computes from such lists. Z: for each
window, over the taps of the kernel. dW: for each tap, over the windows. dX: for each pixel, over the taps under
which a window sees it; with a stride, pixels are of stride^2 kinds, each with taps of its own.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from pellucid.ops.conv_geometry import Geometry
from pellucid.types import Array


class Sums(NamedTuple):
    """Which sums to take: target p is the sum over r, k of what is at starts[p] + runs[r] + k step, times weights.

    Offsets of targets and starts are those of one group's first channel.
    """

    targets: Array  # (places,)
    starts: Array  # (places,)
    runs: Array  # (runs,)
    length: int  # of a run
    step: int
    taps: Array  # (taps,) which rows of the kernels the runs go through, i kw + j


def _grid(rows: Array, columns: Array) -> Array:
    """Return all sums of an offset of a row and one of a column, row by row."""
    offsets: Array = rows[:, None] + columns
    return offsets.ravel()


def of_images(offsets: Array, size: int, n: int) -> Array:
    """Return offsets into one image for n images of that many numbers each."""
    return _grid(np.arange(n) * size, offsets)


def _runs(rows: Array, columns: Array, width: int, channels: int, n_summed: int) -> tuple[Array, int]:
    """Return where runs of numbers to be summed begin, and their length: whole rows of a kernel where possible."""
    if n_summed == channels and np.array_equal(columns, columns[0] + np.arange(len(columns))):
        return (rows * width + columns[0]) * channels, len(columns) * channels
    return _grid(rows * width, columns) * channels, n_summed


def forward_sums(g: Geometry, n: int) -> Sums:
    """Return the sums over taps that make Z of n images, padded."""
    (h, w), (kh, kw), (sy, sx), (dy, dx) = g.padded, g.kernel, g.stride, g.dilation
    starts = _grid(np.arange(g.h_out) * sy * w, np.arange(g.w_out) * sx) * g.c_in
    runs, length = _runs(np.arange(kh) * dy, np.arange(kw) * dx, w, g.c_in, g.c_in // g.groups)
    targets = np.arange(n * g.h_out * g.w_out) * g.c_out
    return Sums(targets, of_images(starts, h * w * g.c_in, n), runs, length, 1, np.arange(kh * kw))


def weight_sums(g: Geometry, n: int) -> Sums:
    """Return the sums over the windows of n images, padded, that make dW."""
    (h, w), (kh, kw), (sy, sx), (dy, dx) = g.padded, g.kernel, g.stride, g.dilation
    taps = _grid(np.arange(kh) * dy * w, np.arange(kw) * dx) * g.c_in
    starts = _grid(taps, np.arange(g.c_in // g.groups))
    rows = of_images(np.arange(g.h_out) * sy * w * g.c_in, h * w * g.c_in, n)
    return Sums(np.arange(len(starts)) * g.c_out, starts, rows, g.w_out, sx * g.c_in, np.arange(kh * kw))


class InputSums(NamedTuple):
    """The sums over taps that make dX, from gradients dZ that stand in a frame of zeros."""

    kinds: list[Sums]
    frame: tuple[int, int]  # height and width
    corner: tuple[int, int]  # row and column of the first gradient in it
    is_complete: bool  # False: some pixels are under no tap, and their gradient is 0


def input_sums(g: Geometry, n: int) -> InputSums:
    """Return the sums over taps that make dX of n images."""
    (h, top, rows), (w, left, columns) = _axis(g, 0), _axis(g, 1)
    kinds = []
    for y, x in product(rows, columns):
        runs, length = _runs(y.shifts, x.shifts, w, g.c_out, g.c_out // g.groups)
        kinds.append(
            Sums(
                targets=of_images(_grid(y.pixels * g.w, x.pixels) * g.c_in, g.h * g.w * g.c_in, n),
                starts=of_images(_grid(y.starts * w, x.starts) * g.c_out, h * w * g.c_out, n),
                runs=runs,
                length=length,
                step=1,
                taps=_grid(y.taps * g.kernel[1], x.taps),
            )
        )
    n_reached = sum(len(kind.targets) for kind in kinds)
    return InputSums(kinds, (h, w), (top, left), n_reached == n * g.h * g.w)


class _Kind(NamedTuple):
    """Rows (or columns) of an image that are under the same taps."""

    pixels: Array  # (places,)
    starts: Array  # (places,) in the frame
    taps: Array  # (taps,) backwards
    shifts: Array  # (taps,) what each tap adds to the starts


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
