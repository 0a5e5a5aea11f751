"""Activations, with the bias before them, in one pass each way: the twins of :mod:`pellucid.ops.bias_activation`.

Each activation is two formulas of one number; the loops that run them over arrays are below. A formula may use a
``gate``: silu and gelu are Z gate(Z), and their backward needs what the gate returned.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from pellucid.kernels import maths
from pellucid.kernels.arrays import NOTHING, are_alike, are_served, buffer, written_over
from pellucid.kernels.compiled import compiled, inlined
from pellucid.kernels.maths import exp, expm1, normal_density, normal_distribution
from pellucid.kernels.rows import add_rows, repeated, width
from pellucid.ops import activations as ops
from pellucid.ops.activations import (
    Activation,
    GatedCache,
    OptionCache,
    OutputCache,
    SiluCache,
)
from pellucid.ops.bias_activation import BiasActivationCache
from pellucid.types import Array
from pellucid.workspace import Workspace

# The formulas: of z and an option (a slope, alpha), and the derivatives: of the output a, or of what the gate had.


@inlined
def relu(z: Any, option: float) -> Any:
    """A = max(Z, 0)."""
    T = type(z)
    return T(0) if z <= T(0) else z


@inlined
def relu_slope(a: Any, option: float) -> Any:
    """dZ = dA where A > 0, else 0; NaN where A is."""
    T = type(a)
    return T(0) if a <= T(0) else (T(1) if a > T(0) else a)


@inlined
def leaky_relu(z: Any, slope: float) -> Any:
    """A = Z where Z > 0, else slope Z."""
    T = type(z)
    return T(slope) * z if z <= T(0) else z


@inlined
def leaky_relu_slope(a: Any, slope: float) -> Any:
    """dZ = dA where A > 0, else slope dA."""
    T = type(a)
    return T(slope) if a <= T(0) else (T(1) if a > T(0) else a)


@inlined
def elu(z: Any, alpha: float) -> Any:
    """A = Z where Z > 0, else alpha (exp(Z) - 1)."""
    T = type(z)
    return T(alpha) * expm1(z) if z <= T(0) else z


@inlined
def elu_slope(a: Any, alpha: float) -> Any:
    """dZ = dA where A > 0, else dA (A + alpha)."""
    T = type(a)
    return a + T(alpha) if a <= T(0) else (T(1) if a > T(0) else a)


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


@inlined
def selu(z: Any, option: float) -> Any:
    """A = 1.0507 Z where Z > 0, else 1.7581 (exp(Z) - 1)."""
    T = type(z)
    return T(SELU_SCALE * SELU_ALPHA) * expm1(z) if z <= T(0) else T(SELU_SCALE) * z


@inlined
def selu_slope(a: Any, option: float) -> Any:
    """dZ = 1.0507 dA where A > 0, else dA (A + 1.7581)."""
    T = type(a)
    return a + T(SELU_SCALE * SELU_ALPHA) if a <= T(0) else (T(SELU_SCALE) if a > T(0) else a)


@inlined
def sigmoid(z: Any, option: float) -> Any:
    """A = 1 / (1 + exp(-Z))."""
    return maths.sigmoid(z)


@inlined
def sigmoid_slope(a: Any, option: float) -> Any:
    """dZ = dA A (1 - A)."""
    return a * (type(a)(1) - a)


@inlined
def tanh(z: Any, option: float) -> Any:
    """A = tanh(Z)."""
    return maths.tanh(z)


@inlined
def tanh_slope(a: Any, option: float) -> Any:
    """dZ = dA (1 - A^2)."""
    return type(a)(1) - a * a


@inlined
def silu_gate(z: Any) -> Any:
    """A = Z S, S = sigmoid(Z)."""
    return maths.sigmoid(z)


@inlined
def silu_slope(a: Any, s: Any) -> Any:
    """dZ = dA (S + A (1 - S))."""
    return s + a * (type(a)(1) - s)


@inlined
def gelu_gate(z: Any) -> Any:
    """A = Z Phi(Z)."""
    return normal_distribution(z, normal_density(z))


@inlined
def gelu_slope(z: Any, Phi: Any) -> Any:
    """dZ = dA (Phi(Z) + Z phi(Z))."""
    return Phi + z * normal_density(z)


def softmax(z: Any, option: float) -> Any:
    """A = exp(Z) / sum exp(Z): a row at a time, by loops of its own."""
    raise NotImplementedError


class Formula(NamedTuple):
    """An activation as its two formulas, the plain op's cache, and the option's value where none is chosen."""

    function: Callable[..., Any]
    slope: Callable[..., Any]
    cache: Callable[..., Any] = OutputCache
    option: float = 0.0


GATED = SiluCache, GatedCache
FORMULAS = {
    ops.relu_backward: Formula(relu, relu_slope),
    ops.leaky_relu_backward: Formula(leaky_relu, leaky_relu_slope, OptionCache, 0.01),
    ops.elu_backward: Formula(elu, elu_slope, OptionCache, 1.0),
    ops.selu_backward: Formula(selu, selu_slope),
    ops.sigmoid_backward: Formula(sigmoid, sigmoid_slope),
    ops.tanh_backward: Formula(tanh, tanh_slope),
    ops.silu_backward: Formula(silu_gate, silu_slope, SiluCache),
    ops.gelu_backward: Formula(gelu_gate, gelu_slope, GatedCache),
    ops.softmax_backward: Formula(softmax, softmax),
}


@lru_cache
def forward_loop(function: Callable[..., Any], is_gated: bool, keeps_input: bool) -> Callable[..., None]:
    """Return the loop that writes A, and for a gated function what its backward needs."""

    @compiled
    def forward(Z, b, A, G, kept, option):  # type: ignore[no-untyped-def]
        """A = f(Z + b), or G = gate(Z + b), A = (Z + b) G. All are flat; A may be Z; b has the length of a row."""
        is_apart = Z.ctypes.data != A.ctypes.data
        wide = repeated(b, Z.size)
        for start in range(0, Z.size, wide.size):
            part = slice(start, start + wide.size)
            z, a, g, k = Z[part], A[part], G[part], kept[part]
            # A copy to the cache is cheap, and loops over fewer arrays are sure to be vectorized
            if is_apart:
                for i in range(a.size):
                    a[i] = z[i]
            if keeps_input:
                for i in range(a.size):
                    k[i] = a[i] + wide[i]
            for i in range(a.size):
                if is_gated:
                    s = a[i] + wide[i]
                    g[i] = function(s)
                    a[i] = s * g[i]
                else:
                    a[i] = function(a[i] + wide[i], option)

    return forward


@lru_cache
def backward_loop(slope: Callable[..., Any], is_gated: bool) -> Callable[..., None]:
    """Return the loop that multiplies by the slope, and sums rows."""

    @compiled
    def backward(dZ, A, G, db, option):  # type: ignore[no-untyped-def]
        """dZ <- dZ f'(Z), from A = f(Z), or of a gate from A and G; db = its sum over rows, if it has room."""
        sums = np.zeros(width(max(1, db.size), dZ.size), dZ.dtype)
        db[:] = 0
        for start in range(0, dZ.size, sums.size):
            part = slice(start, start + sums.size)
            d, a, g = dZ[part], A[part], G[part]
            for i in range(d.size):
                if is_gated:
                    d[i] *= slope(a[i], g[i])
                else:
                    d[i] *= slope(a[i], option)
            if db.size:
                for i in range(d.size):
                    sums[i] += d[i]
        add_rows(sums, db)

    return backward


