"""A convolution: one small window of weights, laid on every place of a photo.

``X`` (m, h, w, c): m photos of c channels. ``W`` (f, f, c, k): k windows of f x f x c weights. ``b`` (k,): one bias a
window. ``stride``: how far the window moves, 1 or more; ``pad``: how many zeros, 0 or more, are put around each photo,
on all four sides.

Return Z (m, h_out, w_out, k) with h_out = (h + 2 pad - f) // stride + 1, w_out likewise: Z[i, y, x, q] is b[q] + the
sum of W[:, :, :, q] times the part of padded photo i that begins at row y * stride and column x * stride. (The window
is not flipped.)

Why it matters: an ear is an ear wherever it is. These few weights look everywhere.

>>> X = np.arange(9.0).reshape(1, 3, 3, 1)
>>> conv_forward(X, np.ones((2, 2, 1, 1)), np.array([0.5]), 1, 0)[0, :, :, 0]  # 0 + 1 + 3 + 4 + 0.5
array([[ 8.5, 12.5],
       [20.5, 24.5]])
"""

import numpy as np

OUTPUTS = ("Z",)
LOOPS = True


def cases(rng):
    yield np.arange(9.0).reshape(1, 3, 3, 1), np.ones((2, 2, 1, 1)), np.array([0.5]), 1, 0
    for m, h, w, c, f, k, stride, pad in (
        (2, 5, 4, 2, 3, 3, 2, 1),
        (3, 4, 6, 3, 2, 2, 1, 0),
        (2, 6, 5, 1, 3, 2, 1, 2),
    ):
        yield (
            rng.standard_normal((m, h, w, c)),
            rng.standard_normal((f, f, c, k)),
            rng.standard_normal(k),
            stride,
            pad,
        )


def conv_forward(X, W, b, stride, pad):
    m, h, w, c = X.shape
    f, _, _, k = W.shape
    n_h = (h + 2 * pad - f) // stride + 1
    n_w = (w + 2 * pad - f) // stride + 1
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    Z = np.zeros((m, n_h, n_w, k))
    for i in range(m):
        for y in range(n_h):
            for x in range(n_w):
                for q in range(k):
                    part = X_pad[i, y * stride : y * stride + f, x * stride : x * stride + f, :]
                    Z[i, y, x, q] = np.sum(part * W[:, :, :, q]) + b[q]
    return Z


def right_by_places(X, W, b, stride, pad):
    m, h, w, c = X.shape
    f, k = W.shape[0], W.shape[-1]
    X_pad = np.zeros((m, h + 2 * pad, w + 2 * pad, c))
    X_pad[:, pad : pad + h, pad : pad + w] = X
    n_h, n_w = (h + 2 * pad - f) // stride + 1, (w + 2 * pad - f) // stride + 1
    Z = np.zeros((m, n_h, n_w, k))
    for y in range(n_h):
        for x in range(n_w):
            top, left = y * stride, x * stride
            part = X_pad[:, top : top + f, left : left + f, :]
            Z[:, y, x, :] = np.tensordot(part, W, axes=([1, 2, 3], [0, 1, 2])) + b
    return Z


def right_by_weights(X, W, b, stride, pad):
    f = W.shape[0]
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="constant")
    n_h = (X_pad.shape[1] - f) // stride + 1
    n_w = (X_pad.shape[2] - f) // stride + 1
    Z = np.zeros((X.shape[0], n_h, n_w, W.shape[3]))
    for u in range(f):
        for v in range(f):
            part = X_pad[:, u : u + stride * n_h : stride, v : v + stride * n_w : stride]
            Z += part @ W[u, v]
    Z += b
    return Z


FAULTS = (
    ("stride forgotten", "y * stride : y * stride + f", "y : y + f"),
    ("stride forgotten", "top, left = y * stride, x * stride", "top, left = y, x"),
    ("padding forgotten", "part = X_pad[i,", "part = X[i,"),
    ("padding forgotten", "((0, 0), (pad, pad), (pad, pad), (0, 0))", "((0, 0), (0, 0), (0, 0), (0, 0))"),
    (
        "padding on one side",
        "((0, 0), (pad, pad), (pad, pad), (0, 0))",
        "((0, 0), (2 * pad, 0), (2 * pad, 0), (0, 0))",
    ),
    (
        "padding on one side",
        "((0, 0), (pad, pad), (pad, pad), (0, 0))",
        "((0, 0), (0, 2 * pad), (0, 2 * pad), (0, 0))",
    ),
    (
        "padded with other numbers",
        "((0, 0), (pad, pad), (pad, pad), (0, 0)))",
        '((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="edge")',
    ),
    (
        "padded with other numbers",
        "((0, 0), (pad, pad), (pad, pad), (0, 0)))",
        "((0, 0), (pad, pad), (pad, pad), (0, 0)), constant_values=1)",
    ),
    ("window flipped", "part * W[:, :, :, q]", "part * W[::-1, ::-1, :, q]"),
    ("window flipped", "part @ W[u, v]", "part @ W[f - 1 - u, f - 1 - v]"),
    ("bias forgotten", "np.sum(part * W[:, :, :, q]) + b[q]", "np.sum(part * W[:, :, :, q])"),
    ("bias added in the sum", "np.sum(part * W[:, :, :, q]) + b[q]", "np.sum(part * W[:, :, :, q] + b[q])"),
    ("bias added in the sum", "Z += part @ W[u, v]", "Z += part @ W[u, v] + b"),
    ("overwritten in the loop", "Z += part @ W[u, v]", "Z = part @ W[u, v]"),
    ("output too small or too large", "(h + 2 * pad - f) // stride + 1", "(h + 2 * pad - f) // stride"),
    ("output too small or too large", "(h + 2 * pad - f) // stride + 1", "(h + pad - f) // stride + 1"),
    ("output too small or too large", "(h + 2 * pad - f) // stride + 1", "(h - f) // stride + 1"),
    ("first photo for all", "X_pad[i,", "X_pad[0,"),
    ("first window for all", "W[:, :, :, q]", "W[:, :, :, 0]"),
    ("first window for all", "b[q]", "b[0]"),
    (
        "rows and columns swapped",
        "y * stride : y * stride + f, x * stride : x * stride + f",
        "x * stride : x * stride + f, y * stride : y * stride + f",
    ),
    ("rows and columns swapped", "Z[i, y, x, q]", "Z[i, x, y, q]"),
    ("mean where the sum is meant", "np.sum(part * W[:, :, :, q])", "np.mean(part * W[:, :, :, q])"),
    ("one channel only", "x * stride : x * stride + f, :]", "x * stride : x * stride + f, :1]"),
    ("one too many or too few", "y * stride + f,", "y * stride + f - 1,"),
)
