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

from pellucid.learn.exercises.pool_forward import pool_forward

OUTPUTS = ("dX",)
LOOPS = True


def cases(rng):
    yield np.array([[[[3.0]]]]), np.array([[[[1.0], [7.0]], [[7.0], [2.0]]]]), 2, 2
    for m, h, w, c, f, stride in ((2, 4, 6, 3, 2, 2), (3, 5, 7, 2, 3, 2), (2, 5, 4, 1, 2, 1)):
        dA = rng.standard_normal((m, (h - f) // stride + 1, (w - f) // stride + 1, c))
        yield dA, np.round(rng.standard_normal((m, h, w, c)) * 2 - 1), f, stride


def measured(dA, X, f, stride):
    return {"dX": (X, lambda X: float(np.sum(dA * pool_forward(X, f, stride))))}


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


def right_first_of_the_mask(dA, X, f, stride):
    (m, n_h, n_w, c) = dA.shape
    dX = np.zeros(X.shape)
    for i in range(m):
        photo = X[i]
        for y in range(n_h):
            for x in range(n_w):
                for q in range(c):
                    vert_start, horiz_start = y * stride, x * stride
                    vert_end, horiz_end = vert_start + f, horiz_start + f
                    part = photo[vert_start:vert_end, horiz_start:horiz_end, q]
                    mask = part == np.max(part)
                    places = np.argwhere(mask)
                    u, v = places[0]
                    dX[i, vert_start + u, horiz_start + v, q] += dA[i, y, x, q]
    return dX


def right_by_divmod(dA, X, f, stride):
    dX = np.zeros_like(X)
    m, n_h, n_w, c = dA.shape
    for i in range(m):
        for q in range(c):
            for y in range(n_h):
                for x in range(n_w):
                    top, left = y * stride, x * stride
                    field = X[i, top : top + f, left : left + f, q]
                    u, v = divmod(int(np.argmax(field)), f)
                    dX[i, top + u, left + v, q] += dA[i, y, x, q]
    return dX


def right_all_photos_at_once(dA, X, f, stride):
    m, n_h, n_w, c = dA.shape
    dX = np.zeros(X.shape)
    photos, channels = np.arange(m)[:, None], np.arange(c)[None, :]
    for y in range(n_h):
        for x in range(n_w):
            top, left = y * stride, x * stride
            fields = X[:, top : top + f, left : left + f, :].reshape(m, f * f, c)
            place = fields.argmax(axis=1)
            rows, columns = top + place // f, left + place % f
            dX[photos, rows, columns, channels] += dA[:, y, x, :]
    return dX


def right_by_places_taken(dA, X, f, stride):
    m, n_h, n_w, c = dA.shape
    dX = np.zeros(X.shape)
    for y in range(n_h):
        for x in range(n_w):
            top, left = y * stride, x * stride
            largest = X[:, top : top + f, left : left + f, :].max(axis=(1, 2))
            is_free = np.ones((m, c), dtype=bool)
            for u in range(f):
                for v in range(f):
                    is_here = is_free & (X[:, top + u, left + v, :] == largest)
                    dX[:, top + u, left + v, :] += is_here * dA[:, y, x, :]
                    is_free = is_free & ~is_here
    return dX


def right_until_found(dA, X, f, stride):
    dX = np.zeros(X.shape)
    for i, y, x, q in np.ndindex(*dA.shape):
        top, left = y * stride, x * stride
        largest = X[i, top : top + f, left : left + f, q].max()
        found = False
        for u in range(f):
            for v in range(f):
                if not found and X[i, top + u, left + v, q] == largest:
                    dX[i, top + u, left + v, q] += dA[i, y, x, q]
                    found = True
    return dX


def right_by_a_list_of_places(dA, X, f, stride):
    m, n_h, n_w, c = dA.shape
    winners = {}
    for i, y, x, q in np.ndindex(m, n_h, n_w, c):
        places = [(y * stride + u, x * stride + v) for u in range(f) for v in range(f)]
        numbers = [X[i, row, column, q] for row, column in places]
        winners[i, y, x, q] = places[numbers.index(max(numbers))]
    dX = np.zeros(X.shape)
    for (i, y, x, q), (row, column) in winners.items():
        dX[i, row, column, q] += dA[i, y, x, q]
    return dX


def right_with_a_mask_function(dA, X, f, stride):
    def mask_of(part):
        mask = np.zeros(part.shape, dtype=bool)
        mask.flat[np.argmax(part)] = True
        return mask

    m, n_h, n_w, c = dA.shape
    dX = np.zeros(X.shape)
    for i in range(m):
        for y in range(n_h):
            for x in range(n_w):
                top, left = y * stride, x * stride
                for q in range(c):
                    part = X[i, top : top + f, left : left + f, q]
                    dX[i, top : top + f, left : left + f, q] += mask_of(part) * dA[i, y, x, q]
    return dX


def right_by_add_at(dA, X, f, stride):
    windows = np.lib.stride_tricks.sliding_window_view(X, (f, f), axis=(1, 2))[:, ::stride, ::stride]
    m, n_h, n_w, c = dA.shape
    places = windows.reshape(m, n_h, n_w, c, f * f).argmax(axis=-1)
    i, y, x, q = np.indices(dA.shape)
    rows, columns = y * stride + places // f, x * stride + places % f
    dX = np.zeros(X.shape)
    np.add.at(dX, (i, rows, columns, q), dA)
    return dX


FAULTS = (
    ("ties shared by all", "np.zeros(f * f)\n        mask[flat.argmax()] = 1", "(flat == flat.max()) * 1.0"),
    ("ties shared by all", "[flat.argmax()] = 1", "[flat == flat.max()] = 1 / np.sum(flat == flat.max())"),
    ("last of ties", "X[i, u, v, q] > best", "X[i, u, v, q] >= best"),
    ("shared by the whole field", "zeros(f * f)\n        mask[flat.argmax()] = 1", "full(f * f, 1 / f**2)"),
    ("shared by the whole field", " = np.zeros(f * f)\n        mask[flat.argmax()] = 1", " = np.ones(f * f)"),
    ("stride forgotten", "top, left = y * stride, x * stride", "top, left = y, x"),
    ("place counted in the field", "dX[i, top + u, left + v, q]", "dX[i, u, v, q]"),
    ("mask from the largest of all", "np.argmax(field)", "np.argmax(X[i, :, :, q][:f, :f])"),
    ("first photo for all", "field = X[i,", "field = X[0,"),
    ("view for copy", "dX = 0.0 * X", "dX = X"),
    ("rows and columns swapped", "u, v = np.unravel_index", "v, u = np.unravel_index"),
    ("ties shared by all", "                    is_free = is_free & ~is_here\n", ""),
    ("ties shared by all", "                    found = True\n", ""),
    (
        "ties shared by all",
        "                    u, v = places[0]\n                    dX[i, vert_start + u, horiz_start + v, q] += dA[i, y, x, q]\n",
        "                    dX[i, vert_start:vert_end, horiz_start:horiz_end, q] += mask * dA[i, y, x, q]\n",
    ),
    ("last of ties", "u, v = places[0]", "u, v = places[-1]"),
    ("shared by the whole field", "is_here * dA[:, y, x, :]", "dA[:, y, x, :] / f**2"),
    ("shared by the whole field", "is_here * dA[:, y, x, :]", "dA[:, y, x, :]"),
    ("shared by the whole field", "if not found and X[i, top + u, left + v, q] == largest:", "if True:"),
    ("stride forgotten", "horiz_start = y * stride, x * stride", "horiz_start = y, x"),
    ("stride forgotten", "(y * stride + u, x * stride + v)", "(y + u, x + v)"),
    ("stride forgotten", "rows = slice(y * stride, y * stride + f)", "rows = slice(y, y + f)"),
    ("stride for the field", "top, left = y * stride, x * stride", "top, left = y * f, x * f"),
    ("stride for the field", "vert_start + f, horiz_start + f", "vert_start + stride, horiz_start + stride"),
    ("value for slope", "left + v, q] += dA[i, y, x, q]", "left + v, q] += X[i, top + u, left + v, q]"),
    ("value for slope", "row, column, q] += dA[i, y, x, q]", "row, column, q] += X[i, row, column, q]"),
    ("value for slope", "place[1], q] += dA[i, y, x, q]", "place[1], q] += X[i, place[0], place[1], q]"),
    ("value for slope", "mask.reshape(f, f) * dA[i, y, x, q]", "mask.reshape(f, f) * X[i, rows, columns, q]"),
    ("value for slope", "is_here * dA[:, y, x, :]", "is_here * largest"),
    ("dA left out", "is_here * dA[:, y, x, :]", "is_here"),
    ("dA left out", "+= dA[i, y, x, q]", "+= 1"),
    ("place counted in the field", "dX[i, vert_start + u, horiz_start + v, q]", "dX[i, u, v, q]"),
    ("place counted in the field", "columns = top + place // f, left + place", "columns = place // f, place"),
    ("place counted in the field", "dX[:, top + u, left + v, :]", "dX[:, u, v, :]"),
    ("mask from the largest of all", "mask = part == np.max(part)", "mask = part == np.max(photo)"),
    ("mask from the largest of all", "X[i, top : top + f, left : left + f, q].max()", "X[i, :, :, q].max()"),
    ("largest over the channels", "top + f, left : left + f, q].max()", "top + f, left : left + f].max()"),
    ("mask from the largest of all", ":].max(axis=(1, 2))", ":].max()"),
    ("largest over the channels", "fields.argmax(axis=1)", "fields.argmax(axis=2)"),
    ("first photo for all", "photo = X[i]", "photo = X[0]"),
    ("first photo for all", "flat = X[i,", "flat = X[0,"),
    ("first photo for all", "largest = X[i, top", "largest = X[0, top"),
    ("rows and columns swapped", "u, v = divmod(", "v, u = divmod("),
    ("rows and columns swapped", "u, v = places[0]", "v, u = places[0]"),
    ("rows and columns swapped", "top + place // f, left + place % f", "top + place % f, left + place // f"),
    (
        "rows and columns swapped",
        "vert_start:vert_end, horiz_start:horiz_end",
        "horiz_start:horiz_end, vert_start:vert_end",
    ),
    ("one too many or too few", "top : top + f,", "top : top + f - 1,"),
    (
        "overwritten in the loop",
        "        top, left = y * stride, x * stride\n        largest",
        "        dX = np.zeros(X.shape)\n        top, left = y * stride, x * stride\n        largest",
    ),
    ("returned in the wrong place", "found = True\n    return dX", "found = True\n        return dX"),
    ("ones for zeros", "dX = np.zeros(X.shape)", "dX = np.ones(X.shape)"),
    ("wrong dtype", "dX = np.zeros(X.shape)", "dX = np.zeros(X.shape, dtype=int)"),
    ("= for +=", "np.add.at(dX, (i, rows, columns, q), dA)", "dX[i, rows, columns, q] = dA"),
    ("= for +=", "np.add.at(dX, (i, rows, columns, q), dA)", "dX[i, rows, columns, q] += dA"),
    (
        "ties shared by all",
        "mask = np.zeros(part.shape, dtype=bool)\n        mask.flat[np.argmax(part)] = True\n        return mask",
        "return part == np.max(part)",
    ),
    ("value for slope", "mask_of(part) * dA[i, y, x, q]", "mask_of(part) * part"),
    ("stride forgotten", "y * stride + places // f, x * stride + places", "y + places // f, x + places"),
    ("place counted in the field", "y * stride + places // f, x * stride + places", "places // f, places"),
    ("rows and columns swapped", "places // f, x * stride + places %", "places % f, x * stride + places //"),
    ("first photo for all", "part = X[i,", "part = X[0,"),
    ("mask from the largest of all", "np.argmax(part)", "np.argmax(X[0, :f, :f, 0])"),
    ("shared by the whole field", "mask_of(part) * dA[i, y, x, q]", "dA[i, y, x, q]"),
    ("shared by the whole field", "mask_of(part) * dA[i, y, x, q]", "dA[i, y, x, q] / (f * f)"),
)