@compiled
def softmax_forward_loop(Z: Array, b: Array, A: Array) -> None:
    """A = exp(Z + b - max) / its sum, row by row."""
    T = Z.dtype.type
    for i in range(Z.shape[0]):
        highest = T(-np.inf)
        for j in range(Z.shape[1]):
            A[i, j] = Z[i, j] + b[j]
            highest = highest if A[i, j] <= highest else A[i, j]  # NaN is taken on
        total = T(0)
        for j in range(Z.shape[1]):
            A[i, j] = exp(A[i, j] - highest)
            total += A[i, j]
        for j in range(Z.shape[1]):
            A[i, j] /= total


@compiled
def softmax_backward_loop(dZ: Array, A: Array, db: Array) -> None:
    """dZ <- A (dZ - sum dZ A), row by row; db = its sum over rows, unless db is empty."""
    db[:] = 0
    for i in range(dZ.shape[0]):
        shared = dZ.dtype.type(0)
        for j in range(dZ.shape[1]):
            shared += dZ[i, j] * A[i, j]
        for j in range(dZ.shape[1]):
            dZ[i, j] = A[i, j] * (dZ[i, j] - shared)
        for j in range(db.size):
            db[j] += dZ[i, j]


def bias_activation_forward(
    Z: Array,
    b: Array | None,
    activation: Activation,
    *,
    out: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, BiasActivationCache] | Any:
    """Return A = activation(Z + b), and the cache, whose arrays come from the workspace where there is one."""
    fits = are_alike(Z, out) and (b is None or b.shape == Z.shape[-1:])
    if activation.backward not in FORMULAS or not (fits and are_served(Z, b, out)):
        return NotImplemented
    A = np.empty_like(Z) if out is None else out
    bias = NOTHING[Z.dtype.char] if b is None else b
    cache: Any = OutputCache(A)
    function, _, kind, option = FORMULAS[activation.backward]
    if function is softmax:
        bias = np.zeros(Z.shape[-1:], Z.dtype) if b is None else b
        softmax_forward_loop(Z.reshape(-1, Z.shape[-1]), bias, A.reshape(-1, Z.shape[-1]))
    else:
        option = activation.chosen[0] if activation.chosen else option
        G = kept = A
        if kind in GATED:
            G = buffer(workspace, "activation.gate", Z)
            kept = buffer(workspace, "activation.input", Z) if kind is GatedCache else A
            cache = kind(kept, G)
        elif kind is not OutputCache:
            cache = kind(A, option)
        loop = forward_loop(function, kind in GATED, kept is not A)
        loop(Z.ravel(), bias, A.ravel(), G.ravel(), kept.ravel(), option)
    return A, BiasActivationCache(activation, cache, b is not None)


