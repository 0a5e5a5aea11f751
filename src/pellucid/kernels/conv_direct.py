"""The convolution as it is defined: products are added up in registers, from images where they lie.

Nothing is laid out first but the weights, and images that have a border. Z, dX and dW are all one loop,
:func:`pellucid.kernels.tiles.product`, over offsets into framed images: Z, for each window, over the taps of the
kernel; dX, for each pixel, over the taps under which a window sees it; dW, for each tap, over the windows. With a
stride, the pixels of dX are of stride^2 kinds, each with taps of its own. Georganas et al. (2018): direct
convolutions for processors with vector instructions.

Where outputs fill two vectors or more, a tile holds some outputs, and goes through all that they sum, number by
number. Narrower ones would wait for numbers to be loaded: there a tile holds neighbouring outputs (or, of dW,
neighbouring taps), which see most of each other's pixels, so that each number loaded serves several.
"""

import itertools
import math
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from pellucid.kernels.tiles import N_REGISTERS, VECTOR_BYTES, fill_panels, product
from pellucid.ops.conv_geometry import Geometry, Pair
from pellucid.types import Array, Shape

BLOCK_BYTES = 2**21  # images and outputs of a block
BLOCK_WINDOWS = 256  # at least: weights are read once for all windows of a block
WINDOWS_AT_A_TIME = 256  # of a sum over windows: their gradients stay in the nearest cache
MOST_TAPS = 7  # across, of a kernel whose taps are all in a tile's inner step
TILE = N_REGISTERS // 2  # rows of a tile of neighbours


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
        for y, x in itertools.product(rows, columns)
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


class Channels(NamedTuple):
    """How channels are summed. ``each``: every channel by itself."""

    n_groups: int
    n_summed: int  # in a group
    n_made: int  # in a group
    each: bool = False


class Walk(NamedTuple):
    """One call of ``product``, but for its arrays."""

    product: Any
    wide: int  # columns of a panel
    starts: Array
    targets: Array
    runs: Array
    length: int
    step: int
    pixel: int
    target_step: int


