"""Batch normalization: each channel scaled to mean 0 and variance 1 over the batch.

The result is then scaled and shifted by trained parameters: Y = gamma Xhat + beta, with
Xhat = (X - mean) / sqrt(var + epsilon). For one sample at a time: :mod:`pellucid.ops.layer_norm`.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from pellucid.errors import ShapeError
from pellucid.ops.arrays import check_channels, written
from pellucid.types import Array

Reduce: TypeAlias = Callable[[Array], Array]  # of one part's vector: the sum of all parts' vectors


class BatchMoments(NamedTuple):
    """What batch normalization takes from a batch, or from a part of one."""

    mean: Array  # (c,) float64
    var: Array  # (c,) float64, the mean of (X - mean)^2: divided by n, not by n - 1
    n: float  # values per channel


class BatchNormCache(NamedTuple):
    """What the backward of batch normalization needs."""

    X: Array  # (..., c), not a copy
    mean: Array  # (c,) dtype of X
    rstd: Array  # (c,) 1 / sqrt(var + epsilon), float64
    gamma: Array  # (c,)
    n: float  # values per channel of the whole batch


def batch_moments(X: Array) -> BatchMoments:
    """Return mean and variance of each channel.

    Parameters
    ----------
    X : Array, shape (..., c)
        Statistics are taken over every axis but the last.

    Notes
    -----
    The mean comes first and the squares are those of X - mean: the one-pass form E[X^2] - E[X]^2 loses every digit
    where the mean is large compared with the deviation.

    Examples
    --------
    >>> batch_moments(np.array([[1.0], [3.0]]))
    BatchMoments(mean=array([2.]), var=array([1.]), n=2.0)
    """
    return _centred(X)[1]


def _centred(X: Array, out: Array | None = None) -> tuple[Array, BatchMoments]:
    """Return D = X - mean, and the moments."""
    n = X.size / X.shape[-1]
    mean = column_sums(X) / max(n, 1)
    D: Array = np.subtract(X, mean.astype(X.dtype), out=out)
    return D, BatchMoments(mean, column_dots(D, D) / max(n, 1), n)


def over_shards(own: BatchMoments, reduce: Reduce | None) -> BatchMoments:
    """Return the moments of a whole batch from those of one part of it, which may be empty.

    Parameters
    ----------
    own : BatchMoments
    reduce : callable or None
        Takes a float64 vector and returns the sum of all parts' vectors; each part calls it twice here, at the same
        time. None where the part is the whole.

    Examples
    --------
    >>> over_shards(BatchMoments(np.array([2.0]), np.array([1.0]), 2.0), lambda vector: 2 * vector)
    BatchMoments(mean=array([2.]), var=array([1.]), n=4.0)
    """
    if reduce is None:
        return own
    *sums, n = reduce(np.append(own.n * own.mean, own.n))
    mean = np.array(sums) / max(n, 1)
    squares = reduce(own.n * (own.var + (own.mean - mean) ** 2))
    return BatchMoments(mean, squares / max(n, 1), float(n))


def batch_norm_forward(
    X: Array,
    gamma: Array,
    beta: Array,
    *,
    epsilon: float = 1e-5,
    moments: BatchMoments | None = None,
    out: Array | None = None,
) -> tuple[Array, BatchMoments, BatchNormCache]:
    """Return Y = gamma Xhat + beta with Xhat = (X - mean) / sqrt(var + epsilon), mean and var of each channel.

    Parameters
    ----------
    X : Array, shape (..., c)
    gamma, beta : Array, shape (c,)
    epsilon : float, optional
        Added to the variance, so that a constant channel does not divide by zero.
    moments : BatchMoments, optional
        Where X is a part of a batch, those of the whole: :func:`over_shards`. Default: ``batch_moments(X)``.
    out : Array, shape of X, optional
        Written and returned; may be X itself unless the backward is wanted.

    Returns
    -------
    Y : Array, shape and dtype of X
    moments : BatchMoments
    cache : BatchNormCache

    Raises
    ------
    ShapeError
        If gamma or beta does not fit X, or the batch is empty.

    Notes
    -----
    Ioffe and Szegedy, 2015, algorithm 1. A channel with one value becomes beta.

    Examples
    --------
    >>> Y, moments, cache = batch_norm_forward(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1), epsilon=0.0)
    >>> Y.ravel(), moments.mean, moments.var
    (array([-1.,  1.]), array([2.]), array([1.]))
    """
    check_channels("batch_norm_forward", X, gamma=gamma, beta=beta)
    if moments is None:
        Y, moments = _centred(X, out)
    else:
        Y = np.subtract(X, moments.mean.astype(X.dtype), out=out)
    cache = cache_of(X, gamma, moments, epsilon)
    Y *= (gamma * cache.rstd).astype(X.dtype)
    Y += beta
    return Y, moments, cache


def cache_of(X: Array, gamma: Array, moments: BatchMoments, epsilon: float) -> BatchNormCache:
    """Return the cache; ShapeError unless there is at least one value per channel."""
    if moments.n == 0:
        raise ShapeError(
            f"batch_norm_forward: expected at least one value per channel, got X of shape {X.shape}."
        )
    return BatchNormCache(
        X, moments.mean.astype(X.dtype), 1 / np.sqrt(moments.var + epsilon), gamma, moments.n
    )


def gradient_sums(dY: Array, cache: BatchNormCache) -> Array:
    """Return sum dY and sum(dY Xhat) of each channel, float64 of shape (2, c).

    Examples
    --------
    >>> *_, cache = batch_norm_forward(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1), epsilon=0.0)
    >>> gradient_sums(np.array([[1.0], [0.0]]), cache)
    array([[ 1.],
           [-1.]])
    """
    return np.stack([column_sums(dY), column_dots(dY, _normalized(cache))])


def _normalized(cache: BatchNormCache) -> Array:
    Xhat: Array = cache.X - cache.mean
    Xhat *= cache.rstd.astype(Xhat.dtype)
    return Xhat


def batch_norm_backward(
    dY: Array,
    cache: BatchNormCache,
    *,
    sums: Array | None = None,
    dX: Array | None = None,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
    needs_dX: bool = True,
) -> tuple[Array | None, Array, Array]:
    """dX = gamma rstd / n (n dY - sum dY - Xhat sum(dY Xhat)), dgamma = sum(dY Xhat), dbeta = sum dY.

    Mean and variance are functions of X here, which is where the two sums in dX come from.

    Parameters
    ----------
    dY : Array, shape (..., c)
    cache : BatchNormCache
    sums : Array, shape (2, c), optional
        Where dY is a part of a batch, the sum over all parts of their ``gradient_sums``. Default: those of dY.
    dX, dgamma, dbeta : Array, optional
        Buffers, written and returned: shape of dY (may be dY itself), (c,), (c,).
    needs_dX : bool, optional
        False returns None for dX.

    Returns
    -------
    dX : Array or None, shape of dY
    dgamma, dbeta : Array, shape (c,), dtype of dY
        ``sums``.

    Examples
    --------
    >>> *_, cache = batch_norm_forward(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1), epsilon=0.0)
    >>> batch_norm_backward(np.array([[1.0], [0.0]]), cache)
    (array([[0.],
           [0.]]), array([-1.]), array([1.]))
    """
    Xhat = _normalized(cache)
    sums = np.stack([column_sums(dY), column_dots(dY, Xhat)]) if sums is None else sums
    dbeta, dgamma = written(sums[0], dbeta, dY.dtype), written(sums[1], dgamma, dY.dtype)
    if not needs_dX:
        return None, dgamma, dbeta
    mean_dY, mean_dY_Xhat = (sums / cache.n).astype(dY.dtype)
    Xhat *= mean_dY_Xhat
    dX = np.subtract(dY, mean_dY, out=dX)
    dX -= Xhat
    dX *= (cache.gamma * cache.rstd).astype(dY.dtype)
    return dX, dgamma, dbeta


class BatchNormInferenceCache(NamedTuple):
    """What the backward of batch normalization with fixed statistics needs."""

    X: Array  # (..., c), not a copy
    mean: Array  # (c,)
    rstd: Array  # (c,) float64
    gamma: Array  # (c,)


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
    """Return Y = gamma (X - mean) / sqrt(var + epsilon) + beta, mean and var given: for predictions.

    Parameters
    ----------
    X : Array, shape (..., c)
    gamma, beta, mean, var : Array, shape (c,)
    epsilon : float, optional
    out : Array, shape of X, optional
        Written and returned; may be X itself unless the backward is wanted.

    Returns
    -------
    Y : Array, shape and dtype of X
    cache : BatchNormInferenceCache

    Examples
    --------
    >>> one = np.ones(1)
    >>> batch_norm_inference_forward(np.array([[7.0]]), 2 * one, one, 5 * one, 4 * one, epsilon=0.0)[0]
    array([[3.]])
    """
    check_channels("batch_norm_inference_forward", X, gamma=gamma, beta=beta, mean=mean, var=var)
    rstd = 1 / np.sqrt(var.astype(np.float64) + epsilon)
    Y = written((gamma * rstd).astype(X.dtype) * (X - mean) + beta, out, X.dtype)
    return Y, BatchNormInferenceCache(X, mean, rstd, gamma)


def batch_norm_inference_backward(
    dY: Array,
    cache: BatchNormInferenceCache,
    *,
    dX: Array | None = None,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
) -> tuple[Array, Array, Array]:
    """dX = gamma rstd dY, dgamma = sum(dY Xhat), dbeta = sum dY; mean and variance are constants here.

    Parameters
    ----------
    dY : Array, shape (..., c)
    cache : BatchNormInferenceCache
    dX, dgamma, dbeta : Array, optional
        Buffers, written and returned: shape of dY (may be dY itself), (c,), (c,).

    Returns
    -------
    dX : Array, shape of dY
    dgamma, dbeta : Array, shape (c,)

    Notes
    -----
    Ioffe and Szegedy, 2015, algorithm 2.

    Examples
    --------
    >>> one = np.ones(1)
    >>> Y, cache = batch_norm_inference_forward(np.array([[7.0]]), 2 * one, one, 5 * one, 4 * one, epsilon=0.0)
    >>> batch_norm_inference_backward(np.array([[10.0]]), cache)
    (array([[10.]]), array([10.]), array([10.]))
    """
    X, mean, rstd, gamma = cache
    Xhat = (X - mean) * rstd.astype(X.dtype)
    dgamma = written(column_dots(dY, Xhat), dgamma, dY.dtype)
    dbeta = written(column_sums(dY), dbeta, dY.dtype)
    return written((gamma * rstd).astype(dY.dtype) * dY, dX, dY.dtype), dgamma, dbeta


def column_sums(A: Array) -> Array:
    """Return the sum over all axes but the last, float64 of shape (c,).

    Examples
    --------
    >>> column_sums(np.ones((2, 5, 3), np.float32))
    array([10., 10., 10.])
    """
    return np.einsum("ij->j", A.reshape(-1, A.shape[-1]), dtype=np.float64)


def column_dots(A: Array, B: Array) -> Array:
    """Return the sum of A B over all axes but the last, float64 of shape (c,).

    Examples
    --------
    >>> column_dots(np.ones((2, 5, 3), np.float32), np.ones((2, 5, 3), np.float32))
    array([10., 10., 10.])
    """
    c = A.shape[-1]
    return np.einsum("ij,ij->j", A.reshape(-1, c), B.reshape(-1, c), dtype=np.float64)
