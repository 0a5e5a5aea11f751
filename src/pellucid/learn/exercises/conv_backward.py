"""Back through a convolution.

``dZ`` (m, h_out, w_out, k): the slope for the output of ``conv_forward``, and its arguments ``X`` (m, h, w, c),
``W`` (f, f, c, k), ``stride`` and ``pad``.

Return ``(dX, dW, db)`` in the shapes of X, W and b (k,). Each Z[i, y, x, q] was a sum: every part of it gets its share
of dZ[i, y, x, q], a weight that of all places and photos, a pixel that of all windows that covered it. Sums, no 1/m.
What falls on the padding is dropped.

Why it matters: windows overlap. A pixel's slope is a sum, and ``=`` instead of ``+=`` keeps only its last part.

>>> X = np.array([[5.0, 6.0, 7.0], [1.0, 2.0, 3.0]]).reshape(1, 2, 3, 1)
>>> W = np.array([[10.0, 20.0], [30.0, 40.0]]).reshape(2, 2, 1, 1)
>>> dX, dW, db = conv_backward(np.array([1.0, 2.0]).reshape(1, 1, 2, 1), X, W, 1, 0)
>>> dX[0, :, :, 0]  # two windows cover the middle: 20 * 1 + 10 * 2, and 40 * 1 + 30 * 2
array([[ 10.,  40.,  40.],
       [ 30., 100.,  80.]])
>>> dW[:, :, 0, 0], db
(array([[17., 20.],
       [ 5.,  8.]]), array([3.]))
"""

import numpy as np

from pellucid.learn.exercises.conv_forward import conv_forward

OUTPUTS = "dX", "dW", "db"
LOOPS = True
ALIKE = ({"padding cut off wrongly", "padding forgotten"},)


def cases(rng):
    X = np.array([[5.0, 6.0, 7.0], [1.0, 2.0, 3.0]]).reshape(1, 2, 3, 1)
    W = np.array([[10.0, 20.0], [30.0, 40.0]]).reshape(2, 2, 1, 1)
    yield np.array([1.0, 2.0]).reshape(1, 1, 2, 1), X, W, 1, 0
    for m, h, w, c, f, k, stride, pad in (
        (2, 5, 4, 2, 3, 3, 2, 1),
        (3, 4, 6, 3, 2, 2, 1, 0),
        (2, 6, 5, 1, 3, 2, 1, 2),
    ):
        n_h, n_w = (h + 2 * pad - f) // stride + 1, (w + 2 * pad - f) // stride + 1
        dZ = rng.standard_normal((m, n_h, n_w, k))
        yield dZ, rng.standard_normal((m, h, w, c)), rng.standard_normal((f, f, c, k)), stride, pad


def measured(dZ, X, W, stride, pad):
    def total(X, W, b):
        return float(np.sum(dZ * conv_forward(X, W, b, stride, pad)))

    b = np.zeros(W.shape[3])
    return {
        "dX": (X, lambda X: total(X, W, b)),
        "dW": (W, lambda W: total(X, W, b)),
        "db": (b, lambda b: total(X, W, b)),
    }


def conv_backward(dZ, X, W, stride, pad):
    m, n_h, n_w, k = dZ.shape
    f = W.shape[0]
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    dX_pad = np.zeros(X_pad.shape)
    dW = np.zeros(W.shape)
    db = np.zeros(k)
    for i in range(m):
        for y in range(n_h):
            for x in range(n_w):
                top, left = y * stride, x * stride
                for q in range(k):
                    part = X_pad[i, top : top + f, left : left + f, :]
                    dX_pad[i, top : top + f, left : left + f, :] += W[:, :, :, q] * dZ[i, y, x, q]
                    dW[:, :, :, q] += part * dZ[i, y, x, q]
                    db[q] += dZ[i, y, x, q]
    dX = dX_pad[:, pad : X_pad.shape[1] - pad, pad : X_pad.shape[2] - pad, :]
    return dX, dW, db


