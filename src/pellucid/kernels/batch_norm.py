"""Batch normalization: :mod:`pellucid.ops.batch_norm` by the loops of :mod:`pellucid.kernels.passes`."""

from typing import Any

import numpy as np

from pellucid.kernels.arrays import are_alike, are_served
from pellucid.kernels.passes import moments as add_moments
from pellucid.kernels.passes import normalize, normalize_back, normalize_back_sums
from pellucid.ops.arrays import check_channels, written
from pellucid.ops.batch_norm import BatchMoments, BatchNormCache, BatchNormInferenceCache, cache_of
from pellucid.types import Array


def batch_moments(X: Array) -> BatchMoments | Any:
    """Return mean and variance of each channel."""
    if not are_served(X):
        return NotImplemented
    rows, (sums, about_mean) = X.reshape(-1, X.shape[-1]), np.zeros((2, 2, X.shape[-1]))
    n = max(len(rows), 1)
    add_moments(rows, 0, np.zeros(X.shape[-1], X.dtype), sums)
    mean = sums[0] / n
    add_moments(rows, 0, mean.astype(X.dtype), about_mean)
    return BatchMoments(mean, about_mean[1] / n, float(len(rows)))


def batch_norm_forward(
    X: Array,
    gamma: Array,
    beta: Array,
    *,
    epsilon: float = 1e-5,
    moments: BatchMoments | None = None,
    out: Array | None = None,
) -> tuple[Array, BatchMoments, BatchNormCache] | Any:
    """Return Y = gamma Xhat + beta with Xhat = (X - mean) / sqrt(var + epsilon), mean and var of each channel."""
    check_channels("batch_norm_forward", X, gamma=gamma, beta=beta)
    if not are_served(X, gamma, beta, out):
        return NotImplemented
    moments = batch_moments(X) if moments is None else moments
    cache = cache_of(X, gamma, moments, epsilon)
    return _normalized(X, cache.mean, cache.rstd, gamma, beta, out), moments, cache


def _normalized(X: Array, mean: Array, rstd: Array, gamma: Array, beta: Array, out: Array | None) -> Array:
    Y, c = np.empty_like(X) if out is None else out, len(gamma)
    normalize(X.reshape(-1, c), 0, (gamma * rstd).astype(X.dtype), mean, beta, False, Y.reshape(-1, c))
    return Y


def gradient_sums(dY: Array, cache: BatchNormCache | BatchNormInferenceCache) -> Array | Any:
    """Return sum dY and sum(dY Xhat) of each channel, float64 of shape (2, c)."""
    X, mean, rstd, *_ = cache
    if not (are_alike(dY, X) and are_served(dY, X)):
        return NotImplemented
    c, sums = len(mean), np.zeros((2, len(mean)))
    normalize_back_sums(dY.reshape(-1, c), X.reshape(-1, c), 0, mean, mean, mean, False, sums)
    sums[1] *= rstd
    return sums


def batch_norm_backward(
    dY: Array,
    cache: BatchNormCache,
    *,
    sums: Array | None = None,
    dX: Array | None = None,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
    needs_dX: bool = True,
) -> tuple[Array | None, Array, Array] | Any:
    """dX = gamma rstd / n (n dY - sum dY - Xhat sum(dY Xhat)), dgamma = sum(dY Xhat), dbeta = sum dY."""
    X, mean, rstd, gamma, n = cache
    if not (are_alike(dY, X, dX) and are_served(dY, X, dX)):
        return NotImplemented
    sums, c, dtype = gradient_sums(dY, cache) if sums is None else sums, len(gamma), dY.dtype
    dbeta, dgamma = written(sums[0], dbeta, dtype), written(sums[1], dgamma, dtype)
    if not needs_dX:
        return None, dgamma, dbeta
    scale = gamma * rstd
    scale, level, slope = np.stack([scale, -scale * sums[0] / n, -scale * rstd * sums[1] / n]).astype(dtype)
    dX = np.empty_like(dY) if dX is None else dX
    rows = (array.reshape(-1, c) for array in (dY, X, dX))
    dY_rows, X_rows, dX_rows = rows
    normalize_back(dY_rows, X_rows, 0, scale, mean, mean, False, slope, level, dX_rows)
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
    mean, rstd = mean.astype(X.dtype), 1 / np.sqrt(var.astype(np.float64) + epsilon)
    return _normalized(X, mean, rstd, gamma, beta, out), BatchNormInferenceCache(X, mean, rstd, gamma)


def batch_norm_inference_backward(
    dY: Array,
    cache: BatchNormInferenceCache,
    *,
    dX: Array | None = None,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
) -> tuple[Array, Array, Array] | Any:
    """dX = gamma rstd dY, dgamma = sum(dY Xhat), dbeta = sum dY; mean and variance are constants here."""
    sums = gradient_sums(dY, cache)
    if sums is NotImplemented or not are_alike(dY, dX):
        return NotImplemented
    dbeta, dgamma = written(sums[0], dbeta, dY.dtype), written(sums[1], dgamma, dY.dtype)
    return np.multiply((cache.gamma * cache.rstd).astype(dY.dtype), dY, out=dX), dgamma, dbeta
