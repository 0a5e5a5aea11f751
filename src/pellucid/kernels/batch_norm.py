"""Batch normalization, perhaps with relu, in two passes each way: :mod:`pellucid.ops.batch_norm`.

The sums of squares are those of X minus one of its rows, so that a mean that is large beside the deviation does not
cancel. X, D, Y and their gradients are flat here; vectors have an entry for each channel, and those that are sums
over rows are float64.
"""

import math
from typing import Any

import numpy as np

from pellucid.kernels.arrays import are_alike, are_served, buffer, written_over
from pellucid.kernels.compiled import compiled, inlined
from pellucid.kernels.rows import add_rows, repeated
from pellucid.ops.activations import OutputCache
from pellucid.ops.arrays import check_channels, written
from pellucid.ops.batch_norm import (
    BatchNormCache,
    BatchNormInferenceCache,
    Reduce,
    check_not_empty,
    over_shards,
)
from pellucid.ops.fused import NormReluCache
from pellucid.types import Array
from pellucid.workspace import Workspace

OFTEN = 64  # parts that are added in the dtype of the array before the float64 totals are


@inlined
def moments(X: Array, shift: Array, sums: Array, squares: Array) -> None:
    """sums = sum of X - shift, squares = sum of (X - shift)^2."""
    wide = repeated(shift, X.size)
    s, q = np.zeros_like(wide), np.zeros_like(wide)
    for start in range(0, X.size, wide.size):
        x = X[start : start + wide.size]
        for i in range(x.size):
            d = x[i] - wide[i]
            s[i] += d
            q[i] += d * d
        if start % (OFTEN * wide.size) == 0:
            add_rows(s, sums)
            add_rows(q, squares)
    add_rows(s, sums)
    add_rows(q, squares)


@inlined
def normalize(X: Array, mean: Array, scale: Array, beta: Array, relu: bool, D: Array, Y: Array) -> None:
    """D = X - mean, Y = scale D + beta, or relu of it; Y may be X, or D, which is then not kept."""
    zero, is_kept = X.dtype.type(0), D.ctypes.data != Y.ctypes.data
    m, g, b = repeated(mean, X.size), repeated(scale, X.size), repeated(beta, X.size)
    for start in range(0, X.size, m.size):
        part = slice(start, start + m.size)
        x, d, y = X[part], D[part], Y[part]
        for i in range(x.size):
            d[i] = x[i] - m[i]
        if is_kept:
            for i in range(x.size):
                y[i] = g[i] * d[i] + b[i]
        else:
            for i in range(x.size):
                y[i] = g[i] * y[i] + b[i]
        if relu:
            for i in range(x.size):
                y[i] = zero if y[i] <= zero else y[i]


@inlined
def masked(dY: Array, A: Array) -> None:
    """dY <- dY where A > 0, else 0; NaN where A is."""
    zero = dY.dtype.type(0)
    for i in range(A.size):
        dY[i] = zero if A[i] <= zero else (dY[i] if A[i] > zero else A[i])


@inlined
def sums_and_dots(dY: Array, X: Array, mean: Array, sums: Array, dots: Array) -> None:
    """sums = sum of dY, dots = sum of dY (X - mean)."""
    wide = repeated(mean, X.size)
    s, q = np.zeros_like(wide), np.zeros_like(wide)
    for start in range(0, X.size, wide.size):
        x, d = X[start : start + wide.size], dY[start : start + wide.size]
        for i in range(x.size):
            s[i] += d[i]
            q[i] += d[i] * (x[i] - wide[i])
        if start % (OFTEN * wide.size) == 0:
            add_rows(s, sums)
            add_rows(q, dots)
    add_rows(s, sums)
    add_rows(q, dots)


@inlined
def combine(dX: Array, D: Array, scale: Array, slope: Array, level: Array) -> None:
    """dX <- scale dX - slope D - level."""
    g, s, t = repeated(scale, D.size), repeated(slope, D.size), repeated(level, D.size)
    for start in range(0, D.size, g.size):
        x, d = dX[start : start + g.size], D[start : start + g.size]
        for i in range(x.size):
            x[i] = g[i] * x[i] - (s[i] * d[i] + t[i])


@compiled
def forward_whole(X, gamma, beta, epsilon, relu, D, Y, mean, var, rstd) -> None:  # type: ignore[no-untyped-def]
    """D = X - mean, Y = gamma D rstd + beta, or relu of it, with the statistics of X."""
    c, n = gamma.size, X.size // gamma.size
    shift, scale = X[:c].copy(), np.empty_like(gamma)
    sums, squares = np.zeros(c), np.zeros(c)
    moments(X, shift, sums, squares)
    for j in range(c):
        mean[j] = shift[j] + sums[j] / n
        off = np.float64(mean[j]) - shift[j]
        around_mean = (squares[j] + off * (n * off - 2 * sums[j])) / n
        v = 0.0 if around_mean < 0 else around_mean
        var[j], rstd[j] = v, 1 / math.sqrt(v + epsilon)
        scale[j] = gamma[j] * rstd[j]
    normalize(X, mean, scale, beta, relu, D, Y)