def right_by_places(dZ, X, W, stride, pad):
    m, h, w, c = X.shape
    f = W.shape[0]
    X_pad = np.zeros((m, h + 2 * pad, w + 2 * pad, c))
    X_pad[:, pad : pad + h, pad : pad + w] = X
    dX_pad, dW = np.zeros_like(X_pad), np.zeros_like(W)
    db = dZ.sum(axis=(0, 1, 2))
    for y in range(dZ.shape[1]):
        for x in range(dZ.shape[2]):
            rows, columns = slice(y * stride, y * stride + f), slice(x * stride, x * stride + f)
            slope = dZ[:, y, x, :]
            dW += np.tensordot(X_pad[:, rows, columns, :], slope, axes=([0], [0]))
            dX_pad[:, rows, columns, :] += np.tensordot(slope, W, axes=([1], [3]))
    return dX_pad[:, pad : pad + h, pad : pad + w, :], dW, db


def right_by_weights(dZ, X, W, stride, pad):
    m, n_h, n_w, k = dZ.shape
    f = W.shape[0]
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    dX_pad = np.zeros(X_pad.shape)
    dW = np.zeros(W.shape)
    for u in range(f):
        for v in range(f):
            part = X_pad[:, u : u + stride * n_h : stride, v : v + stride * n_w : stride]
            dW[u, v] = np.einsum("iyxc,iyxq->cq", part, dZ)
            dX_pad[:, u : u + stride * n_h : stride, v : v + stride * n_w : stride] += dZ @ W[u, v].T
    db = np.einsum("iyxq->q", dZ)
    dX = dX_pad[:, pad : pad + X.shape[1], pad : pad + X.shape[2]]
    return dX, dW, db


def right_photo_by_photo(dZ, X, W, stride, pad):
    m, n_h, n_w, k = dZ.shape
    m, h, w, c = X.shape
    f, f, c, k = W.shape
    dX, dW, db = np.zeros(X.shape), np.zeros((f, f, c, k)), np.zeros(k)
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="constant")
    for i in range(m):
        x_pad = X_pad[i]
        dx_pad = np.zeros_like(x_pad)
        for y in range(n_h):
            for x in range(n_w):
                for q in range(k):
                    vert_start, horiz_start = y * stride, x * stride
                    vert_end, horiz_end = vert_start + f, horiz_start + f
                    part = x_pad[vert_start:vert_end, horiz_start:horiz_end, :]
                    dx_pad[vert_start:vert_end, horiz_start:horiz_end, :] += W[:, :, :, q] * dZ[i, y, x, q]
                    dW[:, :, :, q] += part * dZ[i, y, x, q]
                    db[q] += dZ[i, y, x, q]
        dX[i] = dx_pad[pad : pad + h, pad : pad + w, :]
    return dX, dW, db


def right_by_patches(dZ, X, W, stride, pad):
    m, n_h, n_w, k = dZ.shape
    f, _, c, _ = W.shape
    X_pad = np.pad(X, [(0, 0), (pad, pad), (pad, pad), (0, 0)])
    corners = [(i, y * stride, x * stride) for i in range(m) for y in range(n_h) for x in range(n_w)]
    patches = np.array([X_pad[i, top : top + f, left : left + f].ravel() for i, top, left in corners])
    flat = dZ.reshape(-1, k)
    dW = (patches.T @ flat).reshape(W.shape)
    db = flat.sum(axis=0)
    d_patches = flat @ W.reshape(-1, k).T
    dX_pad = np.zeros(X_pad.shape)
    for (i, top, left), slope in zip(corners, d_patches, strict=True):
        dX_pad[i, top : top + f, left : left + f] += slope.reshape(f, f, c)
    dX = dX_pad[:, pad : pad + X.shape[1], pad : pad + X.shape[2]]
    return dX, dW, db


