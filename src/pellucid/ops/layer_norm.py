"""Layer normalization: each sample scaled to mean 0 and variance 1 along its last axis.

The result is then scaled and shifted by trained parameters: Y = gamma Xhat + beta, with
Xhat = (X - mean) / sqrt(var + epsilon).
"""

from typing import NamedTuple

import numpy as np

from pellucid.ops.arrays import check_channels, written
from pellucid.types import Array


class LayerNormCache(NamedTuple):
    """What the backward of layer normalization needs."""

    Xhat: Array  # (..., n)
    rstd: Array  # (..., 1) 1 / sqrt(var + epsilon)
    gamma: Array  # (n,)


def layer_norm_forward(
    X: Array, gamma: Array, beta: Array, *, epsilon: float = 1e-5, out: Array | None = None
) -> tuple[Array, LayerNormCache]:
    """Return Y = gamma Xhat + beta with Xhat = (X - mean) / sqrt(var + epsilon), mean and var of each row.

    Parameters
    ----------
    X : Array, shape (..., n)
        A row runs along the last axis; samples never mix.
    gamma, beta : Array, shape (n,)
    epsilon : float, optional
        Added to the variance.
    out : Array, shape of X, optional
        Written and returned; may be X itself.

    Returns
    -------
    Y : Array, shape and dtype of X
    cache : LayerNormCache

    Raises
    ------
    ShapeError
        If gamma or beta does not fit X.

    Notes
    -----
    Ba, Kiros and Hinton, 2016, equation 3.

    Examples
    --------
    >>> layer_norm_forward(np.array([[1.0, 3.0]]), np.ones(2), np.array([0.0, 10.0]), epsilon=0.0)[0]
    array([[-1., 11.]])
    """
    check_channels("layer_norm_forward", X, gamma=gamma, beta=beta)
    D = X - X.mean(axis=-1, keepdims=True)
    var = (D * D).mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt(var + epsilon)
    Xhat = D * rstd
    return written(gamma * Xhat + beta, out, X.dtype), LayerNormCache(Xhat, rstd, gamma)


def layer_norm_backward(
    dY: Array,
    cache: LayerNormCache,
    *,
    dX: Array | None = None,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
) -> tuple[Array, Array, Array]:
    """dX = rstd (G - mean G - Xhat mean(G Xhat)) with G = gamma dY; dgamma = sum(dY Xhat), dbeta = sum dY.

    Parameters
    ----------
    dY : Array, shape (..., n)
    cache : LayerNormCache
    dX, dgamma, dbeta : Array, optional
        Buffers, written and returned: shape of dY (may be dY itself), (n,), (n,).

    Returns
    -------
    dX : Array, shape of dY
        The means are taken along each row.
    dgamma, dbeta : Array, shape (n,), dtype of dY
        The sums are taken over all rows.

    Examples
    --------
    >>> Y, cache = layer_norm_forward(np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2), epsilon=0.0)
    >>> layer_norm_backward(np.array([[1.0, 0.0]]), cache)
    (array([[0., 0.]]), array([-1.,  0.]), array([1., 0.]))
    """
    Xhat, rstd, gamma = cache
    rows = tuple(range(dY.ndim - 1))
    dgamma = written((dY * Xhat).sum(axis=rows), dgamma, dY.dtype)
    dbeta = written(dY.sum(axis=rows), dbeta, dY.dtype)
    G = gamma * dY
    mean = G.mean(axis=-1, keepdims=True)
    mean_product = (G * Xhat).mean(axis=-1, keepdims=True)
    return written(rstd * (G - mean - Xhat * mean_product), dX, dY.dtype), dgamma, dbeta
