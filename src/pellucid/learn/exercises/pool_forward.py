"""Max pooling: of each small field, the largest number.

``X`` (m, h, w, c); ``f``: the field's height and width; ``stride``: how far it moves, 1 or more. Return A
(m, h_out, w_out, c) with h_out = (h - f) // stride + 1, w_out likewise: A[i, y, x, q] is the largest of channel q of photo i in
the f x f field that begins at row y * stride and column x * stride.

Why it matters: whether there was an ear counts, not at which pixel.

>>> pool_forward(np.arange(8.0).reshape(1, 2, 4, 1), 2, 2)[0, :, :, 0]
array([[5., 7.]])
"""

import numpy as np

OUTPUTS = ("A",)
LOOPS = True


def cases(rng):
    yield np.arange(8.0).reshape(1, 2, 4, 1), 2, 2
    for m, h, w, c, f, stride in ((2, 4, 6, 3, 2, 2), (3, 5, 7, 2, 3, 2), (2, 5, 4, 1, 2, 1)):
        yield rng.standard_normal((m, h, w, c)) - 1.0, f, stride


def pool_forward(X, f, stride):
    m, h, w, c = X.shape
    n_h = (h - f) // stride + 1
    n_w = (w - f) // stride + 1
    A = np.zeros((m, n_h, n_w, c))
    for i in range(m):
        for y in range(n_h):
            for x in range(n_w):
                for q in range(c):
                    field = X[i, y * stride : y * stride + f, x * stride : x * stride + f, q]
                    A[i, y, x, q] = np.max(field)
    return A


def right_by_places(X, f, stride):
    m, h, w, c = X.shape
    n_h, n_w = 1 + (h - f) // stride, 1 + (w - f) // stride
    A = np.empty((m, n_h, n_w, c))
    for y in range(n_h):
        for x in range(n_w):
            top, left = y * stride, x * stride
            fields = X[:, top : top + f, left : left + f, :]
            A[:, y, x, :] = fields.max(axis=(1, 2))
    return A


def right_by_shifts(X, f, stride):
    n_h, n_w = (X.shape[1] - f) // stride + 1, (X.shape[2] - f) // stride + 1
    A = np.full((X.shape[0], n_h, n_w, X.shape[3]), -np.inf)
    for u in range(f):
        for v in range(f):
            part = X[:, u : u + stride * n_h : stride, v : v + stride * n_w : stride, :]
            A = np.maximum(A, part)
    return A


FAULTS = (
    ("mean for the largest", "np.max(field)", "np.mean(field)"),
    ("smallest for the largest", "np.max(field)", "np.min(field)"),
    ("sum for the largest", "np.max(field)", "np.sum(field)"),
    ("mean for the largest", "fields.max(axis=(1, 2))", "fields.mean(axis=(1, 2))"),
    (
        "largest over the channels",
        "field = X[i, y * stride : y * stride + f, x * stride : x * stride + f, q]",
        "field = X[i, y * stride : y * stride + f, x * stride : x * stride + f, :]",
    ),
    ("starts at zero", "-np.inf", "0.0"),
    ("stride forgotten", "y * stride : y * stride + f, x * stride : x * stride + f", "y : y + f, x : x + f"),
    ("stride forgotten", "top, left = y * stride, x * stride", "top, left = y, x"),
    (
        "stride for the field",
        "y * stride : y * stride + f, x * stride : x * stride + f",
        "y * f : y * f + f, x * f : x * f + f",
    ),
    ("output too small or too large", "(h - f) // stride + 1", "(h - f) // stride"),
    ("output too small or too large", "(h - f) // stride + 1", "h // stride"),
    ("first photo for all", "X[i,", "X[0,"),
    (
        "rows and columns swapped",
        "y * stride : y * stride + f, x * stride : x * stride + f",
        "x * stride : x * stride + f, y * stride : y * stride + f",
    ),
    ("place for the number", "np.max(field)", "np.argmax(field)"),
    ("overwritten in the loop", "A = np.maximum(A, part)", "A = part"),
    ("one too many or too few", "top : top + f", "top : top + f - 1"),
)
