"""Depthwise convolution: each channel is convolved by itself, with kernels of its own.

As :mod:`pellucid.kernels.conv_direct`, with vectors of channels in place of matrix products. Sifre, 2014; Howard et
al., 2017 (MobileNets).
"""

from typing import Any

import numpy as np

from pellucid.kernels.conv_offsets import Sums
from pellucid.kernels.conv_patches import PatchConv
from pellucid.kernels.tiles import channel_product
from pellucid.ops.conv_geometry import Geometry
from pellucid.types import Array


class DepthwiseConv(PatchConv):
    """A convolution with a group for each input channel; see :class:`.conv_algorithm.ConvAlgorithm`.

    A channel that has several kernels is repeated for each.
    """

    def __init__(self, geometry: Geometry, dtype: Any) -> None:
        super().__init__(geometry._replace(c_in=geometry.c_out, groups=geometry.c_out), dtype)
        self._n_kernels = geometry.c_out // geometry.c_in
        self._repeated = np.empty((self.block, geometry.h, geometry.w, geometry.c_out), self.dtype)

    @staticmethod
    def fits(geometry: Geometry) -> bool:
        """Return whether each input channel is a group."""
        return geometry.groups == geometry.c_in

    def forward(self, X: Array, Z: Array) -> None:
        """Z = sum over taps of the pixels that they see times their weights."""
        super().forward(self._repeat(X), Z)

    def backward(self, X: Array, dZ: Array, dX: Array | None) -> None:
        """dW += sum over windows of pixels times gradients; dX = sum over taps of gradients times weights."""
        if dX is None or self._n_kernels == 1:
            super().backward(self._repeat(X), dZ, dX)
            return
        each = np.empty((*X.shape, self._n_kernels), X.dtype)
        super().backward(self._repeat(X), dZ, each)
        each.sum(axis=-1, out=dX)

    def _repeat(self, X: Array) -> Array:
        if self._n_kernels == 1:
            return X
        repeated = self._repeated[: len(X)]
        repeated.reshape(*X.shape, self._n_kernels)[...] = X[..., None]
        return repeated

    def room(self, sums: Sums, is_backward: bool) -> Array:
        """Return memory for the weights, (taps, channels)."""
        return np.empty((len(sums.taps), self.geometry.c_out), self.dtype)

    def lay_out(self, W: Array, sums: Sums, room: Array, is_backward: bool) -> None:
        """Write the weights of the taps, in their order."""
        np.take(W.reshape(-1, self.geometry.c_out), sums.taps, axis=0, out=room)

    def multiply(self, X: Array, sums: Sums, n: int, room: Array, Z: Array, is_backward: bool) -> None:
        """Z = X W, channel by channel."""
        c = self.geometry.c_out
        channel_product(
            X, sums.starts[:n], sums.runs, sums.length, sums.step, room.reshape(-1), c,
            Z, sums.targets[:n], c, len(sums.runs), False,
        )  # fmt: skip

    def add_products(self, X: Array, sums: Sums, runs: Array, dZ: Array, dW: Array, n_runs: int) -> None:
        """dW += X dZ, channel by channel."""
        c = self.geometry.c_out
        channel_product(
            X, sums.starts, runs, sums.length, sums.step, dZ, c, dW, sums.targets, c, n_runs, True
        )  # fmt: skip
