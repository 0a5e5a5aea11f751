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
GIVEN = "linear_backward", "relu_backward", "sigmoid_backward"


def cases(rng):
    yield (
        np.array([[3.0]]),
        ((np.array([[2.0]]), np.array([[10.0]]), np.array([[0.0]])), np.array([[20.0]])),
        "relu",
    )
    for n, n_prev, m, activation in ((3, 5, 4, "relu"), (4, 2, 6, "sigmoid"), (2, 3, 5, "sigmoid")):
        A, W, b = (
            rng.standard_normal((n_prev, m)),
            rng.standard_normal((n, n_prev)),
            rng.standard_normal((n, 1)),
        )
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


FAULTS = (
    ("activation swapped", 'activation == "relu"', 'activation != "relu"'),
    ("activation swapped", 'activation == "sigmoid"', 'activation != "sigmoid"'),
    (
        "activation swapped",
        '{"relu": relu_backward, "sigmoid": sigmoid_backward}',
        '{"relu": sigmoid_backward, "sigmoid": relu_backward}',
    ),
    (
        "always one activation",
        "dZ = sigmoid_backward(dA, activation_cache)",
        "dZ = relu_backward(dA, activation_cache)",
    ),
    (
        "always one activation",
        "dZ = relu_backward(dA, activation_cache)",
        "dZ = sigmoid_backward(dA, activation_cache)",
    ),
    ("activation left out", "linear_backward(dZ, linear_cache)", "linear_backward(dA, linear_cache)"),
    ("activation left out", "linear_backward(dZ, cache[0])", "linear_backward(dA, cache[0])"),
    ("activation left out", "dZ = relu_backward(dA, activation_cache)", "dZ = dA"),
    ("activation left out", "dZ = sigmoid_backward(dA, activation_cache)", "dZ = dA"),
    ("wrong cache", "relu_backward(dA, activation_cache)", "relu_backward(dA, linear_cache[0])"),
    ("wrong cache", "sigmoid_backward(dA, activation_cache)", "sigmoid_backward(dA, linear_cache[0])"),
    ("wrong cache", "linear_cache, activation_cache = cache", "activation_cache, linear_cache = cache"),
    ("wrong cache", "linear_backward(dZ, linear_cache)", "linear_backward(dZ, cache)"),
    ("mask from A", "(Z > 0)", "(A_prev > 0)"),
    (
        "activation twice",
        "dZ = relu_backward(dA, activation_cache)",
        "dZ = dA * np.maximum(activation_cache, 0)",
    ),
    (
        "activation twice",
        "dZ = sigmoid_backward(dA, activation_cache)",
        "dZ = sigmoid_backward(sigmoid_backward(dA, activation_cache), activation_cache)",
    ),
    ("returned in the wrong order", "return dA_prev, dW, db", "return dW, db, dA_prev"),
    ("returned in the wrong order", "return dA_prev, dW, db", "return dA_prev, db, dW"),
    ("slope from Z for A", "s * (1 - s)", "Z * (1 - Z)"),
)