@compiled
def backward_whole(dX, D, A, gamma, rstd, n, relu, dgamma, dbeta) -> None:  # type: ignore[no-untyped-def]
    """dX <- gamma rstd (dX - mean dX - Xhat mean(dX Xhat)), first where relu let A through; with both sums."""
    c = gamma.size
    scale, slope, level = np.empty_like(gamma), np.empty_like(gamma), np.empty_like(gamma)
    sums, dots = np.zeros(c), np.zeros(c)
    if relu:
        masked(dX, A)
    sums_and_dots(dX, D, np.zeros_like(gamma), sums, dots)
    for j in range(c):
        dbeta[j], dgamma[j] = sums[j], dots[j] * rstd[j]
        factor = gamma[j] * rstd[j]
        scale[j], level[j] = factor, factor * sums[j] / n
        slope[j] = factor * rstd[j] * rstd[j] * dots[j] / n
    combine(dX, D, scale, slope, level)


# The same by parts, between which the sums of shards meet.


@compiled
def forward_sums(X: Array, shift: Array, sums: Array, squares: Array) -> None:
    """The sums of X - shift and of its square."""
    moments(X, shift, sums, squares)


@compiled
def forward_pass(X, mean, scale, beta, relu, D, Y) -> None:  # type: ignore[no-untyped-def]
    """D = X - mean, Y = scale D + beta, or relu of it."""
    normalize(X, mean, scale, beta, relu, D, Y)


@compiled
def backward_sums(dY, X, A, mean, relu, sums, dots) -> None:  # type: ignore[no-untyped-def]
    """dY <- dY where relu let A through; the sums of dY and of dY (X - mean)."""
    if relu:
        masked(dY, A)
    sums_and_dots(dY, X, mean, sums, dots)


@compiled
def backward_pass(dX: Array, D: Array, scale: Array, slope: Array, level: Array) -> None:
    """dX <- scale dX - slope D - level."""
    combine(dX, D, scale, slope, level)


def batch_norm_forward(
    X: Array,
    gamma: Array,
    beta: Array,
    *,
    epsilon: float = 1e-5,
    reduce: Reduce | None = None,
    out: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, Array, Array, BatchNormCache] | Any:
    """Return Y = gamma Xhat + beta with Xhat = (X - mean) / sqrt(var + epsilon), mean and var of each channel."""
    return _forward(X, gamma, beta, epsilon, False, reduce, out, workspace)


def norm_relu_forward(
    X: Array,
    gamma: Array,
    beta: Array,
    *,
    epsilon: float = 1e-5,
    reduce: Reduce | None = None,
    out: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, Array, Array, NormReluCache] | Any:
    """Return A = relu(batch_norm(X)), the mean and variance of each channel, and the cache."""
    result = _forward(X, gamma, beta, epsilon, True, reduce, out, workspace)
    if result is NotImplemented:
        return NotImplemented
    A, mean, var, cache = result
    return A, mean, var, NormReluCache(cache, OutputCache(A))


def _forward(
    X: Array,
    gamma: Array,
    beta: Array,
    epsilon: float,
    relu: bool,
    reduce: Reduce | None,
    out: Array | None,
    workspace: Workspace | None,
) -> Any:
    check_channels("batch_norm_forward", X, gamma=gamma, beta=beta)
    if not are_served(X, gamma, beta, out):
        return NotImplemented
    c, flat, dtype = X.shape[-1], X.ravel(), X.dtype
    n_own = X.size // c
    D, Y = buffer(workspace, "D", X), np.empty_like(X) if out is None else out
    if reduce is None:
        check_not_empty(X, n_own)
        mean, var, rstd = np.empty(c, dtype), np.empty(c, dtype), np.empty(c)
        forward_whole(flat, gamma, beta, epsilon, relu, D.ravel(), Y.ravel(), mean, var, rstd)
        return Y, mean, var, BatchNormCache(D, rstd, gamma, float(n_own))
    shift = flat[:c].copy() if n_own else np.zeros(c, dtype)
    sums, squares = np.zeros((2, c))
    forward_sums(flat, shift, sums, squares)
    total = over_shards(np.append(sums + n_own * shift.astype(np.float64), n_own), reduce)
    n = float(total[-1])
    check_not_empty(X, n)
    mean = (total[:-1] / n).astype(dtype)
    off = mean.astype(np.float64) - shift
    wide_var = over_shards(np.maximum(squares + off * (n_own * off - 2 * sums), 0), reduce) / n
    rstd = 1 / np.sqrt(wide_var + epsilon)
    forward_pass(flat, mean, (gamma * rstd).astype(dtype), beta, relu, D.ravel(), Y.ravel())
    return Y, mean, wide_var.astype(dtype), BatchNormCache(D, rstd, gamma, n)


