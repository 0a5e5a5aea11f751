"""Batch normalization: :mod:`pellucid.ops.batch_norm` by the loops of :mod:`pellucid.kernels.passes`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.kernels.arrays import are_alike, are_served
from pellucid.kernels.passes import moments as add_moments
from pellucid.kernels.passes import normalize, normalize_back, normalize_back_sums, repeated, wide_rows
from pellucid.ops.arrays import check_channels, written
from pellucid.ops.batch_norm import BatchMoments, BatchNormCache, BatchNormInferenceCache, cache_of
from pellucid.types import Array

FAR = 100.0  # variances from the mean squared, beyond which a centre costs digits: a second pass is taken


def batch_moments(X: Array) -> BatchMoments | Any:
    """Return mean and variance of each channel."""
    if not are_served(X):
        return NotImplemented
    c = X.shape[-1]
    n = X.size // c
    # About a sample, which is most often no farther from the mean than others; else again about the mean.
    centre = X.reshape(-1, c)[0] if n else np.zeros(c, X.dtype)
    mean, off, var = _about(X, centre)
    if (off * off > FAR * var).any():
        mean, _, var = _about(X, mean.astype(X.dtype))
    return BatchMoments(mean, var, float(n))


def _about(X: Array, centre: Array) -> tuple[Array, Array, Array]:
    """Return each channel's mean, how far it is from a centre, and the variance, by sums about the centre."""
    c = len(centre)
    rows, [wide_centre] = _wide(c, (X,), (centre,))
    sums = np.zeros((2, wide_centre.size))
    add_moments(rows[0], 0, wide_centre, sums)
    off, square = sums.reshape(2, -1, c).sum(axis=1) / max(X.size // c, 1)
    return centre + off, off, np.maximum(square - off * off, 0)


def _wide(c: int, arrays: Sequence[Array], vectors: Sequence[Array]) -> tuple[list[Array], list[Array]]:
    """Return arrays (..., c) by rows that are wide enough for vectors, and vectors (c,) as long as these."""
    k = wide_rows(arrays[0].size // c, c)
    return [array.reshape(-1, k * c) for array in arrays], repeated(k, *vectors)


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
    Y = np.empty_like(X) if out is None else out
    rows, (scale, centre, shift) = _wide(len(gamma), (X, Y), ((gamma * rstd).astype(X.dtype), mean, beta))
    normalize(rows[0], 0, scale, centre, shift, False, rows[1])
    return Y


def gradient_sums(dY: Array, cache: BatchNormCache | BatchNormInferenceCache) -> Array | Any:
    """Return sum dY and sum(dY Xhat) of each channel, float64 of shape (2, c)."""
    X, mean, rstd, *_ = cache
    if not (are_alike(dY, X) and are_served(dY, X)):
        return NotImplemented
    rows, [wide_mean] = _wide(len(mean), (dY, X), (mean,))
    wide_sums = np.zeros((2, wide_mean.size))
    normalize_back_sums(rows[0], rows[1], 0, wide_mean, wide_mean, wide_mean, False, wide_sums)
    sums = wide_sums.reshape(2, -1, len(mean)).sum(axis=1)
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
    sums, dtype = gradient_sums(dY, cache) if sums is None else sums, dY.dtype
    dbeta, dgamma = written(sums[0], dbeta, dtype), written(sums[1], dgamma, dtype)
    if not needs_dX:
        return None, dgamma, dbeta
    scale = gamma * rstd
    vectors = np.stack([scale, mean, -scale * rstd * sums[1] / n, -scale * sums[0] / n]).astype(dtype)
    dX = np.empty_like(dY) if dX is None else dX
    rows, (scale, mean, slope, level) = _wide(len(gamma), (dY, X, dX), [*vectors])
    normalize_back(rows[0], rows[1], 0, scale, mean, mean, False, slope, level, rows[2])
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
