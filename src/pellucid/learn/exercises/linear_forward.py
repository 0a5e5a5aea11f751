"""One layer's weighted sums, for all examples at once.

``A`` (n_prev, m): the outputs of the layer before, one column an example. ``W`` (n, n_prev): one row of weights a unit.
``b`` (n, 1): one bias a unit.

Return ``(Z, cache)``: Z (n, m) with Z[i, k] = b[i] + the sum over j of W[i, j] A[j, k]; the cache is (A, W, b), which
the backward needs. Cache them as a tuple, a list or a dictionary, in any order: what counts here is that it holds all
three.

Why it matters: this one product is nearly all of a network's work.

>>> linear_forward(np.array([[1.0, 0.0], [2.0, 1.0]]), np.array([[3.0, 4.0]]), np.array([[0.5]]))[0]
array([[11.5,  4.5]])
"""

import numpy as np

OUTPUTS = "Z", "cache"


def cases(rng):
    yield np.array([[1.0, 0.0], [2.0, 1.0]]), np.array([[3.0, 4.0]]), np.array([[0.5]])
    for n, n_prev, m in ((3, 5, 4), (4, 2, 6)):
        yield rng.standard_normal((n_prev, m)), rng.standard_normal((n, n_prev)), rng.standard_normal((n, 1))


def linear_forward(A, W, b):
    Z = np.dot(W, A) + b
    cache = (A, W, b)
    return Z, cache


def right_in_steps(A, W, b):
    product = W @ A
    Z = product + b
    return Z, (A, W, b)


def right_in_place(A, W, b):
    Z = np.matmul(W, A)
    Z += b
    return Z, {"A": A, "W": W, "b": b}


def right_transposed(A, W, b):
    rows = A.T @ W.T
    rows = rows + b.T
    Z = rows.T
    return Z, (A, W, b)


def right_by_einsum(A, W, b):
    Z = np.einsum("ij,jk->ik", W, A) + b
    return Z, [W, A, b]


def right_by_loops(A, W, b):
    n, m = W.shape[0], A.shape[1]
    Z = np.zeros((n, m))
    for i in range(n):
        for k in range(m):
            total = 0.0
            for j in range(W.shape[1]):
                total += W[i, j] * A[j, k]
            Z[i, k] = total + b[i, 0]
    return Z, (A, W, b)


def right_by_columns(A, W, b):
    columns = []
    for k in range(A.shape[1]):
        z = np.dot(W, A[:, k]) + b[:, 0]
        columns.append(z)
    Z = np.array(columns).T
    return Z, (A, W, b)


FAULTS = (
    ("bias summed", "np.dot(W, A) + b", "np.dot(W, A) + np.sum(b)"),
    ("wrong index", "product + b", "product + b.flatten()[0]"),
    ("cache holds Z", "cache = (A, W, b)", "cache = (Z, W, b)"),
    ("cache lacks a part", "cache = (A, W, b)", "cache = (A, W)"),
    ("cache lacks a part", "return Z, (A, W, b)", "return Z, (W, b)"),
    ("cache holds Z", "cache = (A, W, b)", "cache = Z"),
    ("cache missing", "return Z, cache", "return Z"),
    ("cache missing", "return Z, (A, W, b)", "return Z"),
    ("input modified", "W @ A", "W @ A\n    b += 1"),
    ("mean taken too early", "np.dot(W, A) + b", "np.dot(W, A) / A.shape[1] + b"),
)
