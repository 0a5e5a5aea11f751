"""The loss of the best constant prediction: a training must fall below it to have learned from its inputs."""

from typing import Any

import numpy as np

from pellucid.ops.losses.base import Loss
from pellucid.ops.losses.joint import Joint
from pellucid.types import Array


def constant_loss(loss: Loss, Y: Any, n_outputs: Any, *, weights: Array | None = None) -> float:
    """Return the lowest loss that outputs of the same numbers for every sample can have.

    Parameters
    ----------
    loss : Loss
    Y : Array, shape (m,) or (m, n_outputs), or dict of Array
        Targets as ``loss.encode`` returns them.
    n_outputs : int, or dict of int
    weights : Array, shape (m,), optional
        How much each sample counts.

    Notes
    -----
    Of cross-entropies it is the entropy of the targets' mean: log 2 for two equally frequent classes. Mixing
    samples (CutMix) changes neither that mean nor, therefore, this loss.

    Examples
    --------
    >>> from pellucid.ops.losses import BinaryCrossEntropy, MeanSquaredError
    >>> round(constant_loss(BinaryCrossEntropy(), np.array([[0.0], [1.0]]), 1), 4)
    0.6931
    >>> round(constant_loss(MeanSquaredError(), np.array([[1.0], [3.0]]), 1), 4)
    1.0
    """
    if isinstance(loss, Joint):
        return sum(
            loss.loss_weights.get(name, 1.0) * constant_loss(one, Y[name], n_outputs[name], weights=weights)
            for name, one in loss.losses.items()
        )
    from scipy.optimize import minimize  # here, so that importing pellucid stays fast

    m = len(Y)
    targets = Y.astype(np.float64) if Y.ndim > 1 else Y

    def objective(z: Array) -> tuple[float, Array]:
        value, cache = loss.forward(np.tile(z, (m, 1)), targets, weights=weights)
        return value, loss.backward(cache).sum(axis=0, dtype=np.float64)

    start = targets.mean(axis=0) if loss.kind == "regression" else np.zeros(n_outputs)
    return float(minimize(objective, start, jac=True, method="L-BFGS-B").fun)
