"""The convolution as it is defined: products are added up in registers, from images where they lie.

Nothing is laid out first but the weights, and images that have a border. Z, dX and dW are all one loop,
:func:`pellucid.kernels.tiles.product`, over offsets from :mod:`pellucid.kernels.conv_offsets`. Georganas et al.
(2018): direct convolutions for processors with vector instructions.
"""

import math
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.kernels.conv_offsets import InputSums, Sums, input_sums, output_sums
from pellucid.kernels.conv_walks import Channels, Walk, walk_of_outputs, walk_of_windows
from pellucid.kernels.tiles import VECTOR_BYTES, fill_panels
from pellucid.ops.conv_geometry import Geometry, Pair
from pellucid.types import Array, Shape

BLOCK_BYTES = 2**21  # images and outputs of a block
BLOCK_WINDOWS = 256  # at least: weights are read once for all windows of a block
WINDOWS_AT_A_TIME = 256  # of a sum over windows: their gradients stay in the nearest cache


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
        self._outputs.lay_out(W)

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
                weights.lay_out(self._W)
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

    def lay_out(self, W: Array) -> None:
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
