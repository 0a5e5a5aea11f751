"""A block of a convolutional network that only predicts: its weights are laid out once for photos of one shape.

One photo takes a few hundred microseconds, of which looking at shapes, slicing, and comparing weights with those
that are laid out were a fifth. Plain: :func:`pellucid.ops.fused.conv_affine`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pellucid.kernels import passes
from pellucid.kernels.conv import algorithm_for, blocks
from pellucid.kernels.conv_algorithm import ConvAlgorithm
from pellucid.kernels.conv_winograd import WinogradConv
from pellucid.kernels.waits import Programs
from pellucid.ops.conv import conv_geometry
from pellucid.ops.conv_geometry import NO_PADDING, Padding, Pair
from pellucid.threads import Workers, cut, helpers
from pellucid.types import Array
from pellucid.workspace import Workspace

ONES = np.ones(1)
TILE = 4  # rows that Winograd makes at a time: of one image, each thread computes some of these


def conv_affine(
    X: Array,
    W: Array,
    scale: Array | None,
    shift: Array | None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    relu: bool = True,
    pool: bool = False,
    workspace: Workspace | None = None,
) -> Array:
    """Return A = max_pool(relu(scale (X * W) + shift)): a block of a network that only predicts."""
    workspace, X = workspace or Workspace(), np.ascontiguousarray(X)
    window = stride, padding, dilation, groups
    place = workspace.keep((X.shape, W.shape, pool, window), lambda: conv_geometry(X, W, None, *window))
    h, w, c = place.out_shape[1:]
    A = workspace.take("A", (len(X), h // 2, w // 2, c) if pool else (len(X), h, w, c), X.dtype)
    reach = (W.shape[0] - 1) * dilation[0] + 1
    workers = helpers() if len(X) == 1 and max(padding[0]) < reach else None
    if workers is None:
        _compute(workspace.keep("fixed weights", FixedWeights), X, W, scale, shift, window, relu, pool, A)
        return A
    tiles = [part for part in cut(-(-h // TILE), workers.n) if part.start < part.stop]
    parts = [
        _part(X, A, slice(part.start * TILE, min(part.stop * TILE, h)), reach, window, pool) for part in tiles
    ]
    if not pool and len(parts) == workers.n and WinogradConv.fits(place):
        split = workspace.keep(("split", workers.n), Split)
        split.compute(parts, X, W, scale, shift, window, relu, A, workers)
        return A

    def compute_rows(i: int) -> None:
        if i < len(parts):
            own_X, own_window, Z = parts[i]
            fixed = workspace.keep(("fixed weights", i), FixedWeights)
            _compute(fixed, own_X, W, scale, shift, own_window, relu, pool, Z)

    workers.run(compute_rows)
    return A


def _part(X: Array, A: Array, rows: slice, reach: int, window: Any, pool: bool) -> tuple[Array, Any, Array]:
    """Return what makes some rows of an image: what their windows see, with a padding of its own."""
    stride, ((above, _), across), dilation, groups = window
    top, bottom = rows.start * stride[0] - above, (rows.stop - 1) * stride[0] + reach - above
    seen = max(top, 0), min(bottom, X.shape[1])
    own = stride, ((seen[0] - top, bottom - seen[1]), across), dilation, groups
    return X[:, slice(*seen)], own, A[:, rows.start >> pool : rows.stop >> pool]


class Split:
    """One image's rows by Winograd on several threads, with one set of weights: the program of each is kept."""

    def __init__(self) -> None:
        self.fixed = FixedWeights()
        self._kept: tuple[Programs, tuple[Any, ...]] | None = None

    def compute(
        self, parts: Sequence[tuple[Array, Any, Array]], X: Array, W: Array, scale: Array | None,
        shift: Array | None, window: Any, relu: bool, A: Array, workers: Workers,
    ) -> None:  # fmt: skip
        """Write A, the output for one image."""
        place = self.fixed.place(X, W, False, A, window)
        algorithm, shift = place.algorithm, place.shift(shift)
        assert isinstance(algorithm, WinogradConv)
        self.fixed._lay_out(algorithm, W, scale)
        of, kept = (X, A, shift, algorithm.U, relu), self._kept
        if kept is None or any(one is not other for one, other in zip(of, kept[1], strict=True)):
            own = [WinogradConv(conv_geometry(own_X, W, None, *own), X.dtype) for own_X, own, _ in parts]
            rows = zip(own, parts, strict=True)
            calls = [[each.call(own_X, algorithm.U, shift, relu, Z)] for each, (own_X, _, Z) in rows]
            kept = self._kept = Programs(calls, keep=(own, of)), of
        kept[0].play(workers)


