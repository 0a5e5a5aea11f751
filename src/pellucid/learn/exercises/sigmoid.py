"""Squeeze any number into 0..1.

Return ``(A, cache)``: A = 1 / (1 + e^(-Z)), element by element, in Z's shape; the cache is Z (or a copy), which the
backward needs. ``Z`` has shape (n, m) and stays as it is; its numbers lie between -30 and 30.

Why it matters: the last layer's sum becomes a probability. At Z = 0 it is 0.5; far out it is 0 or 1.

>>> A, cache = sigmoid(np.array([[0.0, 2.0]]))
>>> A
array([[0.5       , 0.88079708]])
>>> cache
array([[0., 2.]])
"""

import numpy as np

OUTPUTS = "A", "cache"


def cases(rng):
    yield (np.array([[0.0, 2.0]]),)
    Z = rng.standard_normal((3, 5)) * 3
    Z[0, 0] = 0
    yield (Z,)
    yield (np.array([[-30.0, -9.0, 0.0], [0.5, 9.0, 30.0]]),)


def sigmoid(Z):
    A = 1 / (1 + np.exp(-Z))
    cache = Z
    return A, cache


def right_in_steps(Z):
    E = np.exp(-Z)
    denominator = 1 + E
    A = 1.0 / denominator
    return A, Z


def right_other_way(Z):
    A = 0.5 * (1 + np.tanh(Z / 2))
    return A, Z


def right_stable(Z):
    e = np.exp(-np.abs(Z))
    top = np.where(Z >= 0, 1, e)
    A = top / (1 + e)
    return A, Z


def right_masked(Z):
    A = np.empty_like(Z, dtype=float)
    up = Z >= 0
    A[up] = 1 / (1 + np.exp(-Z[up]))
    grown = np.exp(Z[~up])
    A[~up] = grown / (1 + grown)
    return A, Z


def right_by_loops(Z):
    A = np.zeros(Z.shape)
    for i in np.ndindex(Z.shape):
        A[i] = 1 / (1 + np.exp(-Z[i]))
    return (A, Z.copy())


FAULTS = (
    ("sign", "1 / (1 + np.exp(-Z))", "1 - 1 / (1 + np.exp(-Z))"),
    ("cache is A", "cache = Z", "cache = A"),
    ("cache is A", "return A, Z", "return A, A"),
    ("cache missing", "return A, cache", "return A"),
    ("cache missing", "return A, Z", "return A"),
    ("brackets", "1 / (1 + np.exp(-Z))", "1 / 1 + np.exp(-Z)"),
    ("tanh for sigmoid", "0.5 * (1 + np.tanh(Z / 2))", "np.tanh(Z)"),
    ("softmax for sigmoid", "1 / (1 + np.exp(-Z))", "np.exp(Z) / np.sum(np.exp(Z))"),
    ("slope for value", "1 / (1 + np.exp(-Z))", "1 / (1 + np.exp(-Z)) * (1 - 1 / (1 + np.exp(-Z)))"),
    ("rounded", "1 / (1 + np.exp(-Z))", "np.round(1 / (1 + np.exp(-Z)))"),
)