def right_by_windows(dZ, X, W, stride, pad):
    m, h, w, c = X.shape
    f = W.shape[0]
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(X_pad, (f, f), axis=(1, 2))
    windows = windows[:, ::stride, ::stride]
    dW = np.einsum("iyxcuv,iyxq->uvcq", windows, dZ)
    db = dZ.sum(axis=(0, 1, 2))
    shares = np.einsum("iyxq,uvcq->iyxuvc", dZ, W)
    dX_pad = np.zeros(X_pad.shape)
    for y in range(dZ.shape[1]):
        for x in range(dZ.shape[2]):
            dX_pad[:, y * stride : y * stride + f, x * stride : x * stride + f] += shares[:, y, x]
    return dX_pad[:, pad : h + pad, pad : w + pad], dW, db


def right_by_ndindex(dZ, X, W, stride, pad):
    m, h, w, c = X.shape
    f = W.shape[0]
    X_pad = np.zeros((m, h + 2 * pad, w + 2 * pad, c))
    X_pad[:, pad : h + pad, pad : w + pad, :] = X
    dX_pad, dW, db = np.zeros_like(X_pad), np.zeros_like(W), np.zeros(W.shape[3])
    for i, y, x, q in np.ndindex(*dZ.shape):
        slope = dZ[i, y, x, q]
        rows = slice(y * stride, y * stride + f)
        columns = slice(x * stride, x * stride + f)
        dX_pad[i, rows, columns] += slope * W[..., q]
        dW[..., q] += slope * X_pad[i, rows, columns]
        db[q] += slope
    dX = dX_pad[:, pad : h + pad, pad : w + pad, :]
    return dX, dW, db


def right_three_times(dZ, X, W, stride, pad):
    m, n_h, n_w, k = dZ.shape
    f, h, w = W.shape[0], X.shape[1], X.shape[2]
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    db = np.sum(dZ, axis=(0, 1, 2))
    dW = np.zeros(W.shape)
    for u in range(f):
        for v in range(f):
            for y in range(n_h):
                for x in range(n_w):
                    dW[u, v] += X_pad[:, y * stride + u, x * stride + v, :].T @ dZ[:, y, x, :]
    dX = np.zeros(X.shape)
    for row in range(h):
        for column in range(w):
            for y in range(n_h):
                for x in range(n_w):
                    u, v = row + pad - y * stride, column + pad - x * stride
                    if 0 <= u < f and 0 <= v < f:
                        dX[:, row, column, :] += dZ[:, y, x, :] @ W[u, v].T
    return dX, dW, db


def right_by_filters(dZ, X, W, stride, pad):
    f, h, w = W.shape[0], X.shape[1], X.shape[2]
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    dX_pad, dW = np.zeros(X_pad.shape), np.zeros(W.shape)
    db = np.array([dZ[..., q].sum() for q in range(W.shape[3])])
    for q in range(W.shape[3]):
        for y in range(dZ.shape[1]):
            for x in range(dZ.shape[2]):
                top, left = y * stride, x * stride
                slope = dZ[:, y, x, q].reshape(-1, 1, 1, 1)
                part = X_pad[:, top : top + f, left : left + f, :]
                dW[:, :, :, q] += np.sum(part * slope, axis=0)
                dX_pad[:, top : top + f, left : left + f, :] += slope * W[:, :, :, q]
    dX = dX_pad[:, pad : pad + h, pad : pad + w, :]
    return dX, dW, db


def right_by_photos_and_places(dZ, X, W, stride, pad):
    m, n_h, n_w, k = dZ.shape
    f = W.shape[0]
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    dX_pad, dW, db = np.zeros(X_pad.shape), np.zeros(W.shape), np.zeros(k)
    for i in range(m):
        for y in range(n_h):
            for x in range(n_w):
                top, left = y * stride, x * stride
                part = X_pad[i, top : top + f, left : left + f]
                slope = dZ[i, y, x]
                dX_pad[i, top : top + f, left : left + f] += W @ slope
                dW += part[..., None] * slope
                db += slope
    return dX_pad[:, pad : pad + X.shape[1], pad : pad + X.shape[2]], dW, db