def bias_activation_backward(
    dA: Array, cache: BiasActivationCache, *, dZ: Array | None = None, db: Array | None = None
) -> tuple[Array, Array | None] | Any:
    """dZ = activation_backward(dA), db = the sum of dZ over all axes but the last."""
    activation, inner, has_bias = cache
    fits = are_alike(dA, *inner[:1], dZ) and (db is None or db.shape == dA.shape[-1:])
    if activation.backward not in FORMULAS or not (fits and are_served(dA, inner[0], dZ, db)):
        return NotImplemented
    if not has_bias:
        db = None
    elif db is None:
        db = np.empty(dA.shape[-1:], dA.dtype)
    sums = NOTHING[dA.dtype.char][:0] if db is None else db
    dZ = written_over(dA, dZ)
    function, slope, kind, option = FORMULAS[activation.backward]
    if function is softmax:
        softmax_backward_loop(dZ.reshape(-1, dZ.shape[-1]), inner.A.reshape(-1, dZ.shape[-1]), sums)
    else:
        first, G = inner[0].ravel(), inner[1].ravel() if kind in GATED else inner[0].ravel()
        option = inner[1] if kind is OptionCache else option
        backward_loop(slope, kind in GATED)(dZ.ravel(), first, G, sums, option)
    return dZ, db
