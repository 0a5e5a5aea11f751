"""Functions made of two pieces, relu, leaky_relu and elu, and the one that does nothing; see activations_smooth."""

from typing import NamedTuple

import numpy as np

from pellucid.errors import OptionError
from pellucid.ops.activations_smooth import OutputCache
from pellucid.types import Array


def relu_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, OutputCache]:
    """Return A = max(Z, 0), elementwise.

    Parameters
    ----------
    Z : Array, any shape
    out : Array, shape of Z, optional
        Written and returned; may be Z itself.

    Returns
    -------
    A : Array, shape and dtype of Z
    cache : OutputCache

    Examples
    --------
    >>> relu_forward(np.array([-1.0, 0.0, 2.0]))[0]
    array([0., 0., 2.])
    """
    A: Array = np.maximum(Z, 0, out=out)
    return A, OutputCache(A)


def relu_backward(dA: Array, cache: OutputCache, *, dZ: Array | None = None) -> Array:
    """Return dZ: dA where A > 0, else 0. The kink at 0 takes the derivative 0, as the tutorial does.

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
    >>> _, cache = relu_forward(np.array([-1.0, 0.0, 2.0]))
    >>> relu_backward(np.array([5.0, 5.0, 5.0]), cache)
    array([0., 0., 5.])
    """
    # The mask is turned into dA's dtype first: multiplying floats by bools costs 2.5 times as much.
    product: Array = np.multiply(dA, (cache.A > 0).astype(dA.dtype), out=dZ)
    return product


class LeakyReluCache(NamedTuple):
    """What the backward of leaky_relu needs."""

    A: Array
    slope: float


def leaky_relu_forward(
    Z: Array, *, slope: float = 0.01, out: Array | None = None
) -> tuple[Array, LeakyReluCache]:
    """Return A = Z where Z > 0, else slope Z, elementwise (Maas et al., 2013).

    Parameters
    ----------
    Z : Array, any shape
    slope : float, optional
        Of the negative side, from 0 (relu) to below 1.
    out : Array, shape of Z, optional
        Written and returned; may be Z itself.

    Returns
    -------
    A : Array, shape and dtype of Z
    cache : LeakyReluCache

    Raises
    ------
    OptionError
        If the slope is outside its range.

    Examples
    --------
    >>> leaky_relu_forward(np.array([-1.0, 0.0, 2.0]))[0]
    array([-0.01,  0.  ,  2.  ])
    """
    if not 0 <= slope < 1:  # below 1, the larger of Z and slope Z is the function, and A has the sign of Z
        raise OptionError(f"leaky_relu: expected a slope from 0 to below 1, got {slope}. 0.01 is usual.")
    A: Array = np.maximum(Z, Z * slope, out=out)
    return A, LeakyReluCache(A, slope)


def leaky_relu_backward(dA: Array, cache: LeakyReluCache, *, dZ: Array | None = None) -> Array:
    """Return dZ: dA where A > 0, else slope dA, of the shape and dtype of dA.

    Examples
    --------
    >>> _, cache = leaky_relu_forward(np.array([-1.0, 0.0, 2.0]))
    >>> leaky_relu_backward(np.ones(3), cache)
    array([0.01, 0.01, 1.  ])
    """
    slopes = (cache.A > 0).astype(dA.dtype)
    np.maximum(slopes, cache.slope, out=slopes)  # half the time of where(A > 0, 1, slope)
    product: Array = np.multiply(dA, slopes, out=dZ)
    return product


class EluCache(NamedTuple):
    """What the backward of elu needs."""

    A: Array
    alpha: float


def elu_forward(Z: Array, *, alpha: float = 1.0, out: Array | None = None) -> tuple[Array, EluCache]:
    """Return A = Z where Z > 0, else alpha (exp(Z) - 1), elementwise (Clevert et al., 2016, equation 15).

    Parameters
    ----------
    Z : Array, any shape
    alpha : float, optional
        What A falls to on the far negative side is -alpha; 0 or more.
    out : Array, shape of Z, optional
        Written and returned; may be Z itself.

    Returns
    -------
    A : Array, shape and dtype of Z
    cache : EluCache

    Raises
    ------
    OptionError
        If alpha is negative or not finite.

    Examples
    --------
    >>> elu_forward(np.array([-1000.0, 0.0, 2.0]))[0]
    array([-1.,  0.,  2.])
    """
    if not 0 <= alpha < np.inf:
        raise OptionError(f"elu: expected an alpha of 0 or more, got {alpha}. 1 is usual.")
    below = np.minimum(Z, 0)
    np.expm1(below, out=below)
    if alpha != 1:
        below *= alpha
    A = np.maximum(Z, 0, out=out)
    A += below  # one of the two is 0
    return A, EluCache(A, alpha)


def elu_backward(dA: Array, cache: EluCache, *, dZ: Array | None = None) -> Array:
    """Return dZ: dA where A > 0, else dA (A + alpha), for alpha exp(Z) = A + alpha; of the shape and dtype of dA.

    Examples
    --------
    >>> _, cache = elu_forward(np.array([-1000.0, 0.0, 2.0]))
    >>> elu_backward(np.ones(3), cache)
    array([0., 1., 1.])
    """
    A, alpha = cache
    slopes = np.minimum(A, 0)
    slopes += alpha
    if alpha != 1:
        np.copyto(slopes, 1, where=A > 0)
    product: Array = np.multiply(dA, slopes, out=dZ)
    return product


class LinearActivationCache(NamedTuple):
    """Nothing: the derivative is 1 everywhere."""


def linear_activation_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, LinearActivationCache]:
    """Return A = Z: no bend at all. Without ``out`` it is Z itself, not a copy.

    Examples
    --------
    >>> linear_activation_forward(np.array([-1.0, 2.0]))[0]
    array([-1.,  2.])
    """
    if out is None or out is Z:
        return Z, LinearActivationCache()
    np.copyto(out, Z)
    return out, LinearActivationCache()


def linear_activation_backward(dA: Array, cache: LinearActivationCache, *, dZ: Array | None = None) -> Array:
    """Return dZ = dA. Without ``dZ`` it is dA itself, not a copy.

    Examples
    --------
    >>> linear_activation_backward(np.array([5.0]), LinearActivationCache())
    array([5.])
    """
    if dZ is None or dZ is dA:
        return dA
    np.copyto(dZ, dA)
    return dZ
