"""The fast twin of :func:`pellucid.training.optimizers.adam.adam`: ten passes, in place.

The running means m <- beta m + (1 - beta) g are kept as M = m / (1 - beta), so that M <- beta M + g saves a pass;
the factor goes into the step size and epsilon, once per call, not once per parameter. The parameters are the same.
"""

import math

import numpy as np

from pellucid.types import Array


def adam(
    theta: Array,
    grad: Array,
    m: Array,
    v: Array,
    *,
    t: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    beta1_before: float,
) -> None:
    """M <- beta1 M + g;  V <- beta2 V + g^2;  theta <- theta - rate M / (sqrt(V) + epsilon'), M = m / (1 - beta1).

    Parameters are those of the plain twin; ``m`` and ``v`` hold M and V, and ``grad`` is overwritten.

    Notes
    -----
    With root = sqrt((1 - beta2) / (1 - beta2^t)), sqrt(v_hat) = root sqrt(V), so that eta m_hat over
    (sqrt(v_hat) + epsilon) is eta (1 - beta1) / (1 - beta1^t) / root times M over (sqrt(V) + epsilon / root).

    Examples
    --------
    >>> theta, M, V = np.array([1.0, 1.0]), np.zeros(2), np.zeros(2)
    >>> numbers = {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "beta1_before": 0.9}
    >>> adam(theta, np.array([0.001, 1000.0]), M, V, t=1, **numbers)
    >>> theta.round(4)
    array([0.9, 0.9])
    """
    root = math.sqrt((1 - beta2) / (1 - beta2**t))
    rate = learning_rate * (1 - beta1) / (1 - beta1**t) / root
    # M was divided by 1 - beta1 of the step before, which a schedule may have changed since.
    m *= beta1 * (1 - beta1_before) / (1 - beta1)  # M <- beta1 M + g
    m += grad
    grad *= grad
    v *= beta2  # V <- beta2 V + g^2
    v += grad
    np.sqrt(v, out=grad)
    grad += epsilon / root
    np.divide(m, grad, out=grad)
    grad *= rate
    theta -= grad
