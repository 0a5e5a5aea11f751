"""A factor and a shift for each channel."""

from typing import NamedTuple

import numpy as np

from pellucid.types import Array


class AffineCache(NamedTuple):
    """What the backward of the affine map needs."""

    X: Array
    gamma: Array


def affine_forward(
    X: Array, gamma: Array, beta: Array | None, *, out: Array | None = None
) -> tuple[Array, AffineCache]:
    """Return Y = gamma X + beta, channel by channel; without a beta, gamma X.

    Parameters
    ----------
    X : Array, shape (m, ..., c)
    gamma : Array, shape (c,)
    beta : Array, shape (c,), or None
    out : Array, shape of X, optional
        Written and returned; must not alias X.

    Returns
    -------
    Y : Array, shape and dtype of X
    cache : AffineCache

    Examples
    --------
    >>> affine_forward(np.ones((1, 2)), np.array([2.0, 3.0]), np.array([0.0, 1.0]))[0]
    array([[2., 4.]])
    """
    if X.ndim == 4 and X.flags.c_contiguous and (out is None or out.flags.c_contiguous):
        # A few colours make a short loop, a row a long one.
        rows = X.shape[0] * X.shape[1], -1
        n = X.shape[2]
        Y: Array = np.multiply(
            X.reshape(rows), np.tile(gamma, n), out=None if out is None else out.reshape(rows)
        )
        if beta is not None:
            Y += np.tile(beta, n)
        return Y.reshape(X.shape) if out is None else out, AffineCache(X, gamma)
    Y = np.multiply(X, gamma, out=out)
    if beta is not None:
        Y += beta
    return Y, AffineCache(X, gamma)


def affine_backward(
    dY: Array,
    cache: AffineCache,
    *,
    dX: Array | None = None,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
) -> tuple[Array, Array, Array]:
    """dX = dY gamma, dgamma = the sum of dY X, dbeta = that of dY, over samples and pixels.

    ``dX`` may be dY itself.

    Examples
    --------
    >>> _, cache = affine_forward(np.full((1, 1), 5.0), np.full(1, 2.0), np.zeros(1))
    >>> affine_backward(np.ones((1, 1)), cache)
    (array([[2.]]), array([5.]), array([1.]))
    """
    X, gamma = cache
    axes = tuple(range(dY.ndim - 1))
    dgamma = np.sum(dY * X, axis=axes, out=dgamma)
    dbeta = np.sum(dY, axis=axes, out=dbeta)
    dX = np.multiply(dY, gamma, out=dX)
    return dX, dgamma, dbeta
