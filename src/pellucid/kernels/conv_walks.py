"""In which order a convolution takes its sums: lists and tile sizes for :func:`pellucid.kernels.tiles.product`.

Where outputs fill two vectors or more, a tile holds some outputs, and goes through all that they sum, number by
number. Narrower ones would wait for numbers to be loaded: there a tile holds neighbouring outputs (or, of dW,
neighbouring taps), which see most of each other's pixels, so that each number loaded serves several.
"""

from typing import Any, NamedTuple

import numpy as np

from pellucid.kernels.conv_offsets import Sums, grid, of_images
from pellucid.kernels.tiles import N_REGISTERS, VECTOR_BYTES, product
from pellucid.ops.conv_geometry import Geometry
from pellucid.types import Array

MOST_TAPS = 7  # across, of a kernel whose taps are all in a tile's inner step
TILE = N_REGISTERS // 2  # rows of a tile of neighbours


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


def walk_of_outputs(sums: Sums, channels: Channels, itemsize: int) -> tuple[Walk, Array]:
    """Return the walk of sums over taps, and its weights: in order, (position of the tap, summed channel)."""
    lanes, pixel, positions = VECTOR_BYTES // itemsize, sums.pixel, sums.taps.reshape(len(sums.rows), -1)
    summed = np.arange(channels.n_summed)
    if _is_narrow(channels, sums.n_taps, lanes):
        steps = _divisor(sums.n_columns, TILE)
        loop = product(TILE // steps, steps, 1, sums.start_step, sums.n_taps, sums.tap_step, channels.each)
        starts, targets = sums.starts[::steps].copy(), sums.targets[::steps].copy()
        walk = Walk(loop, lanes, starts, targets, sums.rows, channels.n_summed, 1, pixel, sums.target_step)
        order = np.broadcast_arrays(positions[:, None, :], summed[:, None])
        return walk, np.stack([part.ravel() for part in order])
    vectors = _vectors(channels.n_made, lanes)
    runs, length = sums.rows, sums.n_taps * pixel
    if channels.n_summed != pixel or (sums.tap_step != 1 and sums.n_taps > 1):
        runs, length = grid(sums.rows, np.arange(sums.n_taps) * sums.tap_step * pixel), channels.n_summed
    loop = product(_rows(vectors), 1, vectors)
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
