"""The convolution as it is defined: each window's products are added up in registers, from images where they lie.

Nothing is laid out first but the weights, and images that have a border. Z, dX and dW are all one loop,
:func:`pellucid.kernels.tiles.patch_product`, over offsets from :mod:`pellucid.kernels.conv_offsets`. Georganas et
al., 2018: direct convolutions for processors with vector instructions.
"""

import numpy as np

from pellucid.kernels.conv_offsets import Sums
from pellucid.kernels.conv_patches import PatchConv
from pellucid.kernels.tiles import fill_panels, panels, patch_product
from pellucid.ops.conv_geometry import Geometry
from pellucid.types import Array


class DirectConv(PatchConv):
    """Any convolution, group by group; see :class:`.conv_algorithm.ConvAlgorithm`."""

    @staticmethod
    def fits(geometry: Geometry) -> bool:
        """Return True: there is no convolution that this does not compute."""
        return True

    def room(self, sums: Sums, is_backward: bool) -> list[Array]:
        """Return memory for the weights of each group."""
        n_summed, n_columns = self._channels(is_backward)
        n_rows = len(sums.taps) * n_summed
        return [panels(n_rows, n_columns, self.dtype) for _ in range(self.geometry.groups)]

    def lay_out(self, W: Array, sums: Sums, room: list[Array], is_backward: bool) -> None:
        """Write W[i, j, c, o] in rows (i, j, c) and columns o, or (backward) rows (i, j, o) and columns c."""
        c_in, c_out = W.shape[2:]
        n_summed, n_columns = self._channels(is_backward)
        in_row, in_column = (1, c_out) if is_backward else (c_out, 1)
        rows = (sums.taps[:, None] * (c_in * c_out) + np.arange(n_summed) * in_row).ravel()
        each_out = c_out // self.geometry.groups
        for group, weights in enumerate(room):
            fill_panels(W.reshape(-1), rows + group * each_out, in_column, n_columns, weights)

    def multiply(self, X: Array, sums: Sums, n: int, room: list[Array], Z: Array, is_backward: bool) -> None:
        """Z = X W, group by group."""
        n_summed, n_columns = self._channels(is_backward)
        for group, weights in enumerate(room):
            _, n_rows, wide = weights.shape
            patch_product(
                X[group * n_summed :], sums.starts[:n], sums.runs, sums.length, sums.step,
                weights.reshape(-1), wide, n_rows * wide,
                Z[group * n_columns :], sums.targets[:n], n_columns, len(sums.runs), False,
            )  # fmt: skip

    def add_products(self, X: Array, sums: Sums, runs: Array, dZ: Array, dW: Array, n_runs: int) -> None:
        """dW += X^T dZ, group by group."""
        g, (each_in, each_out) = self.geometry, self._channels(is_backward=False)
        wide = self._weights[0].shape[2]
        for group in range(g.groups):
            patch_product(
                X[group * each_in :], sums.starts, runs, sums.length, sums.step,
                dZ[group * each_out :], g.c_out, wide,
                dW[group * each_out :], sums.targets, each_out, n_runs, True,
            )  # fmt: skip

    def _channels(self, is_backward: bool) -> tuple[int, int]:
        """Return over how many channels sums go, and how many they make, in a group."""
        c_in, c_out = self.geometry.c_in // self.geometry.groups, self.geometry.c_out // self.geometry.groups
        return (c_out, c_in) if is_backward else (c_in, c_out)
