"""Back through a convolution.

``dZ`` (m, h_out, w_out, k): the slope for the output of ``conv_forward``, and its arguments ``X`` (m, h, w, c),
``W`` (f, f, c, k), ``stride`` and ``pad``.

Return ``(dX, dW, db)`` in the shapes of X, W and b (k,). Each Z[i, y, x, q] was a sum: every part of it gets its share
of dZ[i, y, x, q], a weight that of all places and photos, a pixel that of all windows that covered it. Sums, no 1/m.
What falls on the padding is dropped.

Why it matters: windows overlap. A pixel's slope is a sum, and ``=`` in the place of ``+=`` keeps only its last part.

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

OUTPUTS = "dX", "dW", "db"
LOOPS = True


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


FAULTS = (
    ("= for +=", "left : left + f, :] += W", "left : left + f, :] = W"),
    ("= for +=", "dW[:, :, :, q] += part", "dW[:, :, :, q] = part"),
    ("= for +=", "db[q] += dZ", "db[q] = dZ"),
    ("= for +=", "dX_pad[:, rows, columns, :] += ", "dX_pad[:, rows, columns, :] = "),
    ("= for +=", "dW += np.tensordot", "dW = np.tensordot"),
    ("stride forgotten", "top, left = y * stride, x * stride", "top, left = y, x"),
    (
        "padding forgotten",
        "part = X_pad[i, top : top + f, left : left + f, :]",
        "part = np.pad(X[i], ((0, 2 * pad), (0, 2 * pad), (0, 0)))[top : top + f, left : left + f, :]",
    ),
    (
        "padding not cut off",
        "dX = dX_pad[:, pad : X_pad.shape[1] - pad, pad : X_pad.shape[2] - pad, :]",
        "dX = dX_pad",
    ),
    (
        "padding cut off wrongly",
        "dX_pad[:, pad : pad + X.shape[1], pad : pad + X.shape[2]]",
        "dX_pad[:, : X.shape[1], : X.shape[2]]",
    ),
    ("window flipped", "+= W[:, :, :, q] * dZ", "+= W[::-1, ::-1, :, q] * dZ"),
    ("window flipped", "dZ @ W[u, v].T", "dZ @ W[f - 1 - u, f - 1 - v].T"),
    ("mean where the sum is meant", "db = dZ.sum(axis=(0, 1, 2))", "db = dZ.mean(axis=(0, 1, 2))"),
    ("mean where the sum is meant", "db = dZ.sum(axis=(0, 1, 2))", "db = dZ.sum(axis=(0, 1, 2)) / m"),
    ("mean where the sum is meant", "return dX, dW, db", "return dX, dW / m, db / m"),
    ("X and W confused", "+= W[:, :, :, q] * dZ", "+= part * dZ"),
    ("X and W confused", "+= part * dZ[i, y, x, q]", "+= W[:, :, :, q] * dZ[i, y, x, q]"),
    ("first photo for all", "part = X_pad[i,", "part = X_pad[0,"),
    ("first window for all", "+= W[:, :, :, q] * dZ", "+= W[:, :, :, 0] * dZ"),
    ("returned in the wrong order", "return dX, dW, db", "return dW, dX, db"),
    (
        "rows and columns swapped",
        "dZ[i, y, x, q]\n                    dW",
        "dZ[i, x % n_h, y % n_w, q]\n                    dW",
    ),
)
