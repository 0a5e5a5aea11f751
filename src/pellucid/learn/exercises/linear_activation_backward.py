"""Back through one whole layer.

The forward kept ``cache`` = (linear_cache, activation_cache) = ((A_prev, W, b), Z). ``dA`` (n, m) is the slope for the
layer's outputs, ``activation`` is "sigmoid" or "relu". ``relu_backward(dA, Z)``, ``sigmoid_backward(dA, Z)`` and
``linear_backward(dZ, linear_cache)`` are given.

Return ``(dA_prev, dW, db)``, in the shapes of A_prev, W and b. As ``linear_backward`` has it, dW and db are means over
the m examples. At Z = 0 the relu's slope is 0.

Why it matters: the order turns round. The forward summed, then applied the activation; the backward undoes the
activation first.

>>> cache = (np.array([[2.0]]), np.array([[10.0]]), np.array([[0.0]])), np.array([[20.0]])
>>> linear_activation_backward(np.array([[3.0]]), cache, "relu")
(array([[30.]]), array([[6.]]), array([[3.]]))
"""

import numpy as np

from pellucid.textbook import linear_backward, relu_backward, sigmoid_backward

OUTPUTS = "dA_prev", "dW", "db"
ALIKE = ({"value for slope", "one factor of the slope missing"},)


def cases(rng):
    yield (
        np.array([[3.0]]),
        ((np.array([[2.0]]), np.array([[10.0]]), np.array([[0.0]])), np.array([[20.0]])),
        "relu",
    )
    for n, n_prev, m, activation in ((3, 5, 4, "relu"), (4, 2, 6, "sigmoid"), (2, 3, 5, "sigmoid")):
        A = rng.standard_normal((n_prev, m))
        W = rng.standard_normal((n, n_prev))
        b = 3 * rng.standard_normal((n, 1))
        yield rng.standard_normal((n, m)), ((A, W, b), W @ A + b), activation


def measured(dA, cache, activation):
    (A, W, b), _ = cache
    m = A.shape[1]

    def total(A, W, b):
        Z = W @ A + b
        return float(np.sum(dA * (np.maximum(0, Z) if activation == "relu" else 1 / (1 + np.exp(-Z)))))

    return {
        "dA_prev": (A, lambda A: total(A, W, b)),
        "dW": (W, lambda W: total(A, W, b) / m),
        "db": (b, lambda b: total(A, W, b) / m),
    }


def linear_activation_backward(dA, cache, activation):
    linear_cache, activation_cache = cache
    if activation == "relu":
        dZ = relu_backward(dA, activation_cache)
    elif activation == "sigmoid":
        dZ = sigmoid_backward(dA, activation_cache)
    dA_prev, dW, db = linear_backward(dZ, linear_cache)
    return dA_prev, dW, db


def right_by_table(dA, cache, activation):
    backward = {"relu": relu_backward, "sigmoid": sigmoid_backward}[activation]
    dZ = backward(dA, cache[1])
    return linear_backward(dZ, cache[0])


def right_by_hand(dA, cache, activation):
    (A_prev, W, b), Z = cache
    if activation == "sigmoid":
        s = 1 / (1 + np.exp(-Z))
        dZ = dA * s * (1 - s)
    else:
        dZ = dA * (Z > 0)
    m = A_prev.shape[1]
    dW = dZ @ A_prev.T / m
    db = np.sum(dZ, axis=1, keepdims=True) / m
    dA_prev = W.T @ dZ
    return dA_prev, dW, db


def right_in_each_branch(dA, cache, activation):
    linear_cache, Z = cache
    if activation == "relu":
        dZ = relu_backward(dA, Z)
        dA_prev, dW, db = linear_backward(dZ, linear_cache)
    else:
        dZ = sigmoid_backward(dA, Z)
        dA_prev, dW, db = linear_backward(dZ, linear_cache)
    return dA_prev, dW, db


def right_in_one_line(dA, cache, activation):
    return linear_backward(
        (sigmoid_backward if activation == "sigmoid" else relu_backward)(dA, cache[1]), cache[0]
    )


def right_on_a_copy(dA, cache, activation):
    (A_prev, W, b), Z = cache
    m = dA.shape[1]
    if activation == "relu":
        dZ = np.array(dA, copy=True)
        dZ[Z <= 0] = 0
    if activation == "sigmoid":
        A = 1 / (1 + np.exp(-Z))
        dZ = dA * A * (1 - A)
    dA_prev = np.dot(W.T, dZ)
    dW = 1 / m * np.dot(dZ, A_prev.T)
    db = 1 / m * np.sum(dZ, axis=1, keepdims=True)
    return dA_prev, dW, db


def right_by_slope(dA, cache, activation):
    linear_cache, activation_cache = cache[0], cache[1]
    A_prev, W, b = linear_cache
    m = A_prev.shape[1]
    if activation == "sigmoid":
        s = 1.0 / (1.0 + np.exp(-activation_cache))
        slope = s - s**2
    elif activation == "relu":
        slope = np.where(activation_cache > 0, 1, 0)
    dZ = np.multiply(dA, slope)
    dW = np.matmul(dZ, A_prev.T) / m
    db = np.mean(dZ, axis=1).reshape(b.shape)
    dA_prev = np.matmul(W.T, dZ)
    return dA_prev, dW, db


def right_by_examples(dA, cache, activation):
    (A_prev, W, b), Z = cache
    n, m = Z.shape
    dA_prev, dW, db = np.zeros(A_prev.shape), np.zeros(W.shape), np.zeros((n, 1))
    for k in range(m):
        z, da = Z[:, k : k + 1], dA[:, k : k + 1]
        if activation == "sigmoid":
            dz = da * np.exp(-z) / (1 + np.exp(-z)) ** 2
        else:
            dz = da * (z > 0)
        dW += dz @ A_prev[:, k : k + 1].T / m
        db += dz / m
        dA_prev[:, k : k + 1] = W.T @ dz
    return dA_prev, dW, db


