"""Batch normalization, perhaps with relu: the passes of :mod:`pellucid.ops.batch_norm` as compiled loops."""

from typing import Any

import numpy as np

from pellucid.kernels.arrays import are_alike, are_served, buffer, written_over
from pellucid.kernels.column_norm import (
    add_columns,
    add_columns_and_dots,
    centre_columns,
    combine_columns,
    scale_columns,
)
from pellucid.kernels.compiled import compiled
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


@compiled
def masked(dY: Array, A: Array) -> None:
    """dY <- dY where A > 0, else 0; NaN where A is."""
    zero = dY.dtype.type(0)
    for i in range(A.size):
        dY[i] = zero if A[i] <= zero else (dY[i] if A[i] > zero else A[i])


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
    c, dtype = X.shape[-1], X.dtype
    n_own, flat = X.size // c, X.reshape(-1)
    D, Y = buffer(workspace, "D", X), np.empty_like(X) if out is None else out
    sums, squares = np.zeros((2, c))
    add_columns(flat, 0, c, n_own, sums)
    total = over_shards(np.append(sums, n_own), reduce)
    n = float(total[-1])
    check_not_empty(X, n)
    mean = total[:-1] / n
    centre_columns(flat, D.reshape(-1), 0, c, n_own, mean, squares)
    var = over_shards(squares, reduce) / n
    rstd = 1 / np.sqrt(var + epsilon)
    scale_columns(D.reshape(-1), Y.reshape(-1), 0, c, n_own, (gamma * rstd).astype(dtype), beta, relu)
    return Y, mean.astype(dtype), var.astype(dtype), BatchNormCache(D, rstd, gamma, n)


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
    c, dtype = len(gamma), dY.dtype
    dX, own = written_over(dY, dX), np.zeros((2, c))
    if A is not None:
        masked(dX.reshape(-1), A.reshape(-1))
    place = dX.reshape(-1), 0, D.reshape(-1), 0, c, dX.size // c
    add_columns_and_dots(*place, own[0], own[1])
    own[1] *= rstd
    dbeta, dgamma = written(own[0], dbeta, dtype), written(own[1], dgamma, dtype)
    level, slope = over_shards(own.ravel(), reduce).reshape(2, c) / n
    if not needs_dX:
        return None, dgamma, dbeta
    combine_columns(*place, *(vector.astype(dtype) for vector in (gamma * rstd, level, slope * rstd)))
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
    c, rstd = X.shape[-1], 1 / np.sqrt(var.astype(np.float64) + epsilon)
    Y = np.empty_like(X) if out is None else out
    centre_columns(X.reshape(-1), Y.reshape(-1), 0, c, X.size // c, mean.astype(np.float64), np.zeros(c))
    scale = (gamma * rstd).astype(X.dtype)
    scale_columns(Y.reshape(-1), Y.reshape(-1), 0, c, X.size // c, scale, beta, False)
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
    own, D = np.zeros((2, c)), X.copy().reshape(-1)
    centre_columns(D, D, 0, c, D.size // c, mean.astype(np.float64), np.zeros(c))
    add_columns_and_dots(dY.reshape(-1), 0, D, 0, c, D.size // c, own[0], own[1])
    dbeta, dgamma = written(own[0], dbeta, dtype), written(own[1] * rstd, dgamma, dtype)
    return np.multiply((gamma * rstd).astype(dtype), dY, out=dX), dgamma, dbeta
