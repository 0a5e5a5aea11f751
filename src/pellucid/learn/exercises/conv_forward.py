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
ALIKE = ({"padding on one side", "padding forgotten"},)


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


def right_photo_by_photo(X, W, b, stride, pad):
    m, h, w, c = X.shape
    f, _, _, k = W.shape
    n_h = int((h - f + 2 * pad) / stride) + 1
    n_w = int((w - f + 2 * pad) / stride) + 1
    Z = np.zeros((m, n_h, n_w, k))
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="constant", constant_values=0)
    for i in range(m):
        photo = X_pad[i]
        for y in range(n_h):
            vert_start = y * stride
            vert_end = vert_start + f
            for x in range(n_w):
                horiz_start = x * stride
                horiz_end = horiz_start + f
                for q in range(k):
                    part = photo[vert_start:vert_end, horiz_start:horiz_end, :]
                    s = np.multiply(part, W[..., q])
                    Z[i, y, x, q] = np.sum(s) + float(b[q])
    return Z


def right_by_patches(X, W, b, stride, pad):
    m, h, w, c = X.shape
    f, k = W.shape[0], W.shape[3]
    X_pad = np.pad(X, [(0, 0), (pad, pad), (pad, pad), (0, 0)])
    n_h, n_w = (h + 2 * pad - f) // stride + 1, (w + 2 * pad - f) // stride + 1
    patches = []
    for i in range(m):
        for y in range(n_h):
            for x in range(n_w):
                patch = X_pad[i, y * stride : y * stride + f, x * stride : x * stride + f]
                patches.append(patch.ravel())
    columns = np.array(patches) @ W.reshape(-1, k) + b
    return columns.reshape(m, n_h, n_w, k)


def right_by_windows(X, W, b, stride, pad):
    f = W.shape[0]
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(X_pad, (f, f), axis=(1, 2))
    windows = windows[:, ::stride, ::stride]
    Z = np.einsum("iyxcuv,uvcq->iyxq", windows, W)
    return Z + b


