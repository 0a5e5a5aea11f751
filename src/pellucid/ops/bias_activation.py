"""A bias and an activation, one after the other: one pass over memory has both where kernels are compiled."""

from typing import Any, NamedTuple

import numpy as np

from pellucid.ops.activations import Activation
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
