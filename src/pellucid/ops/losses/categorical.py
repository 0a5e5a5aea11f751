"""The categorical cross-entropy, computed from logits: the numbers before the last softmax."""

from typing import NamedTuple

import numpy as np

from pellucid.ops.activations import softmax_forward
from pellucid.ops.losses.base import check_fit, sample_scale, smooth, weighted_sum
from pellucid.ops.losses.labels import rows_of
from pellucid.types import Array


class CategoricalCrossEntropyCache(NamedTuple):
    """What the backward of the categorical cross-entropy needs."""

    E: Array  # (m, k) exp(Z - its row's largest)
    total: Array  # (m, 1) the row sums of E
    Y: Array  # (m,) labels, or (m, k) targets
    label_smoothing: float
    scale: float | Array


def categorical_cross_entropy_forward(
    Z: Array,
    Y: Array,
    *,
    label_smoothing: float = 0.0,
    weights: Array | None = None,
    normalizer: float | None = None,
) -> tuple[float, CategoricalCrossEntropyCache]:
    """Return the mean of -log P[label], P = softmax(Z), and the backward's cache.

    Parameters
    ----------
    Z : Array, shape (m, k)
        Logits.
    Y : Array, shape (m,) integers from 0 to k - 1, or (m, k) of the dtype of Z
        Labels; or soft targets, a probability for each class: then it is the mean of -sum_j Y_j log P_j.
    label_smoothing : float, optional
        epsilon, from 0 to below 1: targets are pulled towards 1 / k by this share (Szegedy et al., 2016,
        section 7).
    weights, normalizer : optional
        As for :func:`binary_cross_entropy_forward`.

    Returns
    -------
    loss : float
        In nats.
    cache : CategoricalCrossEntropyCache

    Raises
    ------
    ShapeError, DataError
        If the targets do not fit the logits.

    Notes
    -----
    With S = Z - max Z, log P = S - log sum exp S: no exponential above 1, no logarithm of 0. PyTorch's
    ``cross_entropy`` is the same, weighted by samples where PyTorch weighs by classes.

    Examples
    --------
    >>> Z = np.array([[0.0, 0.0], [800.0, 0.0]])
    >>> categorical_cross_entropy_forward(Z[1:], np.array([1]))[0]
    800.0
    >>> round(categorical_cross_entropy_forward(Z[:1], np.array([[0.5, 0.5]]))[0], 4)
    0.6931
    """
    m, k = Z.shape
    scale = sample_scale(weights, normalizer, m, Z.dtype)
    # (k, m): sums and maxima over few classes run along all samples at once
    columns = np.ascontiguousarray(Z.T)
    columns = columns - np.maximum.reduce(columns, axis=0)
    exponentials = np.exp(columns)
    S, E = columns.T, exponentials.T
    total = np.add.reduce(exponentials, axis=0)[:, None]
    losses = np.log(total)
    if Y.ndim == 1:
        losses[:, 0] -= (1 - label_smoothing) * S[rows_of(Y, m, k, "categorical_cross_entropy")]
        if label_smoothing:
            losses -= label_smoothing * S.mean(axis=1, keepdims=True)
    else:
        check_fit("categorical_cross_entropy", Z, Y)
        T = smooth(Y, label_smoothing, Y.shape[1])
        losses *= T.sum(axis=1, keepdims=True)
        losses -= (T * S).sum(axis=1, keepdims=True)
    return weighted_sum(losses, scale), CategoricalCrossEntropyCache(E, total, Y, label_smoothing, scale)


def categorical_cross_entropy_backward(
    cache: CategoricalCrossEntropyCache, *, dZ: Array | None = None
) -> Array:
    """Return the gradient for the logits: (softmax(Z) - targets) / m, shape (m, k).

    Parameters
    ----------
    cache : CategoricalCrossEntropyCache
    dZ : Array, shape (m, k), optional
        Written and returned.

    Examples
    --------
    >>> _, cache = categorical_cross_entropy_forward(np.zeros((1, 2)), np.array([1]))
    >>> categorical_cross_entropy_backward(cache)
    array([[ 0.5, -0.5]])
    """
    E, total, Y, label_smoothing, scale = cache
    P: Array = np.divide(E, total, out=dZ)
    if Y.ndim == 1:
        P[np.arange(len(P)), Y] -= 1 - label_smoothing
        if label_smoothing:
            P -= label_smoothing / P.shape[1]
    else:
        T = smooth(Y, label_smoothing, Y.shape[1])
        P *= T.sum(axis=1, keepdims=True)  # 1, where the targets are probabilities
        P -= T
    P *= scale
    return P


def softmax_probabilities(Z: Array) -> Array:
    """Return the probability of each class, shape (m, k), rows that add up to 1.

    Examples
    --------
    >>> softmax_probabilities(np.zeros((1, 2)))
    array([[0.5, 0.5]])
    """
    return softmax_forward(Z)[0]
