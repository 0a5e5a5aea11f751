"""Batch normalization in two passes each way: :mod:`pellucid.ops.batch_norm`.

The sums of squares are those of X minus one of its rows, so that a mean that is large beside the deviation does not
cancel.
"""

from typing import Any

import numpy as np

from pellucid.kernels.arrays import are_served, buffer, written_over
from pellucid.kernels.compiled import compiled
from pellucid.kernels.rows import add_rows, repeated
from pellucid.ops.arrays import check_channels, written
from pellucid.ops.batch_norm import (
    BatchNormCache,
    BatchNormInferenceCache,
    Reduce,
    check_not_empty,
    over_shards,
)
from pellucid.types import Array
from pellucid.workspace import Workspace

OFTEN = 64  # parts that are added in the dtype of the array before the float64 totals are


@compiled
def moments(X: Array, shift: Array, sums: Array, squares: Array) -> None:
    """sums = sum of X - shift, squares = sum of (X - shift)^2, over rows; X is flat."""
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


@compiled
def sums_and_dots(dY: Array, X: Array, mean: Array, sums: Array, dots: Array) -> None:
    """sums = sum of dY, dots = sum of dY (X - mean), over rows; dY and X are flat."""
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


@compiled
def normalize(X: Array, mean: Array, scale: Array, beta: Array, D: Array, Y: Array) -> None:
    """D = X - mean, Y = scale D + beta, row by row; Y may be X, or D, which is then not kept."""
    is_kept = D.ctypes.data != Y.ctypes.data
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


@compiled
def combine(dX: Array, D: Array, scale: Array, slope: Array, level: Array) -> None:
    """dX <- scale dX + slope D + level, row by row."""
    g, s, t = repeated(scale, D.size), repeated(slope, D.size), repeated(level, D.size)
    for start in range(0, D.size, g.size):
        x, d = dX[start : start + g.size], D[start : start + g.size]
        for i in range(x.size):
            x[i] = g[i] * x[i] + (s[i] * d[i] + t[i])


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
    check_channels("batch_norm_forward", X, gamma=gamma, beta=beta)
    if not are_served(X, gamma, beta, out):
        return NotImplemented
    c, flat = X.shape[-1], X.ravel()
    n_own = X.size // c
    shift = flat[:c].copy() if n_own else np.zeros(c, X.dtype)
    sums, squares = np.zeros((2, c))
    moments(flat, shift, sums, squares)
    if reduce is None:
        n = float(n_own)
        check_not_empty(X, n)
        mean = (shift + sums / n).astype(X.dtype)
    else:
        total = over_shards(np.append(sums + n_own * shift.astype(np.float64), n_own), reduce)
        n = float(total[-1])
        check_not_empty(X, n)
        mean = (total[:-1] / n).astype(X.dtype)
    off = mean.astype(np.float64) - shift
    var = over_shards(np.maximum(squares + off * (n_own * off - 2 * sums), 0), reduce) / n
    rstd = 1 / np.sqrt(var + epsilon)
    D, Y = buffer(workspace, "D", X), np.empty_like(X) if out is None else out
    normalize(flat, mean, (gamma * rstd).astype(X.dtype), beta, D.ravel(), Y.ravel())
    return Y, mean, var.astype(X.dtype), BatchNormCache(D, rstd, gamma, n)


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
    D, rstd, gamma, n = cache
    if not are_served(dY, D, dX):
        return NotImplemented
    c, dtype = len(gamma), dY.dtype
    own = np.zeros((2, c))
    sums_and_dots(dY.ravel(), D.ravel(), np.zeros(c, dtype), own[0], own[1])
    own[1] *= rstd
    dbeta, dgamma = written(own[0], dbeta, dtype), written(own[1], dgamma, dtype)
    if not needs_dX:
        over_shards(own.ravel(), reduce)
        return None, dgamma, dbeta
    level, slope = over_shards(own.ravel(), reduce).reshape(2, c) / n
    scale = gamma * rstd
    vectors = (vector.astype(dtype) for vector in (scale, -scale * rstd * slope, -scale * level))
    dX = written_over(dY, dX)
    combine(dX.ravel(), D.ravel(), *vectors)
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
    normalize(X.ravel(), mean.astype(X.dtype), scale, beta, Y.ravel(), Y.ravel())
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
    if not are_served(dY, X, dX):
        return NotImplemented
    c, dtype = len(gamma), dY.dtype
    own = np.zeros((2, c))
    sums_and_dots(dY.ravel(), X.ravel(), mean.astype(dtype), own[0], own[1])
    dbeta, dgamma = written(own[0], dbeta, dtype), written(own[1] * rstd, dgamma, dtype)
    dX = written_over(dY, dX)
    flat, zero = dX.ravel(), np.zeros(c, dtype)
    normalize(flat, zero, (gamma * rstd).astype(dtype), zero, flat, flat)
    return dX, dgamma, dbeta
