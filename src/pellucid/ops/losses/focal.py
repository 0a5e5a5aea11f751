"""Focal losses, which give less weight to easy samples, for two classes and for several.

The cross-entropy of each sample is multiplied by (1 - p)^gamma, p the probability of the true class: samples
classified with certainty hardly count, and many easy samples no longer outweigh a few hard ones
(Lin et al., 2017, equations 4 and 5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pellucid.errors import OptionError
from pellucid.ops.losses.base import Loss, Pair
from pellucid.ops.losses.multi_label import BinaryTerms, binary_terms
from pellucid.ops.losses.targets import one_hot, per_output
from pellucid.registry import option, register
from pellucid.types import Array


class BinaryFocalCache(NamedTuple):
    """What the backward of the binary focal loss needs."""

    terms: BinaryTerms
    a_Y: Array
    b_not_Y: Array  # b (1 - Y)
    gamma: float


def binary_focal_forward(
    Z: Array, Y: Array, *, gamma: float = 2.0, alpha: float | None = None
) -> tuple[Array, BinaryFocalCache]:
    """Return L = -(a Y Q^gamma log P + b (1 - Y) P^gamma log Q), P = sigmoid(Z), Q = 1 - P, and the cache.

    Parameters
    ----------
    Z : Array, shape (m, n_out)
        Logits.
    Y : Array, shape (m, n_out), dtype of Z
        Targets from 0 to 1.
    gamma : float, optional
        0 gives the cross-entropy.
    alpha : float, optional
        a = alpha, b = 1 - alpha; default: a = b = 1.

    Returns
    -------
    losses : Array, shape (m, n_out)
    cache : BinaryFocalCache

    Examples
    --------
    >>> binary_focal_forward(np.zeros((1, 1)), np.ones((1, 1)), gamma=1.0)[0].round(4)
    array([[0.3466]])
    """
    terms = binary_terms(Z)
    a_Y, b_not_Y = (Y, 1 - Y) if alpha is None else (alpha * Y, (1 - alpha) * (1 - Y))
    losses = a_Y * terms.Q**gamma * terms.minus_log_P + b_not_Y * terms.P**gamma * terms.minus_log_Q
    return losses, BinaryFocalCache(terms, a_Y, b_not_Y, gamma)


def binary_focal_backward(cache: BinaryFocalCache, *, dZ: Array | None = None) -> Array:
    """dZ = b (1 - Y) P^gamma (P - gamma Q log Q) - a Y Q^gamma (Q - gamma P log P), P = sigmoid(Z), Q = 1 - P.

    Examples
    --------
    >>> _, cache = binary_focal_forward(np.zeros((1, 1)), np.ones((1, 1)), gamma=0.0)
    >>> binary_focal_backward(cache)
    array([[-0.5]])
    """
    (P, Q, minus_log_P, minus_log_Q), a_Y, b_not_Y, gamma = cache
    dZ = np.multiply(b_not_Y, P**gamma * (gamma * Q * minus_log_Q + P), out=dZ)
    dZ -= a_Y * Q**gamma * (gamma * P * minus_log_P + Q)
    return dZ


class SoftmaxFocalCache(NamedTuple):
    """What the backward of the softmax focal loss needs."""

    log_P: Array  # (m, k)
    Y: Array  # (m, k) targets times alpha
    gamma: float


def softmax_focal_forward(
    Z: Array, Y: Array, *, gamma: float = 2.0, alpha: Sequence[float] | None = None
) -> tuple[Array, SoftmaxFocalCache]:
    """Return L_j = -alpha_j Y_j (1 - P_j)^gamma log P_j, P = softmax(Z), of each class j, and the cache.

    Parameters
    ----------
    Z : Array, shape (m, k)
        Logits.
    Y : Array, shape (m,) integers from 0 to k - 1, or (m, k) of the dtype of Z
        Labels, or a probability for each class.
    gamma : float, optional
        0 gives the cross-entropy.
    alpha : k floats, optional
        The weight of each class; default 1.

    Returns
    -------
    losses : Array, shape (m, k)
    cache : SoftmaxFocalCache

    Examples
    --------
    >>> softmax_focal_forward(np.zeros((1, 2)), np.array([1]), gamma=1.0)[0].round(4)
    array([[0.    , 0.3466]])
    """
    Y = (one_hot(Y, Z.shape[1], Z.dtype) if Y.ndim == 1 else Y) * per_output("focal: alpha", alpha, Z)
    S = Z - Z.max(axis=1, keepdims=True)
    log_P = S - np.log(np.exp(S).sum(axis=1, keepdims=True))
    return -Y * (-np.expm1(log_P)) ** gamma * log_P, SoftmaxFocalCache(log_P, Y, gamma)


def softmax_focal_backward(cache: SoftmaxFocalCache, *, dZ: Array | None = None) -> Array:
    """dZ = G - P sum_j G_j,  G = -alpha Y Q^gamma (1 - gamma P log P / Q),  P = softmax(Z),  Q = 1 - P.

    G is the gradient for log P, whose own for Z is the identity less P. The cache holds alpha Y as Y.

    Examples
    --------
    >>> _, cache = softmax_focal_forward(np.zeros((1, 2)), np.array([1]), gamma=0.0)
    >>> softmax_focal_backward(cache)
    array([[ 0.5, -0.5]])
    """
    log_P, Y, gamma = cache
    P, Q = np.exp(log_P), -np.expm1(log_P)
    ratio = np.divide(log_P, Q, out=np.full_like(Q, -1), where=Q > 0)  # -1 is its limit for P to 1
    G = -Y * Q**gamma * (1 - gamma * P * ratio)
    dZ = np.multiply(P, G.sum(axis=1, keepdims=True), out=dZ)
    return np.subtract(G, dZ, out=dZ)


def _alpha(value: float | list[float] | None) -> float | list[float] | None:
    if isinstance(value, float) and value > 1:
        raise ValueError("a number from 0 to 1 for two classes, or one of at least 0 for each class")
    return value


@register("focal")
@dataclass
class Focal(Loss):
    """Mean of -alpha (1 - p)^gamma log p, p the probability of the true class. Lin et al. (2017), equation 5.

    Two classes from one output, or several with one output for each.

    Examples
    --------
    >>> loss, cache = Focal(gamma=1).forward(np.zeros((1, 1)), np.ones((1, 1)))
    >>> round(loss, 4)
    0.3466
    """

    gamma: float = option(
        2.0, at_least=0, help="How much less easy samples count; 0 gives the cross-entropy."
    )
    alpha: float | list[float] | None = option(
        None,
        at_least=0,
        check=_alpha,
        help="Weight of class 1 (class 0 has 1 - alpha) for two classes, or of each class; None: 1.",
    )
    takes_labels = gives_probabilities = True

    def pair(self, n_out: int) -> Pair:
        """Return the binary pair for one output, else the softmax pair."""
        if n_out == 1 and isinstance(self.alpha, list):
            raise OptionError(
                f"focal: expected one number from 0 to 1 as alpha, for two classes, got {self.alpha}."
            )
        if n_out > 1 and isinstance(self.alpha, float):
            raise OptionError(
                f"focal: expected {n_out} numbers as alpha, one for each class, got {self.alpha!r}."
            )
        if n_out == 1:
            return binary_focal_forward, binary_focal_backward
        return softmax_focal_forward, softmax_focal_backward
