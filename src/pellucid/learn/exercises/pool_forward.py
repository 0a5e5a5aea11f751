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


def right_in_steps(X, f, stride):
    (m, h, w, c) = X.shape
    n_h = int(1 + (h - f) / stride)
    n_w = int(1 + (w - f) / stride)
    A = np.zeros((m, n_h, n_w, c))
    for i in range(m):
        for y in range(n_h):
            vert_start = y * stride
            vert_end = vert_start + f
            for x in range(n_w):
                horiz_start = x * stride
                horiz_end = horiz_start + f
                for q in range(c):
                    part = X[i, vert_start:vert_end, horiz_start:horiz_end, q]
                    A[i, y, x, q] = part.max()
    return A


def right_by_windows(X, f, stride):
    windows = np.lib.stride_tricks.sliding_window_view(X, (f, f), axis=(1, 2))
    windows = windows[:, ::stride, ::stride]
    A = windows.max(axis=(4, 5))
    return A


def right_by_ndindex(X, f, stride):
    m, h, w, c = X.shape
    shape = m, (h - f) // stride + 1, (w - f) // stride + 1, c
    A = np.zeros(shape)
    for i, y, x, q in np.ndindex(shape):
        rows = slice(y * stride, y * stride + f)
        columns = slice(x * stride, x * stride + f)
        A[i, y, x, q] = X[i, rows, columns, q].max()
    return A


def right_by_search(X, f, stride):
    m, h, w, c = X.shape
    n_h, n_w = (h - f) // stride + 1, (w - f) // stride + 1
    A = np.zeros((m, n_h, n_w, c))
    for i in range(m):
        for q in range(c):
            for y in range(n_h):
                for x in range(n_w):
                    largest = X[i, y * stride, x * stride, q]
                    for u in range(f):
                        for v in range(f):
                            value = X[i, y * stride + u, x * stride + v, q]
                            if value > largest:
                                largest = value
                    A[i, y, x, q] = largest
    return A


def right_by_lists(X, f, stride):
    m, h, w, c = X.shape
    photos = []
    for photo in X:
        rows = []
        for top in range(0, h - f + 1, stride):
            row = []
            for left in range(0, w - f + 1, stride):
                field = photo[top : top + f, left : left + f]
                row.append(np.max(field, axis=(0, 1)))
            rows.append(row)
        photos.append(rows)
    return np.array(photos)


def right_by_one_place(X, f, stride):
    n_h = (X.shape[1] - f) // stride + 1
    n_w = (X.shape[2] - f) // stride + 1
    A = np.zeros((X.shape[0], n_h, n_w, X.shape[3]))
    for place in range(n_h * n_w):
        y, x = divmod(place, n_w)
        top, left = y * stride, x * stride
        fields = X[:, top : top + f, left : left + f, :]
        A[:, y, x, :] = np.amax(np.amax(fields, axis=1), axis=1)
    return A


def right_by_reduce(X, f, stride):
    n_h, n_w = (X.shape[1] - f) // stride + 1, (X.shape[2] - f) // stride + 1
    shifts = []
    for u in range(f):
        for v in range(f):
            shifts.append(
                X[:, u : u + (n_h - 1) * stride + 1 : stride, v : v + (n_w - 1) * stride + 1 : stride]
            )
    return np.max(np.stack(shifts), axis=0)


def right_by_enumerate(X, f, stride):
    m, h, w, c = X.shape
    tops, lefts = range(0, h - f + 1, stride), range(0, w - f + 1, stride)
    A = np.zeros((m, len(tops), len(lefts), c))
    for i in range(m):
        for q in range(c):
            for y, top in enumerate(tops):
                for x, left in enumerate(lefts):
                    A[i, y, x, q] = max(X[i, top + u, left + v, q] for u in range(f) for v in range(f))
    return A


