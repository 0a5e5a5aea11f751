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
    yield (np.array([[800.0, 2000.0, -500.0], [-200.0, 1e4, -501.0], [300.0, -1e4, -502.0]]),)


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


def right_in_one_line(Z):
    return np.exp(Z - Z.max(axis=0)) / np.exp(Z - Z.max(axis=0)).sum(axis=0)


def right_by_functions(Z):
    m = Z.shape[1]
    largest = np.amax(Z, axis=0).reshape(1, m)
    exps = np.exp(np.subtract(Z, largest))
    sums = np.sum(exps, axis=0).reshape(1, m)
    probabilities = np.divide(exps, sums)
    return probabilities


def right_by_loops(Z):
    n, m = Z.shape
    A = np.zeros((n, m))
    for k in range(m):
        largest = Z[0, k]
        for i in range(1, n):
            if Z[i, k] > largest:
                largest = Z[i, k]
        total = 0.0
        for i in range(n):
            A[i, k] = np.exp(Z[i, k] - largest)
            total += A[i, k]
        for i in range(n):
            A[i, k] = A[i, k] / total
    return A


def right_by_list(Z):
    columns = []
    for z in Z.T:
        e = np.exp(z - np.max(z))
        columns.append(e / e.sum())
    return np.array(columns).T


def right_by_ones(Z):
    n = Z.shape[0]
    top = np.max(Z, axis=0)[np.newaxis, :]
    T = np.exp(Z - top)
    totals = np.ones((1, n)) @ T
    return T * (1 / totals)


def right_by_logaddexp(Z):
    total = np.logaddexp.reduce(Z, axis=0)
    A = np.exp(Z - total)
    return A


