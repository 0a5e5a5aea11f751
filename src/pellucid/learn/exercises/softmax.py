"""Turn sums into the probabilities of several classes.

``Z`` (n, m): for each of m examples (columns) one sum a class. Return A (n, m): e^Z, divided by the sum of e^Z over the
classes of the same example. Finite for any Z from -1e4 to 1e4: adding the same number to all sums of an example changes
nothing, so subtract their largest first.

Why it matters: e^1000 is infinity, and infinity by infinity is NaN.

>>> softmax(np.array([[0.0, 1000.0], [np.log(3.0), 1000.0]]))
array([[0.25, 0.5 ],
       [0.75, 0.5 ]])
"""

import numpy as np

OUTPUTS = ("A",)


def cases(rng):
    yield (np.array([[0.0, 1000.0], [np.log(3.0), 1000.0]]),)
    yield (rng.standard_normal((3, 5)) * 2,)
    yield (rng.standard_normal((4, 6)) + np.array([[-900, -5, 0, 5, 900, 5000]]),)


def softmax(Z):
    shift = Z - np.max(Z, axis=0, keepdims=True)
    E = np.exp(shift)
    A = E / np.sum(E, axis=0, keepdims=True)
    return A


def right_in_steps(Z):
    largest = Z.max(axis=0)
    shifted = Z - largest
    E = np.exp(shifted)
    total = E.sum(axis=0)
    A = E / total
    return A


def right_by_logarithm(Z):
    shifted = Z - Z.max(axis=0, keepdims=True)
    log_total = np.log(np.sum(np.exp(shifted), axis=0, keepdims=True))
    return np.exp(shifted - log_total)


def right_transposed(Z):
    rows = Z.T
    rows = rows - rows.max(axis=1, keepdims=True)
    E = np.exp(rows)
    E /= E.sum(axis=1, keepdims=True)
    return E.T


def right_by_columns(Z):
    A = np.zeros(Z.shape)
    for k in range(Z.shape[1]):
        z = Z[:, k]
        e = np.exp(z - max(z))
        A[:, k] = e / np.sum(e)
    return A


FAULTS = (
    ("softmax without shift", "Z - np.max(Z, axis=0, keepdims=True)", "Z"),
    ("softmax without shift", "shifted = Z - largest", "shifted = Z"),
    ("softmax without shift", "np.exp(z - max(z))", "np.exp(z)"),
    ("shifted by the largest of all", "np.max(Z, axis=0, keepdims=True)", "np.max(Z)"),
    ("shifted by the largest of all", "largest = Z.max(axis=0)", "largest = Z.max()"),
    (
        "shifted by the largest size",
        "np.max(Z, axis=0, keepdims=True)",
        "np.max(np.abs(Z), axis=0, keepdims=True)",
    ),
    ("softmax over everything", "np.sum(E, axis=0, keepdims=True)", "np.sum(E)"),
    ("softmax over everything", "total = E.sum(axis=0)", "total = E.sum()"),
    ("softmax over the examples", "np.sum(E, axis=0, keepdims=True)", "np.sum(E, axis=1, keepdims=True)"),
    ("softmax over the examples", "total = E.sum(axis=0)", "total = E.sum(axis=1, keepdims=True)"),
    ("not divided", "E / np.sum(E, axis=0, keepdims=True)", "E"),
    ("sigmoid for softmax", "E / np.sum(E, axis=0, keepdims=True)", "1 / (1 + np.exp(-Z))"),
    ("logarithm returned", "np.exp(shifted - log_total)", "shifted - log_total"),
    ("divided by the sums", "E / total", "E / shifted.sum(axis=0)"),
    ("not divided", "E / total", "E / E.max(axis=0)"),
    ("exponential left out", "E = np.exp(shift)\n", "E = shift\n"),
)
