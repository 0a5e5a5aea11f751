"""Depthwise convolution: each channel is convolved by itself, with kernels of its own.

As :mod:`pellucid.kernels.conv_direct`, with vectors of channels in place of matrix products. Sifre, 2014; Howard et
al., 2017 (MobileNets).
"""

from typing import Any

import numpy as np

from pellucid.kernels.conv_direct import Channels, DirectConv, Sums, Weights, walk_of_outputs
from pellucid.ops.conv_geometry import Geometry
from pellucid.types import Array


class DepthwiseConv(DirectConv):
    """A convolution with a group for each input channel; see :class:`.conv_algorithm.ConvAlgorithm`.

    A channel that has several kernels is repeated for each.
    """

    def __init__(self, geometry: Geometry, dtype: Any) -> None:
        super().__init__(geometry._replace(c_in=geometry.c_out, groups=geometry.c_out), dtype)
        self._n_kernels = geometry.c_out // geometry.c_in
        self._repeated = np.empty((self.block, geometry.h, geometry.w, geometry.c_out), self._dtype)

    @staticmethod
    def fits(geometry: Geometry) -> bool:
        """Return whether each of several input channels is a group."""
        return geometry.groups == geometry.c_in > 1

    def forward(self, X: Array, Z: Array) -> None:
        """Z = sum over taps of the pixels that they see times their weights."""
        super().forward(self._repeat(X), Z)

    def backward(self, X: Array, dZ: Array, dX: Array | None) -> None:
        """dW += sum over windows of pixels times gradients; dX = sum over taps of gradients times weights."""
        if dX is None or self._n_kernels == 1:
            super().backward(self._repeat(X), dZ, dX)
            return
        each = np.empty((*X.shape[:3], self._geometry.c_out), X.dtype)
        super().backward(self._repeat(X), dZ, each)
        dX[...] = each[..., :: self._n_kernels]
        for i in range(1, self._n_kernels):
            dX += each[..., i :: self._n_kernels]

    def _repeat(self, X: Array) -> Array:
        if self._n_kernels == 1:
            return X
        repeated = self._repeated[: len(X)]
        for i in range(self._n_kernels):
            repeated[..., i :: self._n_kernels] = X
        return repeated

    def _channels(self, is_backward: bool) -> Channels:
        return Channels(n_groups=1, n_summed=1, n_made=self._geometry.c_out, each=True)

    def _weights_for(self, sums: Sums, is_backward: bool) -> Weights:
        """Return room for the weights of some sums; W[i, j, 0, o] stands at (i kw + j) c_out + o."""
        channels, c = self._channels(is_backward), self._geometry.c_out
        walk, (taps, _) = walk_of_outputs(sums, channels, self._dtype.itemsize)
        return Weights(walk, channels, taps * c, 1, 0, self._dtype)
