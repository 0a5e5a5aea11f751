"""Back through the sigmoid.

The forward computed A = sigmoid(Z) and kept Z as its ``cache``. ``dA`` is the slope of the cost for A. Return dZ, the slope
of the cost for Z, in the same shape: dA times the slope of the sigmoid at Z, element by element. ``dA`` and ``cache`` stay as
they are. ``sigmoid`` is given; it returns (A, Z).

Why it matters: this is the chain rule's smallest step. The sigmoid's slope is 1/4 at Z = 0 and next to nothing far out:
gradients of saturated units vanish.

>>> sigmoid_backward(np.array([[4.0, 1.0]]), np.array([[0.0, 2.0]]))
array([[1.        , 0.10499359]])
"""

import numpy as np

from pellucid.textbook import sigmoid

OUTPUTS = ("dZ",)


def cases(rng):
    yield np.array([[4.0, 1.0]]), np.array([[0.0, 2.0]])
    for n, m in ((3, 5), (2, 7)):
        Z = rng.standard_normal((n, m)) * 2
        Z[0, 0] = 0
        yield rng.standard_normal((n, m)), Z


def measured(dA, cache):
    return {"dZ": (cache, lambda Z: float(np.sum(dA * sigmoid(Z)[0])))}


def sigmoid_backward(dA, cache):
    Z = cache
    s = 1 / (1 + np.exp(-Z))
    dZ = dA * s * (1 - s)
    return dZ


def right_by_slope(dA, cache):
    s, _ = sigmoid(cache)
    slope = s * (1 - s)
    dZ = dA * slope
    return dZ


def right_by_square(dA, cache):
    A = 1 / (1 + np.exp(-cache))
    slope = A - A**2
    return np.multiply(dA, slope)


def right_by_exponential(dA, cache):
    e = np.exp(-cache)
    slope = e / (1 + e) ** 2
    return dA * slope


def right_in_place(dA, cache):
    s = sigmoid(cache)[0]
    dZ = dA.copy()
    dZ *= s
    dZ *= 1 - s
    return dZ


def right_by_loops(dA, cache):
    dZ = np.zeros_like(dA)
    for i in range(dA.shape[0]):
        for k in range(dA.shape[1]):
            s = 1 / (1 + np.exp(-cache[i, k]))
            dZ[i, k] = dA[i, k] * s * (1 - s)
    return dZ


FAULTS = (
    ("slope from Z for A", "dA * s * (1 - s)", "dA * Z * (1 - Z)"),
    ("slope from Z for A", "s * (1 - s)", "cache * (1 - cache)"),
    ("sigmoid twice", "s = 1 / (1 + np.exp(-Z))", "s = 1 / (1 + np.exp(-1 / (1 + np.exp(-Z))))"),
    ("sigmoid twice", "s, _ = sigmoid(cache)", "s, _ = sigmoid(sigmoid(cache)[0])"),
    ("mask for slope", "dA * s * (1 - s)", "dA * (Z > 0)"),
    ("one factor of the slope missing", "dA * s * (1 - s)", "dA * s"),
    ("one factor of the slope missing", "dA * s * (1 - s)", "dA * (1 - s)"),
    ("slope of tanh", "s * (1 - s)", "(1 - s**2)"),
    ("brackets", "dA * s * (1 - s)", "dA * s * 1 - s"),
    ("slope at dA", "np.exp(-Z)", "np.exp(-dA)"),
    ("slope at dA", "sigmoid(cache)", "sigmoid(dA)"),
    ("mean taken too early", "dA * slope", "dA * slope / dA.shape[1]"),
    ("a product of matrices for *", "dA * slope", "dA @ slope.T"),
)
