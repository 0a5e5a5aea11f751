"""Batch normalization in blocks that stay in cache; plain: :mod:`pellucid.ops.batch_norm`."""

import numpy as np

from pellucid.kernels.uncompiled.columns import (
    center,
    column_sums,
    column_sums_and_dots,
    combine,
    multiply_add,
)
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


def batch_norm_forward(
    X: Array,
    gamma: Array,
    beta: Array,
    *,
    epsilon: float = 1e-5,
    reduce: Reduce | None = None,
    out: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, Array, Array, BatchNormCache]:
    """Return Y = gamma Xhat + beta with Xhat = (X - mean) / sqrt(var + epsilon), mean and var of each channel.

    With a workspace the cache's array comes from it, and is valid until the next call with it.
    """
    check_channels("batch_norm_forward", X, gamma=gamma, beta=beta)
    c = X.shape[-1]
    total = over_shards(np.append(column_sums(X), X.size / c), reduce)
    n = float(total[-1])
    check_not_empty(X, n)
    mean = (total[:-1] / n).astype(X.dtype)
    D = np.empty(X.shape, X.dtype) if workspace is None else workspace.take("D", X.shape, X.dtype)
    var = over_shards(center(X, mean, D), reduce) / n
    rstd = 1 / np.sqrt(var + epsilon)
    Y = np.empty(X.shape, X.dtype) if out is None else out
    multiply_add(D, gamma * rstd, beta, Y)
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
) -> tuple[Array | None, Array, Array]:
    """dX = gamma rstd / n (n dY - sum dY - Xhat sum(dY Xhat)), dgamma = sum(dY Xhat), dbeta = sum dY."""
    D, rstd, gamma, n = cache
    c = dY.shape[-1]
    sums = np.append(*column_sums_and_dots(dY, D))
    dbeta = written(sums[:c], dbeta, dY.dtype)
    dgamma = written(sums[c:] * rstd, dgamma, dY.dtype)
    total = over_shards(sums, reduce) / n
    if not needs_dX:
        return None, dgamma, dbeta
    scale = gamma * rstd
    dX = np.empty(dY.shape, dY.dtype) if dX is None else dX
    combine(dY, scale, D, -scale * rstd**2 * total[c:], -scale * total[:c], dX)
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
) -> tuple[Array, BatchNormInferenceCache]:
    """Return Y = gamma (X - mean) / sqrt(var + epsilon) + beta, mean and var given: for predictions."""
    check_channels("batch_norm_inference_forward", X, gamma=gamma, beta=beta, mean=mean, var=var)
    rstd = 1 / np.sqrt(var.astype(np.float64) + epsilon)
    scale = gamma * rstd
    Y = np.empty(X.shape, X.dtype) if out is None else out
    multiply_add(X, scale, beta - mean * scale, Y)
    return Y, BatchNormInferenceCache(X, mean, rstd, gamma)


def batch_norm_inference_backward(
    dY: Array,
    cache: BatchNormInferenceCache,
    *,
    dX: Array | None = None,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
) -> tuple[Array, Array, Array]:
    """dX = gamma rstd dY, dgamma = sum(dY Xhat), dbeta = sum dY; mean and variance are constants here."""
    X, mean, rstd, gamma = cache
    sums, dots = column_sums_and_dots(dY, X)
    dbeta = written(sums, dbeta, dY.dtype)
    dgamma = written((dots - mean * sums) * rstd, dgamma, dY.dtype)
    dX = np.empty(dY.shape, dY.dtype) if dX is None else dX
    multiply_add(dY, gamma * rstd, np.zeros_like(rstd), dX)
    return dX, dgamma, dbeta
