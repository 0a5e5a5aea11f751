"""Back through the relu.

The forward computed A = relu(Z) and kept Z as its ``cache``. ``dA`` is the slope of the cost for A. Return dZ, the
slope of the cost for Z, in the same shape: dA where Z is positive, 0 (0.0 or -0.0) elsewhere; at Z = 0, where the bend
is, 0. ``dA`` and ``cache`` stay as they are.

Why it matters: a unit whose sum is never positive gets no gradient at all and never learns again.

>>> relu_backward(np.array([[5.0, 6.0, 7.0]]), np.array([[-1.0, 0.0, 2.0]]))
array([[0., 0., 7.]])
"""

import numpy as np

OUTPUTS = ("dZ",)


def cases(rng):
    yield np.array([[5.0, 6.0, 7.0]]), np.array([[-1.0, 0.0, 2.0]])
    for n, m in ((3, 5), (2, 7)):
        Z = rng.standard_normal((n, m))
        Z[0, 0] = Z[1, 2] = 0
        yield rng.standard_normal((n, m)), Z


def measured(dA, cache):
    return {"dZ": (cache, lambda Z: float(np.sum(dA * np.maximum(0, Z))))}


def relu_backward(dA, cache):
    Z = cache
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ


def right_by_mask(dA, cache):
    mask = cache > 0
    dZ = dA * mask
    return dZ


def right_by_where(dA, cache):
    Z = cache
    dZ = np.where(Z > 0, dA, 0)
    return dZ


def right_by_heaviside(dA, cache):
    slope = np.heaviside(cache, 0)
    return np.multiply(dA, slope)


def right_by_slope(dA, cache):
    Z = cache
    slope = np.zeros_like(Z)
    slope[Z > 0] = 1
    return dA * slope


def right_by_loops(dA, cache):
    n, m = dA.shape
    dZ = np.zeros((n, m))
    for i in range(n):
        for k in range(m):
            if cache[i, k] > 0:
                dZ[i, k] = dA[i, k]
    return dZ


FAULTS = (
    ("mask from dA", "cache > 0", "dA > 0"),
    ("mask from dA", "dZ[Z <= 0] = 0", "dZ[dZ <= 0] = 0"),
    ("mask from dA", "Z > 0, dA, 0", "dA > 0, dA, 0"),
    ("forward for backward", "np.where(Z > 0, dA, 0)", "np.where(Z > 0, Z, 0)"),
    ("value for slope", "dA * mask", "dA * np.maximum(0, cache)"),
    ("dA left out", "dZ = dA * mask", "dZ = mask * 1.0"),
    ("dA left out", "np.where(Z > 0, dA, 0)", "np.where(Z > 0, 1.0, 0.0)"),
    ("no mask", "dZ[Z <= 0] = 0", "pass"),
    ("no mask", "dA * mask", "dA"),
    ("leaky", "np.where(Z > 0, dA, 0)", "np.where(Z > 0, dA, 0.01 * dA)"),
    ("sign of Z for the mask", "np.heaviside(cache, 0)", "np.sign(cache)"),
    ("forward for backward", "dA * mask", "np.maximum(0, cache)"),
    ("input modified", "slope = np.zeros_like(Z)", "slope = Z"),
    ("no mask", "slope = np.zeros_like(Z)", "slope = np.ones_like(Z)"),
)
