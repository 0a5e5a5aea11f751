"""Functions that bend without a kink: sigmoid, tanh, silu, gelu and softmax, each forward beside its backward.

All forwards take ``Z`` and return ``(A, cache)``; all backwards take the gradient for A and that cache and return
the gradient for Z. ``out=`` and ``dZ=`` are buffers that are written and returned; ``out`` may be Z itself and
``dZ`` may be dA itself, for a cache never holds the Z that was overwritten. float32 stays float32. Until the
backward is done, A must be left as it is: the caches hold A itself, not a copy.
"""

import math
from typing import NamedTuple

import numpy as np

from pellucid.types import Array


class OutputCache(NamedTuple):
    """The output of a function whose derivative can be told from its output alone."""

    A: Array


def sigmoid_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, OutputCache]:
    """Return A = 1 / (1 + exp(-Z)), elementwise, without a warning for any Z.

    Parameters
    ----------
    Z : Array, any shape
    out : Array, shape of Z, optional
        Written and returned; may be Z itself.

    Returns
    -------
    A : Array, shape and dtype of Z
        Small probabilities keep all their digits, down to the smallest normal number.
    cache : OutputCache

    Examples
    --------
    >>> sigmoid_forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([0. , 0.5, 1. ])
    """
    A = np.negative(Z, out=out)
    with np.errstate(over="ignore"):  # exp(1000) is inf, and 1 / inf is the 0 that is wanted
        np.exp(A, out=A)
    A += 1
    np.divide(1, A, out=A)
    return A, OutputCache(A)


def sigmoid_backward(dA: Array, cache: OutputCache, *, dZ: Array | None = None) -> Array:
    """Return dZ = dA A (1 - A).

    Parameters
    ----------
    dA : Array, any shape
    cache : OutputCache
    dZ : Array, shape of dA, optional
        Written and returned; may be dA itself.

    Returns
    -------
    Array, shape and dtype of dA

    Examples
    --------
    >>> _, cache = sigmoid_forward(np.zeros(1))
    >>> sigmoid_backward(np.ones(1), cache)
    array([0.25])
    """
    slope = 1 - cache.A
    slope *= cache.A
    product: Array = np.multiply(dA, slope, out=dZ)
    return product


def tanh_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, OutputCache]:
    """Return A = tanh(Z), elementwise: a sigmoid stretched to run from -1 to 1.

    Parameters
    ----------
    Z, out : Array
        See the module.

    Returns
    -------
    A : Array, shape and dtype of Z
    cache : OutputCache

    Examples
    --------
    >>> tanh_forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([-1.,  0.,  1.])
    """
    A: Array = np.tanh(Z, out=out)
    return A, OutputCache(A)


def tanh_backward(dA: Array, cache: OutputCache, *, dZ: Array | None = None) -> Array:
    """Return dZ = dA (1 - A^2), of the shape and dtype of dA.

    Examples
    --------
    >>> _, cache = tanh_forward(np.zeros(1))
    >>> tanh_backward(np.ones(1), cache)
    array([1.])
    """
    slope = cache.A * cache.A
    np.subtract(1, slope, out=slope)
    product: Array = np.multiply(dA, slope, out=dZ)
    return product


class SiluCache(NamedTuple):
    """What the backward of silu needs."""

    A: Array
    S: Array  # sigmoid(Z)


def silu_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, SiluCache]:
    """Return A = Z sigmoid(Z), elementwise (Elfwing et al., 2018; "swish", Ramachandran et al., 2017).

    Parameters
    ----------
    Z, out : Array
        See the module.

    Returns
    -------
    A : Array, shape and dtype of Z
    cache : SiluCache

    Examples
    --------
    >>> silu_forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([  -0.,    0., 1000.])
    """
    S, _ = sigmoid_forward(Z)
    A: Array = np.multiply(Z, S, out=out)
    return A, SiluCache(A, S)