FAULTS = (
    ("activation swapped", 'activation == "relu"', 'activation != "relu"'),
    ("activation swapped", 'activation == "sigmoid"', 'activation != "sigmoid"'),
    (
        "activation swapped",
        '{"relu": relu_backward, "sigmoid": sigmoid_backward}',
        '{"relu": sigmoid_backward, "sigmoid": relu_backward}',
    ),
    ("always one activation", "sigmoid_backward(dA, activation_cache", "relu_backward(dA, activation_cache"),
    ("always one activation", "relu_backward(dA, activation_cache", "sigmoid_backward(dA, activation_cache"),
    ("activation left out", "linear_backward(dZ, linear_cache)", "linear_backward(dA, linear_cache)"),
    ("activation left out", "linear_backward(dZ, cache[0])", "linear_backward(dA, cache[0])"),
    ("activation left out", "dZ = relu_backward(dA, activation_cache)", "dZ = dA"),
    ("activation left out", "dZ = sigmoid_backward(dA, activation_cache)", "dZ = dA"),
    ("wrong cache", "relu_backward(dA, activation_cache)", "relu_backward(dA, linear_cache[0])"),
    ("wrong cache", "sigmoid_backward(dA, activation_cache)", "sigmoid_backward(dA, linear_cache[0])"),
    ("wrong cache", "linear_backward(dZ, linear_cache)", "linear_backward(dZ, cache)"),
    ("mask from A", "(Z > 0)", "(A_prev > 0)"),
    ("value for slope", "relu_backward(dA, activation_cache)", "dA * np.maximum(activation_cache, 0)"),
    (
        "activation twice",
        "dZ = sigmoid_backward(dA, activation_cache)",
        "dZ = sigmoid_backward(sigmoid_backward(dA, activation_cache), activation_cache)",
    ),
    ("slope from Z for A", "s * (1 - s)", "Z * (1 - Z)"),
    (
        "activation swapped",
        'sigmoid_backward if activation == "sigmoid" else relu_backward',
        'relu_backward if activation == "sigmoid" else sigmoid_backward',
    ),
    ("always one activation", "        dZ = sigmoid_backward(dA, Z)", "        dZ = relu_backward(dA, Z)"),
    ("always one activation", "        dZ = relu_backward(dA, Z)", "        dZ = sigmoid_backward(dA, Z)"),
    (
        "always one activation",
        'sigmoid_backward if activation == "sigmoid" else relu_backward',
        "relu_backward",
    ),
    ("always one activation", 'if activation == "sigmoid":\n        A =', "if activation:\n        A ="),
    ("activation left out", "        dZ = sigmoid_backward(dA, Z)", "        dZ = dA"),
    ("activation left out", "        dZ = relu_backward(dA, Z)", "        dZ = dA"),
    ("activation left out", "        dZ[Z <= 0] = 0\n", ""),
    ("activation left out", "dZ = dA * (Z > 0)", "dZ = dA"),
    ("activation left out", "dz = da * (z > 0)", "dz = da"),
    ("activation left out", "dZ = np.multiply(dA, slope)", "dZ = dA"),
    ("activation left out", "(dZ, linear_cache)\n    else", "(dA, linear_cache)\n    else"),
    ("dA left out", "dZ = np.multiply(dA, slope)", "dZ = slope"),
    ("dA left out", "dZ = dA * (Z > 0)", "dZ = (Z > 0) * 1.0"),
    ("wrong cache", "(dA, cache[1])", "(dA, cache[0][0])"),
    ("unpacked in the wrong order", "cache[0], cache[1]", "cache[1], cache[0]"),
    ("mask from dA", "dZ[Z <= 0]", "dZ[dA <= 0]"),
    ("mask from dA", "(Z > 0)", "(dA > 0)"),
    ("mask from dA", "np.where(activation_cache > 0, 1, 0)", "np.where(dA > 0, 1, 0)"),
    ("inequality turned round", "where(activation_cache > 0, 1, 0)", "where(activation_cache > 0, 0, 1)"),
    ("value for slope", "np.where(activation_cache > 0, 1, 0)", "np.maximum(activation_cache, 0)"),
    ("value for slope", "slope = s - s**2", "slope = s"),
    ("value for slope", "dZ = dA * (Z > 0)", "dZ = dA * np.maximum(0, Z)"),
    ("one factor of the slope missing", "dA * s * (1 - s)", "dA * (1 - s)"),
    ("one factor of the slope missing", "dA * A * (1 - A)", "dA * A"),
    ("slope from Z for A", "A * (1 - A)", "Z * (1 - Z)"),
    ("slope from Z for A", "s - s**2", "activation_cache - activation_cache**2"),
    ("one factor of the slope missing", "/ (1 + np.exp(-z)) ** 2", "/ (1 + np.exp(-z))"),
    ("keepdims missing", "np.mean(dZ, axis=1).reshape(b.shape)", "np.mean(dZ, axis=1)"),
    ("mean over everything", "np.mean(dZ, axis=1).reshape(b.shape)", "np.mean(dZ)"),
    ("input modified", "dZ = np.array(dA, copy=True)", "dZ = dA"),
    ("W and dW confused", "W.T @ dZ", "dW.T @ dZ"),
    ("W and dW confused", "np.matmul(W.T, dZ)", "np.matmul(dW.T, dZ)"),
    ("overwritten in the loop", "dW += dz", "dW = dz"),
    ("overwritten in the loop", "db += dz", "db = dz"),
)
