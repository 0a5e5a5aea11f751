"""The slow, obvious twin of every op that was made fast: loops over samples and units, nothing clever.

Tests hold the fast ops to these. Read them first: they say what the others compute.
"""

import math

import numpy as np

from pellucid.types import Array


def linear_forward(X: Array, W: Array, b: Array) -> Array:
    """Return Z with Z[i, j] = sum over k of X[i, k] W[k, j], plus b[j].

    Examples
    --------
    >>> linear_forward(np.ones((1, 2)), np.ones((2, 1)), np.zeros(1))
    array([[2.]])
    """
    m, n_in = X.shape
    n_out = W.shape[1]
    Z = np.zeros((m, n_out))
    for i in range(m):
        for j in range(n_out):
            Z[i, j] = math.fsum(X[i, k] * W[k, j] for k in range(n_in)) + b[j]
    return Z


def linear_backward(dZ: Array, X: Array, W: Array) -> tuple[Array, Array, Array]:
    """Return dX, dW and db, each entry the sum over every path from it to the loss.

    Examples
    --------
    >>> linear_backward(np.array([[10.0]]), np.array([[2.0]]), np.array([[1.0]]))
    (array([[10.]]), array([[20.]]), array([10.]))
    """
    m, n_in = X.shape
    n_out = W.shape[1]
    dX, dW, db = np.zeros((m, n_in)), np.zeros((n_in, n_out)), np.zeros(n_out)
    for i in range(m):
        for j in range(n_out):
            db[j] += dZ[i, j]
            for k in range(n_in):
                dX[i, k] += dZ[i, j] * W[k, j]
                dW[k, j] += dZ[i, j] * X[i, k]
    return dX, dW, db


def binary_cross_entropy(Z: Array, Y: Array) -> float:
    """Return the mean over samples of the sum over outputs of -(Y log P + (1 - Y) log(1 - P)).

    Exact while no probability rounds to 0 or 1, that is for logits up to about 30.

    Examples
    --------
    >>> round(binary_cross_entropy(np.zeros((2, 1)), np.array([[0.0], [1.0]])), 4)
    0.6931
    """
    total = 0.0
    for z, y in zip(Z.ravel(), Y.ravel(), strict=True):
        p = 1 / (1 + math.exp(-z))
        total -= y * math.log(p) + (1 - y) * math.log(1 - p)
    return float(total / len(Z))