FAULTS = (
    ("sum for the largest", "np.max(field)", "np.sum(field)"),
    ("largest over the channels", "f, x * stride : x * stride + f, q", "f, x * stride : x * stride + f, :"),
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
    ("smallest for the largest", "value > largest", "value < largest"),
    ("smallest for the largest", "np.amax(np.amax(fields", "np.amin(np.amin(fields"),
    ("sum for the largest", "X[i, rows, columns, q].max()", "X[i, rows, columns, q].sum()"),
    ("sum for the largest", "fields.max(axis=(1, 2))", "fields.sum(axis=(1, 2))"),
    ("largest over the channels", "horiz_start:horiz_end, q]", "horiz_start:horiz_end, :]"),
    ("largest over the channels", "X[i, rows, columns, q].max()", "X[i, rows, columns].max()"),
    ("largest over the channels", "np.max(field, axis=(0, 1))", "np.max(field) * np.ones(c)"),
    ("maximum of all", "fields.max(axis=(1, 2))", "fields.max()"),
    ("maximum of all", "np.max(field, axis=(0, 1))", "np.max(photo, axis=(0, 1))"),
    ("maximum of all", "X[i, rows, columns, q].max()", "X[i, :, :, q].max()"),
    ("starts at zero", "largest = X[i, y * stride, x * stride, q]", "largest = 0"),
    ("starts at zero", "largest = X[i, y * stride, x * stride, q]", "largest = A[i, y, x, q]"),
    ("absolute value too many", "np.max(field)", "np.max(np.abs(field))"),
    ("stride forgotten", "vert_start = y * stride", "vert_start = y"),
    ("stride forgotten", "windows = windows[:, ::stride, ::stride]", "windows = windows[:]"),
    ("stride forgotten", "rows = slice(y * stride, y * stride + f)", "rows = slice(y, y + f)"),
    ("stride forgotten", "X[i, y * stride + u, x * stride + v, q]", "X[i, y + u, x + v, q]"),
    ("stride forgotten", "range(0, h - f + 1, stride)", "range(0, h - f + 1)"),
    ("stride forgotten", "u + stride * n_h : stride, v : v + stride * n_w : stride", "u + n_h, v : v + n_w"),
    ("stride for the field", "vert_end = vert_start + f", "vert_end = vert_start + stride"),
    ("stride for the field", "vert_start = y * stride", "vert_start = y * f"),
    ("stride for the field", "top, left = y * stride, x * stride", "top, left = y * f, x * f"),
    ("stride for the field", "range(0, h - f + 1, stride)", "range(0, h - f + 1, f)"),
    ("stride for the field", "(X, (f, f), axis=(1, 2))", "(X, (stride, stride), axis=(1, 2))"),
    ("output too small or too large", "int(1 + (h - f) / stride)", "int((h - f) / stride)"),
    ("output too small or too large", "int(1 + (h - f) / stride)", "int(1 + h / stride)"),
    ("output too small or too large", "(w - f) // stride + 1", "(w - f) // stride"),
    ("output too small or too large", "1 + (h - f) // stride", "(h - f) // stride"),
    ("output too small or too large", "(X.shape[1] - f) // stride + 1", "(X.shape[1] - f) // stride"),
    ("output too small or too large", "(X.shape[1] - f) // stride + 1", "X.shape[1] // stride"),
    ("output too small or too large", "range(0, h - f + 1, stride)", "range(0, h - f, stride)"),
    ("output too small or too large", "range(0, h - f + 1, stride)", "range(0, h, stride)"),
    ("first photo for all", "for photo in X:", "for photo in X[:1].repeat(m, axis=0):"),
    (
        "rows and columns swapped",
        "vert_start:vert_end, horiz_start:horiz_end",
        "horiz_start:horiz_end, vert_start:vert_end",
    ),
    ("rows and columns swapped", "X[i, rows, columns, q]", "X[i, columns, rows, q]"),
    ("rows and columns swapped", "y, x = divmod(place, n_w)", "y, x = divmod(place, n_h)"),
    ("rows and columns swapped", "A[i, y, x, q]", "A[i, x, y, q]"),
    ("rows and columns swapped", "A[:, y, x, :]", "A[:, x, y, :]"),
    ("place for the number", "part.max()", "part.argmax()"),
    ("place for the number", "X[i, rows, columns, q].max()", "X[i, rows, columns, q].argmax()"),
    ("largest over the channels", "fields.max(axis=(1, 2))", "fields.max(axis=(2, 3))"),
    ("mask from the largest of all", "fields.max(axis=(1, 2))", "fields.max(axis=(0, 1))"),
    ("largest over the channels", "windows.max(axis=(4, 5))", "windows.max(axis=(3, 4))"),
    ("largest over the channels", "(np.amax(fields, axis=1), axis=1)", "(np.amax(fields, axis=1), axis=2)"),
    ("sum over one axis only", "windows.max(axis=(4, 5))", "windows.max(axis=5)"),
    ("overwritten in the loop", "rows.append(row)", "rows = [row]"),
    ("one too many or too few", "vert_start + f", "vert_start + f - 1"),
    ("one too many or too few", "left : left + f", "left : left + f + 1"),
    ("wrong dtype", "A = np.zeros((m, n_h, n_w, c))", "A = np.zeros((m, n_h, n_w, c), dtype=int)"),
    ("returned in the wrong place", "columns, q].max()\n    return A", "columns, q].max()\n        return A"),
    ("sum for the largest", "max(X[i, top + u", "sum(X[i, top + u"),
    ("output too small or too large", "(n_h - 1) * stride + 1 : stride", "(n_h - 1) * stride : stride"),
    ("stride forgotten", "h - f + 1, stride), range(0, w - f + 1, stride", "h - f + 1), range(0, w - f + 1"),
    ("stride for the field", "1, stride), range(0, w - f + 1, stride)", "1, f), range(0, w - f + 1, f)"),
    ("output too small or too large", "- f + 1, stride), range(0, w - f + 1", "- f, stride), range(0, w - f"),
    ("one too many or too few", "u in range(f) for v in range(f)", "u in range(f - 1) for v in range(f - 1)"),
    ("overwritten in the loop", "shifts.append(", "shifts = []; shifts.append("),
    ("largest over the channels", "left + v, q] for u", "left + v].max() for u"),
    ("division without remainder missing", "int(1 + (h - f) / stride)", "1 + (h - f) / stride"),
    ("unpacked in the wrong order", "m, h, w, c = X.shape", "m, c, h, w = X.shape"),
    ("unpacked in the wrong order", "m, h, w, c = X.shape", "m, w, h, c = X.shape"),
)
