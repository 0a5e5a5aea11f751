"""Squeeze and excitation of one image in a prediction: four loops over its channels, split over threads.

The numbers are few, so that most of the time of the layers one after another is the interpreter's. Plain:
:func:`pellucid.ops.fused.squeeze_excite`.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from pellucid.kernels.arrays import NOTHING
from pellucid.kernels.compiled import compiled
from pellucid.kernels.programs import address_of, array_of, row_at
from pellucid.kernels.waits import Programs
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.fused import DenseLink, bounds_of
from pellucid.threads import Workers, cut, helpers
from pellucid.types import Array
from pellucid.workspace import Workspace

BORROWED_FROM = ("programs.py",)
GATE_OP = ACTIVATIONS["hard_sigmoid"]
CLIPPED, GATED, GATE = range(3)  # of V; V times a gate; a gate min(max(slope V + 1/2, low), high)


class ChannelsCall(NamedTuple):
    """What these loops are called with: addresses of arrays and sizes."""

    loop: int
    X: int
    W: int  # of a dense layer; else 0
    b: int  # (c,), likewise
    bounds: int  # (3,), likewise
    Z: int
    n: int  # numbers in a sum: pixels, or a dense layer's inputs
    c: int
    first: int  # channel, and the one after the last
    last: int
    kind: int  # of a dense layer's activation


OF_CHANNELS = np.dtype([(name, np.int64) for name in ChannelsCall._fields])


class Loops(NamedTuple):
    """The loops for one dtype, by address."""

    mean: int
    dense: int
    multiply: int


@cache
def loops(dtype: Any) -> Loops:
    """Compile the loops."""

    @compiled
    def mean(row: int) -> None:
        """Z = the mean of each channel of X (n, c)."""
        of = row_at(OF_CHANNELS, row)[0]
        X, Z = array_of(dtype, row, 1, of.n * of.c).reshape((of.n, of.c)), array_of(dtype, row, 5, of.c)
        sums = np.zeros(of.last - of.first, X.dtype)
        for p in range(of.n):
            x = X[p, of.first : of.last]
            for j in range(len(sums)):
                sums[j] += x[j]
        for j in range(len(sums)):
            Z[of.first + j] = sums[j] / X.dtype.type(of.n)

    @compiled
    def dense(row: int) -> None:
        """Z = activation(X W + b), for X (n,) and W (n, c)."""
        of = row_at(OF_CHANNELS, row)[0]
        X, W = array_of(dtype, row, 1, of.n), array_of(dtype, row, 2, of.n * of.c).reshape((of.n, of.c))
        b, bounds = array_of(dtype, row, 3, of.c), array_of(dtype, row, 4, 3)
        z = array_of(dtype, row, 5, of.c)[of.first : of.last]
        low, high, slope, half = bounds[0], bounds[1], bounds[2], X.dtype.type(0.5)
        z[:] = b[of.first : of.last]
        for k in range(of.n):
            x, w = X[k], W[k, of.first : of.last]
            for j in range(len(z)):
                z[j] += x * w[j]
        for j in range(len(z)):
            v = z[j] if of.kind == CLIPPED else slope * z[j] + half
            v = low if v < low else high if v > high else v
            z[j] = z[j] * v if of.kind == GATED else v

    @compiled
    def multiply(row: int) -> None:
        """Z = X g, for X (n, c) and g (c,), which is ``b``."""
        of = row_at(OF_CHANNELS, row)[0]
        X, g = array_of(dtype, row, 1, of.n * of.c).reshape((of.n, of.c)), array_of(dtype, row, 3, of.c)
        Z = array_of(dtype, row, 5, of.n * of.c).reshape((of.n, of.c))
        for p in range(of.n):
            x, z, own = X[p, of.first : of.last], Z[p, of.first : of.last], g[of.first : of.last]
            for j in range(len(own)):
                z[j] = x[j] * own[j]

    return Loops(*map(address_of, (mean, dense, multiply)))


def squeeze_excite(
    X: Array, links: Sequence[DenseLink], *, workspace: Workspace | None = None
) -> Array | Any:
    """Return X times what dense layers make of the means of its channels."""
    served = [link.W.dtype == X.dtype and link.W.flags.c_contiguous and _kind_of(link) for link in links]
    if len(X) != 1 or X.dtype.char not in NOTHING or not X.flags.c_contiguous or not all(served):
        return NotImplemented
    recording: Recording = (workspace or Workspace()).keep("squeeze", Recording)
    return recording.play(X, links, helpers())


class Recording:
    """The calls for one image by the last layers, a program for each thread."""

    def __init__(self) -> None:
        self._of: list[Any] = []

    def play(self, X: Array, links: Sequence[DenseLink], workers: Workers | None) -> Array:
        """Make the calls, which are written down anew where something is not what it was; return Z."""
        n = workers.n if workers else 1
        of = [X, n, *links]
        if len(of) != len(self._of) or any(one is not other for one, other in zip(of, self._of, strict=True)):
            self._write(X, links, n)
            self._of = of
        self._programs.play(workers)
        return self._Z

    def _write(self, X: Array, links: Sequence[DenseLink], n: int) -> None:
        (_, h, w, c), dtype = X.shape, X.dtype
        its: Any = dtype.type
        loop, self._Z = loops(its), np.empty_like(X)
        self._kept: list[Array] = [X, self._Z, np.empty(c, dtype)]
        calls: list[list[ChannelsCall]] = [[] for _ in range(n)]

        def add(call: ChannelsCall) -> None:
            for own, part in zip(calls, cut(call.c, n), strict=True):
                own.append(call._replace(first=part.start, last=part.stop))

        z = self._kept[-1]
        empty = ChannelsCall(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        image = empty._replace(X=X.ctypes.data, n=h * w, c=c)
        add(image._replace(loop=loop.mean, Z=z.ctypes.data))
        for link in links:
            kind, bounds = _kind_of(link) or (CLIPPED, ())
            before, z, numbers = z, np.empty(link.W.shape[1], dtype), np.array(bounds, dtype)
            b = np.zeros_like(z) if link.b is None else link.b
            self._kept += [z, numbers, b]
            add(
                ChannelsCall(
                    loop.dense, before.ctypes.data, link.W.ctypes.data, b.ctypes.data, numbers.ctypes.data,
                    z.ctypes.data, len(before), len(z), 0, 0, kind,
                )
            )  # fmt: skip
        add(image._replace(loop=loop.multiply, b=z.ctypes.data, Z=self._Z.ctypes.data))
        self._programs = Programs(calls, meet=n > 1)


def _kind_of(link: DenseLink) -> tuple[int, Any] | None:
    """Return the kind of a dense layer's activation, and its bounds."""
    op = link.activation
    if op is not None and op.backward is GATE_OP.backward:
        return GATE, (0.0, 1.0, op.chosen[0] if op.chosen else 1 / 6)
    bounds = bounds_of(op)
    return None if bounds is None else (GATED if bounds.is_swish else CLIPPED, bounds[:3])
