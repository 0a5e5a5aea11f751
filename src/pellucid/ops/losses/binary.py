"""The binary cross-entropy, computed from logits: the numbers before the last sigmoid.

Starting from logits keeps a confident mistake exact where the logarithm of a probability that was rounded to 0
would not be.
"""

from typing import NamedTuple

import numpy as np

from pellucid.ops.activations import sigmoid_forward
from pellucid.ops.losses.base import check_fit, sample_scale, smooth, weighted_sum
from pellucid.types import Array


class BinaryCrossEntropyCache(NamedTuple):
    """What the backward of the binary cross-entropy needs."""

    Z: Array  # (m, n_out) logits
    Y: Array  # (m, n_out) targets, 0 to 1, smoothed
    e: Array  # (m, n_out) exp(-|Z|)
    scale: float | Array  # 1 / normalizer, or the weights (m, 1) over it


def binary_cross_entropy_forward(
    Z: Array,
    Y: Array,
    *,
    label_smoothing: float = 0.0,
    weights: Array | None = None,
    normalizer: float | None = None,
) -> tuple[float, BinaryCrossEntropyCache]:
    """Return the mean of -(Y log P + (1 - Y) log(1 - P)), P = sigmoid(Z), and the backward's cache.

    Parameters
    ----------
    Z : Array, shape (m, n_out)
        Logits.
    Y : Array, shape (m, n_out), dtype of Z
        Targets from 0 to 1.
    label_smoothing : float, optional
        epsilon, from 0 to below 1: targets are pulled towards 1/2 by this share (Szegedy et al., 2016, section 7).
    weights : Array, shape (m,), optional
        How much each sample counts; default: 1 each.
    normalizer : float, optional
        What the weighted sum is divided by; default: the sum of the weights. Part of a batch is given the
        whole batch's, so that the parts add up to the whole.

    Returns
    -------
    loss : float
        In nats; several outputs of one sample are summed.
    cache : BinaryCrossEntropyCache

    Notes
    -----
    max(Z, 0) - Z Y + log(1 + exp(-|Z|)) is the same number, and never leaves the range of floats.

    Examples
    --------
    >>> round(binary_cross_entropy_forward(np.zeros((2, 1)), np.array([[0.0], [1.0]]))[0], 4)
    0.6931
    >>> binary_cross_entropy_forward(np.array([[-800.0]]), np.ones((1, 1)))[0]
    800.0
    """
    check_fit("binary_cross_entropy", Z, Y)
    Y = smooth(Y, label_smoothing, 2)
    scale = sample_scale(weights, normalizer, len(Z), Z.dtype)
    e = np.exp(-np.abs(Z))
    losses = np.log1p(e)
    losses += np.maximum(Z, 0)
    losses -= Z * Y
    return weighted_sum(losses, scale), BinaryCrossEntropyCache(Z, Y, e, scale)


def binary_cross_entropy_backward(cache: BinaryCrossEntropyCache, *, dZ: Array | None = None) -> Array:
    """Return the gradient for the logits: (sigmoid(Z) - Y) / m.

    Parameters
    ----------
    cache : BinaryCrossEntropyCache
    dZ : Array, shape (m, n_out), optional
        Written and returned.

    Returns
    -------
    Array, shape (m, n_out)

    Examples
    --------
    >>> _, cache = binary_cross_entropy_forward(np.zeros((2, 1)), np.array([[0.0], [1.0]]))
    >>> binary_cross_entropy_backward(cache)
    array([[ 0.25],
           [-0.25]])
    """
    Z, Y, e, scale = cache
    P: Array = np.divide(np.where(Z >= 0, Z.dtype.type(1), e), 1 + e, out=dZ)  # sigmoid(Z)
    P -= Y
    P *= scale
    return P


def binary_probabilities(Z: Array) -> Array:
    """Return the probabilities of class 0 and class 1, shape (m, 2), from logits of shape (m, 1).

    Each is a sigmoid of its own, not one minus the other, so that tiny ones keep their digits.

    Examples
    --------
    >>> binary_probabilities(np.zeros((1, 1)))
    array([[0.5, 0.5]])
    """
    return sigmoid_forward(np.hstack([-Z, Z]))[0]