def right_by_ndindex(X, W, b, stride, pad):
    m, h, w, c = X.shape
    f, k = W.shape[0], W.shape[3]
    X_pad = np.zeros((m, h + 2 * pad, w + 2 * pad, c))
    X_pad[:, pad : h + pad, pad : w + pad, :] = X
    Z = np.zeros((m, 1 + (h + 2 * pad - f) // stride, 1 + (w + 2 * pad - f) // stride, k))
    for i, y, x, q in np.ndindex(*Z.shape):
        rows = slice(y * stride, y * stride + f)
        columns = slice(x * stride, x * stride + f)
        Z[i, y, x, q] = (X_pad[i, rows, columns] * W[:, :, :, q]).sum() + b[q]
    return Z


def right_by_filters(X, W, b, stride, pad):
    m, h, w, c = X.shape
    f, f, c, k = W.shape
    n_h, n_w = (h + 2 * pad - f) // stride + 1, (w + 2 * pad - f) // stride + 1
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    Z = np.zeros((m, n_h, n_w, k))
    for q in range(k):
        window = W[:, :, :, q]
        for y in range(n_h):
            for x in range(n_w):
                top, left = y * stride, x * stride
                part = X_pad[:, top : top + f, left : left + f, :]
                Z[:, y, x, q] = np.sum(part * window, axis=(1, 2, 3)) + b[q]
    return Z


def right_by_every_number(X, W, b, stride, pad):
    m, h, w, c = X.shape
    f, _, _, k = W.shape
    n_h, n_w = (h + 2 * pad - f) // stride + 1, (w + 2 * pad - f) // stride + 1
    Z = np.zeros((m, n_h, n_w, k)) + b
    for y in range(n_h):
        for x in range(n_w):
            for u in range(f):
                for v in range(f):
                    row, column = y * stride + u - pad, x * stride + v - pad
                    if 0 <= row < h and 0 <= column < w:
                        Z[:, y, x, :] += X[:, row, column, :] @ W[u, v]
    return Z


def right_by_columns(X, W, b, stride, pad):
    m, h, w, c = X.shape
    f, _, _, k = W.shape
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    n_h, n_w = (h + 2 * pad - f) // stride + 1, (w + 2 * pad - f) // stride + 1
    columns = np.zeros((f * f * c, m * n_h * n_w))
    number = 0
    for i in range(m):
        for y in range(n_h):
            for x in range(n_w):
                top, left = y * stride, x * stride
                columns[:, number] = X_pad[i, top : top + f, left : left + f, :].flatten()
                number += 1
    Z = W.reshape(f * f * c, k).T @ columns + b.reshape(k, 1)
    return Z.reshape(k, m, n_h, n_w).transpose(1, 2, 3, 0)


def right_with_a_single_step(X, W, b, stride, pad):
    def single_step(part, weights, bias):
        return np.sum(part * weights) + bias

    f = W.shape[0]
    photos = []
    for photo in X:
        padded = np.pad(photo, ((pad, pad), (pad, pad), (0, 0)))
        rows = []
        for top in range(0, padded.shape[0] - f + 1, stride):
            row = []
            for left in range(0, padded.shape[1] - f + 1, stride):
                part = padded[top : top + f, left : left + f]
                row.append([single_step(part, W[..., q], b[q]) for q in range(W.shape[3])])
            rows.append(row)
        photos.append(rows)
    return np.array(photos)


def right_by_tensordot(X, W, b, stride, pad):
    f = W.shape[0]
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    n_h = 1 + (X_pad.shape[1] - f) // stride
    n_w = 1 + (X_pad.shape[2] - f) // stride
    s0, s1, s2, s3 = X_pad.strides
    shape = (X_pad.shape[0], n_h, n_w, f, f, X_pad.shape[3])
    strides = (s0, s1 * stride, s2 * stride, s1, s2, s3)
    windows = np.lib.stride_tricks.as_strided(X_pad, shape, strides)
    return np.tensordot(windows, W, axes=([3, 4, 5], [0, 1, 2])) + b


FAULTS = (
    ("stride forgotten", "y * stride : y * stride + f", "y : y + f"),
    ("stride forgotten", "top, left = y * stride, x * stride", "top, left = y, x"),
    ("padding forgotten", "part = X_pad[i,", "part = X[i,"),
    ("padding forgotten", "((0, 0), (pad, pad), (pad, pad), (0, 0))", "((0, 0), (0, 0), (0, 0), (0, 0))"),
    ("padding on one side", "((0, 0), (pad, pad), (pad, pad), (0", "((0, 0), (2 * pad, 0), (2 * pad, 0), (0"),
    ("padding on one side", "((0, 0), (pad, pad), (pad, pad), (0", "((0, 0), (0, 2 * pad), (0, 2 * pad), (0"),
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
    ("bias added in the sum", "np.sum(part * W[:, :, :, q]) + b[q]", "np.sum(part * W[:, :, :, q] + b[q])"),
    ("bias added in the sum", "Z += part @ W[u, v]", "Z += part @ W[u, v] + b"),
    ("overwritten in the loop", "Z += part @ W[u, v]", "Z = part @ W[u, v]"),
    ("output too small or too large", "(h + 2 * pad - f) // stride + 1", "(h + 2 * pad - f) // stride"),
    ("output too small or too large", "(h + 2 * pad - f) // stride + 1", "(h + pad - f) // stride + 1"),
    ("output too small or too large", "(h + 2 * pad - f) // stride + 1", "(h - f) // stride + 1"),
    ("first photo for all", "X_pad[i,", "X_pad[0,"),
    ("first window for all", "W[:, :, :, q]", "W[:, :, :, 0]"),
    ("wrong index", "b[q]", "b[0]"),
    (
        "rows and columns swapped",
        "y * stride : y * stride + f, x * stride : x * stride + f",
        "x * stride : x * stride + f, y * stride : y * stride + f",
    ),
    ("rows and columns swapped", "Z[i, y, x, q]", "Z[i, x, y, q]"),
    ("one channel only", "x * stride : x * stride + f, :]", "x * stride : x * stride + f, :1]"),
    ("one too many or too few", "y * stride + f,", "y * stride + f - 1,"),
    ("stride forgotten", "vert_start = y * stride", "vert_start = y"),
    ("stride forgotten", "horiz_start = x * stride", "horiz_start = x"),
    ("stride forgotten", "windows = windows[:, ::stride, ::stride]", "windows = windows"),
    ("stride forgotten", "rows = slice(y * stride, y * stride + f)", "rows = slice(y, y + f)"),
    ("stride forgotten", "y * stride + u - pad, x * stride + v - pad", "y + u - pad, x + v - pad"),
    ("stride forgotten", "u + stride * n_h : stride, v : v + stride * n_w : stride", "u + n_h, v : v + n_w"),
    ("stride for the field", "vert_end = vert_start + f", "vert_end = vert_start + stride"),
    ("stride for the field", "vert_start = y * stride", "vert_start = y * f"),
    ("padding forgotten", "photo = X_pad[i]", "photo = X[i]"),
    ("padding on one side", "X_pad[:, pad : pad + h, pad : pad + w] = X", "X_pad[:, :h, :w] = X"),
    ("padding forgotten", "sliding_window_view(X_pad,", "sliding_window_view(X,"),
    ("padding forgotten", "X_pad[i, rows, columns]", "X[i, rows, columns]"),
    ("padding forgotten", "y * stride + u - pad, x * stride + v - pad", "y * stride + u, x * stride + v"),
    ("padding forgotten", "part = X_pad[:,", "part = X[:,"),
    ("padding on one side", "[(0, 0), (pad, pad), (pad, pad), (0, 0)", "[(0, 0), (pad, 0), (pad, 0), (0, 0)"),
    ("padding on one side", "X_pad[:, pad : h + pad, pad : w + pad, :] = X", "X_pad[:, :h, :w, :] = X"),
    ("padded with other numbers", "constant_values=0", "constant_values=1"),
    ("padded with other numbers", "pad), (pad, pad), (0, 0)])", 'pad), (pad, pad), (0, 0)], mode="edge")'),
    ("padded with other numbers", 'mode="constant")', 'mode="reflect")'),
    ("rows and columns swapped", "iyxcuv,uvcq->iyxq", "iyxcuv,vucq->iyxq"),
    ("window flipped", "windows, W)", "windows, W[::-1, ::-1])"),
    ("window flipped", "window = W[:, :, :, q]", "window = W[::-1, ::-1, :, q]"),
    ("window flipped", "column, :] @ W[u, v]", "column, :] @ W[f - 1 - u, f - 1 - v]"),
    ("window flipped", "np.multiply(part, W[..., q])", "np.multiply(part, np.flip(W[..., q], (0, 1)))"),
    ("bias forgotten", "    Z += b\n", ""),
    ("bias added in the sum", "np.sum(s) + float(b[q])", "np.sum(s + b[q])"),
    ("bias added in the sum", "W[:, :, :, q]).sum() + b[q]", "W[:, :, :, q] + b[q]).sum()"),
    ("bias added in the sum", "window, axis=(1, 2, 3)) + b[q]", "window + b[q], axis=(1, 2, 3))"),
    ("bias added in the sum", "column, :] @ W[u, v]", "column, :] @ W[u, v] + b"),
    ("bias summed", "b[q]", "np.sum(b)"),
    ("overwritten in the loop", "Z[:, y, x, :] += X", "Z[:, y, x, :] = X"),
    ("overwritten in the loop", "patches.append(patch.ravel())", "patches = [patch.ravel()]"),
    ("output too small or too large", "((h - f + 2 * pad) / stride) + 1", "((h - f + 2 * pad) / stride)"),
    ("output too small or too large", "((h - f + 2 * pad) / stride) + 1", "((h + f + 2 * pad) / stride) + 1"),
    ("output too small or too large", "1 + (h + 2 * pad - f) // stride", "(h + 2 * pad - f) // stride"),
    ("output too small or too large", "(X_pad.shape[1] - f) // stride + 1", "(X_pad.shape[1] - f) // stride"),
    ("output too small or too large", "(X_pad.shape[1] - f) // stride + 1", "(X.shape[1] - f) // stride + 1"),
    ("output too small or too large", "(w + 2 * pad - f) // stride + 1", "(w + 2 * pad - f) // stride"),
    ("output too small or too large", "(h + 2 * pad - f) // stride + 1", "(h + 2 * pad) // stride + 1"),
    ("output too small or too large", "(h + 2 * pad - f) // stride + 1", "h // stride"),
    ("first photo for all", "photo = X_pad[i]", "photo = X_pad[0]"),
    ("first window for all", "W[..., q]", "W[..., 0]"),
    (
        "rows and columns swapped",
        "vert_start:vert_end, horiz_start:horiz_end",
        "horiz_start:horiz_end, vert_start:vert_end",
    ),
    ("rows and columns swapped", "X_pad[i, rows, columns]", "X_pad[i, columns, rows]"),
    ("rows and columns swapped", "Z[:, y, x, q]", "Z[:, x, y, q]"),
    ("rows and columns swapped", "Z[:, y, x, :]", "Z[:, x, y, :]"),
    ("scrambled", "columns.reshape(m, n_h, n_w, k)", "columns.reshape(n_h, n_w, m, k).transpose(2, 0, 1, 3)"),
    ("scrambled", "columns.reshape(m, n_h, n_w, k)", "columns.T.reshape(m, n_h, n_w, k)"),
    ("scrambled", "patch.ravel()", "patch.T.ravel()"),
    ("scrambled", "W.reshape(-1, k)", "W.reshape(k, -1).T"),
    ("one channel only", "vert_end, horiz_start:horiz_end, :", "vert_end, horiz_start:horiz_end, :1"),
    ("one channel only", "W[u, v]", "W[u, v, :1]"),
    ("one too many or too few", "vert_start + f", "vert_start + f - 1"),
    ("axis missing", "np.sum(part * window, axis=(1, 2, 3))", "np.sum(part * window)"),
    ("inequality at the threshold", "0 <= row < h", "0 < row < h"),
    ("padding forgotten", "np.pad(photo, ((pad, pad), (pad, pad), (0, 0)))", "photo"),
    ("padding on one side", "((pad, pad), (pad, pad), (0, 0))", "((0, 2 * pad), (0, 2 * pad), (0, 0))"),
    ("bias forgotten", "np.sum(part * weights) + bias", "np.sum(part * weights)"),
    ("bias added in the sum", "np.sum(part * weights) + bias", "np.sum(part * weights + bias)"),
    ("output too small or too large", "0, padded.shape[0] - f + 1, stride", "0, padded.shape[0] - f, stride"),
    ("output too small or too large", "0, padded.shape[1] - f + 1, stride", "0, padded.shape[1] - f, stride"),
    ("output too small or too large", "1 + (X_pad.shape[1] - f) // stride", "(X_pad.shape[1] - f) // stride"),
    ("stride forgotten", "padded.shape[0] - f + 1, stride)", "padded.shape[0] - f + 1)"),
    ("stride forgotten", "(s0, s1 * stride, s2 * stride, s1, s2, s3)", "(s0, s1, s2, s1, s2, s3)"),
    ("rows and columns swapped", "[top : top + f, left : left + f]", "[left : left + f, top : top + f]"),
    ("rows and columns swapped", "s1 * stride, s2 * stride, s1, s2", "s1 * stride, s2 * stride, s2, s1"),
    ("scrambled", "Z.reshape(k, m, n_h, n_w).transpose(1, 2, 3, 0)", "Z.reshape(m, n_h, n_w, k)"),
    ("scrambled", "W.reshape(f * f * c, k).T", "W.reshape(k, f * f * c)"),
    ("window flipped", "single_step(part, W[..., q], b[q])", "single_step(part, W[::-1, ::-1, :, q], b[q])"),
    ("window flipped", "np.tensordot(windows, W, axes", "np.tensordot(windows, W[::-1, ::-1], axes"),
    ("overwritten in the loop", "rows.append(row)", "rows = [row]"),
    ("line missing", "                number += 1\n", ""),
    (
        "padding forgotten",
        "    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))\n",
        "    X_pad = X\n    np.pad(X_pad, ((0, 0), (pad, pad), (pad, pad), (0, 0)))\n",
    ),
    ("output too small or too large", "(w - f + 2 * pad) / stride", "np.ceil((w - f + 2 * pad) / stride)"),
    ("output too small or too large", "((w - f + 2 * pad) / stride) + 1", "((w - f + pad) / stride) + 1"),
    ("output too small or too large", "int((h - f + 2 * pad) / stride) + 1", "int((h - f) / stride) + 1"),
    ("division without remainder missing", "int((h - f + 2 * pad) / stride)", "(h - f + 2 * pad) / stride"),
    ("unpacked in the wrong order", "f, _, _, k = W.shape", "k, _, _, f = W.shape"),
    ("wrong index", "W.shape[-1]", "W.shape[2]"),
)
