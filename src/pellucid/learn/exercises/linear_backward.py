"""Back through one layer's sums.

The forward computed Z = W A_prev + b for m examples and kept ``cache`` = (A_prev, W, b): A_prev (n_prev, m), W (n, n_prev),
b (n, 1). ``dZ`` (n, m) holds, in column k, the slope of example k's own loss for its sums.

Return ``(dA_prev, dW, db)``, in the shapes of A_prev, W and b:
dA_prev[j, k]: the sum over i of W[i, j] dZ[i, k], example by example;
dW[i, j]: the mean over the m examples of dZ[i, k] A_prev[j, k];
db[i]: the mean over the m examples of dZ[i, k].
The cost is the mean of the losses: that is where the two means are from. No argument is changed.

Why it matters: this is back-propagation. All else is bookkeeping.

>>> dA_prev, dW, db = linear_backward(np.array([[1.0, 3.0]]), (np.array([[2.0, 4.0]]), np.array([[10.0]]), np.array([[0.0]])))
>>> dA_prev, dW, db
(array([[10., 30.]]), array([[7.]]), array([[2.]]))
"""

import numpy as np

OUTPUTS = "dA_prev", "dW", "db"


def cases(rng):
    yield np.array([[1.0, 3.0]]), (np.array([[2.0, 4.0]]), np.array([[10.0]]), np.array([[0.0]]))
    for n, n_prev, m in ((3, 5, 4), (4, 2, 6)):
        A = rng.standard_normal((n_prev, m))
        W = rng.standard_normal((n, n_prev))
        b = rng.standard_normal((n, 1))
        yield rng.standard_normal((n, m)), (A, W, b)


def measured(dZ, cache):
    A, W, b = cache
    m = A.shape[1]
    return {
        "dA_prev": (A, lambda A: float(np.sum(dZ * (W @ A + b)))),
        "dW": (W, lambda W: float(np.sum(dZ * (W @ A + b))) / m),
        "db": (b, lambda b: float(np.sum(dZ * (W @ A + b))) / m),
    }


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T) / m
    db = np.sum(dZ, axis=1, keepdims=True) / m
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def right_in_steps(dZ, cache):
    A_prev, W, b = cache
    n, m = dZ.shape
    dW = dZ @ A_prev.T
    dW = dW / m
    db = dZ.sum(axis=1)
    db = db.reshape(n, 1)
    db = db / m
    dA_prev = W.T @ dZ
    return dA_prev, dW, db


def right_by_mean(dZ, cache):
    A_prev, W, _ = cache
    dZ_mean = dZ / dZ.shape[1]
    dW = dZ_mean @ A_prev.T
    db = dZ.mean(axis=1, keepdims=True)
    return W.T @ dZ, dW, db


def right_transposed(dZ, cache):
    A_prev, W, b = cache
    m = dZ.shape[1]
    rows = A_prev @ dZ.T
    dW = rows.T / m
    dA_prev = (dZ.T @ W).T
    db = np.dot(dZ, np.ones((m, 1))) / m
    return dA_prev, dW, db


def right_by_einsum(dZ, cache):
    A_prev, W, b = cache
    m = dZ.shape[-1]
    dW = np.einsum("ik,jk->ij", dZ, A_prev) / m
    db = np.einsum("ik->i", dZ)[:, None] / m
    dA_prev = np.einsum("ij,ik->jk", W, dZ)
    return dA_prev, dW, db


def right_in_place(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = np.zeros_like(W)
    dW += np.dot(dZ, A_prev.T)
    dW /= m
    db = np.mean(dZ, axis=1)[:, np.newaxis]
    dA_prev = np.matmul(W.T, dZ)
    return dA_prev, dW, db


def right_by_examples(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW, db, dA_prev = np.zeros(W.shape), np.zeros(b.shape), np.zeros(A_prev.shape)
    for k in range(m):
        dz = dZ[:, k : k + 1]
        dW += dz @ A_prev[:, k : k + 1].T
        db += dz
        dA_prev[:, k] = W.T @ dZ[:, k]
    dW = dW / m
    db = db / m
    return dA_prev, dW, db


def right_by_loops(dZ, cache):
    A_prev, W, b = cache
    n, m = dZ.shape
    n_prev = A_prev.shape[0]
    dW, db, dA_prev = np.zeros((n, n_prev)), np.zeros((n, 1)), np.zeros((n_prev, m))
    for i in range(n):
        for k in range(m):
            db[i, 0] += dZ[i, k] / m
            for j in range(n_prev):
                dW[i, j] += dZ[i, k] * A_prev[j, k] / m
                dA_prev[j, k] += W[i, j] * dZ[i, k]
    return dA_prev, dW, db


FAULTS = (
    ("divided by m too often", "dA_prev = np.dot(W.T, dZ)", "dA_prev = np.dot(W.T, dZ) / m"),
    ("divided by m too often", "dA_prev = W.T @ dZ", "dA_prev = W.T @ dZ / m"),
    ("mean over everything", "dZ.mean(axis=1, keepdims=True)", "dZ.mean()"),
    ("mean over everything", "np.mean(dZ, axis=1)[:, np.newaxis]", "np.mean(dZ)"),
    ("W and dW confused", "np.dot(W.T, dZ)", "np.dot(dW.T, dZ)"),
    ("W and dW confused", "W.T @ dZ", "dW.T @ dZ"),
    ("wrong m", "A_prev.shape[1]", "W.shape[1]"),
    ("wrong m", "A_prev.shape[1]", "dZ.shape[0]"),
    ("mean twice", "dZ @ A_prev.T\n", "dZ @ A_prev.T / m\n"),
    ("dW from dZ alone", "np.dot(dZ, A_prev.T) / m", "np.dot(dZ, dZ.T) / m"),
    ("input modified", "m = A_prev.shape[1]\n", "m = A_prev.shape[1]\n    dZ /= m\n"),
    ("input modified", "n, m = dZ.shape\n", "n, m = dZ.shape\n    dZ *= 1 / m\n"),
    ("bias for its slope", "return dA_prev, dW, db", "return dA_prev, dW, b"),
    ("dZ for db", "np.sum(dZ, axis=1, keepdims=True) / m", "dZ"),
    ("overwritten in the loop", "dW += dz", "dW = dz"),
    ("overwritten in the loop", "db += dz", "db = dz"),
)
