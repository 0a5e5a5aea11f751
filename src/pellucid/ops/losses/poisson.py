"""The loss for counts: how many, at a rate that the model gives the logarithm of."""

from typing import NamedTuple

import numpy as np

from pellucid.ops.losses.base import check_fit, sample_scale, weighted_sum
from pellucid.types import Array


class PoissonCache(NamedTuple):
    """What the backward of the Poisson loss needs."""

    rate: Array  # (m, n_out) exp(Z)
    Y: Array
    scale: float | Array


def poisson_forward(
    Z: Array, Y: Array, *, weights: Array | None = None, normalizer: float | None = None
) -> tuple[float, PoissonCache]:
    """Return the mean of exp(Z) - Y Z and the backward's cache: counts Y whose expected number is exp(Z).

    Parameters
    ----------
    Z : Array, shape (m, n_out)
        Logarithms of the rates.
    Y : Array, shape (m, n_out), dtype of Z
        Counts, 0 or more.
    weights, normalizer : optional
        As for :func:`pellucid.ops.losses.binary.binary_cross_entropy_forward`.

    Returns
    -------
    loss : float
        The negative log likelihood in nats, less the term log Y! that no output changes: it may be negative. A
        rate too large for floats (Z above 709, or 88 in float32) makes it inf, without a warning.
    cache : PoissonCache

    Examples
    --------
    >>> poisson_forward(np.zeros((1, 1)), np.array([[3.0]]))[0]
    1.0
    """
    check_fit("poisson", Z, Y)
    scale = sample_scale(weights, normalizer, len(Z), Z.dtype, n_out=Z.shape[1])
    rate = poisson_mean(Z)
    if weights is not None:
        rate[weights == 0] = 0  # 0 times inf would not be 0
    return weighted_sum(rate - Y * Z, scale), PoissonCache(rate, Y, scale)


def poisson_backward(cache: PoissonCache, *, dZ: Array | None = None) -> Array:
    """Return the gradient for the outputs, (exp(Z) - Y) / (m n_out), shape (m, n_out).

    Examples
    --------
    >>> _, cache = poisson_forward(np.zeros((1, 1)), np.array([[3.0]]))
    >>> poisson_backward(cache)
    array([[-2.]])
    """
    dZ = np.subtract(cache.rate, cache.Y, out=dZ)
    dZ *= cache.scale
    return dZ


def poisson_mean(Z: Array) -> Array:
    """Return exp(Z), the expected count; inf where it is too large for floats.

    Examples
    --------
    >>> poisson_mean(np.array([0.0]))
    array([1.])
    """
    with np.errstate(over="ignore"):
        rate: Array = np.exp(Z)
    return rate