FAULTS = (
    ("softmax without shift", "Z - np.max(Z, axis=0, keepdims=True)", "Z"),
    ("softmax without shift", "shifted = Z - largest", "shifted = Z"),
    ("softmax without shift", "np.exp(z - max(z))", "np.exp(z)"),
    ("shifted by the largest of all", "np.max(Z, axis=0, keepdims=True)", "np.max(Z)"),
    ("shifted by the largest of all", "largest = Z.max(axis=0)", "largest = Z.max()"),
    ("shifted by the largest size", "max(Z, axis=0, keepdims=True)", "max(np.abs(Z), axis=0, keepdims=True)"),
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
    ("softmax without shift", "(Z - Z.max(axis=0)) / np.exp(Z - Z.max(axis=0)).sum", "(Z) / np.exp(Z).sum"),
    ("softmax without shift", "np.exp(np.subtract(Z, largest))", "np.exp(Z)"),
    ("softmax without shift", "np.exp(Z[i, k] - largest)", "np.exp(Z[i, k])"),
    ("softmax without shift", "np.exp(z - np.max(z))", "np.exp(z)"),
    ("softmax without shift", "T = np.exp(Z - top)", "T = np.exp(Z)"),
    ("softmax without shift", "np.logaddexp.reduce(Z, axis=0)", "np.log(np.sum(np.exp(Z), axis=0))"),
    ("softmax without shift", "    rows = rows - rows.max(axis=1, keepdims=True)\n", ""),
    ("softmax without shift", "shifted = Z - Z.max(axis=0, keepdims=True)", "shifted = Z"),
    ("shifted by the largest of all", "Z.max(axis=0, keepdims=True)", "Z.max()"),
    ("shifted by the largest of all", "Z - Z.max(axis=0)", "Z - Z.max()"),
    ("shifted by the largest of all", "np.amax(Z, axis=0).reshape(1, m)", "np.amax(Z)"),
    ("shifted by the largest of all", "z - np.max(z)", "z - np.max(Z)"),
    ("shifted by the largest of all", "z - max(z)", "z - Z.max()"),
    ("shifted by the largest of all", "np.max(Z, axis=0)[np.newaxis, :]", "np.max(Z)"),
    ("shifted by the largest of all", "rows.max(axis=1, keepdims=True)", "rows.max()"),
    ("shifted by the largest size", "z - np.max(z)", "z - np.max(np.abs(z))"),
    ("shifted by the largest size", "largest = Z.max(axis=0)", "largest = np.abs(Z).max(axis=0)"),
    ("shifted by the largest size", "np.amax(Z, axis=0)", "np.amax(np.abs(Z), axis=0)"),
    ("softmax over everything", "e / e.sum()", "e / np.exp(Z - np.max(Z, axis=0)).sum()"),
    ("softmax over everything", "np.exp(Z - Z.max(axis=0)).sum(axis=0)", "np.exp(Z - Z.max(axis=0)).sum()"),
    ("softmax over everything", "np.sum(exps, axis=0).reshape(1, m)", "np.sum(exps)"),
    ("softmax over everything", "totals = np.ones((1, n)) @ T", "totals = np.sum(T)"),
    ("softmax over everything", "E.sum(axis=1, keepdims=True)", "E.sum()"),
    ("softmax over everything", "np.sum(np.exp(shifted), axis=0, keepdims=True)", "np.sum(np.exp(shifted))"),
    ("softmax over the examples", "E.sum(axis=1, keepdims=True)", "E.sum(axis=0, keepdims=True)"),
    ("softmax over the examples", "Z.max(axis=0)).sum(axis=0)", "Z.max(axis=0)).sum(axis=1, keepdims=True)"),
    ("softmax over the examples", "np.exp(shifted), axis=0, keepdims", "np.exp(shifted), axis=1, keepdims"),
    (
        "softmax over the examples",
        "    for z in Z.T:\n        e = np.exp(z - np.max(z))\n        columns.append(e / e.sum())\n    return np.array(columns).T",
        "    for z in Z:\n        e = np.exp(z - np.max(z))\n        columns.append(e / e.sum())\n    return np.array(columns)",
    ),
    ("not divided", "columns.append(e / e.sum())", "columns.append(e)"),
    ("not divided", "    E /= E.sum(axis=1, keepdims=True)\n", ""),
    ("not divided", "A[i, k] = A[i, k] / total", "A[i, k] = A[i, k]"),
    ("not divided", "A[:, k] = e / np.sum(e)", "A[:, k] = e"),
    ("not divided", "return T * (1 / totals)", "return T"),
    ("not divided", "np.exp(shifted - log_total)", "np.exp(shifted)"),
    ("not divided", "e / e.sum()", "e / e.max()"),
    ("sigmoid for softmax", "e / e.sum()", "1 / (1 + np.exp(-z))"),
    ("logarithm returned", "A = np.exp(Z - total)", "A = Z - total"),
    ("logarithm returned", "columns.append(e / e.sum())", "columns.append(np.log(e / e.sum()))"),
    ("exponential left out", "np.exp(np.subtract(Z, largest))", "np.subtract(Z, largest)"),
    ("exponential left out", "e = np.exp(z - max(z))", "e = z - max(z)"),
    ("exponential left out", "E = np.exp(rows)", "E = rows"),
    ("exponential left out", "E = np.exp(shifted)\n", "E = shifted\n"),
    ("softmax over the examples", "sum(E, axis=0, keepdims=True)\n    return", "sum(E, axis=1)\n    return"),
    ("line outside the loop", " 0.0\n        for i in range", " total if k else 0.0\n        for i in range"),
    ("transpose", "return E.T", "return E"),
    ("transpose", "return np.array(columns).T", "return np.array(columns)"),
    ("smallest for the largest", "if Z[i, k] > largest:", "if Z[i, k] < largest:"),
    ("starts at zero", "largest = Z[0, k]", "largest = 0.0"),
    ("another base of the power", "E = np.exp(shift)", "E = 2.0**shift"),
    ("another base of the power", "e = np.exp(z - np.max(z))", "e = 2 ** (z - np.max(z))"),
    ("input modified", "rows = rows - rows.max", "rows -= rows.max"),
    ("input modified", "shifted = Z - largest", "Z -= largest\n    shifted = Z"),
    ("view for copy", "A = np.zeros((n, m))", "A = Z"),
    ("view for copy", "A = np.zeros(Z.shape)", "A = Z"),
    ("softmax without shift", "Z - np.max(Z, axis=0, keepdims=True)", "np.clip(Z, -500, 500)"),
    ("softmax without shift", "e = np.exp(z - np.max(z))", "e = np.exp(np.clip(z, -500, 500))"),
    ("overwritten in the loop", "columns.append(e / e.sum())", "columns = [e / e.sum()]"),
    ("returned in the wrong place", "    return np.array(columns).T", "        return np.array(columns).T"),
    ("fraction upside down", "np.divide(exps, sums)", "np.divide(sums, exps)"),
)
