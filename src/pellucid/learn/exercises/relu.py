"""Let positive numbers through, and nothing else.

Return ``(A, cache)``: A is Z where Z is positive and 0 (0.0 or -0.0) elsewhere, in Z's shape; the cache is Z (or a
copy), which the backward needs. ``Z`` has shape (n, m) and stays as it is.

Why it matters: without a bend between them, any number of layers is one layer.

>>> relu(np.array([[-2.0, 0.0, 3.0]]))[0]
array([[0., 0., 3.]])
"""

import numpy as np

OUTPUTS = "A", "cache"


def cases(rng):
    yield (np.array([[-2.0, 0.0, 3.0]]),)
    Z = rng.standard_normal((3, 5))
    Z[0, 0] = Z[2, 1] = 0
    yield (Z,)
    yield (rng.standard_normal((2, 7)) * 1e6,)


def relu(Z):
    A = np.maximum(0, Z)
    cache = Z
    return A, cache


def right_by_mask(Z):
    mask = Z > 0
    A = Z * mask
    return A, Z


def right_by_where(Z):
    A = np.where(Z > 0, Z, 0)
    return A, Z


def right_by_copy(Z):
    A = Z.copy()
    A[A < 0] = 0
    return A, Z


def right_by_absolute(Z):
    size = np.abs(Z)
    A = (Z + size) / 2
    return A, Z


def right_by_clip(Z):
    return np.clip(Z, 0, None), Z


def right_by_loops(Z):
    A = np.zeros_like(Z)
    for i in range(Z.shape[0]):
        for j in range(Z.shape[1]):
            if Z[i, j] > 0:
                A[i, j] = Z[i, j]
    return A, Z


FAULTS = (
    ("slope for value", "A = Z * mask", "A = mask * 1.0"),
    ("slope for value", "np.where(Z > 0, Z, 0)", "np.where(Z > 0, 1.0, 0.0)"),
    ("absolute value", "np.maximum(0, Z)", "np.abs(Z)"),
    ("absolute value", "(Z + size) / 2", "size"),
    ("maximum of all", "np.maximum(0, Z)", "np.max(Z)"),
    ("maximum of all", "np.maximum(0, Z)", "np.maximum(0, np.max(Z, axis=0, keepdims=True))"),
    ("cache is A", "cache = Z", "cache = A"),
    ("cache is A", "return A, Z", "return A, A"),
    ("cache missing", "return A, cache", "return A"),
    ("cache missing", "return A, Z", "return A"),
    ("leaky", "np.maximum(0, Z)", "np.maximum(0.01 * Z, Z)"),
    ("capped", "np.maximum(0, Z)", "np.clip(Z, 0, 1)"),
    ("wrong constant", "np.maximum(0, Z)", "np.maximum(1, Z)"),
)
