"""The sum of a shortcut and what it goes around, with the activation that follows, in one pass of a prediction.

Plain: :func:`pellucid.ops.fused.add_activation`.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from pellucid.kernels.arrays import are_alike, are_served
from pellucid.kernels.compiled import compiled
from pellucid.kernels.programs import address_of, array_of, row_at
from pellucid.kernels.waits import Programs
from pellucid.ops.activations import Activation
from pellucid.ops.fused import bounds_of
from pellucid.threads import cut, helpers
from pellucid.types import Array
from pellucid.workspace import Workspace

BORROWED_FROM = ("programs.py",)


class SumCall(NamedTuple):
    """What the loop is called with: addresses of arrays and sizes."""

    loop: int
    X: int
    Y: int
    A: int
    bounds: int  # (3,)
    n: int


OF_SUM = np.dtype([(name, np.int64) for name in SumCall._fields])


@cache
def loop_for(dtype: Any) -> int:
    """Return the address of the loop for a dtype."""

    @compiled
    def add_clipped(row: int) -> None:
        """A = min(max(X + Y, low), high)."""
        of = row_at(OF_SUM, row)[0]
        X, Y, A = array_of(dtype, row, 1, of.n), array_of(dtype, row, 2, of.n), array_of(dtype, row, 3, of.n)
        bounds = array_of(dtype, row, 4, 3)
        low, high = bounds[0], bounds[1]
        for i in range(of.n):
            v = X[i] + Y[i]
            v = low if v < low else v
            A[i] = high if v > high else v

    return address_of(add_clipped)


def add_activation(
    X: Array, Y: Array, activation: Activation | None, *, workspace: Workspace | None = None
) -> Array | Any:
    """Return A = activation(X + Y)."""
    bounds = bounds_of(activation)
    if bounds is None or bounds.is_swish or not are_served(X, Y) or not are_alike(X, Y):
        return NotImplemented
    workspace = workspace or Workspace()
    A, workers = workspace.take("A", X.shape, X.dtype), helpers() if len(X) == 1 else None
    kept: Kept = workspace.keep(("sum", X.shape, workers.n if workers else 1), Kept)
    if any(one is not other for one, other in zip((X, Y, A), kept.arrays, strict=True)):
        kept.write((X, Y, A), bounds[:3], workers.n if workers else 1)
    kept.programs.play(workers)
    return A


class Kept:
    """The calls for the last arrays: a part of them for each thread."""

    arrays: tuple[Any, Any, Any] = (None, None, None)

    def write(self, arrays: tuple[Array, Array, Array], bounds: tuple[float, ...], n: int) -> None:
        """Write the calls down."""
        self.arrays, A = arrays, arrays[2]
        self._bounds, dtype = np.array(bounds, A.dtype), A.dtype
        its: Any = dtype.type
        loop, calls = loop_for(its), []
        for part in cut(A.size, n):
            X, Y, Z = (array.ctypes.data + part.start * dtype.itemsize for array in arrays)
            calls.append([SumCall(loop, X, Y, Z, self._bounds.ctypes.data, part.stop - part.start)])
        self.programs = Programs(calls)