def right_by_full_convolution(dZ, X, W, stride, pad):
    m, n_h, n_w, k = dZ.shape
    f, h, w = W.shape[0], X.shape[1], X.shape[2]
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    spread = np.zeros((m, h + 2 * pad + f - 1, w + 2 * pad + f - 1, k))
    spread[:, f - 1 : f - 1 + n_h * stride : stride, f - 1 : f - 1 + n_w * stride : stride] = dZ
    flipped = W[::-1, ::-1]
    dX, dW = np.zeros(X.shape), np.zeros(W.shape)
    for row in range(h):
        for column in range(w):
            part = spread[:, row + pad : row + pad + f, column + pad : column + pad + f]
            dX[:, row, column] = np.tensordot(part, flipped, axes=([1, 2, 3], [0, 1, 3]))
    for y in range(n_h):
        for x in range(n_w):
            window = X_pad[:, y * stride : y * stride + f, x * stride : x * stride + f]
            dW += np.einsum("iuvc,iq->uvcq", window, dZ[:, y, x])
    return dX, dW, dZ.sum(axis=(0, 1, 2))


FAULTS = (
    ("stride forgotten", "top, left = y * stride, x * stride", "top, left = y, x"),
    (
        "padding on one side",
        "part = X_pad[i, top : top + f, left : left + f, :]",
        "part = np.pad(X[i], ((0, 2 * pad), (0, 2 * pad), (0, 0)))[top : top + f, left : left + f, :]",
    ),
    ("padding not cut off", "dX_pad[:, pad : X_pad.shape[1] - pad, pad : X_pad.shape[2] - pad, :]", "dX_pad"),
    ("padding cut off wrongly", "pad : pad + X.shape[1], pad : pad + X.shape", ": X.shape[1], : X.shape"),
    ("window flipped", "+= W[:, :, :, q] * dZ", "+= W[::-1, ::-1, :, q] * dZ"),
    ("divided by m too often", "db = dZ.sum(axis=(0, 1, 2))", "db = dZ.sum(axis=(0, 1, 2)) / m"),
    ("divided by m too often", "return dX, dW, db", "return dX, dW / len(dZ), db / len(dZ)"),
    ("X and W confused", "+= W[:, :, :, q] * dZ", "+= part * dZ"),
    ("X and W confused", "+= part * dZ[i, y, x, q]", "+= W[:, :, :, q] * dZ[i, y, x, q]"),
    ("first photo for all", "part = X_pad[i,", "part = X_pad[0,"),
    ("first window for all", "+= W[:, :, :, q] * dZ", "+= W[:, :, :, 0] * dZ"),
    (
        "rows and columns swapped",
        "dZ[i, y, x, q]\n                    dW",
        "dZ[i, x % n_h, y % n_w, q]\n                    dW",
    ),
    ("stride forgotten", "horiz_start = y * stride, x * stride", "horiz_start = y, x"),
    ("stride forgotten", "(i, y * stride, x * stride) for", "(i, y, x) for"),
    ("stride forgotten", "rows = slice(y * stride, y * stride + f)", "rows = slice(y, y + f)"),
    ("stride forgotten", "pad - y * stride, column + pad - x * stride", "pad - y, column + pad - x"),
    (
        "stride forgotten",
        "dX_pad[:, y * stride : y * stride + f, x * stride : x * stride + f]",
        "dX_pad[:, y : y + f, x : x + f]",
    ),
    ("stride forgotten", "y * stride + u, x * stride + v", "y + u, x + v"),
    ("stride for the field", "vert_start + f, horiz_start + f", "vert_start + stride, horiz_start + stride"),
    ("padding forgotten", "row + pad - y * stride, column + pad - x", "row - y * stride, column - x"),
    ("padding on one side", "X_pad[:, pad : h + pad, pad : w + pad, :] = X", "X_pad[:, :h, :w, :] = X"),
    ("padding forgotten", "x_pad = X_pad[i]", "x_pad = X[i]"),
    ("padding not cut off", "dX[i] = dx_pad[pad : pad + h, pad : pad + w, :]", "dX[i] = dx_pad"),
    ("padding not cut off", "dX = dX_pad[:, pad : pad + h, pad : pad + w, :]", "dX = dX_pad"),
    ("padding not cut off", "dX = dX_pad[:, pad : h + pad, pad : w + pad, :]", "dX = dX_pad"),
    ("padding not cut off", "dX = dX_pad[:, pad : pad + X.shape[1], pad : pad + X.shape[2]]", "dX = dX_pad"),
    ("padding not cut off", "dX_pad[:, pad : h + pad, pad : w + pad], dW", "dX_pad, dW"),
    ("padding not cut off", "dX_pad[:, pad : pad + h, pad : pad + w, :], dW", "dX_pad, dW"),
    ("padding cut off wrongly", "= dX_pad[:, pad : pad + h, pad : pad + w, :]", "= dX_pad[:, :h, :w, :]"),
    ("padding cut off wrongly", "dX_pad[:, pad : h + pad, pad : w + pad,", "dX_pad[:, 2 * pad :, 2 * pad :,"),
    ("padding cut off wrongly", "[i] = dx_pad[pad : pad + h, pad : pad + w, :]", "[i] = dx_pad[:h, :w, :]"),
    ("padding cut off wrongly", "pad : pad + X.shape[1], pad : pad + X.shape[2]", "pad:-pad, pad:-pad"),
    ("padding cut off wrongly", "= dX_pad[:, pad : h + pad, pad : w + pad", "= dX_pad[:, pad:-pad, pad:-pad"),
    ("padding cut off wrongly", "dx_pad[pad : pad + h, pad : pad + w, :]", "dx_pad[pad:-pad, pad:-pad, :]"),
    ("window flipped", "slope * W[..., q]", "slope * W[::-1, ::-1, :, q]"),
    ("window flipped", "slope * W[:, :, :, q]", "slope * W[::-1, ::-1, :, q]"),
    ("rows and columns swapped", "iyxq,uvcq->iyxuvc", "iyxq,vucq->iyxuvc"),
    ("rows and columns swapped", "iyxcuv,iyxq->uvcq", "iyxcuv,iyxq->vucq"),
    ("window flipped", "@ W[u, v].T", "@ W[f - 1 - u, f - 1 - v].T"),
    ("divided by m too often", "db = flat.sum(axis=0)", "db = flat.sum(axis=0) / m"),
    ("divided by m too often", "dW[:, :, :, q] += np.sum", "dW[:, :, :, q] += np.mean"),
    ("divided by m too often", "reshape(W.shape)", "reshape(W.shape) / m"),
    ("axis missing", "db = dZ.sum(axis=(0, 1, 2))", "db = dZ.sum()"),
    ("axis missing", "db = np.sum(dZ, axis=(0, 1, 2))", "db = np.sum(dZ)"),
    ("sum over one axis only", "db = dZ.sum(axis=(0, 1, 2))", "db = dZ.sum(axis=0)"),
    ("sum over one axis only", "db = np.sum(dZ, axis=(0, 1, 2))", "db = np.sum(dZ, axis=(1, 2))"),
    ("X and W confused", "slope * W[..., q]", "slope * X_pad[i, rows, columns]"),
    ("X and W confused", "slope * X_pad[i, rows, columns]", "slope * W[..., q]"),
    ("X and W confused", "slope * W[:, :, :, q]", "slope * part"),
    ("first photo for all", "x_pad = X_pad[i]", "x_pad = X_pad[0]"),
    ("first photo for all", "slope * X_pad[i, rows", "slope * X_pad[0, rows"),
    (
        "first photo for all",
        "dX_pad[i, top : top + f, left : left + f]",
        "dX_pad[0, top : top + f, left : left + f]",
    ),
    ("first photo for all", "[i, top : top + f, left : left + f].", "[0, top : top + f, left : left + f]."),
    ("first window for all", "slope * W[..., q]", "slope * W[..., 0]"),
    ("first window for all", "slope * W[:, :, :, q]", "slope * W[:, :, :, 0]"),
    (
        "rows and columns swapped",
        "vert_start:vert_end, horiz_start:horiz_end",
        "horiz_start:horiz_end, vert_start:vert_end",
    ),
    ("rows and columns swapped", "dX_pad[i, rows, columns]", "dX_pad[i, columns, rows]"),
    ("rows and columns swapped", "shares[:, y, x]", "shares[:, y, x].transpose(0, 2, 1, 3)"),
    ("scrambled", "(patches.T @ flat).reshape(W.shape)", "(flat.T @ patches).reshape(W.shape)"),
    ("scrambled", "slope.reshape(f, f, c)", "slope.reshape(c, f, f).transpose(1, 2, 0)"),
    ("dA left out", "dX_pad[i, rows, columns] += slope * W[..., q]", "dX_pad[i, rows, columns] += W[..., q]"),
    ("dA left out", "dW[..., q] += slope * X_pad[i, rows, columns]", "dW[..., q] += X_pad[i, rows, columns]"),
    ("inequality at the threshold", "0 <= u < f", "0 < u < f"),
    ("one too many or too few", "for y in range(n_h):", "for y in range(n_h - 1):"),
    ("one channel only", "slope * X_pad[i, rows, columns]", "slope * X_pad[i, rows, columns, :1]"),
    (
        "overwritten in the loop",
        "                    vert_start, horiz_start =",
        "                    dx_pad = np.zeros_like(x_pad)\n                    vert_start, horiz_start =",
    ),
    (
        "overwritten in the loop",
        "        for y in range(dZ.shape[1]):\n            for x in range(dZ.shape[2]):\n                top",
        "        dX_pad = np.zeros(X_pad.shape)\n        for y in range(dZ.shape[1]):\n            for x in range(dZ.shape[2]):\n                top",
    ),
    ("overwritten in the loop", "slope = dZ[i, y, x, q]", "slope, db = dZ[i, y, x, q], np.zeros(W.shape[3])"),
    ("window flipped", "flipped = W[::-1, ::-1]", "flipped = W"),
    ("window flipped", "+= W @ slope", "+= W[::-1, ::-1] @ slope"),
    (
        "stride forgotten",
        "f - 1 : f - 1 + n_h * stride : stride, f - 1 : f - 1 + n_w * stride : stride",
        "f - 1 : f - 1 + n_h, f - 1 : f - 1 + n_w",
    ),
    ("divided by m too often", "db += slope", "db += slope / m"),
    ("divided by m too often", "slope, axes=([0], [0]))", "slope, axes=([0], [0])) / m"),
    ("axis missing", "dX, dW, dZ.sum(axis=(0, 1, 2))", "dX, dW, dZ.sum()"),
    ("first photo for all", "slope = dZ[i, y, x]\n", "slope = dZ[0, y, x]\n"),
    ("first window for all", "W @ slope", "(W[..., :1] * slope).sum(axis=3)"),
    ("X and W confused", "+= W @ slope", "+= part * slope.sum()"),
    (
        "rows and columns swapped",
        "slope = dZ[:, y, x, :]",
        "slope = dZ[:, x % dZ.shape[1], y % dZ.shape[2], :]",
    ),
    ("padding forgotten", "+ pad : row + pad + f, column + pad : column + pad", ": row + f, column : column"),
    ("padding not cut off", "dX_pad[:, pad : pad + X.shape[1], pad : pad + X.shape[2]], dW", "dX_pad, dW"),
    ("dA left out", "dW += part[..., None] * slope", "dW += part[..., None]"),
    ("one too many or too few", "for x in range(n_w):", "for x in range(n_w - 1):"),
    (
        "overwritten in the loop",
        "        for y in range(n_h):\n            for x in range(n_w):\n                top",
        "        db = np.zeros(k)\n        for y in range(n_h):\n            for x in range(n_w):\n                top",
    ),
)
