"""Losses for quantities. Each is the mean over samples and over outputs, as PyTorch's "mean" reduction has it."""

from typing import NamedTuple

import numpy as np

from pellucid.ops.losses.base import check_fit, sample_scale, weighted_sum
from pellucid.types import Array


class DifferenceCache(NamedTuple):
    """What the backward of a loss of Z - Y needs."""

    D: Array  # (m, n_out) Z - Y
    scale: float | Array


def mean_squared_error_forward(
    Z: Array, Y: Array, *, weights: Array | None = None, normalizer: float | None = None
) -> tuple[float, DifferenceCache]:
    """Return the mean of (Z - Y)^2 and the backward's cache: best for the mean of the target.

    Parameters
    ----------
    Z : Array, shape (m, n_out)
        Outputs.
    Y : Array, shape (m, n_out), dtype of Z
        Targets.
    weights, normalizer : optional
        As for :func:`pellucid.ops.losses.binary.binary_cross_entropy_forward`.

    Returns
    -------
    loss : float
        In the square of the target's unit.
    cache : DifferenceCache

    Examples
    --------
    >>> mean_squared_error_forward(np.array([[3.0, 1.0]]), np.array([[1.0, 1.0]]))[0]
    2.0
    """
    D, scale = _difference("mean_squared_error", Z, Y, weights, normalizer)
    return weighted_sum(D * D, scale), DifferenceCache(D, scale)


def mean_squared_error_backward(cache: DifferenceCache, *, dZ: Array | None = None) -> Array:
    """Return the gradient for the outputs, 2 (Z - Y) / (m n_out), shape (m, n_out).

    Examples
    --------
    >>> _, cache = mean_squared_error_forward(np.array([[3.0, 1.0]]), np.array([[1.0, 1.0]]))
    >>> mean_squared_error_backward(cache)
    array([[2., 0.]])
    """
    dZ = np.multiply(cache.D, 2, out=dZ)
    dZ *= cache.scale
    return dZ


def mean_absolute_error_forward(
    Z: Array, Y: Array, *, weights: Array | None = None, normalizer: float | None = None
) -> tuple[float, DifferenceCache]:
    """Return the mean of |Z - Y| and the backward's cache: best for the median of the target.

    Parameters
    ----------
    Z, Y, weights, normalizer
        As for :func:`mean_squared_error_forward`.

    Returns
    -------
    loss : float
        In the target's unit.
    cache : DifferenceCache

    Examples
    --------
    >>> mean_absolute_error_forward(np.array([[3.0, 1.0]]), np.array([[1.0, 1.0]]))[0]
    1.0
    """
    D, scale = _difference("mean_absolute_error", Z, Y, weights, normalizer)
    return weighted_sum(np.abs(D), scale), DifferenceCache(D, scale)


def mean_absolute_error_backward(cache: DifferenceCache, *, dZ: Array | None = None) -> Array:
    """Return the gradient for the outputs, the sign of Z - Y over m n_out (0 where they are equal).

    Examples
    --------
    >>> _, cache = mean_absolute_error_forward(np.array([[3.0, 1.0]]), np.array([[1.0, 1.0]]))
    >>> mean_absolute_error_backward(cache)
    array([[0.5, 0. ]])
    """
    dZ = np.sign(cache.D, out=dZ)
    dZ *= cache.scale
    return dZ


class HuberCache(NamedTuple):
    """What the backward of the Huber loss needs."""

    D: Array  # (m, n_out) Z - Y
    delta: float
    scale: float | Array


def huber_forward(
    Z: Array,
    Y: Array,
    *,
    delta: float = 1.0,
    weights: Array | None = None,
    normalizer: float | None = None,
) -> tuple[float, HuberCache]:
    """Return the mean of D^2 / 2 where |D| <= delta, else delta (|D| - delta / 2), D = Z - Y, and a cache.

    Parameters
    ----------
    Z, Y, weights, normalizer
        As for :func:`mean_squared_error_forward`.
    delta : float, optional
        Above 0: how far a target may be before it counts as an outlier, in the target's unit (Huber, 1964).

    Returns
    -------
    loss : float
    cache : HuberCache

    Examples
    --------
    >>> huber_forward(np.array([[3.0, 1.0]]), np.array([[1.0, 0.0]]))[0]
    1.0
    """
    D, scale = _difference("huber", Z, Y, weights, normalizer)
    far = np.abs(D)
    near = np.minimum(far, delta)
    return weighted_sum(near * (far - near / 2), scale), HuberCache(D, delta, scale)


def huber_backward(cache: HuberCache, *, dZ: Array | None = None) -> Array:
    """Return the gradient for the outputs, Z - Y cut off at plus and minus delta, over m n_out.

    Examples
    --------
    >>> _, cache = huber_forward(np.array([[3.0, 1.0]]), np.array([[1.0, 0.5]]))
    >>> huber_backward(cache)
    array([[0.5 , 0.25]])
    """
    D, delta, scale = cache
    dZ = np.clip(D, -delta, delta, out=dZ)
    dZ *= scale
    return dZ


def _difference(
    where: str, Z: Array, Y: Array, weights: Array | None, normalizer: float | None
) -> tuple[Array, float | Array]:
    check_fit(where, Z, Y)
    return Z - Y, sample_scale(weights, normalizer, len(Z), Z.dtype, n_out=Z.shape[1])
