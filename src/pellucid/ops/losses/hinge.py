"""Hinge losses: the right answer has to win by a margin, and no more is asked of it. There are no probabilities.

For two classes the one of support vector machines (Cortes and Vapnik, 1995); for several that of Weston and Watkins
(1999), divided by their number, which is PyTorch's ``MultiMarginLoss``.
"""

from typing import NamedTuple

import numpy as np

from pellucid.ops.losses.base import check_fit, sample_scale, weighted_sum
from pellucid.ops.losses.labels import rows_of
from pellucid.types import Array


class BinaryHingeCache(NamedTuple):
    """What the backward of the binary hinge loss needs."""

    Y: Array
    yes: Array  # max(0, margin - Z)
    no: Array  # max(0, margin + Z)
    scale: float | Array


def binary_hinge_forward(
    Z: Array,
    Y: Array,
    *,
    margin: float = 1.0,
    weights: Array | None = None,
    normalizer: float | None = None,
) -> tuple[float, BinaryHingeCache]:
    """Return the mean of max(0, margin - s Z), s = +1 for class 1 and -1 for class 0, and the backward's cache.

    Parameters
    ----------
    Z : Array, shape (m, n_out)
        Scores; above 0 means class 1.
    Y : Array, shape (m, n_out), dtype of Z
        Targets 0 and 1; between them, the mixture of both losses.
    margin : float, optional
        Above 0.
    weights, normalizer : optional
        As for :func:`pellucid.ops.losses.binary.binary_cross_entropy_forward`.

    Returns
    -------
    loss : float
        Several outputs of one sample are summed.
    cache : BinaryHingeCache

    Examples
    --------
    >>> binary_hinge_forward(np.array([[3.0], [0.5]]), np.array([[1.0], [0.0]]))[0]
    0.75
    """
    check_fit("hinge", Z, Y)
    scale = sample_scale(weights, normalizer, len(Z), Z.dtype)
    yes, no = np.maximum(margin - Z, 0), np.maximum(margin + Z, 0)
    return weighted_sum(Y * yes + (1 - Y) * no, scale), BinaryHingeCache(Y, yes, no, scale)


def binary_hinge_backward(cache: BinaryHingeCache, *, dZ: Array | None = None) -> Array:
    """Return the gradient for the scores, shape (m, n_out): -s / m inside the margin, 0 beyond it and at its edge.

    Examples
    --------
    >>> _, cache = binary_hinge_forward(np.array([[3.0], [0.5]]), np.array([[1.0], [0.0]]))
    >>> binary_hinge_backward(cache)
    array([[0. ],
           [0.5]])
    """
    Y, yes, no, scale = cache
    dZ = np.multiply(1 - Y, no > 0, out=dZ)
    dZ -= Y * (yes > 0)
    dZ *= scale
    return dZ


class CategoricalHingeCache(NamedTuple):
    """What the backward of the categorical hinge loss needs."""

    excess: Array  # (m, k) max(0, margin + Z - Z[label]), 0 at the label; of rows (m, k, k), for each label
    own: tuple[Array, Array] | Array  # where each row's label is; of rows Y itself
    scale: float | Array


def categorical_hinge_forward(
    Z: Array,
    Y: Array,
    *,
    margin: float = 1.0,
    weights: Array | None = None,
    normalizer: float | None = None,
) -> tuple[float, CategoricalHingeCache]:
    """Return the mean of sum_(j != label) max(0, margin + Z_j - Z_label) / k, and the backward's cache.

    Parameters
    ----------
    Z : Array, shape (m, k)
        Scores; the largest wins.
    Y : Array, shape (m,) integers from 0 to k - 1, or (m, k) of the dtype of Z
        Labels; or soft targets, a share for each class: then it is the mixture of the losses of all, for k times
        the work.
    margin : float, optional
        Above 0.
    weights, normalizer : optional
        As for :func:`pellucid.ops.losses.binary.binary_cross_entropy_forward`.

    Returns
    -------
    loss : float
    cache : CategoricalHingeCache

    Examples
    --------
    >>> categorical_hinge_forward(np.array([[3.0, 1.0, 2.5]]), np.array([0]), margin=1.0)[0] * 3
    0.5
    """
    m, k = Z.shape
    scale = sample_scale(weights, normalizer, m, Z.dtype, n_out=k)
    if Y.ndim == 2:
        check_fit("hinge", Z, Y)
        excess = np.maximum(Z[:, None, :] - Z[:, :, None] + margin, 0)  # axis 1: as if that were the label
        excess[:, np.arange(k), np.arange(k)] = 0
        mixed = np.einsum("mc,mcj->mj", Y, excess)
        return weighted_sum(mixed, scale), CategoricalHingeCache(excess, Y, scale)
    own = rows_of(Y, m, k, "hinge")
    excess = Z - (Z[own] - margin)[:, None]
    np.maximum(excess, 0, out=excess)
    excess[own] = 0
    return weighted_sum(excess, scale), CategoricalHingeCache(excess, own, scale)


def categorical_hinge_backward(cache: CategoricalHingeCache, *, dZ: Array | None = None) -> Array:
    """Return the gradient for the scores, shape (m, k).

    1 / (m k) for each class that comes too near the label, and at the label minus their sum.

    Examples
    --------
    >>> _, cache = categorical_hinge_forward(np.array([[3.0, 1.0, 2.5]]), np.array([0]))
    >>> categorical_hinge_backward(cache) * 3
    array([[-1.,  0.,  1.]])
    """
    excess, own, scale = cache
    if not isinstance(own, tuple):
        over = (excess > 0) * own[:, :, None]
        dZ = np.subtract(over.sum(axis=1), over.sum(axis=2), out=dZ)
        dZ *= scale
        return dZ
    dZ = np.greater(excess, 0, out=np.empty_like(excess) if dZ is None else dZ, casting="unsafe")
    dZ[own] = -dZ.sum(axis=1)
    dZ *= scale
    return dZ
