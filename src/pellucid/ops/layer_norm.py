"""Layer normalization: each sample brought to mean 0 and variance 1 along its last axis.

The result is then stretched and shifted by trained numbers: Y = gamma Xhat + beta, with
Xhat = (X - mean) / sqrt(var + epsilon).
"""

from typing import NamedTuple

import numpy as np

from pellucid.ops.columns import check_channels, column_sums_and_dots, multiply_add, written
from pellucid.types import Array
from pellucid.workspace import Workspace


class LayerNormCache(NamedTuple):
    """What the backward of layer normalization needs."""

    Xhat: Array  # (..., n)
    rstd: Array  # (..., 1) 1 / sqrt(var + epsilon)
    gamma: Array  # (n,)


def layer_norm_forward(
    X: Array,
    gamma: Array,
    beta: Array,
    *,
    epsilon: float = 1e-5,
    out: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, LayerNormCache]:
    """Return X with every row brought to mean 0 and variance 1, times gamma, plus beta.

    Parameters
    ----------
    X : Array, shape (..., n)
        A row runs along the last axis; samples never mix.
    gamma, beta : Array, shape (n,)
    epsilon : float, optional
        Added to the variance.
    out : Array, shape of X, optional
        Written and returned; may be X itself.
    workspace : Workspace, optional
        Where the cache's array comes from: it is then valid until the next call with this workspace.

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
    Ba, Kiros and Hinton, 2016, equation 3. Twin: ``torch.nn.functional.layer_norm``.

    Examples
    --------
    >>> layer_norm_forward(np.array([[1.0, 3.0]]), np.ones(2), np.array([0.0, 10.0]), epsilon=0.0)[0]
    array([[-1., 11.]])
    """
    check_channels("layer_norm_forward", X, gamma=gamma, beta=beta)
    D = np.empty(X.shape, X.dtype) if workspace is None else workspace.take("D", X.shape, X.dtype)
    np.subtract(X, X.mean(axis=-1, keepdims=True), out=D)
    var = np.einsum("...j,...j->...", D, D)[..., None] / X.dtype.type(X.shape[-1])
    rstd = 1 / np.sqrt(var + X.dtype.type(epsilon))
    D *= rstd
    Y = np.empty(X.shape, X.dtype) if out is None else out
    multiply_add(D, gamma, beta, Y)
    return Y, LayerNormCache(D, rstd, gamma)


def layer_norm_backward(
    dY: Array,
    cache: LayerNormCache,
    *,
    dX: Array | None = None,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
) -> tuple[Array, Array, Array]:
    """Return the gradients of the loss for X, gamma and beta.

    Parameters
    ----------
    dY : Array, shape (..., n)
    cache : LayerNormCache
    dX, dgamma, dbeta : Array, optional
        Buffers, written and returned: shape of dY (may be dY itself), (n,), (n,).

    Returns
    -------
    dX : Array, shape of dY
        With G = gamma dY: rstd (G - mean(G) - Xhat mean(G Xhat)), the means along each row.
    dgamma, dbeta : Array, shape (n,), dtype of dY
        The sums over all rows of dY Xhat and of dY.

    Examples
    --------
    >>> Y, cache = layer_norm_forward(np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2), epsilon=0.0)
    >>> layer_norm_backward(np.array([[1.0, 0.0]]), cache)
    (array([[0., 0.]]), array([-1.,  0.]), array([1., 0.]))
    """
    Xhat, rstd, gamma = cache
    sums, dots = column_sums_and_dots(dY, Xhat)
    dgamma, dbeta = written(dgamma, dots, dY), written(dbeta, sums, dY)
    G: Array = np.multiply(dY, gamma, out=dX)
    along = np.einsum("...j,...j->...", G, Xhat)[..., None] / G.dtype.type(G.shape[-1])
    G -= G.mean(axis=-1, keepdims=True)
    G -= Xhat * along
    G *= rstd
    return G, dgamma, dbeta
