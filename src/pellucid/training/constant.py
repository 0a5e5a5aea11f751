"""The loss of the best constant prediction: a training must fall below it to have learned from its inputs."""

import numpy as np

from pellucid.ops.losses.base import Loss
from pellucid.types import Array


def constant_loss(loss: Loss, Y: Array, n_outputs: int, *, weights: Array | None = None) -> float:
    """Return the lowest loss that outputs of the same numbers for every sample can have.

    Parameters
    ----------
    loss : Loss
    Y : Array, shape (m,) or (m, n_outputs)
        Targets as ``loss.encode`` returns them.
    n_outputs : int
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
    from scipy.optimize import minimize  # here, so that importing pellucid stays fast

    m = len(Y)
    targets = Y.astype(np.float64) if Y.ndim > 1 else Y

    def objective(z: Array) -> tuple[float, Array]:
        value, cache = loss.forward(np.tile(z, (m, 1)), targets, weights=weights)
        return value, loss.backward(cache).sum(axis=0, dtype=np.float64)

    start = targets.mean(axis=0) if loss.kind == "regression" else np.zeros(n_outputs)
    return float(minimize(objective, start, jac=True, method="L-BFGS-B").fun)