def _compute(
    fixed: "FixedWeights", X: Array, W: Array, scale: Array | None, shift: Array | None, window: Any,
    relu: bool, pool: bool, A: Array,
) -> None:  # fmt: skip
    """Write A, the output for X."""
    place = fixed.place(X, W, pool, A, window)
    algorithm, Z, shift = place.algorithm, place.Z, place.shift(shift)
    fixed._lay_out(algorithm, W, scale)
    for block in blocks(algorithm, len(X)):
        own = A[block]
        _one_block(algorithm, X[block], own if Z is None else Z[: len(own)], own, shift, relu, pool)


def _one_block(
    algorithm: ConvAlgorithm, X: Array, Z: Array, A: Array, shift: Array, relu: bool, pool: bool
) -> None:
    """Write A for a block of images; Z is A itself, or room for the convolution where there is pooling."""
    algorithm.forward(X, Z)
    if pool:
        passes.shift_pool(Z, shift, relu, A)
    elif relu:
        passes.shift_relu(Z.reshape(-1, len(shift)), shift)
    else:
        Z += shift


class Place(NamedTuple):
    """What a prediction of photos of one shape works with."""

    algorithm: ConvAlgorithm
    Z: Array | None  # where there is pooling, room for a block of the convolution
    zeros: Array  # (c_out,)

    def shift(self, given: Array | None) -> Array:
        """Return a shift in the dtype of the photos; 0 where none is given."""
        return self.zeros if given is None else given.astype(self.zeros.dtype, copy=False)


class FixedWeights:
    """The weights that an algorithm was last given for predictions: laying them out takes longer than one photo."""

    def __init__(self) -> None:
        self.workspace = Workspace()
        self._algorithm: ConvAlgorithm | None = None
        self._W, self._scale = np.empty(0), np.empty(0)  # copies
        self._given: Array | None = None  # the last scale itself
        self._place: Place | None = None
        self._key: tuple[Any, ...] = ()

    def place(self, X: Array, W: Array, pool: bool, A: Array, window: tuple[Any, ...]) -> Place:
        """Return what serves arrays of these shapes, found once for each."""
        key = (X.shape, W.shape, X.dtype, pool, window)
        if self._place is None or self._key != key:
            geometry = conv_geometry(X, W, None, *window)
            algorithm = algorithm_for(geometry, X.dtype, self.workspace)
            m, h, w, c = geometry.out_shape
            Z = self.workspace.take("Z", (min(algorithm.block, m), h, w, c), X.dtype) if pool else None
            self._key, self._place = key, Place(algorithm, Z, np.zeros(c, X.dtype))
        return self._place

    def _lay_out(self, algorithm: ConvAlgorithm, W: Array, scale: Array | None) -> None:
        """Give an algorithm W times scale, unless these are what it has: the scale is then no work of its own."""
        is_same_scale = scale is not None and scale is self._given and not scale.flags.writeable
        factor = self._scale if is_same_scale else ONES if scale is None else scale
        if (
            algorithm is not self._algorithm
            or not np.array_equal(W, self._W)
            or not (is_same_scale or np.array_equal(factor, self._scale))
        ):
            algorithm.set_weights((W * factor).astype(W.dtype))
            self._algorithm, self._W, self._scale = algorithm, W.copy(), factor.copy()
        self._given = scale
