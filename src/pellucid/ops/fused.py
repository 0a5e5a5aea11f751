"""Chains of ops that have one fast twin for the whole chain: what that twin computes.

What follows a product with weights: a bias and an activation. And the usual block of a convolutional network:
convolution, batch norm, relu, and max pooling over 2x2.
"""

from typing import Any, NamedTuple

import numpy as np

from pellucid.ops.activations import Activation, OutputCache, relu_backward, relu_forward
from pellucid.ops.batch_norm import BatchNormCache, Reduce, batch_norm_backward, batch_norm_forward
from pellucid.ops.conv import ConvCache, conv2d_backward, conv2d_forward
from pellucid.ops.conv_geometry import Padding
from pellucid.ops.pool import MaxPoolCache, max_pool_backward, max_pool_forward
from pellucid.types import Array


class BiasActivationCache(NamedTuple):
    """What the backward of bias and activation needs."""

    activation: Activation
    cache: Any  # of the activation
    has_bias: bool


def bias_activation_forward(
    Z: Array, b: Array | None, activation: Activation, *, out: Array | None = None
) -> tuple[Array, BiasActivationCache]:
    """Return A = activation(Z + b), and the cache.

    Parameters
    ----------
    Z : Array, shape (..., n)
    b : Array, shape (n,), or None
    activation : Activation
        Of :data:`pellucid.ops.activations.ACTIVATIONS`, or from ``get_activation``.
    out : Array, shape of Z, optional
        Written and returned; may be Z itself.

    Examples
    --------
    >>> from pellucid.ops.activations import ACTIVATIONS
    >>> bias_activation_forward(np.array([[-1.0, 2.0]]), np.ones(2), ACTIVATIONS["relu"])[0]
    array([[0., 3.]])
    """
    if b is not None:
        Z = np.add(Z, b, out=out)
    A, cache = activation.forward(Z, out=out)
    return A, BiasActivationCache(activation, cache, b is not None)


def bias_activation_backward(
    dA: Array, cache: BiasActivationCache, *, dZ: Array | None = None, db: Array | None = None
) -> tuple[Array, Array | None]:
    """dZ = activation_backward(dA), db = the sum of dZ over all axes but the last.

    Parameters
    ----------
    dA : Array, shape (..., n)
    cache : BiasActivationCache
    dZ, db : Array, optional
        Buffers, written and returned: shape of dA (may be dA itself), (n,).

    Returns
    -------
    dZ : Array, shape of dA
    db : Array or None, shape (n,)
        None where there was no bias.

    Notes
    -----
    Rumelhart, Hinton and Williams, 1986.

    Examples
    --------
    >>> from pellucid.ops.activations import ACTIVATIONS
    >>> _, cache = bias_activation_forward(np.array([[-1.0, 2.0]]), np.zeros(2), ACTIVATIONS["relu"])
    >>> bias_activation_backward(np.full((1, 2), 5.0), cache)
    (array([[0., 5.]]), array([0., 5.]))
    """
    dZ = cache.activation.backward(dA, cache.cache, dZ=dZ)
    return dZ, np.add.reduce(dZ, axis=tuple(range(dZ.ndim - 1)), out=db) if cache.has_bias else None


class NormReluPoolCache(NamedTuple):
    """The caches of the three ops."""

    norm: BatchNormCache
    relu: OutputCache
    pool: MaxPoolCache


def norm_relu_pool_forward(
    Z: Array, gamma: Array, beta: Array, *, epsilon: float = 1e-5, reduce: Reduce | None = None
) -> tuple[Array, Array, Array, float, NormReluPoolCache]:
    """Return A = max_pool(relu(batch_norm(Z))), the batch's mean and variance, their count, and the cache.

    Parameters
    ----------
    Z : Array, shape (m, h, w, c), h and w even
        May be overwritten, here and by the backward.
    gamma, beta : Array, shape (c,)
    epsilon, reduce : optional
        As for :func:`pellucid.ops.batch_norm.batch_norm_forward`.

    Returns
    -------
    A : Array, shape (m, h/2, w/2, c)
    mean, var : Array, shape (c,)
    count : float
        How many values each channel has, over all shards.
    cache : NormReluPoolCache

    Examples
    --------
    >>> Z = np.arange(4.0).reshape(1, 2, 2, 1)
    >>> A, mean, var, count, _ = norm_relu_pool_forward(Z, np.ones(1), np.zeros(1))
    >>> round(float(A[0, 0, 0, 0]), 3), float(mean[0]), float(var[0])
    (1.342, 1.5, 1.25)
    """
    Y, mean, var, norm = batch_norm_forward(Z, gamma, beta, epsilon=epsilon, reduce=reduce)
    R, relu = relu_forward(Y)
    A, pool = max_pool_forward(R, size=(2, 2))
    return A, mean, var, norm.n, NormReluPoolCache(norm, relu, pool)


