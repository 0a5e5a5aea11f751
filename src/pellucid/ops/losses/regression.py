"""Regression losses: squared, absolute, Huber, and Poisson for counts."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.ops.losses.base import Pair, RegressionLoss
from pellucid.registry import option, register
from pellucid.types import Array

FAR = 1000  # standard deviations from 0, from which on targets are given in float64


def squared_error_forward(Z: Array, Y: Array) -> tuple[Array, Array]:
    """Return L = (Z - Y)^2, and the cache.

    Examples
    --------
    >>> squared_error_forward(np.array([[3.0, 1.0]]), np.array([[1.0, 1.0]]))[0]
    array([[4., 0.]])
    """
    D = Z - Y
    return D * D, D


def squared_error_backward(D: Array, *, dZ: Array | None = None) -> Array:
    """dZ = 2 (Z - Y).

    Bishop, 2006, section 3.1.1.

    Examples
    --------
    >>> squared_error_backward(np.array([[2.0, 0.0]]))
    array([[4., 0.]])
    """
    return np.multiply(D, 2, out=dZ)


def absolute_error_forward(Z: Array, Y: Array) -> tuple[Array, Array]:
    """Return L = |Z - Y|, and the cache.

    Examples
    --------
    >>> absolute_error_forward(np.array([[3.0, 1.0]]), np.array([[1.0, 1.0]]))[0]
    array([[2., 0.]])
    """
    D = Z - Y
    return np.abs(D), D


def absolute_error_backward(D: Array, *, dZ: Array | None = None) -> Array:
    """dZ = sign(Z - Y), 0 where they are equal.

    Koenker and Bassett, 1978.

    Examples
    --------
    >>> absolute_error_backward(np.array([[2.0, 0.0]]))
    array([[1., 0.]])
    """
    return np.sign(D, out=dZ)


class HuberCache(NamedTuple):
    """What the backward of the Huber loss needs."""

    D: Array  # (m, n_out) Z - Y
    delta: float


def huber_forward(Z: Array, Y: Array, *, delta: float = 1.0) -> tuple[Array, HuberCache]:
    """Return L = D^2 / 2 where |D| <= delta, else delta (|D| - delta / 2), D = Z - Y, and the cache.

    Huber (1964).

    Examples
    --------
    >>> huber_forward(np.array([[3.0, 1.0]]), np.array([[1.0, 0.0]]))[0]
    array([[1.5, 0.5]])
    """
    D = Z - Y
    far = np.abs(D)
    near = np.minimum(far, delta)
    return near * (far - near / 2), HuberCache(D, delta)


def huber_backward(cache: HuberCache, *, dZ: Array | None = None) -> Array:
    """dZ = Z - Y, clipped to -delta ... delta.

    Examples
    --------
    >>> huber_backward(HuberCache(np.array([[2.0, 0.5]]), delta=1.0))
    array([[1. , 0.5]])
    """
    D, delta = cache
    return np.clip(D, -delta, delta, out=dZ)


class PoissonCache(NamedTuple):
    """What the backward of the Poisson loss needs."""

    rate: Array  # (m, n_out) exp(Z)
    Y: Array


def poisson_forward(Z: Array, Y: Array) -> tuple[Array, PoissonCache]:
    """Return L = exp(Z) - Y Z for counts Y with expected value exp(Z), in nats, and the cache.

    The negative log-likelihood without the term log Y!, which does not depend on Z: it may
    be negative. A rate too large for floats (Z above 709, or 88 in float32) makes it inf, without a warning.

    Examples
    --------
    >>> poisson_forward(np.zeros((1, 1)), np.array([[3.0]]))[0]
    array([[1.]])
    """
    rate = poisson_rate(Z)
    return rate - Y * Z, PoissonCache(rate, Y)


def poisson_backward(cache: PoissonCache, *, dZ: Array | None = None) -> Array:
    """dZ = exp(Z) - Y.

    Nelder and Wedderburn, 1972.

    Examples
    --------
    >>> _, cache = poisson_forward(np.zeros((1, 1)), np.array([[3.0]]))
    >>> poisson_backward(cache)
    array([[-2.]])
    """
    return np.subtract(cache.rate, cache.Y, out=dZ)


def poisson_rate(Z: Array) -> Array:
    """Return exp(Z), the expected count; inf where it is too large for floats.

    Examples
    --------
    >>> poisson_rate(np.array([0.0]))
    array([1.])
    """
    with np.errstate(over="ignore"):
        rate: Array = np.exp(Z)
    return rate


@register("mean_squared_error")
@dataclass
class MeanSquaredError(RegressionLoss):
    """Mean of (Z - Y)^2, in the square of the target's unit: minimal at the mean of the target.

    With ``centre`` and ``spread`` the outputs are standardized targets, Z = (y - centre) / spread, and so is the
    loss: 1 is that of the mean for all. Predictions are in the target's unit: see :meth:`standardized`.

    Examples
    --------
    >>> MeanSquaredError().forward(np.array([[3.0, 1.0]]), np.array([[1.0, 1.0]]))[0]
    2.0
    """

    centre: tuple[float, ...] = option((), help="What an output of 0 stands for, a number for each output.")
    spread: tuple[float, ...] = option((), above=0, help="What an output of 1 adds to that.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.centre) != len(self.spread):
            raise OptionError(
                f"mean_squared_error: expected as many numbers in centre as in spread, got {len(self.centre)} and "
                f"{len(self.spread)}."
            )

    @classmethod
    def standardized(cls, y: Array) -> "MeanSquaredError":
        """Return the loss whose outputs are these targets, standardized: with mean 0 and standard deviation 1.

        Examples
        --------
        >>> loss = MeanSquaredError.standardized(np.array([100.0, 300.0]))
        >>> loss
        MeanSquaredError(centre=(200.0,), spread=(100.0,))
        >>> loss.encode(np.array([100.0, 300.0]), 1, np.float64).ravel()
        array([-1.,  1.])
        >>> loss.mean(np.array([[-1.0], [1.0]])).ravel()
        array([100., 300.])
        """
        Y = np.asarray(y, np.float64).reshape(len(y), -1)
        deviations = Y.std(axis=0)
        return cls(
            centre=tuple(Y.mean(axis=0).tolist()),
            spread=tuple(np.where(deviations > 0, deviations, 1.0).tolist()),
        )

    def encode(self, y: Array, n_out: int, dtype: Any) -> Array:
        """Return numbers as targets of shape (m, n_out), standardized where the loss is."""
        if not self.centre:
            return super().encode(y, n_out, dtype)
        Y = super().encode(y, n_out, np.float64).copy()
        if len(self.centre) != n_out:
            raise ShapeError(
                f"mean_squared_error: expected {n_out} numbers in centre and spread, one for each output, got "
                f"{len(self.centre)}."
            )
        Y -= np.array(self.centre)
        Y /= np.array(self.spread)
        return Y.astype(dtype)

    def mean(self, Z: Array) -> Array:
        """Return the targets that outputs stand for."""
        if not self.centre:
            return Z
        spread, centre = np.array(self.spread), np.array(self.centre)
        is_near = (np.abs(centre) < FAR * spread).all()  # else float32 has no digits left
        dtype = Z.dtype if is_near else np.float64
        return Z * spread.astype(dtype) + centre.astype(dtype)

    def decode(self, Y: Array) -> Array:
        """Return standardized targets as they were."""
        return self.mean(Y)

    def pair(self, n_out: int) -> Pair:
        """Return :func:`squared_error_forward` and its backward."""
        return squared_error_forward, squared_error_backward


@register("mean_absolute_error")
@dataclass
class MeanAbsoluteError(RegressionLoss):
    """Mean of |Z - Y|, in the target's unit: minimal at the median of the target.

    Examples
    --------
    >>> MeanAbsoluteError().forward(np.array([[3.0, 1.0]]), np.array([[1.0, 1.0]]))[0]
    1.0
    """

    def pair(self, n_out: int) -> Pair:
        """Return :func:`absolute_error_forward` and its backward."""
        return absolute_error_forward, absolute_error_backward


@register("huber")
@dataclass
class Huber(RegressionLoss):
    """Mean of D^2 / 2 where |D| <= delta, else delta (|D| - delta / 2), D = Z - Y. Huber (1964).

    Examples
    --------
    >>> Huber().forward(np.array([[3.0, 1.0]]), np.array([[1.0, 0.0]]))[0]
    1.0
    """

    delta: float = option(
        1.0,
        above=0,
        help="Error above which the loss is linear, in the target's unit.",
    )

    def pair(self, n_out: int) -> Pair:
        """Return :func:`huber_forward` and its backward."""
        return huber_forward, huber_backward


@register("poisson")
@dataclass
class Poisson(RegressionLoss):
    """Mean of exp(Z) - Y Z: counts Y, with Z the logarithm of the expected count.

    Examples
    --------
    >>> Poisson().forward(np.zeros((1, 1)), np.array([[3.0]]))[0]
    1.0
    """

    lowest_target = 0.0

    def forward(
        self, Z: Array, Y: Array, *, weights: Array | None = None, normalizer: float | None = None
    ) -> tuple[float, object]:
        """Return the mean loss; a sample of weight 0 is left out even where its rate is infinite."""
        if weights is not None and weights.shape == (len(Z),):
            Z = np.where(weights[:, None] == 0, 0, Z)  # 0 times inf would not be 0
        return super().forward(Z, Y, weights=weights, normalizer=normalizer)

    def pair(self, n_out: int) -> Pair:
        """Return :func:`poisson_forward` and its backward."""
        return poisson_forward, poisson_backward

    def mean(self, Z: Array) -> Array:
        """Return exp(Z), the expected counts."""
        return poisson_rate(Z)
