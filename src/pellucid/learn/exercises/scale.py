"""Bring pixels from 0..255 to 0..1.

Return X / 255 as floating-point numbers, in X's shape. ``X`` has shape (n_x, m), dtype uint8, and stays as it is.

Why it matters: sums of a thousand numbers as large as 255 drive the sigmoid to 0 or 1, where its slope is 0, and
nothing is learned.

>>> scale(np.array([[0, 51], [102, 255]], dtype=np.uint8))
array([[0. , 0.2],
       [0.4, 1. ]])
"""

import numpy as np

OUTPUTS = ("X",)


def cases(rng):
    yield (np.array([[0, 51], [102, 255]], dtype=np.uint8),)
    yield (rng.integers(0, 200, (5, 3)).astype(np.uint8),)
    yield (rng.integers(50, 256, (2, 7)).astype(np.uint8),)


def scale(X):
    X_scaled = X / 255
    return X_scaled


def right_as_float(X):
    X = X.astype(float)
    X /= 255.0
    return X


def right_by_factor(X):
    out = np.multiply(X, 1 / 255)
    return out


def right_by_loops(X):
    out = np.zeros(X.shape)
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            out[i, j] = float(X[i, j]) / 255
    return out


FAULTS = (
    ("integer division", "X / 255", "X // 255"),
    ("integer division", "X / 255", "(X / 255).astype(int)"),
    ("integer division", "np.zeros(X.shape)", "np.zeros(X.shape, dtype=X.dtype)"),
    ("wrong constant", "255", "256"),
    ("wrong constant", "255", "254"),
    ("scaled by its own numbers", "X / 255", "X / X.max()"),
    ("scaled by its own numbers", "X / 255", "(X - X.min()) / (X.max() - X.min())"),
    ("scaled by its own numbers", "X / 255", "(X - X.mean()) / X.std()"),
    ("centred", "X / 255", "X / 255 - 0.5"),
    ("centred", "X / 255", "X / 127.5 - 1"),
    ("input modified", "X.astype(float)", "X"),
    ("input modified", "X / 255", "X / 255\n    X[:] = 0"),
    ("bytes overflow", "X / 255", "(X * X) / 255"),
)