def norm_relu_pool_backward(
    dA: Array,
    cache: NormReluPoolCache,
    *,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
    reduce: Reduce | None = None,
) -> tuple[Array, Array, Array]:
    """dZ, dgamma, dbeta = batch_norm_backward(relu_backward(max_pool_backward(dA))).

    Parameters
    ----------
    dA : Array, shape (m, h/2, w/2, c)
        May be overwritten.
    cache : NormReluPoolCache
    dgamma, dbeta : Array, shape (c,), optional
        Written and returned; this shard's part.
    reduce : optional
        As for the forward.

    Notes
    -----
    Ioffe and Szegedy, 2015.

    Examples
    --------
    >>> Z = np.random.default_rng(0).standard_normal((2, 2, 2, 1))
    >>> cache = norm_relu_pool_forward(Z, np.ones(1), np.ones(1))[-1]
    >>> dZ, dgamma, dbeta = norm_relu_pool_backward(np.ones((2, 1, 1, 1)), cache)
    >>> abs(float(dZ.sum())) < 1e-12, dbeta
    (True, array([2.]))
    """
    dY = relu_backward(max_pool_backward(dA, cache.pool), cache.relu)
    dZ, dgamma, dbeta = batch_norm_backward(dY, cache.norm, reduce=reduce, dgamma=dgamma, dbeta=dbeta)
    assert dZ is not None
    return dZ, dgamma, dbeta


class ConvNormReluPoolCache(NamedTuple):
    """The caches of the convolution and of what follows."""

    conv: ConvCache
    rest: NormReluPoolCache


def conv_norm_relu_pool_forward(
    X: Array,
    W: Array,
    gamma: Array,
    beta: Array,
    *,
    padding: Padding,
    epsilon: float = 1e-5,
    reduce: Reduce | None = None,
) -> tuple[Array, Array, Array, float, ConvNormReluPoolCache]:
    """Return A = max_pool(relu(batch_norm(X * W))), mean and variance of X * W, their count, and the cache.

    Parameters
    ----------
    X : Array, shape (m, h, w, c_in)
    W : Array, shape (kh, kw, c_in, c_out)
        Stride 1; the output's sides h and w are even.
    gamma, beta : Array, shape (c_out,)
    padding : ((int, int), (int, int))
        Zeros above and below, left and right.
    epsilon, reduce : optional
        As for :func:`pellucid.ops.batch_norm.batch_norm_forward`.

    Returns
    -------
    A : Array, shape (m, h/2, w/2, c_out)
    mean, var : Array, shape (c_out,)
    count : float
        How many values each channel has, over all shards.
    cache : ConvNormReluPoolCache

    Examples
    --------
    >>> X, W = np.arange(4.0).reshape(1, 2, 2, 1), np.ones((1, 1, 1, 1))
    >>> A, mean, var, _, _ = conv_norm_relu_pool_forward(X, W, np.ones(1), np.zeros(1), padding=((0, 0), (0, 0)))
    >>> round(float(A[0, 0, 0, 0]), 3), float(mean[0]), float(var[0])
    (1.342, 1.5, 1.25)
    """
    Z, conv = conv2d_forward(X, W, padding=padding)
    A, mean, var, count, rest = norm_relu_pool_forward(Z, gamma, beta, epsilon=epsilon, reduce=reduce)
    return A, mean, var, count, ConvNormReluPoolCache(conv, rest)


def conv_norm_relu_pool_backward(
    dA: Array,
    cache: ConvNormReluPoolCache,
    *,
    dW: Array,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
    reduce: Reduce | None = None,
) -> tuple[Array, Array, Array]:
    """dW, dgamma, dbeta = conv2d_backward(norm_relu_pool_backward(dA)), without a gradient for X.

    Parameters
    ----------
    dA : Array, shape (m, h/2, w/2, c_out)
        May be overwritten.
    cache : ConvNormReluPoolCache
    dW : Array, shape (kh, kw, c_in, c_out)
        Written and returned.
    dgamma, dbeta : Array, shape (c_out,), optional
        Written and returned; this shard's part.
    reduce : optional
        As for the forward.

    Notes
    -----
    Ioffe and Szegedy, 2015.

    Examples
    --------
    >>> X, W = np.random.default_rng(0).standard_normal((2, 2, 2, 1)), np.ones((1, 1, 1, 1))
    >>> cache = conv_norm_relu_pool_forward(X, W, np.ones(1), np.ones(1), padding=((0, 0), (0, 0)))[-1]
    >>> dW, dgamma, dbeta = conv_norm_relu_pool_backward(np.ones((2, 1, 1, 1)), cache, dW=np.empty_like(W))
    >>> abs(dW.item()) < 1e-4, dbeta  # a norm does not see how long W is, but for its epsilon
    (True, array([2.]))
    """
    dZ, dgamma, dbeta = norm_relu_pool_backward(dA, cache.rest, dgamma=dgamma, dbeta=dbeta, reduce=reduce)
    _, dW, _ = conv2d_backward(dZ, cache.conv, dW=dW, needs_dX=False)
    return dW, dgamma, dbeta
