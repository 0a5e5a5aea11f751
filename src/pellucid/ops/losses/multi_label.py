"""The cross-entropy of several yes-or-no labels for each sample, computed from logits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pellucid.ops.activations import sigmoid_forward
from pellucid.ops.losses.base import Loss, Pair
from pellucid.ops.losses.cross_entropy import SMOOTHING, smooth
from pellucid.ops.losses.targets import encode_multi_label, per_output
from pellucid.registry import option, register
from pellucid.types import Array


class BinaryTerms(NamedTuple):
    """The probabilities of 1 and 0 for each logit, and minus their logarithms, exact for every logit."""

    P: Array  # sigmoid(Z)
    Q: Array  # sigmoid(-Z) = 1 - P, without cancellation
    minus_log_P: Array
    minus_log_Q: Array


def binary_terms(Z: Array) -> BinaryTerms:
    """Return P = sigmoid(Z), Q = 1 - P, -log P and -log Q for logits of any shape.

    Examples
    --------
    >>> [float(x[0]) for x in binary_terms(np.array([-1000.0]))]
    [0.0, 1.0, 1000.0, 0.0]
    """
    e = np.exp(-np.abs(Z))
    log, large, small = np.log1p(e), 1 / (1 + e), e / (1 + e)
    is_positive = Z >= 0
    return BinaryTerms(
        np.where(is_positive, large, small),
        np.where(is_positive, small, large),
        log + np.maximum(-Z, 0),
        log + np.maximum(Z, 0),
    )


class MultiLabelCache(NamedTuple):
    """What the backward of the multi-label loss needs."""

    terms: BinaryTerms
    Y: Array
    positive_weight: Array


def multi_label_forward(
    Z: Array,
    Y: Array,
    *,
    positive_weight: float | Sequence[float] | None = None,
    label_smoothing: float = 0.0,
) -> tuple[Array, MultiLabelCache]:
    """Return L = -(w Y log P + (1 - Y) log(1 - P)), P = sigmoid(Z), in nats, and the cache.

    Parameters
    ----------
    Z : Array, shape (m, k)
        Logits: one yes-or-no question for each output.
    Y : Array, shape (m, k), dtype of Z
        Targets from 0 to 1.
    positive_weight : float or k floats, optional
        w; default 1.
    label_smoothing : float, optional

    Returns
    -------
    losses : Array, shape (m, k)
    cache : MultiLabelCache

    Examples
    --------
    >>> multi_label_forward(np.zeros((1, 2)), np.array([[0.0, 1.0]]), positive_weight=2)[0].round(4)
    array([[0.6931, 1.3863]])
    """
    Y = smooth(Y, label_smoothing, 2) if label_smoothing else Y
    w = per_output("multi_label: positive_weight", positive_weight, Z)
    terms = binary_terms(Z)
    return w * Y * terms.minus_log_P + (1 - Y) * terms.minus_log_Q, MultiLabelCache(terms, Y, w)


def multi_label_backward(cache: MultiLabelCache, *, dZ: Array | None = None) -> Array:
    """dZ = (1 - Y) P - w Y (1 - P), P = sigmoid(Z).

    Examples
    --------
    >>> _, cache = multi_label_forward(np.zeros((1, 2)), np.array([[0.0, 1.0]]))
    >>> multi_label_backward(cache)
    array([[ 0.5, -0.5]])
    """
    (P, Q, _, _), Y, w = cache
    dZ = np.multiply(1 - Y, P, out=dZ)
    dZ -= w * Y * Q
    return dZ


@register("multi_label")
@dataclass
class MultiLabel(Loss):
    """Mean over samples and outputs of -(w Y log P + (1 - Y) log(1 - P)), P = sigmoid(Z): any number of labels.

    Equals PyTorch's ``BCEWithLogitsLoss`` (w is its ``pos_weight``); binary_cross_entropy takes the sum over the
    outputs instead.

    Examples
    --------
    >>> loss, cache = MultiLabel().forward(np.zeros((1, 2)), np.array([[0.0, 1.0]]))
    >>> round(loss, 4)
    0.6931
    """

    positive_weight: float | list[float] | None = option(
        None,
        at_least=0,
        help="w: how much a 1 counts relative to a 0, one number or one per output; None: 1.",
    )
    label_smoothing: float = option(0.0, at_least=0, below=1, help=SMOOTHING)
    kind = "multi_label"
    averages_outputs = gives_probabilities = True

    def pair(self, n_out: int) -> Pair:
        """Return :func:`multi_label_forward` and its backward."""
        return multi_label_forward, multi_label_backward

    def encode(self, y: Array, n_out: int, dtype: Any) -> Array:
        """Return a matrix of 0 and 1, (m, n_out), as targets."""
        return encode_multi_label(y, n_out, dtype, where=self.name)

    def probabilities(self, Z: Array) -> Array:
        """Return the probability of 1 for each output, (m, k)."""
        return sigmoid_forward(Z)[0]
