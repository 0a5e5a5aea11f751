"""Batch normalization: each channel brought to mean 0 and variance 1 over the batch.

The result is then stretched and shifted by trained numbers: Y = gamma Xhat + beta, with
Xhat = (X - mean) / sqrt(var + epsilon). For one sample at a time: :mod:`pellucid.ops.layer_norm`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pellucid.errors import ShapeError
from pellucid.ops.columns import (
    center,
    check_channels,
    column_sums,
    column_sums_and_dots,
    combine,
    multiply_add,
    written,
)
from pellucid.types import Array
from pellucid.workspace import Workspace

Reduce = Callable[[Array], Array]


class BatchNormCache(NamedTuple):
    """What the backward of batch normalization needs."""

    D: Array  # (..., c) X - mean
    rstd: Array  # (c,) 1 / sqrt(var + epsilon), float64
    gamma: Array  # (c,)
    n: float  # values a channel, those of the other shards included


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
    """Return X with every channel brought to mean beta and deviation gamma over the batch.

    Parameters
    ----------
    X : Array, shape (..., c)
        Statistics are taken over every axis but the last.
    gamma, beta : Array, shape (c,)
    epsilon : float, optional
        Added to the variance, so that a constant channel divides by no zero.
    reduce : callable, optional
        Where X is one shard of a batch: takes a float64 vector of partial sums and returns the sum of all
        shards' vectors, which is not modified here. Every shard calls it twice here and once in the backward,
        in that order, an empty shard too. Default: X is the whole batch.
    out : Array, shape of X, optional
        Written and returned; may be X itself.
    workspace : Workspace, optional
        Where the cache's array comes from: it is then valid until the next call with this workspace.

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
    one-pass form E[X^2] - E[X]^2 loses every digit where the mean is large beside the deviation. A channel with
    one value becomes beta. About 7 operations a value. Twin: ``torch.nn.functional.batch_norm``.

    Examples
    --------
    >>> Y, mean, var, cache = batch_norm_forward(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1), epsilon=0.0)
    >>> Y.ravel(), mean, var
    (array([-1.,  1.]), array([2.]), array([1.]))
    """
    check_channels("batch_norm_forward", X, gamma=gamma, beta=beta)
    c = X.shape[-1]
    total = _reduced(np.append(column_sums(X), X.size / c), reduce)
    n = float(total[-1])
    if n == 0:
        raise ShapeError(
            f"batch_norm_forward: expected at least one value a channel, got X of shape {X.shape}."
        )
    mean = (total[:-1] / n).astype(X.dtype)
    D = np.empty(X.shape, X.dtype) if workspace is None else workspace.take("D", X.shape, X.dtype)
    var = _reduced(center(X, mean, D), reduce) / n
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
    """Return the gradients of the loss for X, gamma and beta; mean and var are functions of X here.

    Parameters
    ----------
    dY : Array, shape (..., c)
    cache : BatchNormCache
    reduce : callable, optional
        As in the forward; called once.
    dX, dgamma, dbeta : Array, optional
        Buffers, written and returned: shape of dY (may be dY itself), (c,), (c,).
    needs_dX : bool, optional
        False returns None for it.

    Returns
    -------
    dX : Array or None, shape of dY
        gamma rstd (dY - mean(dY) - Xhat mean(dY Xhat)), the means over the whole batch.
    dgamma, dbeta : Array, shape (c,), dtype of dY
        The sums of dY Xhat and of dY over this shard alone: the shards' gradients are added later, as every
        other parameter's are.

    Examples
    --------
    >>> Y, _, _, cache = batch_norm_forward(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1), epsilon=0.0)
    >>> batch_norm_backward(np.array([[1.0], [0.0]]), cache)
    (array([[0.],
           [0.]]), array([-1.]), array([1.]))
    """
    D, rstd, gamma, n = cache
    c = dY.shape[-1]
    sums = np.append(*column_sums_and_dots(dY, D))
    dbeta = written(dbeta, sums[:c], dY)
    dgamma = written(dgamma, sums[c:] * rstd, dY)
    total = _reduced(sums, reduce) / n
    if not needs_dX:
        return None, dgamma, dbeta
    scale = gamma * rstd
    dX = np.empty(dY.shape, dY.dtype) if dX is None else dX
    combine(dY, scale, D, -scale * rstd**2 * total[c:], -scale * total[:c], dX)
    return dX, dgamma, dbeta


class BatchNormInferenceCache(NamedTuple):
    """What the backward of batch normalization by fixed statistics needs."""

    X: Array  # (..., c), not a copy
    mean: Array  # (c,)
    rstd: Array  # (c,) float64
    gamma: Array  # (c,)


def batch_norm_inference(
    X: Array,
    gamma: Array,
    beta: Array,
    mean: Array,
    var: Array,
    *,
    epsilon: float = 1e-5,
    out: Array | None = None,
) -> tuple[Array, BatchNormInferenceCache]:
    """Return gamma (X - mean) / sqrt(var + epsilon) + beta for statistics that are given: for predictions.

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
    >>> batch_norm_inference(np.array([[7.0]]), 2 * one, one, 5 * one, 4 * one, epsilon=0.0)[0]
    array([[3.]])
    """
    check_channels("batch_norm_inference", X, gamma=gamma, beta=beta, mean=mean, var=var)
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
    """Return the gradients for X, gamma and beta; mean and var are constants.

    Parameters
    ----------
    dY : Array, shape (..., c)
    cache : BatchNormInferenceCache
    dX, dgamma, dbeta : Array, optional
        Buffers, written and returned: shape of dY (may be dY itself), (c,), (c,).

    Returns
    -------
    dX : Array, shape of dY
        dY gamma rstd.
    dgamma, dbeta : Array, shape (c,)

    Examples
    --------
    >>> one = np.ones(1)
    >>> Y, cache = batch_norm_inference(np.array([[7.0]]), 2 * one, one, 5 * one, 4 * one, epsilon=0.0)
    >>> batch_norm_inference_backward(np.array([[10.0]]), cache)
    (array([[10.]]), array([10.]), array([10.]))
    """
    X, mean, rstd, gamma = cache
    sums, dots = column_sums_and_dots(dY, X)
    dbeta = written(dbeta, sums, dY)
    dgamma = written(dgamma, (dots - mean * sums) * rstd, dY)
    dX = np.empty(dY.shape, dY.dtype) if dX is None else dX
    multiply_add(dY, gamma * rstd, np.zeros_like(rstd), dX)
    return dX, dgamma, dbeta


def _reduced(partial: Array, reduce: Reduce | None) -> Array:
    return partial if reduce is None else reduce(partial)
