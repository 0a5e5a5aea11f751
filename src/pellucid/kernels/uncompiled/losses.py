"""The softmax cross-entropy and its gradient by columns: sums and maxima over few classes run along all samples."""

from typing import Any

import numpy as np

from pellucid.ops.losses import base
from pellucid.ops.losses.base import Loss, weighted_sum
from pellucid.ops.losses.cross_entropy import CategoricalCrossEntropy, smooth
from pellucid.types import Array


def loss_and_gradient(
    loss: Loss, Z: Any, Y: Any, *, weights: Array | None = None, normalizer: float | None = None
) -> tuple[float, Any]:
    """Return the mean loss over the samples, and its gradient for Z; labels never become rows of 0 and 1."""
    if type(loss) is not CategoricalCrossEntropy:
        return base.loss_and_gradient(loss, Z, Y, weights=weights, normalizer=normalizer)
    (m, k), epsilon = Z.shape, loss.label_smoothing
    Y = loss.fitting(Z, Y)
    scale = loss.scale(m, k, Z.dtype, weights=weights, normalizer=normalizer)
    columns = np.ascontiguousarray(Z.T)
    columns = columns - np.maximum.reduce(columns, axis=0)
    exponentials = np.exp(columns)
    S, total = columns.T, np.add.reduce(exponentials, axis=0)[:, None]
    losses, dZ = np.log(total), np.divide(exponentials.T, total)
    if Y.ndim == 1:
        own = np.arange(m), Y
        losses[:, 0] -= (1 - epsilon) * S[own]
        dZ[own] -= 1 - epsilon
        if epsilon:
            losses -= epsilon * S.mean(axis=1, keepdims=True)
            dZ -= epsilon / k
    else:
        T = smooth(Y, epsilon, k)
        mass = T.sum(axis=1, keepdims=True)  # 1, where the targets are probabilities
        losses *= mass
        losses -= (T * S).sum(axis=1, keepdims=True)
        dZ *= mass
        dZ -= T
    dZ *= scale
    return weighted_sum(losses, scale), dZ
