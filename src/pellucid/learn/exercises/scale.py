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
ALIKE = ({"integer division", "wrong dtype"},)


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


def right_in_one_line(X):
    return X.astype(np.float64) / 255.0


def right_by_divide(X):
    largest = 255.0
    scaled = np.divide(X, largest)
    return scaled


def right_by_columns(X):
    columns = []
    for k in range(X.shape[1]):
        columns.append(X[:, k] / 255)
    return np.array(columns).T


def right_by_lists(X):
    rows = [[float(number) / 255 for number in row] for row in X]
    return np.array(rows)


def right_filled(X):
    out = np.empty(X.shape, dtype=float)
    out[:] = X
    out = out / 255
    return out


def right_by_range(X):
    low, high = 0, 255
    X = np.array(X, dtype=float)
    X = (X - low) / (high - low)
    return X


FAULTS = (
    ("integer division", "X / 255", "X // 255"),
    ("integer division", "X / 255", "(X / 255).astype(int)"),
    ("wrong dtype", "np.zeros(X.shape)", "np.zeros(X.shape, dtype=X.dtype)"),
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
    ("integer division", "np.divide(X, largest)", "np.floor_divide(X, largest)"),
    ("integer division", "float(number) / 255", "float(number) // 255"),
    ("integer division", "out = out / 255", "out = out // 255"),
    ("integer division", "X[:, k] / 255", "X[:, k] // 255"),
    ("wrong dtype", "np.array(rows)", "np.array(rows, dtype=int)"),
    ("integer division", "X.astype(np.float64) / 255.0", "(X / 255.0).astype(np.uint8)"),
    ("integer division", "np.array(columns).T", "np.array(columns).T.astype(X.dtype)"),
    ("integer division", "(high - low)\n    return X", "(high - low)\n    return X.astype(int)"),
    ("wrong constant", "255", "128"),
    ("wrong constant", "255", "100"),
    ("scaled by its own numbers", "largest = 255.0", "largest = np.max(X)"),
    ("scaled by its own numbers", "low, high = 0, 255", "low, high = X.min(), X.max()"),
    ("scaled by its own numbers", "X[:, k] / 255", "X[:, k] / X[:, k].max()"),
    ("scaled by its own numbers", "X.astype(np.float64) / 255.0", "X.astype(np.float64) / np.max(X)"),
    ("scaled by its own numbers", "out = out / 255", "out = (out - out.mean()) / out.std()"),
    ("scaled by its own numbers", "out = out / 255", "out = out / np.linalg.norm(out)"),
    ("scaled by its own numbers", "out = out / 255", "out = out / out.max(axis=0)"),
    ("centred", "out = out / 255", "out = (out - out.mean()) / 255"),
    ("centred", "low, high = 0, 255", "low, high = 127.5, 255"),
    ("centred", "scaled = np.divide(X, largest)", "scaled = np.divide(X, largest) * 2 - 1"),
    ("multiplied for divided", "np.multiply(X, 1 / 255)", "np.multiply(X * 1.0, 255)"),
    ("fraction upside down", "np.divide(X, largest)", "np.divide(largest, np.maximum(X, 1))"),
    ("factor missing", "    out = out / 255\n", ""),
    ("factor missing", "    X /= 255.0\n", ""),
    ("factor missing", "float(number) / 255", "float(number)"),
    ("factor missing", "X.astype(np.float64) / 255.0", "X.astype(np.float64)"),
    ("scaled twice", "out = out / 255", "out = out / 255 / 255"),
    ("scaled twice", "X /= 255.0", "X /= 255.0\n    X /= 255.0"),
    ("input modified", "    out = out / 255\n", "    out = out / 255\n    X[...] = 0\n"),
    ("input modified", "np.divide(X, largest)", "np.divide(X, largest)\n    X //= 255"),
    ("wrong dtype", "np.empty(X.shape, dtype=float)", "np.empty(X.shape, dtype=np.int8)"),
    ("bytes overflow", "scaled = np.divide(X, largest)", "scaled = np.divide(X * np.uint8(2), largest) / 2"),
    ("bytes overflow", "X[:, k] / 255", "(X[:, k] + np.uint8(100)) / 255"),
    ("transpose", "np.array(columns).T", "np.array(columns)"),
    ("transpose", "np.array(rows)", "np.array(rows).T"),
    ("scrambled", "np.array(columns).T", "np.array(columns).reshape(X.shape)"),
    ("overwritten in the loop", "columns.append(X[:, k] / 255)", "columns = [X[:, k] / 255]"),
    ("term too many", "out = out / 255", "out = 1 - out / 255"),
    ("rounded", "X_scaled = X / 255", "X_scaled = np.round(X / 255)"),
    ("rounded", "scaled = np.divide(X, largest)", "scaled = np.round(np.divide(X, largest), 2)"),
    ("rounded", "out = out / 255", "out = np.round(out / 255, 1)"),
    ("returned in the wrong place", "(X[:, k] / 255)\n    return", "(X[:, k] / 255)\n        return"),
)
