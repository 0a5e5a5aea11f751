"""One whole layer: weighted sums, then the activation function.

``A_prev`` (n_prev, m), ``W`` (n, n_prev), ``b`` (n, 1), ``activation``: "sigmoid" or "relu". ``linear_forward``,
``sigmoid`` and ``relu`` are given: each returns its result and its cache.

Return ``(A, cache)``: A (n, m), and the cache, a pair (linear_cache, activation_cache) in this order: ((A_prev, W, b),
Z). What counts is that the first holds A_prev, W and b, in any layout, and the second Z.

Why it matters: each layer's backward undoes exactly these two steps, in the other order, with these two caches.

>>> A, cache = linear_activation_forward(np.array([[1.0, 2.0]]), np.array([[-2.0]]), np.array([[3.0]]), "relu")
>>> A
array([[1., 0.]])
>>> linear_activation_forward(np.array([[1.0, 2.0]]), np.array([[-2.0]]), np.array([[3.0]]), "sigmoid")[0]
array([[0.73105858, 0.26894142]])
"""

import numpy as np

from pellucid.textbook import linear_forward, relu, sigmoid

OUTPUTS = "A", "layer_cache"
GIVEN = "linear_forward", "relu", "sigmoid"


def cases(rng):
    yield np.array([[1.0, 2.0]]), np.array([[-2.0]]), np.array([[3.0]]), "relu"
    for n, n_prev, m, activation in ((3, 5, 4, "relu"), (4, 2, 6, "sigmoid"), (2, 3, 5, "sigmoid")):
        A, W = rng.standard_normal((n_prev, m)), rng.standard_normal((n, n_prev))
        yield A, W, rng.standard_normal((n, 1)), activation


def linear_activation_forward(A_prev, W, b, activation):
    Z, linear_cache = linear_forward(A_prev, W, b)
    if activation == "sigmoid":
        A, activation_cache = sigmoid(Z)
    elif activation == "relu":
        A, activation_cache = relu(Z)
    cache = (linear_cache, activation_cache)
    return A, cache


def right_by_table(A_prev, W, b, activation):
    function = {"sigmoid": sigmoid, "relu": relu}[activation]
    Z, linear_cache = linear_forward(A_prev, W, b)
    A, _ = function(Z)
    return A, (linear_cache, Z)


def right_by_hand(A_prev, W, b, activation):
    Z = W @ A_prev + b
    if activation == "relu":
        A = np.maximum(Z, 0)
    else:
        A = 1 / (1 + np.exp(-Z))
    return A, ((A_prev, W, b), Z)


FAULTS = (
    ("activation swapped", 'activation == "sigmoid"', 'activation != "sigmoid"'),
    ("activation swapped", 'activation == "relu"', 'activation != "relu"'),
    ("activation swapped", '{"sigmoid": sigmoid, "relu": relu}', '{"sigmoid": relu, "relu": sigmoid}'),
    ("always one activation", "A, activation_cache = relu(Z)", "A, activation_cache = sigmoid(Z)"),
    ("always one activation", "A, activation_cache = sigmoid(Z)", "A, activation_cache = relu(Z)"),
    ("activation left out", "A, activation_cache = relu(Z)", "A, activation_cache = Z, Z"),
    ("activation left out", "A, activation_cache = sigmoid(Z)", "A, activation_cache = Z, Z"),
    ("activation of the input", "sigmoid(Z)", "sigmoid(A_prev)"),
    ("activation of the input", "relu(Z)", "relu(A_prev)"),
    ("activation twice", "A, activation_cache = sigmoid(Z)", "A, activation_cache = sigmoid(sigmoid(Z)[0])"),
    ("cache holds A", "cache = (linear_cache, activation_cache)", "cache = (linear_cache, A)"),
    ("cache holds A", "return A, (linear_cache, Z)", "return A, (linear_cache, A)"),
    ("cache lacks a part", "cache = (linear_cache, activation_cache)", "cache = linear_cache"),
    ("cache lacks a part", "return A, (linear_cache, Z)", "return A, linear_cache"),
    ("cache missing", "return A, cache", "return A"),
    ("returned in the wrong order", "return A, cache", "return cache, A"),
    ("returned in the wrong order", "(linear_cache, activation_cache)", "(activation_cache, linear_cache)"),
    ("a pair for its first part", "A, activation_cache = sigmoid(Z)", "A = sigmoid(Z); activation_cache = Z"),
    ("returns the sums", "return A, cache", "return Z, cache"),
    ("returns the sums", "return A, (linear_cache, Z)", "return Z, (linear_cache, Z)"),
)
