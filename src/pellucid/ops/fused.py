"""Chains of ops that have one kernel for the whole chain: what that kernel computes.

The usual blocks of a convolutional network: a convolution, then batch norm or a bias, then perhaps relu and max
pooling over 2x2.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pellucid.ops.activations import ACTIVATIONS, Activation, relu_backward, relu_forward
from pellucid.ops.arrays import written
from pellucid.ops.batch_norm import (
    BatchMoments,
    Reduce,
    batch_moments,
    batch_norm_backward,
    batch_norm_forward,
    gradient_sums,
    over_shards,
)
from pellucid.ops.conv import ConvCache, conv2d_backward, conv2d_forward
from pellucid.ops.conv_geometry import NO_PADDING, Padding, Pair
from pellucid.ops.pool import max_pool_backward, max_pool_forward
from pellucid.types import Array


class ConvBlockCache(NamedTuple):
    """The caches of the ops, None where there is none."""

    conv: ConvCache
    norm: Any
    relu: Any
    pool: Any


def conv_norm_forward(
    X: Array,
    W: Array,
    gamma: Array,
    beta: Array,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    epsilon: float = 1e-5,
    relu: bool = True,
    pool: bool = False,
    reduce: Reduce | None = None,
) -> tuple[Array, BatchMoments, ConvBlockCache]:
    """Return A = max_pool(relu(batch_norm(X * W))), the moments of X * W, and the cache.

    Parameters
    ----------
    X : Array, shape (m, h, w, c_in)
    W : Array, shape (kh, kw, c_in / groups, c_out)
    gamma, beta : Array, shape (c_out,)
    stride, padding, dilation, groups : optional
        As for :func:`pellucid.ops.conv.conv2d_forward`.
    epsilon : float, optional
    reduce : callable, optional
        Where X is a part of a batch: see :func:`pellucid.ops.batch_norm.over_shards`.
    relu, pool : bool, optional
        Whether relu follows, and after it max pooling over 2x2, for which the output's sides are even.

    Returns
    -------
    A : Array, shape (m, h_out, w_out, c_out), or half of that in height and width
    moments : BatchMoments
        Of the whole batch.
    cache : ConvBlockCache

    Examples
    --------
    >>> X, W = np.arange(4.0).reshape(1, 2, 2, 1), np.ones((1, 1, 1, 1))
    >>> A, moments, _ = conv_norm_forward(X, W, np.ones(1), np.zeros(1), pool=True)
    >>> round(float(A[0, 0, 0, 0]), 3), float(moments.mean[0]), float(moments.var[0])
    (1.342, 1.5, 1.25)
    """
    Z, conv = conv2d_forward(X, W, stride=stride, padding=padding, dilation=dilation, groups=groups)
    moments = over_shards(batch_moments(Z), reduce)
    A, _, norm = batch_norm_forward(Z, gamma, beta, epsilon=epsilon, moments=moments)
    A, relu_cache = relu_forward(A) if relu else (A, None)
    A, pool_cache = max_pool_forward(A, size=(2, 2)) if pool else (A, None)
    return A, moments, ConvBlockCache(conv, norm, relu_cache, pool_cache)


def conv_norm_backward(
    dA: Array,
    cache: ConvBlockCache,
    *,
    dX: Array | None = None,
    dW: Array | None = None,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
    needs_dX: bool = True,
    reduce: Reduce | None = None,
) -> tuple[Array | None, Array, Array, Array]:
    """dX, dW, dgamma, dbeta = conv2d_backward(batch_norm_backward(relu_backward(max_pool_backward(dA)))).

    Parameters
    ----------
    dA : Array, shape of A
        May be overwritten.
    cache : ConvBlockCache
    dX, dW, dgamma, dbeta : Array, optional
        Written and returned; the last three are this part's.
    needs_dX : bool, optional
        False: dX is not computed, and None is returned for it.
    reduce : callable, optional
        As for the forward.

    Notes
    -----
    Ioffe and Szegedy, 2015.

    Examples
    --------
    >>> X, W = np.random.default_rng(0).standard_normal((2, 2, 2, 1)), np.ones((1, 1, 1, 1))
    >>> A, *_, cache = conv_norm_forward(X, W, np.ones(1), np.ones(1), pool=True)
    >>> dX, dW, dgamma, dbeta = conv_norm_backward(np.ones_like(A), cache)
    >>> abs(dW.item()) < 1e-4, dbeta  # a norm does not see how long W is, but for its epsilon
    (True, array([2.]))
    """
    dZ = dA if cache.pool is None else max_pool_backward(dA, cache.pool)
    dZ = dZ if cache.relu is None else relu_backward(dZ, cache.relu)
    own = gradient_sums(dZ, cache.norm)
    sums = own if reduce is None else reduce(own)
    dbeta, dgamma = written(own[0], dbeta, dZ.dtype), written(own[1], dgamma, dZ.dtype)
    normed, _, _ = batch_norm_backward(dZ, cache.norm, sums=sums)
    assert normed is not None
    dX, dW, _ = conv2d_backward(normed, cache.conv, dX=dX, dW=dW, needs_dX=needs_dX)
    return dX, dW, dgamma, dbeta


def conv_relu_forward(
    X: Array,
    W: Array,
    b: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    pool: bool = False,
) -> tuple[Array, ConvBlockCache]:
    """Return A = max_pool(relu(X * W + b)), or without the pooling, and the cache; see :func:`conv_norm_forward`.

    Examples
    --------
    >>> conv_relu_forward(np.arange(4.0).reshape(1, 2, 2, 1), np.ones((1, 1, 1, 1)), -np.ones(1), pool=True)[0]
    array([[[[2.]]]])
    """
    Z, conv = conv2d_forward(X, W, b, stride=stride, padding=padding, dilation=dilation, groups=groups)
    A, relu_cache = relu_forward(Z)
    A, pool_cache = max_pool_forward(A, size=(2, 2)) if pool else (A, None)
    return A, ConvBlockCache(conv, None, relu_cache, pool_cache)


def conv_relu_backward(
    dA: Array,
    cache: ConvBlockCache,
    *,
    dX: Array | None = None,
    dW: Array | None = None,
    db: Array | None = None,
    needs_dX: bool = True,
) -> tuple[Array | None, Array, Array | None]:
    """dX, dW, db = conv2d_backward(relu_backward(max_pool_backward(dA))); dA may be overwritten.

    Examples
    --------
    >>> X, W = np.arange(4.0).reshape(1, 2, 2, 1), np.ones((1, 1, 1, 1))
    >>> A, cache = conv_relu_forward(X, W, -np.ones(1), pool=True)
    >>> conv_relu_backward(np.ones_like(A), cache)[1].item()
    3.0
    """
    dZ = dA if cache.pool is None else max_pool_backward(dA, cache.pool)
    return conv2d_backward(relu_backward(dZ, cache.relu), cache.conv, dX=dX, dW=dW, db=db, needs_dX=needs_dX)


def conv_affine(
    X: Array,
    W: Array,
    scale: Array | None,
    shift: Array | None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    relu: bool = True,
    pool: bool = False,
) -> Array:
    """Return A = max_pool(relu(scale (X * W) + shift)): a block of a network that only predicts.

    Parameters
    ----------
    scale, shift : Array, shape (c_out,), or None
        Those of a batch norm by running statistics, or a bias. None: 1, or 0.
    X, W, stride, padding, dilation, groups, relu, pool
        As for :func:`conv_norm_forward`.

    Examples
    --------
    >>> conv_affine(np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1)), np.array([2.0]), np.array([-3.0])).item()
    0.0
    """
    Z, _ = conv2d_forward(X, W, stride=stride, padding=padding, dilation=dilation, groups=groups)
    Z = Z if scale is None else Z * scale
    Z = Z if shift is None else Z + shift
    Z = relu_forward(Z)[0] if relu else Z
    return max_pool_forward(Z, size=(2, 2))[0] if pool else Z


class Link(NamedTuple):
    """A convolution of a network that only predicts, with what follows it: see :func:`conv_run`."""

    W: Array  # (kh, kw, c_in / groups, c_out)
    scale: Array | None  # (c_out,); None: 1
    shift: Array | None  # (c_out,); None: 0
    stride: Pair
    padding: Padding
    dilation: Pair
    groups: int
    activation: Activation | None


def conv_run(X: Array, links: Sequence[Link]) -> Array:
    """Return A of the last of convolutions one after another: each A = activation(scale (X * W) + shift).

    Examples
    --------
    >>> link = Link(np.full((1, 1, 1, 1), 2.0), None, -np.ones(1), (1, 1), NO_PADDING, (1, 1), 1, None)
    >>> conv_run(np.ones((1, 1, 1, 1)), [link, link])
    array([[[[1.]]]])
    """
    for W, scale, shift, stride, padding, dilation, groups, activation in links:
        X = conv_affine(
            X, W, scale, shift, stride=stride, padding=padding, dilation=dilation, groups=groups, relu=False
        )
        X = X if activation is None else activation.forward(X)[0]
    return X


class Bounds(NamedTuple):
    """min(max(Z, low), high); of a swish Z min(max(slope Z + 1/2, low), high)."""

    low: float = -np.inf
    high: float = np.inf
    slope: float = 1.0
    is_swish: bool = False


def bounds_of(activation: Activation | None) -> Bounds | None:
    """Return an activation as bounds; None where it is none that has them.

    Examples
    --------
    >>> bounds_of(ACTIVATIONS["relu6"]), bounds_of(ACTIVATIONS["tanh"])
    (Bounds(low=0.0, high=6.0, slope=1.0, is_swish=False), None)
    """
    if activation is None:
        return Bounds()
    bounds = _BOUNDS.get(activation.backward)
    return bounds._replace(high=activation.chosen[0]) if bounds and activation.chosen else bounds


_BOUNDS = {
    ACTIVATIONS[name].backward: bounds
    for name, bounds in (
        ("linear", Bounds()),
        ("relu", Bounds(0.0)),
        ("relu6", Bounds(0.0, 6.0)),
        ("hard_swish", Bounds(0.0, 1.0, 1 / 6, True)),
    )
}
