"""What the convolutions that work on images in place have in common: frames of zeros, and which sums make what."""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.kernels.conv_offsets import InputSums, Sums, forward_sums, input_sums, weight_sums
from pellucid.ops.conv_geometry import Geometry, Pair
from pellucid.types import Array, Shape

BLOCK_BYTES = 2**19  # images and outputs of a block
BLOCK_WINDOWS = 256  # at least: weights are read once for all windows of a block
WINDOWS_AT_A_TIME = 256  # of a sum over windows: their gradients stay in the nearest cache


class PatchConv(ABC):
    """A convolution as sums of products of numbers in framed images; see :class:`.conv_algorithm.ConvAlgorithm`."""

    def __init__(self, geometry: Geometry, dtype: Any) -> None:
        g, self.dtype = geometry, np.dtype(dtype)
        self.geometry, self.n_windows = g, g.h_out * g.w_out
        size = (g.padded[0] * g.padded[1] * g.c_in + self.n_windows * g.c_out) * self.dtype.itemsize
        self.block = max(1, min(g.m, max(BLOCK_BYTES // size, BLOCK_WINDOWS // self.n_windows)))
        corner = g.padding[0][0], g.padding[1][0]
        self._images = Frame(g.padded, corner, (self.block, g.h, g.w, g.c_in), dtype)
        self._sums = forward_sums(g, self.block)
        self._weights = self.room(self._sums, is_backward=False)

    @abstractmethod
    def room(self, sums: Sums, is_backward: bool) -> Any:
        """Return memory for the weights of some sums: those that make Z, or (backward) dX."""

    @abstractmethod
    def lay_out(self, W: Array, sums: Sums, room: Any, is_backward: bool) -> None:
        """Write the weights of some sums."""

    @abstractmethod
    def multiply(self, X: Array, sums: Sums, n: int, room: Any, Z: Array, is_backward: bool) -> None:
        """Write the first n of some sums. X, Z: flat images and outputs, or (backward) dZ in its frame and dX."""

    @abstractmethod
    def add_products(self, X: Array, sums: Sums, runs: Array, dZ: Array, dW: Array, n_runs: int) -> None:
        """Add sums over those runs of windows, ``n_runs`` at a time, to dW. All arrays are flat."""

    def set_weights(self, W: Array) -> None:
        """Take the kernels."""
        self._W, self._is_laid_out = W, False
        self.lay_out(W, self._sums, self._weights, is_backward=False)

    def forward(self, X: Array, Z: Array) -> None:
        """Z = sum over taps of the pixels that they see times their weights."""
        n = len(X) * self.n_windows
        self.multiply(self._images.hold(X), self._sums, n, self._weights, Z.reshape(-1), is_backward=False)

    def begin_backward(self) -> None:
        """Let dW be 0."""
        self._dW[...] = 0

    def backward(self, X: Array, dZ: Array, dX: Array | None) -> None:
        """dW += sum over windows of pixels times gradients; dX = sum over taps of gradients times weights."""
        g, sums = self.geometry, self._sums_of_weights
        runs, n_runs = sums.runs[: len(X) * g.h_out], max(1, WINDOWS_AT_A_TIME // g.w_out)
        self.add_products(self._images.hold(X), sums, runs, dZ.reshape(-1), self._dW, n_runs)
        if dX is not None:
            self._input_gradient(dZ, dX)

    def end_backward(self, dW: Array) -> None:
        """Write dW."""
        dW[...] = self._dW.reshape(dW.shape)

    def _input_gradient(self, dZ: Array, dX: Array) -> None:
        inputs, rooms = self._inputs, self._input_weights
        if not self._is_laid_out:  # the kernels have changed since
            for sums, room in zip(inputs.kinds, rooms, strict=True):
                self.lay_out(self._W, sums, room, is_backward=True)
            self._is_laid_out = True
        if not inputs.is_complete:
            dX[...] = 0
        gradients = self._gradients.hold(dZ)
        for sums, room in zip(inputs.kinds, rooms, strict=True):
            n = len(sums.targets) // self.block * len(dZ)
            self.multiply(gradients, sums, n, room, dX.reshape(-1), is_backward=True)

    # What only a backward needs is made at the first.

    @cached_property
    def _dW(self) -> Array:
        g = self.geometry
        return np.zeros(g.kernel[0] * g.kernel[1] * g.c_in // g.groups * g.c_out, self.dtype)

    @cached_property
    def _sums_of_weights(self) -> Sums:
        return weight_sums(self.geometry, self.block)

    @cached_property
    def _inputs(self) -> InputSums:
        return input_sums(self.geometry, self.block)

    @cached_property
    def _input_weights(self) -> list[Any]:
        return [self.room(sums, is_backward=True) for sums in self._inputs.kinds]

    @cached_property
    def _gradients(self) -> "Frame":
        g = self.geometry
        shape = self.block, g.h_out, g.w_out, g.c_out
        return Frame(self._inputs.frame, self._inputs.corner, shape, self.dtype)


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