def walk_of_outputs(
    sums: Sums, channels: Channels, itemsize: int, loop_of: Any = product
) -> tuple[Walk, Array]:
    """Return the walk of sums over taps, and its weights: in order, (position of the tap, summed channel)."""
    lanes, pixel, positions = VECTOR_BYTES // itemsize, sums.pixel, sums.taps.reshape(len(sums.rows), -1)
    summed = np.arange(channels.n_summed)
    if _is_narrow(channels, sums.n_taps, lanes):
        steps = _divisor(sums.n_columns, TILE)
        loop = loop_of(TILE // steps, steps, 1, sums.start_step, sums.n_taps, sums.tap_step, channels.each)
        starts, targets = sums.starts[::steps].copy(), sums.targets[::steps].copy()
        walk = Walk(loop, lanes, starts, targets, sums.rows, channels.n_summed, 1, pixel, sums.target_step)
        order = np.broadcast_arrays(positions[:, None, :], summed[:, None])
        return walk, np.stack([part.ravel() for part in order])
    vectors = _vectors(channels.n_made, lanes)
    runs, length = sums.rows, sums.n_taps * pixel
    if channels.n_summed != pixel or (sums.tap_step != 1 and sums.n_taps > 1):
        runs, length = grid(sums.rows, np.arange(sums.n_taps) * sums.tap_step * pixel), channels.n_summed
    loop = loop_of(_rows(vectors), 1, vectors)
    walk = Walk(loop, vectors * lanes, sums.starts, sums.targets, runs, length, 1, pixel, 0)
    order = np.broadcast_arrays(sums.taps[:, None], summed)
    return walk, np.stack([part.ravel() for part in order])


def walk_of_windows(g: Geometry, channels: Channels, itemsize: int, n: int) -> Walk:
    """Return the walk of the sums over the windows of n framed images that make dW."""
    lanes, (h, w), (kh, kw), (dy, dx) = VECTOR_BYTES // itemsize, g.padded, g.kernel, g.dilation
    runs = of_images(np.arange(g.h_out) * g.stride[0] * w, h * w, n) * g.c_in
    pixel, rows, summed = g.c_in, np.arange(kh) * dy * w * g.c_in, np.arange(channels.n_summed)
    if _is_narrow(channels, kw, lanes):
        at_once = 4 if g.w_out % 4 == 0 else _divisor(g.w_out, MOST_TAPS)
        entries = max(1, min(len(rows) * len(summed), (N_REGISTERS - 2 - at_once) // kw))
        loop = product(entries, kw, 1, dx, at_once, g.stride[1], channels.each)
        targets = grid(np.arange(kh) * kw * len(summed), summed) * g.c_out
        length, step = g.w_out // at_once, at_once * g.stride[1] * pixel
        return Walk(
            loop, lanes, grid(rows, summed), targets, runs, length, step, pixel, len(summed) * g.c_out
        )
    vectors = _vectors(channels.n_made, lanes)
    starts = grid(grid(rows, np.arange(kw) * dx * pixel), summed)
    loop, targets = product(_rows(vectors), 1, vectors), np.arange(len(starts)) * g.c_out
    return Walk(loop, vectors * lanes, starts, targets, runs, g.w_out, g.stride[1] * pixel, pixel, 0)


def _is_narrow(channels: Channels, n_taps: int, lanes: int) -> bool:
    return channels.each or (channels.n_made <= lanes and 2 <= n_taps <= MOST_TAPS)


def _vectors(n_columns: int, lanes: int) -> int:
    """Return how many vectors wide the panels of so many columns are best: 1, 2 or 3."""
    n = -(-n_columns // lanes)
    return 1 if n == 1 else min((2, 3), key=lambda vectors: -n % vectors)


def _rows(vectors: int) -> int:
    """Return how many rows of so many vectors, and what is multiplied, the registers hold."""
    return min(14, (N_REGISTERS - 1 - vectors) // vectors)


def _divisor(n: int, most: int) -> int:
    """Return the largest divisor of n that is not above ``most``."""
    return max(d for d in range(1, most + 1) if n % d == 0)


class DirectConv:
    """Any convolution, group by group; see :class:`pellucid.kernels.conv_algorithm.ConvAlgorithm`."""

    def __init__(self, geometry: Geometry, dtype: Any) -> None:
        g, self._dtype = geometry, np.dtype(dtype)
        self._geometry, n_windows = g, g.h_out * g.w_out
        size = (g.padded[0] * g.padded[1] * g.c_in + n_windows * g.c_out) * self._dtype.itemsize
        self.block = max(1, BLOCK_BYTES // size, BLOCK_WINDOWS // n_windows)
        corner = g.padding[0][0], g.padding[1][0]
        self._images = Frame(g.padded, corner, (self.block, g.h, g.w, g.c_in), dtype)
        self._outputs = self._weights_for(output_sums(g, self.block), is_backward=False)

    @staticmethod
    def fits(geometry: Geometry) -> bool:
        """Return True: there is no convolution that this does not compute."""
        return True

    def set_weights(self, W: Array) -> None:
        """Take the kernels."""
        self._W, self._is_laid_out = W, False
        self._outputs._lay_out(W)

    def forward(self, X: Array, Z: Array) -> None:
        """Z = sum over taps of the pixels that they see times their weights."""
        self._outputs.multiply(self._images.hold(X), Z.reshape(-1), len(X) / self.block)

    def begin_backward(self) -> None:
        """Let dW be 0."""
        self._dW[...] = 0

    def backward(self, X: Array, dZ: Array, dX: Array | None) -> None:
        """dW += sum over windows of pixels times gradients; dX = sum over taps of gradients times weights."""
        g, walk, channels = self._geometry, self._windows, self._channels(is_backward=False)
        walk.product(
            self._images.hold(X), walk.starts, walk.runs[: len(X) * g.h_out], walk.length, walk.step, walk.pixel,
            dZ.reshape(-1), g.c_out, walk.wide, self._dW, walk.targets, walk.target_step, channels.n_made,
            max(1, WINDOWS_AT_A_TIME // g.w_out), True,
            channels.n_groups, channels.n_summed, channels.n_made, channels.n_made,
        )  # fmt: skip
        if dX is not None:
            self._input_gradient(dZ, dX)

    def end_backward(self, dW: Array) -> None:
        """Write dW."""
        dW[...] = self._dW.reshape(dW.shape)

    def _input_gradient(self, dZ: Array, dX: Array) -> None:
        if not self._is_laid_out:  # the kernels have changed since
            for weights in self._inputs:
                weights._lay_out(self._W)
            self._is_laid_out = True
        if not self._input_sums.is_complete:
            dX[...] = 0
        gradients = self._gradients.hold(dZ)
        for weights in self._inputs:
            weights.multiply(gradients, dX.reshape(-1), len(dZ) / self.block)

    def _channels(self, is_backward: bool) -> Channels:
        g = self._geometry
        c_in, c_out = g.c_in // g.groups, g.c_out // g.groups
        return Channels(g.groups, c_out, c_in) if is_backward else Channels(g.groups, c_in, c_out)

    def _weights_for(self, sums: Sums, is_backward: bool) -> "Weights":
        """Return room for the weights of some sums; W[i, j, c, o] stands at ((i kw + j) c_in + c) c_out + o."""
        g, channels = self._geometry, self._channels(is_backward)
        walk, (taps, summed) = walk_of_outputs(sums, channels, self._dtype.itemsize)
        between, step = (1, g.c_out) if is_backward else (g.c_out, 1)
        rows = taps * (g.c_in // g.groups * g.c_out) + summed * between
        return Weights(walk, channels, rows, step, g.c_out // g.groups, self._dtype)

    # What only a backward needs is made at the first.

    @cached_property
    def _dW(self) -> Array:
        g = self._geometry
        return np.zeros(g.kernel[0] * g.kernel[1] * g.c_in // g.groups * g.c_out, self._dtype)

    @cached_property
    def _windows(self) -> Walk:
        return walk_of_windows(self._geometry, self._channels(False), self._dtype.itemsize, self.block)

    @cached_property
    def _input_sums(self) -> InputSums:
        return input_sums(self._geometry, self.block)

    @cached_property
    def _inputs(self) -> list["Weights"]:
        return [self._weights_for(sums, is_backward=True) for sums in self._input_sums.kinds]

    @cached_property
    def _gradients(self) -> "Frame":
        g, sums = self._geometry, self._input_sums
        return Frame(sums.frame, sums.corner, (self.block, g.h_out, g.w_out, g.c_out), self._dtype)


class Weights:
    """The weights of sums over taps, in the order in which a walk reads them.

    Parameters
    ----------
    rows : Array
        Where in W the weights of each summed number begin, for the first group.
    step : int
        From one made channel's weight to the next.
    group : int
        From one group's weights to the next.
    """

    def __init__(
        self, walk: Walk, channels: Channels, rows: Array, step: int, group: int, dtype: Any
    ) -> None:
        self.walk, self.channels, self.rows, self.step, self.group = walk, channels, rows, step, group
        shape = channels.n_groups, -(-channels.n_made // walk.wide), len(rows), walk.wide
        room = np.zeros(math.prod(shape) + VECTOR_BYTES // dtype.itemsize, dtype)
        skipped = -room.ctypes.data % VECTOR_BYTES // dtype.itemsize  # vectors do not cross cache lines
        self.flat = room[skipped : skipped + math.prod(shape)]
        self.panels = self.flat.reshape(shape)

    def _lay_out(self, W: Array) -> None:
        """Write the weights."""
        for i, panels in enumerate(self.panels):
            fill_panels(W.reshape(-1), self.rows + i * self.group, self.step, self.channels.n_made, panels)

    def multiply(self, X: Array, Z: Array, fraction: float) -> None:
        """Write Z, the sums of products with X, for a fraction of the places."""
        walk, channels = self.walk, self.channels
        n, panel = round(len(walk.starts) * fraction), len(self.rows) * walk.wide
        walk.product(
            X, walk.starts[:n], walk.runs, walk.length, walk.step, walk.pixel, self.flat, walk.wide, panel,
            Z, walk.targets[:n], walk.target_step, channels.n_made, len(walk.runs), False,
            channels.n_groups, channels.n_summed, self.panels[0].size, channels.n_made,
        )  # fmt: skip


class Frame:
    """Room for images of a shape (n, h, w, c) in a frame of zeros, with their first pixel at a corner of it."""

    def __init__(self, size: Pair, corner: Pair, shape: Shape, dtype: Any) -> None:
        (y, x), (n, h, w, c) = corner, shape
        self._whole = None
        if size != (h, w):
            self._whole = np.zeros((n, *size, c), dtype)
            self._inside = self._whole[:, y : y + h, x : x + w]

    def hold(self, X: Array) -> Array:
        """Return these images in the frame, flat; themselves, where there is no frame."""
        if self._whole is None:
            return X.reshape(-1)
        self._inside[: len(X)] = X
        return self._whole.reshape(-1)
