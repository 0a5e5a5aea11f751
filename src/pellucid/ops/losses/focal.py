"""Focal losses, which look away from easy samples, for two classes and for several.

The cross-entropy of each sample is multiplied by (1 - p)^gamma, p the probability of the right answer: what is
already right with certainty hardly counts, and many easy samples no longer drown a few hard ones
(Lin et al., 2017, equations 4 and 5).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pellucid.errors import OptionError
from pellucid.ops.losses.base import check_fit, sample_scale, weighted_sum
from pellucid.ops.losses.labels import rows_of
from pellucid.ops.losses.multi_label import YesNo, per_output, yes_no
from pellucid.types import Array


class BinaryFocalCache(NamedTuple):
    """What the backward of the binary focal loss needs."""

    parts: YesNo
    yes_weight: Array  # alpha Y
    no_weight: Array  # (1 - alpha) (1 - Y)
    gamma: float
    scale: float | Array


def binary_focal_forward(
    Z: Array,
    Y: Array,
    *,
    gamma: float = 2.0,
    alpha: float | None = None,
    weights: Array | None = None,
    normalizer: float | None = None,
) -> tuple[float, BinaryFocalCache]:
    """Return the mean of -(a Y Q^gamma log P + b (1 - Y) P^gamma log Q), P = sigmoid(Z), Q = 1 - P, and a cache.

    Parameters
    ----------
    Z : Array, shape (m, n_out)
        Logits.
    Y : Array, shape (m, n_out), dtype of Z
        Targets from 0 to 1.
    gamma : float, optional
        0 or more; 0 gives the cross-entropy.
    alpha : float, optional
        From 0 to 1: a = alpha weighs class 1, b = 1 - alpha class 0. Default: a = b = 1.
    weights, normalizer : optional
        As for :func:`pellucid.ops.losses.binary.binary_cross_entropy_forward`.

    Returns
    -------
    loss : float
        In nats; several outputs of one sample are summed.
    cache : BinaryFocalCache

    Examples
    --------
    >>> round(binary_focal_forward(np.zeros((1, 1)), np.ones((1, 1)), gamma=1.0)[0], 4)
    0.3466
    """
    check_fit("focal", Z, Y)
    if np.ndim(0 if alpha is None else alpha):
        raise OptionError(f"focal: expected one number from 0 to 1 as alpha, for two classes, got {alpha}.")
    scale = sample_scale(weights, normalizer, len(Z), Z.dtype)
    parts = yes_no(Z)
    yes_weight, no_weight = (Y, 1 - Y) if alpha is None else (alpha * Y, (1 - alpha) * (1 - Y))
    losses = yes_weight * parts.Q**gamma * parts.yes + no_weight * parts.P**gamma * parts.no
    return weighted_sum(losses, scale), BinaryFocalCache(parts, yes_weight, no_weight, gamma, scale)


def binary_focal_backward(cache: BinaryFocalCache, *, dZ: Array | None = None) -> Array:
    """Return the gradient for the logits, shape (m, n_out).

    With u = -log P: the derivative of Q^gamma u is -Q^gamma (gamma P u + Q); that of the other side is its mirror.

    Examples
    --------
    >>> _, cache = binary_focal_forward(np.zeros((1, 1)), np.ones((1, 1)), gamma=0.0)
    >>> binary_focal_backward(cache)
    array([[-0.5]])
    """
    (P, Q, yes, no), yes_weight, no_weight, gamma, scale = cache
    dZ = np.multiply(no_weight, P**gamma * (gamma * Q * no + P), out=dZ)
    dZ -= yes_weight * Q**gamma * (gamma * P * yes + Q)
    dZ *= scale
    return dZ


class CategoricalFocalCache(NamedTuple):
    """What the backward of the categorical focal loss needs."""

    log_P: Array  # (m, k)
    Y: Array  # (m, k) targets times alpha
    gamma: float
    scale: float | Array


def categorical_focal_forward(
    Z: Array,
    Y: Array,
    *,
    gamma: float = 2.0,
    alpha: Sequence[float] | None = None,
    weights: Array | None = None,
    normalizer: float | None = None,
) -> tuple[float, CategoricalFocalCache]:
    """Return the mean of -sum_j alpha_j Y_j (1 - P_j)^gamma log P_j, P = softmax(Z), and the backward's cache.

    Parameters
    ----------
    Z : Array, shape (m, k)
        Logits.
    Y : Array, shape (m,) integers from 0 to k - 1, or (m, k) of the dtype of Z
        Labels, or a probability for each class.
    gamma : float, optional
        0 or more; 0 gives the cross-entropy.
    alpha : k floats, optional
        The weight of each class; default 1.
    weights, normalizer : optional
        As for :func:`pellucid.ops.losses.binary.binary_cross_entropy_forward`.

    Returns
    -------
    loss : float
        In nats.
    cache : CategoricalFocalCache

    Examples
    --------
    >>> round(categorical_focal_forward(np.zeros((1, 2)), np.array([1]), gamma=1.0)[0], 4)
    0.3466
    """
    if alpha is not None and np.ndim(alpha) == 0:
        raise OptionError(
            f"focal: expected {Z.shape[1]} numbers as alpha, one for each class, got {alpha!r}."
        )
    scale = sample_scale(weights, normalizer, len(Z), Z.dtype)
    if Y.ndim == 1:
        labels, Y = Y, np.zeros_like(Z)
        Y[rows_of(labels, len(Z), Z.shape[1], "focal")] = 1
    check_fit("focal", Z, Y)
    Y = Y * per_output("focal: alpha", alpha, Z)
    S = Z - Z.max(axis=1, keepdims=True)
    log_P = S - np.log(np.exp(S).sum(axis=1, keepdims=True))
    losses = -Y * (-np.expm1(log_P)) ** gamma * log_P
    return weighted_sum(losses, scale), CategoricalFocalCache(log_P, Y, gamma, scale)


def categorical_focal_backward(cache: CategoricalFocalCache, *, dZ: Array | None = None) -> Array:
    """Return the gradient for the logits, shape (m, k).

    With Q = 1 - P, the derivative of -Y Q^gamma log P for log P is G = -Y Q^gamma (1 - gamma P log P / Q), and that
    of log P for Z is the identity less P, so dZ = G - P sum_j G_j.

    Examples
    --------
    >>> _, cache = categorical_focal_forward(np.zeros((1, 2)), np.array([1]), gamma=0.0)
    >>> categorical_focal_backward(cache)
    array([[ 0.5, -0.5]])
    """
    log_P, Y, gamma, scale = cache
    P, Q = np.exp(log_P), -np.expm1(log_P)
    ratio = np.divide(log_P, Q, out=np.full_like(Q, -1), where=Q > 0)  # -1 is its limit for P to 1
    G = -Y * Q**gamma * (1 - gamma * P * ratio)
    dZ = np.multiply(P, G.sum(axis=1, keepdims=True), out=dZ)
    np.subtract(G, dZ, out=dZ)
    dZ *= scale
    return dZ
