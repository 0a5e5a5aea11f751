"""Cross-entropies, computed from logits: the numbers before the last sigmoid or softmax.

Starting from logits keeps the loss of a confident mistake exact, where the logarithm of a probability rounded to 0
would not be.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pellucid.ops.losses.base import Loss, Pair
from pellucid.ops.losses.targets import encode_binary, encode_classes, one_hot
from pellucid.registry import option, register
from pellucid.types import Array

SMOOTHING = (
    "epsilon: targets are moved by this fraction towards uniform ones (Szegedy et al., 2016, section 7)."
)


class BinaryCrossEntropyCache(NamedTuple):
    """What the backward of the binary cross-entropy needs."""

    Z: Array  # (m, n_out) logits
    Y: Array  # (m, n_out) targets, 0 to 1, smoothed
    e: Array  # (m, n_out) exp(-|Z|)


def binary_cross_entropy_forward(
    Z: Array, Y: Array, *, label_smoothing: float = 0.0
) -> tuple[Array, BinaryCrossEntropyCache]:
    """Return L = -(Y log P + (1 - Y) log(1 - P)), P = sigmoid(Z), in nats, and the cache.

    Parameters
    ----------
    Z : Array, shape (m, n_out)
        Logits.
    Y : Array, shape (m, n_out), dtype of Z
        Targets from 0 to 1.
    label_smoothing : float, optional

    Returns
    -------
    losses : Array, shape (m, n_out)
    cache : BinaryCrossEntropyCache

    Notes
    -----
    max(Z, 0) - Z Y + log(1 + exp(-|Z|)) is the same number, and never overflows.

    Examples
    --------
    >>> binary_cross_entropy_forward(np.array([[0.0, -800.0]]), np.ones((1, 2)))[0].round(4)
    array([[6.931e-01, 8.000e+02]])
    """
    Y = smooth(Y, label_smoothing, 2) if label_smoothing else Y
    e = np.exp(-np.abs(Z))
    losses = np.log1p(e)
    losses += np.maximum(Z, 0)
    losses -= Z * Y
    return losses, BinaryCrossEntropyCache(Z, Y, e)


def binary_cross_entropy_backward(cache: BinaryCrossEntropyCache, *, dZ: Array | None = None) -> Array:
    """dZ = sigmoid(Z) - Y.

    Bishop, 2006, section 4.3.2.

    Examples
    --------
    >>> _, cache = binary_cross_entropy_forward(np.zeros((2, 1)), np.array([[0.0], [1.0]]))
    >>> binary_cross_entropy_backward(cache)
    array([[ 0.5],
           [-0.5]])
    """
    Z, Y, e = cache
    P: Array = np.divide(np.where(Z >= 0, Z.dtype.type(1), e), 1 + e, out=dZ)  # sigmoid(Z)
    P -= Y
    return P


class SoftmaxCrossEntropyCache(NamedTuple):
    """What the backward of the softmax cross-entropy needs."""

    log_P: Array  # (m, k)
    Y: Array  # (m, k) targets, smoothed


def softmax_cross_entropy_forward(
    Z: Array, Y: Array, *, label_smoothing: float = 0.0
) -> tuple[Array, SoftmaxCrossEntropyCache]:
    """Return L = -sum_j Y_j log P_j, P = softmax(Z), in nats, and the cache.

    Parameters
    ----------
    Z : Array, shape (m, k)
        Logits.
    Y : Array, shape (m,) integers from 0 to k - 1, or (m, k) of the dtype of Z
        Labels, which stand for one-hot rows, so that L = -log P[label]; or a probability for each class.
    label_smoothing : float, optional

    Returns
    -------
    losses : Array, shape (m, 1)
    cache : SoftmaxCrossEntropyCache

    Notes
    -----
    With S = Z - max Z, log P = S - log sum exp S: no exponential above 1, no logarithm of 0.
    PyTorch's ``cross_entropy`` is the same, with weights per sample where PyTorch has weights per class.

    Examples
    --------
    >>> Z = np.array([[0.0, 0.0], [800.0, 0.0]])
    >>> softmax_cross_entropy_forward(Z[1:], np.array([1]))[0]
    array([[800.]])
    >>> softmax_cross_entropy_forward(Z[:1], np.array([[0.5, 0.5]]))[0].round(4)
    array([[0.6931]])
    """
    k = Z.shape[1]
    Y = one_hot(Y, k, Z.dtype) if Y.ndim == 1 else Y
    Y = smooth(Y, label_smoothing, k) if label_smoothing else Y
    S = Z - Z.max(axis=1, keepdims=True)  # softmax ignores a shift of a row
    log_P = S - np.log(np.exp(S).sum(axis=1, keepdims=True))
    losses = -np.sum(Y * log_P, axis=1, keepdims=True, where=Y != 0)  # 0 log 0 = 0
    return losses, SoftmaxCrossEntropyCache(log_P, Y)


def softmax_cross_entropy_backward(cache: SoftmaxCrossEntropyCache, *, dZ: Array | None = None) -> Array:
    """dZ = softmax(Z) - Y, with labels as one-hot rows, smoothed.

    Bishop, 2006, section 4.3.4.

    Examples
    --------
    >>> _, cache = softmax_cross_entropy_forward(np.zeros((1, 2)), np.array([1]))
    >>> softmax_cross_entropy_backward(cache)
    array([[ 0.5, -0.5]])
    """
    log_P, Y = cache
    dZ = np.exp(log_P, out=dZ)
    dZ *= Y.sum(axis=1, keepdims=True)  # 1, where the targets are probabilities
    dZ -= Y
    return dZ


def smooth(Y: Array, label_smoothing: float, k: int) -> Array:
    """Return T = (1 - epsilon) Y + epsilon / k, smoothed targets.

    Szegedy et al., 2016, section 7: of each class's target, epsilon is spread over all k.

    Examples
    --------
    >>> smooth(np.array([[0.0, 1.0]]), 0.5, 2)
    array([[0.25, 0.75]])
    """
    return (1 - label_smoothing) * Y + label_smoothing / k


@register("binary_cross_entropy")
@dataclass
class BinaryCrossEntropy(Loss):
    """Mean of -(Y log P + (1 - Y) log(1 - P)), P = sigmoid(Z): two classes, from one output.

    Examples
    --------
    >>> loss, cache = BinaryCrossEntropy().forward(np.zeros((2, 1)), np.array([[0.0], [1.0]]))
    >>> round(loss, 4)
    0.6931
    """

    label_smoothing: float = option(0.0, at_least=0, below=1, help=SMOOTHING)
    gives_probabilities = True

    def pair(self, n_out: int) -> Pair:
        """Return :func:`binary_cross_entropy_forward` and its backward."""
        return binary_cross_entropy_forward, binary_cross_entropy_backward

    def encode(self, y: Array, n_out: int, dtype: Any) -> Array:
        """Return labels 0 and 1 as targets of shape (m, 1)."""
        return encode_binary(y, n_out, dtype, where=self.name)


@register("categorical_cross_entropy")
@dataclass
class CategoricalCrossEntropy(Loss):
    """Mean of -log P[label], P = softmax(Z): several classes, one output per class.

    Examples
    --------
    >>> loss, cache = CategoricalCrossEntropy().forward(np.zeros((2, 4)), np.array([0, 3]))
    >>> round(loss, 4)  # log 4
    1.3863
    """

    label_smoothing: float = option(0.0, at_least=0, below=1, help=SMOOTHING)
    takes_labels = gives_probabilities = True

    def pair(self, n_out: int) -> Pair:
        """Return :func:`softmax_cross_entropy_forward` and its backward."""
        return softmax_cross_entropy_forward, softmax_cross_entropy_backward

    def encode(self, y: Array, n_out: int, dtype: Any) -> Array:
        """Return labels (m,) as indices, or probabilities (m, k) as targets."""
        return encode_classes(y, n_out, dtype, where=self.name)
