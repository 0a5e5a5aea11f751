"""Losses, computed from logits: the numbers before the last sigmoid or softmax.

Starting from logits keeps a confident mistake exact where the logarithm of a probability that was rounded to 0
would not be. The mean over samples, the only 1/m of the whole backward pass, is taken here.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import DataError, OptionError, ShapeError, unknown_name
from pellucid.ops.activations import sigmoid_forward
from pellucid.types import Array


class BinaryCrossEntropyCache(NamedTuple):
    """What the backward of the binary cross-entropy needs."""

    Z: Array  # (m, n_out) logits
    Y: Array  # (m, n_out) targets, 0 to 1
    e: Array  # (m, n_out) exp(-|Z|)
    scale: float | Array  # 1 / normalizer, or the weights (m, 1) over it


def binary_cross_entropy_forward(
    Z: Array, Y: Array, *, weights: Array | None = None, normalizer: float | None = None
) -> tuple[float, BinaryCrossEntropyCache]:
    """Return the mean of -(Y log P + (1 - Y) log(1 - P)), P = sigmoid(Z), and the backward's cache.

    Parameters
    ----------
    Z : Array, shape (m, n_out)
        Logits.
    Y : Array, shape (m, n_out), dtype of Z
        Targets from 0 to 1.
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
    e = np.exp(-np.abs(Z))
    losses = np.log1p(e)
    losses += np.maximum(Z, 0)
    losses -= Z * Y
    scale = _scale(weights, normalizer, len(Z), Z.dtype)
    loss = losses.sum() * scale if isinstance(scale, float) else (losses * scale).sum()
    return float(loss), BinaryCrossEntropyCache(Z, Y, e, scale)


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


def _scale(weights: Array | None, normalizer: float | None, m: int, dtype: Any) -> float | Array:
    if weights is None:
        return 1.0 / (m if normalizer is None else normalizer)
    if weights.shape != (m,):
        raise ShapeError(f"weights: expected shape ({m},), one for each sample, got {weights.shape}.")
    total = float(weights.sum()) if normalizer is None else normalizer
    scale: Array = (weights / total).astype(dtype)[:, None]
    return scale


class Loss(NamedTuple):
    """A loss as the training loop sees it."""

    forward: Callable[..., tuple[float, Any]]
    backward: Callable[..., Array]
    encode: Callable[[Array, int, Any], Array]  # labels, n_out, dtype -> targets
    probabilities: Callable[[Array], Array] | None  # logits (m, n_out) -> (m, k); None: not a classifier


def encode_binary(y: Array, n_out: int, dtype: Any) -> Array:
    """Return labels 0 and 1, shape (m,), as targets of shape (m, 1).

    Examples
    --------
    >>> encode_binary(np.array([0, 1]), 1, np.float64)
    array([[0.],
           [1.]])
    """
    if n_out != 1:
        raise ShapeError(
            f"binary_cross_entropy: expected a model with 1 output, got {n_out}. Make the last layer Dense(1)."
        )
    strange = np.unique(y[(y != 0) & (y != 1)])
    if len(strange):
        raise DataError(
            f"binary_cross_entropy: expected labels 0 and 1, got also {strange[:5].tolist()}. "
            "A model with one output tells two classes apart; more classes need one output each."
        )
    return np.asarray(y, dtype)[:, None]


def binary_probabilities(Z: Array) -> Array:
    """Return the probabilities of class 0 and class 1, shape (m, 2), from logits of shape (m, 1).

    Each is a sigmoid of its own, not one minus the other, so that tiny ones keep their digits.

    Examples
    --------
    >>> binary_probabilities(np.zeros((1, 1)))
    array([[0.5, 0.5]])
    """
    return sigmoid_forward(np.hstack([-Z, Z]))[0]


LOSSES: dict[str, Loss] = {
    "binary_cross_entropy": Loss(
        binary_cross_entropy_forward, binary_cross_entropy_backward, encode_binary, binary_probabilities
    ),
}


def get_loss(name: str) -> Loss:
    """Return the loss of that name.

    Raises
    ------
    OptionError
        If there is none; the nearest is named.

    Examples
    --------
    >>> get_loss("binary_cross_entropy").backward.__name__
    'binary_cross_entropy_backward'
    """
    if name not in LOSSES:
        raise OptionError(unknown_name("loss", name, LOSSES))
    return LOSSES[name]