def silu_backward(dA: Array, cache: SiluCache, *, dZ: Array | None = None) -> Array:
    """Return dZ = dA (S + A (1 - S)) with S = sigmoid(Z), of the shape and dtype of dA.

    Examples
    --------
    >>> _, cache = silu_forward(np.zeros(1))
    >>> silu_backward(np.ones(1), cache)
    array([0.5])
    """
    A, S = cache
    slope = 1 - S
    slope *= A
    slope += S
    product: Array = np.multiply(dA, slope, out=dZ)
    return product


class GeluCache(NamedTuple):
    """What the backward of gelu needs."""

    Z: Array  # a copy where the forward was told to write over Z
    Phi: Array  # how much of the normal distribution lies below Z


def gelu_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, GeluCache]:
    """Return A = Z Phi(Z), elementwise, Phi the distribution function of the normal (Hendrycks and Gimpel, 2016).

    Parameters
    ----------
    Z, out : Array
        See the module.

    Returns
    -------
    A : Array, shape and dtype of Z
    cache : GeluCache

    Notes
    -----
    The exact form, Phi(Z) = (1 + erf(Z / sqrt 2)) / 2, not the tanh approximation. NumPy has no erf, so SciPy's
    ``ndtr`` is used, which also keeps the digits of the lower tail, where 1 + erf cancels.

    Examples
    --------
    >>> gelu_forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([  -0.,    0., 1000.])
    """
    from scipy.special import ndtr  # here, so that importing pellucid loads NumPy and no more

    Phi = ndtr(Z)
    kept = Z.copy() if out is not None and np.may_share_memory(Z, out) else Z
    A: Array = np.multiply(Z, Phi, out=out)
    return A, GeluCache(kept, Phi)


def gelu_backward(dA: Array, cache: GeluCache, *, dZ: Array | None = None) -> Array:
    """Return dZ = dA (Phi(Z) + Z phi(Z)), phi the density exp(-Z^2 / 2) / sqrt(2 pi), of the shape and dtype of dA.

    Examples
    --------
    >>> _, cache = gelu_forward(np.zeros(1))
    >>> gelu_backward(np.ones(1), cache)
    array([0.5])
    """
    Z, Phi = cache
    slope = Z * Z
    slope *= -0.5
    np.exp(slope, out=slope)
    slope *= Z
    slope *= 1 / math.sqrt(2 * math.pi)
    slope += Phi
    product: Array = np.multiply(dA, slope, out=dZ)
    return product


def softmax_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, OutputCache]:
    """Return A = exp(Z) / sum of exp(Z), over the last axis: positive numbers that add up to 1.

    Parameters
    ----------
    Z : Array, shape (..., k)
    out : Array, shape of Z, optional
        Written and returned; may be Z itself.

    Returns
    -------
    A : Array, shape and dtype of Z
    cache : OutputCache

    Notes
    -----
    Before a loss that takes logits, leave it out: the loss applies its own, and is exact where this one rounds.

    Examples
    --------
    >>> softmax_forward(np.array([[0.0, 0.0], [1000.0, -1000.0]]))[0]
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    highest = Z.max(axis=-1, keepdims=True)
    A = np.subtract(Z, highest, out=out)  # a shift changes nothing in the end, and keeps exp from overflowing
    np.exp(A, out=A)
    A /= A.sum(axis=-1, keepdims=True)
    return A, OutputCache(A)


def softmax_backward(dA: Array, cache: OutputCache, *, dZ: Array | None = None) -> Array:
    """Return dZ = A (dA - sum of dA A over the last axis), of the shape and dtype of dA.

    That is the whole Jacobian, diag(A) - A A^T, times dA: every output depends on every input.

    Examples
    --------
    >>> _, cache = softmax_forward(np.zeros((1, 2)))
    >>> softmax_backward(np.array([[1.0, 0.0]]), cache)
    array([[ 0.25, -0.25]])
    """
    A = cache.A
    shared = (dA * A).sum(axis=-1, keepdims=True)
    product: Array = np.subtract(dA, shared, out=dZ)
    product *= A
    return product
