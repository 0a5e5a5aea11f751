"""Layer normalization in few passes over memory; plain: :mod:`pellucid.ops.layer_norm`."""

import numpy as np

from pellucid.kernels.uncompiled.columns import column_sums_and_dots, multiply_add
from pellucid.ops.arrays import check_channels, written
from pellucid.ops.layer_norm import LayerNormCache
from pellucid.types import Array
from pellucid.workspace import Workspace


def layer_norm_forward(
    X: Array,
    gamma: Array,
    beta: Array,
    *,
    epsilon: float = 1e-5,
    out: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, LayerNormCache]:
    """Return Y = gamma Xhat + beta with Xhat = (X - mean) / sqrt(var + epsilon), mean and var of each row.

    With a workspace the cache's array comes from it, and is valid until the next call with it.
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
    """dX = rstd (G - mean G - Xhat mean(G Xhat)) with G = gamma dY; dgamma = sum(dY Xhat), dbeta = sum dY."""
    Xhat, rstd, gamma = cache
    sums, dots = column_sums_and_dots(dY, Xhat)
    dgamma, dbeta = written(dots, dgamma, dY.dtype), written(sums, dbeta, dY.dtype)
    G: Array = np.multiply(dY, gamma, out=dX)
    along = np.einsum("...j,...j->...", G, Xhat)[..., None] / G.dtype.type(G.shape[-1])
    G -= G.mean(axis=-1, keepdims=True)
    G -= Xhat * along
    G *= rstd
    return G, dgamma, dbeta
