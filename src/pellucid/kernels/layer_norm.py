"""Layer normalization in one pass each way: :mod:`pellucid.ops.layer_norm`."""

import math
from typing import Any

import numpy as np

from pellucid.kernels.arrays import are_alike, are_served, buffer, written_over
from pellucid.kernels.compiled import compiled
from pellucid.ops.arrays import check_channels, written
from pellucid.ops.layer_norm import LayerNormCache
from pellucid.types import Array
from pellucid.workspace import Workspace

OFTEN = 64  # rows that are added in the dtype of the array before the float64 totals are


@compiled
def normalize_rows(
    X: Array, gamma: Array, beta: Array, epsilon: float, Xhat: Array, rstd: Array, Y: Array
) -> None:
    """Xhat = (X - mean) rstd, Y = gamma Xhat + beta; the variance is that of X - mean. Y may be X."""
    T, n = X.dtype.type, X.shape[1]
    for i in range(len(X)):
        x, h, y = X[i], Xhat[i], Y[i]
        total, squares = T(0), T(0)
        for j in range(n):
            total += x[j]
        mean = total / T(n)
        for j in range(n):
            d = x[j] - mean
            h[j] = d
            squares += d * d
        r = T(1) / math.sqrt(squares / T(n) + T(epsilon))
        rstd[i] = r
        for j in range(n):
            h[j] *= r
        for j in range(n):
            y[j] = gamma[j] * h[j] + beta[j]


@compiled
def normalize_rows_back(
    dX: Array, Xhat: Array, rstd: Array, gamma: Array, dgamma: Array, dbeta: Array
) -> None:
    """dX <- rstd (G - mean G - Xhat mean(G Xhat)), G = gamma dX; dgamma = sum(dX Xhat), dbeta = sum dX."""
    T, n = dX.dtype.type, dX.shape[1]
    sums, dots = np.zeros(n, dX.dtype), np.zeros(n, dX.dtype)
    for i in range(len(dX)):
        g, h = dX[i], Xhat[i]
        for j in range(n):
            sums[j] += g[j]
            dots[j] += g[j] * h[j]
        total, along = T(0), T(0)
        for j in range(n):
            g[j] *= gamma[j]
            total += g[j]
            along += g[j] * h[j]
        mean, slope, r = total / T(n), along / T(n), rstd[i]
        for j in range(n):
            g[j] = r * (g[j] - mean - h[j] * slope)
        if i % OFTEN == OFTEN - 1 or i == len(dX) - 1:
            for j in range(n):
                dbeta[j] += sums[j]
                dgamma[j] += dots[j]
                sums[j] = dots[j] = 0


def layer_norm_forward(
    X: Array,
    gamma: Array,
    beta: Array,
    *,
    epsilon: float = 1e-5,
    out: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, LayerNormCache] | Any:
    """Return Y = gamma Xhat + beta with Xhat = (X - mean) / sqrt(var + epsilon), mean and var of each row."""
    check_channels("layer_norm_forward", X, gamma=gamma, beta=beta)
    if not are_served(X, gamma, beta, out):
        return NotImplemented
    n, Y = X.shape[-1], np.empty_like(X) if out is None else out
    Xhat, rstd = buffer(workspace, "Xhat", X), np.empty((*X.shape[:-1], 1), X.dtype)
    rows = (array.reshape(-1, n) for array in (X, Xhat, Y))
    first, second, third = rows
    normalize_rows(first, gamma, beta, epsilon, second, rstd.ravel(), third)
    return Y, LayerNormCache(Xhat, rstd, gamma)


def layer_norm_backward(
    dY: Array,
    cache: LayerNormCache,
    *,
    dX: Array | None = None,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
) -> tuple[Array, Array, Array] | Any:
    """dX = rstd (G - mean G - Xhat mean(G Xhat)) with G = gamma dY; dgamma = sum(dY Xhat), dbeta = sum dY."""
    Xhat, rstd, gamma = cache
    if not (are_alike(dY, Xhat, dX) and are_served(dY, Xhat, rstd, gamma, dX)):
        return NotImplemented
    n = len(gamma)
    own = np.zeros((2, n))
    dX = written_over(dY, dX)
    normalize_rows_back(dX.reshape(-1, n), Xhat.reshape(-1, n), rstd.ravel(), gamma, own[0], own[1])
    return dX, written(own[0], dgamma, dY.dtype), written(own[1], dbeta, dY.dtype)
