"""Batch normalization: each channel scaled to mean 0 and variance 1 over the batch.

The result is then scaled and shifted by trained parameters: Y = gamma Xhat + beta, with
Xhat = (X - mean) / sqrt(var + epsilon). For one sample at a time: :mod:`pellucid.ops.layer_norm`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pellucid.errors import ShapeError
from pellucid.ops.arrays import check_channels, written
from pellucid.types import Array

Reduce = Callable[[Array], Array]


class BatchNormCache(NamedTuple):
    """What the backward of batch normalization needs."""

    D: Array  # (..., c) X - mean, so that Xhat = D rstd
    rstd: Array  # (c,) 1 / sqrt(var + epsilon), float64
    gamma: Array  # (c,)
    n: float  # values per channel, including those of the other shards


def batch_norm_forward(
    X: Array,
    gamma: Array,
    beta: Array,
    *,
    epsilon: float = 1e-5,
    reduce: Reduce | None = None,
    out: Array | None = None,
) -> tuple[Array, Array, Array, BatchNormCache]:
    """Return Y = gamma Xhat + beta with Xhat = (X - mean) / sqrt(var + epsilon), mean and var of each channel.

    Parameters
    ----------
    X : Array, shape (..., c)
        Statistics are taken over every axis but the last.
    gamma, beta : Array, shape (c,)
    epsilon : float, optional
        Added to the variance, so that a constant channel does not divide by zero.
    reduce : callable, optional
        Where X is one shard of a batch: takes a float64 vector of partial sums and returns the sum of all
        shards' vectors, which is not modified here. Every shard calls it twice here and once in the backward,
        in that order, even an empty shard. Default: X is the whole batch.
    out : Array, shape of X, optional
        Written and returned; may be X itself.

    Returns
    -------
    Y : Array, shape and dtype of X
    mean, var : Array, shape (c,), dtype of X
        Of the whole batch; ``var`` divides by n (not n - 1).
    cache : BatchNormCache

    Raises
    ------
    ShapeError
        If gamma or beta does not fit X, or the batch is empty.

    Notes
    -----
    Ioffe and Szegedy, 2015, algorithm 1. The mean comes first and the squares are those of X - mean: the
    one-pass form E[X^2] - E[X]^2 loses every digit where the mean is large compared with the deviation. A channel
    with one value becomes beta.

    Examples
    --------
    >>> Y, mean, var, cache = batch_norm_forward(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1), epsilon=0.0)
    >>> Y.ravel(), mean, var
    (array([-1.,  1.]), array([2.]), array([1.]))
    """
    check_channels("batch_norm_forward", X, gamma=gamma, beta=beta)
    n_own = X.size / X.shape[-1]
    total = over_shards(np.append(column_sums(X), n_own), reduce)
    n = float(total[-1])
    check_not_empty(X, n)
    mean = (total[:-1] / n).astype(X.dtype)
    D = X - mean
    var = over_shards(column_dots(D, D), reduce) / n
    rstd = 1 / np.sqrt(var + epsilon)
    Y: Array = np.multiply(D, (gamma * rstd).astype(X.dtype), out=out)
    Y += beta
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
    """dX = gamma rstd / n (n dY - sum dY - Xhat sum(dY Xhat)), dgamma = sum(dY Xhat), dbeta = sum dY.

    Mean and variance are functions of X here, which is where the two sums in dX come from.

    Parameters
    ----------
    dY : Array, shape (..., c)
    cache : BatchNormCache
    reduce : callable, optional
        As in the forward; called once.
    dX, dgamma, dbeta : Array, optional
        Buffers, written and returned: shape of dY (may be dY itself), (c,), (c,).
    needs_dX : bool, optional
        False returns None for dX.

    Returns
    -------
    dX : Array or None, shape of dY
        Its sums are those over the whole batch.
    dgamma, dbeta : Array, shape (c,), dtype of dY
        The sums over this shard alone: the shards' gradients are added later, as every other parameter's are.

    Examples
    --------
    >>> Y, _, _, cache = batch_norm_forward(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1), epsilon=0.0)
    >>> batch_norm_backward(np.array([[1.0], [0.0]]), cache)
    (array([[0.],
           [0.]]), array([-1.]), array([1.]))
    """
    D, rstd, gamma, n = cache
    Xhat = D * rstd.astype(D.dtype)
    sums = np.stack([column_sums(dY), column_dots(dY, Xhat)])
    dbeta, dgamma = written(sums[0], dbeta, dY.dtype), written(sums[1], dgamma, dY.dtype)
    mean_dY, mean_dY_Xhat = (over_shards(sums.ravel(), reduce).reshape(2, -1) / n).astype(dY.dtype)
    if not needs_dX:
        return None, dgamma, dbeta
    Xhat *= mean_dY_Xhat
    dX = np.subtract(dY, mean_dY, out=dX)
    dX -= Xhat
    dX *= (gamma * rstd).astype(dY.dtype)
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
    total: Array = np.einsum("ij->j", A.reshape(-1, A.shape[-1]), dtype=np.float64)
    return total


def column_dots(A: Array, B: Array) -> Array:
    """Return the sum of A B over all axes but the last, float64 of shape (c,).

    Examples
    --------
    >>> column_dots(np.ones((2, 5, 3), np.float32), np.ones((2, 5, 3), np.float32))
    array([10., 10., 10.])
    """
    c = A.shape[-1]
    total: Array = np.einsum("ij,ij->j", A.reshape(-1, c), B.reshape(-1, c), dtype=np.float64)
    return total


def over_shards(own: Array, reduce: Reduce | None) -> Array:
    """Return the sum of all shards' vectors; the vector itself where X is the whole batch."""
    return own if reduce is None else reduce(own)


def check_not_empty(X: Array, n: float) -> None:
    """Raise ShapeError unless some shard has at least one value per channel."""
    if n == 0:
        raise ShapeError(
            f"batch_norm_forward: expected at least one value per channel, got X of shape {X.shape}."
        )