def batch_norm_backward(
    dY: Array,
    cache: BatchNormCache,
    *,
    reduce: Reduce | None = None,
    dX: Array | None = None,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
    needs_dX: bool = True,
) -> tuple[Array | None, Array, Array] | Any:
    """dX = gamma rstd / n (n dY - sum dY - Xhat sum(dY Xhat)), dgamma = sum(dY Xhat), dbeta = sum dY."""
    return _backward(dY, cache, None, reduce, dX, dgamma, dbeta, needs_dX)


def norm_relu_backward(
    dA: Array,
    cache: NormReluCache,
    *,
    reduce: Reduce | None = None,
    dX: Array | None = None,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
    needs_dX: bool = True,
) -> tuple[Array | None, Array, Array] | Any:
    """dX, dgamma, dbeta = batch_norm_backward(relu_backward(dA))."""
    return _backward(dA, cache.norm, cache.relu.A, reduce, dX, dgamma, dbeta, needs_dX)


def _backward(
    dY: Array,
    cache: BatchNormCache,
    A: Array | None,
    reduce: Reduce | None,
    dX: Array | None,
    dgamma: Array | None,
    dbeta: Array | None,
    needs_dX: bool,
) -> Any:
    D, rstd, gamma, n = cache
    if not (are_alike(dY, D, A, dX) and are_served(dY, D, A, dX, dgamma, dbeta, gamma)):
        return NotImplemented
    c, dtype, has_relu = len(gamma), dY.dtype, A is not None
    dX = written_over(dY, dX)
    flat, kept = dX.ravel(), D.ravel()
    output = kept if A is None else A.ravel()
    dgamma = np.empty(c, dtype) if dgamma is None else dgamma
    dbeta = np.empty(c, dtype) if dbeta is None else dbeta
    if reduce is None:
        backward_whole(flat, kept, output, gamma, rstd, n, has_relu, dgamma, dbeta)
        return dX if needs_dX else None, dgamma, dbeta
    own = np.zeros((2, c))
    backward_sums(flat, kept, output, np.zeros(c, dtype), has_relu, own[0], own[1])
    own[1] *= rstd
    dbeta[...], dgamma[...] = own
    mean_dY, mean_dY_Xhat = over_shards(own.ravel(), reduce).reshape(2, c) / n
    if not needs_dX:
        return None, dgamma, dbeta
    scale = gamma * rstd
    vectors = (vector.astype(dtype) for vector in (scale, scale * rstd * mean_dY_Xhat, scale * mean_dY))
    backward_pass(flat, kept, *vectors)
    return dX, dgamma, dbeta


def batch_norm_inference_forward(
    X: Array,
    gamma: Array,
    beta: Array,
    mean: Array,
    var: Array,
    *,
    epsilon: float = 1e-5,
    out: Array | None = None,
) -> tuple[Array, BatchNormInferenceCache] | Any:
    """Return Y = gamma (X - mean) / sqrt(var + epsilon) + beta, mean and var given: for predictions."""
    check_channels("batch_norm_inference_forward", X, gamma=gamma, beta=beta, mean=mean, var=var)
    if not are_served(X, gamma, beta, out):
        return NotImplemented
    rstd = 1 / np.sqrt(var.astype(np.float64) + epsilon)
    Y = np.empty_like(X) if out is None else out
    scale = (gamma * rstd).astype(X.dtype)
    forward_pass(X.ravel(), mean.astype(X.dtype), scale, beta, False, Y.ravel(), Y.ravel())
    return Y, BatchNormInferenceCache(X, mean, rstd, gamma)


def batch_norm_inference_backward(
    dY: Array,
    cache: BatchNormInferenceCache,
    *,
    dX: Array | None = None,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
) -> tuple[Array, Array, Array] | Any:
    """dX = gamma rstd dY, dgamma = sum(dY Xhat), dbeta = sum dY; mean and variance are constants here."""
    X, mean, rstd, gamma = cache
    if not (are_alike(dY, X, dX) and are_served(dY, X, dX)):
        return NotImplemented
    c, dtype = len(gamma), dY.dtype
    own = np.zeros((2, c))
    flat = X.ravel()
    backward_sums(dY.ravel(), flat, flat, mean.astype(dtype), False, own[0], own[1])
    dbeta, dgamma = written(own[0], dbeta, dtype), written(own[1] * rstd, dgamma, dtype)
    dX = written_over(dY, dX)
    flat, zero = dX.ravel(), np.zeros(c, dtype)
    forward_pass(flat, zero, (gamma * rstd).astype(dtype), zero, False, flat, flat)
    return dX, dgamma, dbeta
