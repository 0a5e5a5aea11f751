"""The loss of several yes-or-no questions at once, computed from logits."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pellucid.errors import OptionError
from pellucid.ops.activations import sigmoid_forward
from pellucid.ops.losses.base import check_fit, sample_scale, smooth, weighted_sum
from pellucid.types import Array


class YesNo(NamedTuple):
    """The probabilities of yes and no for each logit, and the cross-entropies, exact for every logit."""

    P: Array  # sigmoid(Z)
    Q: Array  # sigmoid(-Z) = 1 - P, with its own digits
    yes: Array  # -log P
    no: Array  # -log Q


def yes_no(Z: Array) -> YesNo:
    """Return the probabilities and cross-entropies of yes and no for logits of any shape.

    Examples
    --------
    >>> [float(x[0]) for x in yes_no(np.array([-1000.0]))]
    [0.0, 1.0, 1000.0, 0.0]
    """
    e = np.exp(-np.abs(Z))
    log, near, far = np.log1p(e), 1 / (1 + e), e / (1 + e)
    is_up = Z >= 0
    return YesNo(
        np.where(is_up, near, far),
        np.where(is_up, far, near),
        log + np.maximum(-Z, 0),
        log + np.maximum(Z, 0),
    )


class MultiLabelCache(NamedTuple):
    """What the backward of the multi-label loss needs."""

    parts: YesNo
    Y: Array
    positive_weight: Array
    scale: float | Array


def multi_label_forward(
    Z: Array,
    Y: Array,
    *,
    positive_weight: float | Sequence[float] | None = None,
    label_smoothing: float = 0.0,
    weights: Array | None = None,
    normalizer: float | None = None,
) -> tuple[float, MultiLabelCache]:
    """Return the mean over samples and outputs of -(w Y log P + (1 - Y) log(1 - P)), P = sigmoid(Z), and a cache.

    Parameters
    ----------
    Z : Array, shape (m, k)
        Logits: one yes-or-no question for each output.
    Y : Array, shape (m, k), dtype of Z
        Targets from 0 to 1.
    positive_weight : float or k floats, optional
        w: how much a yes counts beside a no, for all outputs or each; default 1. It is the class weight of a
        loss with two classes in every output.
    label_smoothing : float, optional
        As for :func:`pellucid.ops.losses.binary.binary_cross_entropy_forward`.
    weights, normalizer : optional
        As for :func:`pellucid.ops.losses.binary.binary_cross_entropy_forward`.

    Returns
    -------
    loss : float
        In nats. The mean over the k outputs, as PyTorch's ``BCEWithLogitsLoss`` has it (w is its ``pos_weight``),
        where binary_cross_entropy takes their sum.
    cache : MultiLabelCache

    Examples
    --------
    >>> round(multi_label_forward(np.zeros((1, 2)), np.array([[0.0, 1.0]]))[0], 4)
    0.6931
    """
    check_fit("multi_label", Z, Y)
    Y = smooth(Y, label_smoothing, 2)
    scale = sample_scale(weights, normalizer, len(Z), Z.dtype, n_out=Z.shape[1])
    w = per_output("multi_label: positive_weight", positive_weight, Z)
    parts = yes_no(Z)
    return weighted_sum(w * Y * parts.yes + (1 - Y) * parts.no, scale), MultiLabelCache(parts, Y, w, scale)


def multi_label_backward(cache: MultiLabelCache, *, dZ: Array | None = None) -> Array:
    """Return the gradient for the logits, ((1 - Y) P - w Y (1 - P)) / (m k), shape (m, k).

    Examples
    --------
    >>> _, cache = multi_label_forward(np.zeros((1, 2)), np.array([[0.0, 1.0]]))
    >>> multi_label_backward(cache)
    array([[ 0.25, -0.25]])
    """
    parts, Y, w, scale = cache
    dZ = np.multiply(1 - Y, parts.P, out=dZ)
    dZ -= w * Y * parts.Q
    dZ *= scale
    return dZ


def sigmoid_probabilities(Z: Array) -> Array:
    """Return the probability of yes for each output, shape (m, k).

    Examples
    --------
    >>> sigmoid_probabilities(np.zeros((1, 2)))
    array([[0.5, 0.5]])
    """
    return sigmoid_forward(Z)[0]


def per_output(where: str, values: float | Sequence[float] | None, Z: Array) -> Array:
    """Return one number for each output, shape (k,) or (), in the dtype of Z; ones for None.

    Examples
    --------
    >>> per_output("example", [1, 2], np.zeros((3, 2)))
    array([1., 2.])
    """
    array = np.asarray(1 if values is None else values, Z.dtype)
    if array.shape not in ((), Z.shape[1:]):
        raise OptionError(f"{where}: expected {Z.shape[1]} numbers, one for each output, got {array.size}.")
    return array
