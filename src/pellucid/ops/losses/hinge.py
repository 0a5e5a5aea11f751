"""Hinge losses: the score of the true class has to exceed the others by a margin. They give no probabilities.

For two classes, as in support vector machines (Cortes and Vapnik, 1995); for several, that of Weston and Watkins
(1999), divided by their number, which is PyTorch's ``MultiMarginLoss``.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pellucid.ops.losses.base import Loss, Pair
from pellucid.ops.losses.targets import encode_binary, encode_labels
from pellucid.registry import option, register
from pellucid.types import Array


class BinaryHingeCache(NamedTuple):
    """What the backward of the binary hinge loss needs."""

    Y: Array
    loss_1: Array  # max(0, margin - Z): of class 1
    loss_0: Array  # max(0, margin + Z): of class 0


def binary_hinge_forward(Z: Array, Y: Array, *, margin: float = 1.0) -> tuple[Array, BinaryHingeCache]:
    """Return L = max(0, margin - s Z), s = +1 for class 1 and -1 for class 0, and the cache.

    Parameters
    ----------
    Z : Array, shape (m, n_out)
        Scores; above 0 means class 1.
    Y : Array, shape (m, n_out), dtype of Z
        Targets 0 and 1; between them, the mixture of both losses.
    margin : float, optional

    Returns
    -------
    losses : Array, shape (m, n_out)
    cache : BinaryHingeCache

    Examples
    --------
    >>> binary_hinge_forward(np.array([[3.0], [0.5]]), np.array([[1.0], [0.0]]))[0]
    array([[0. ],
           [1.5]])
    """
    loss_1, loss_0 = np.maximum(margin - Z, 0), np.maximum(margin + Z, 0)
    return Y * loss_1 + (1 - Y) * loss_0, BinaryHingeCache(Y, loss_1, loss_0)


def binary_hinge_backward(cache: BinaryHingeCache, *, dZ: Array | None = None) -> Array:
    """dZ = -s inside the margin, 0 beyond it and at its edge.

    Examples
    --------
    >>> _, cache = binary_hinge_forward(np.array([[3.0], [0.5]]), np.array([[1.0], [0.0]]))
    >>> binary_hinge_backward(cache)
    array([[0.],
           [1.]])
    """
    Y, loss_1, loss_0 = cache
    dZ = np.multiply(1 - Y, loss_0 > 0, out=dZ)
    dZ -= Y * (loss_1 > 0)
    return dZ


class CategoricalHingeCache(NamedTuple):
    """What the backward of the categorical hinge loss needs."""

    excess: (
        Array  # (m, k) max(0, margin + Z - Z[label]), 0 at the label; for soft targets (m, k, k), by label
    )
    Y: Array  # (m,) labels, or (m, k) targets


def categorical_hinge_forward(
    Z: Array, Y: Array, *, margin: float = 1.0
) -> tuple[Array, CategoricalHingeCache]:
    """Return L_j = max(0, margin + Z_j - Z_label) of each class j but the label, and the cache.

    Parameters
    ----------
    Z : Array, shape (m, k)
        Scores; the largest wins.
    Y : Array, shape (m,) integers from 0 to k - 1, or (m, k) of the dtype of Z
        Labels; or soft targets, a weight for each class: then the mixture of the losses of all labels, at k
        times the cost.
    margin : float, optional

    Returns
    -------
    losses : Array, shape (m, k)
    cache : CategoricalHingeCache

    Examples
    --------
    >>> categorical_hinge_forward(np.array([[3.0, 1.0, 2.5]]), np.array([0]))[0]
    array([[0. , 0. , 0.5]])
    """
    if Y.ndim == 2:
        classes = np.arange(Z.shape[1])
        excess = np.maximum(Z[:, None, :] - Z[:, :, None] + margin, 0)  # axis 1: as if that were the label
        excess[:, classes, classes] = 0
        return np.einsum("mc,mcj->mj", Y, excess), CategoricalHingeCache(excess, Y)
    own = np.arange(len(Y)), Y
    excess = Z - (Z[own] - margin)[:, None]
    np.maximum(excess, 0, out=excess)
    excess[own] = 0
    return excess, CategoricalHingeCache(excess, Y)


def categorical_hinge_backward(cache: CategoricalHingeCache, *, dZ: Array | None = None) -> Array:
    """dZ = 1 for each class within the margin of the label, and minus their number at the label.

    Examples
    --------
    >>> _, cache = categorical_hinge_forward(np.array([[3.0, 1.0, 2.5]]), np.array([0]))
    >>> categorical_hinge_backward(cache)
    array([[-1.,  0.,  1.]])
    """
    excess, Y = cache
    if Y.ndim == 2:
        over = (excess > 0) * Y[:, :, None]
        return np.subtract(over.sum(axis=1), over.sum(axis=2), out=dZ)
    dZ = np.greater(excess, 0, out=np.empty_like(excess) if dZ is None else dZ, casting="unsafe")
    dZ[np.arange(len(Y)), Y] = -dZ.sum(axis=1)
    return dZ


@register("hinge")
@dataclass
class Hinge(Loss):
    """Mean of max(0, margin - s Z) for two classes; of sum_(j != label) max(0, margin + Z_j - Z_label) / k for k.

    Cortes and Vapnik (1995); Weston and Watkins (1999).

    Examples
    --------
    >>> loss, cache = Hinge().forward(np.array([[3.0], [0.5]]), np.array([[1.0], [0.0]]))
    >>> loss
    0.75
    """

    margin: float = option(1.0, above=0, help="Margin by which the true class has to win.")
    averages_outputs = takes_labels = True

    def pair(self, n_out: int) -> Pair:
        """Return the binary pair for one output, else the categorical pair."""
        if n_out == 1:
            return binary_hinge_forward, binary_hinge_backward
        return categorical_hinge_forward, categorical_hinge_backward

    def encode(self, y: Array, n_out: int, dtype: Any) -> Array:
        """Return labels as targets of shape (m, 1) for one output, else as indices (m,)."""
        if n_out == 1:
            return encode_binary(y, n_out, dtype, where=self.name)
        return encode_labels(y, n_out, self.name)
