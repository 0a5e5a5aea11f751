"""Back through max pooling.

``dA`` (m, h_out, w_out, c): the slope for the output of ``pool_forward``; its arguments ``X`` (m, h, w, c), ``f`` and
``stride``. Return dX in the shape of X: each dA goes to the place where its field had its largest number, everything
else gets 0. Where fields overlap, slopes add up. Where the largest number stands several times in a field, its first
place (row by row) gets all.

Why it matters: only what won changed the cost.

>>> pool_backward(np.array([[[[3.0]]]]), np.array([[[[1.0], [7.0]], [[7.0], [2.0]]]]), 2, 2)[0, :, :, 0]
array([[0., 3.],
       [0., 0.]])
"""

import numpy as np

OUTPUTS = ("dX",)
LOOPS = True


def cases(rng):
    yield np.array([[[[3.0]]]]), np.array([[[[1.0], [7.0]], [[7.0], [2.0]]]]), 2, 2
    for m, h, w, c, f, stride in ((2, 4, 6, 3, 2, 2), (3, 5, 7, 2, 3, 2), (2, 5, 4, 1, 2, 1)):
        dA = rng.standard_normal((m, (h - f) // stride + 1, (w - f) // stride + 1, c))
        yield dA, np.round(rng.standard_normal((m, h, w, c)) * 2 - 1), f, stride


def pool_backward(dA, X, f, stride):
    m, n_h, n_w, c = dA.shape
    dX = np.zeros(X.shape)
    for i in range(m):
        for y in range(n_h):
            for x in range(n_w):
                for q in range(c):
                    top, left = y * stride, x * stride
                    field = X[i, top : top + f, left : left + f, q]
                    u, v = np.unravel_index(np.argmax(field), field.shape)
                    dX[i, top + u, left + v, q] += dA[i, y, x, q]
    return dX


def right_by_mask(dA, X, f, stride):
    dX = np.zeros_like(X)
    for i, y, x, q in np.ndindex(dA.shape):
        rows = slice(y * stride, y * stride + f)
        columns = slice(x * stride, x * stride + f)
        flat = X[i, rows, columns, q].ravel()
        mask = np.zeros(f * f)
        mask[flat.argmax()] = 1
        dX[i, rows, columns, q] += mask.reshape(f, f) * dA[i, y, x, q]
    return dX


def right_by_search(dA, X, f, stride):
    dX = 0.0 * X
    m, n_h, n_w, c = dA.shape
    for i in range(m):
        for q in range(c):
            for y in range(n_h):
                for x in range(n_w):
                    best, place = -np.inf, None
                    for u in range(y * stride, y * stride + f):
                        for v in range(x * stride, x * stride + f):
                            if X[i, u, v, q] > best:
                                best, place = X[i, u, v, q], (u, v)
                    dX[i, place[0], place[1], q] += dA[i, y, x, q]
    return dX


FAULTS = (
    ("= for +=", "left + v, q] += dA", "left + v, q] = dA"),
    ("= for +=", "columns, q] += mask", "columns, q] = mask"),
    (
        "ties shared by all",
        "mask = np.zeros(f * f)\n        mask[flat.argmax()] = 1",
        "mask = (flat == flat.max()) * 1.0",
    ),
    (
        "ties shared by all",
        "mask[flat.argmax()] = 1",
        "mask[flat == flat.max()] = 1 / np.sum(flat == flat.max())",
    ),
    ("last of ties", "X[i, u, v, q] > best", "X[i, u, v, q] >= best"),
    ("smallest for the largest", "np.argmax(field)", "np.argmin(field)"),
    ("smallest for the largest", "flat.argmax()", "flat.argmin()"),
    (
        "shared by the whole field",
        "mask = np.zeros(f * f)\n        mask[flat.argmax()] = 1",
        "mask = np.full(f * f, 1 / f**2)",
    ),
    (
        "shared by the whole field",
        "mask = np.zeros(f * f)\n        mask[flat.argmax()] = 1",
        "mask = np.ones(f * f)",
    ),
    ("stride forgotten", "top, left = y * stride, x * stride", "top, left = y, x"),
    (
        "value for slope",
        "+= dA[i, y, x, q]\n    return dX\n",
        "+= X[i, top + u, left + v, q]\n    return dX\n",
    ),
    ("place counted in the field", "dX[i, top + u, left + v, q]", "dX[i, u, v, q]"),
    ("mask from the largest of all", "np.argmax(field)", "np.argmax(X[i, :, :, q][:f, :f])"),
    ("first photo for all", "field = X[i,", "field = X[0,"),
    ("view for copy", "dX = 0.0 * X", "dX = X"),
    ("rows and columns swapped", "u, v = np.unravel_index", "v, u = np.unravel_index"),
)
