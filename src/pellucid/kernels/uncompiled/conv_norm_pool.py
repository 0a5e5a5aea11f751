"""A convolution of few inputs, batch norm, relu and 2x2 max pooling, without the convolution's output in memory.

The four outputs that are pooled together see one window of (kh + 1) x (kw + 1) pixels. Laid out as a row q of Q,
it gives each of them as a product with the kernel at its place in the window, Z_ba = Q W_ba. So the norm needs no
output for its statistics: with s the sum of all rows and G = Q^T Q, the sum of Z is s^T W_ba, and the sum of its
squares is the diagonal of W_ba^T G W_ba. And since the gradient for Z is linear in Z, scale dP + slope Z + level,
the one for W_ba is Q^T (scale dP) + slope G W_ba + level s. What is left is done in blocks of images that stay in
cache.

Plain: :func:`pellucid.ops.fused.conv_norm_relu_pool_forward`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pellucid.kernels.uncompiled.blocks import padded_rows, strided
from pellucid.kernels.uncompiled.norm_pool import (
    BLOCK_BYTES,
    Affine,
    Pooled,
    moments,
    pooled_gradients,
    rectified,
    write,
)
from pellucid.ops.conv_geometry import Geometry, Padding, window_geometry
from pellucid.types import Array, Shape
from pellucid.workspace import Workspace

MOST_INPUTS = 64  # of a window: beyond, the products cost more than keeping the output
SMALL_PRODUCT = 1_000_000  # multiplications: up to here OpenBLAS does not pack its operands


class ConvNormPoolCache(NamedTuple):
    """What the backward needs."""

    Q: Array  # (m, h/2 w/2, K) the windows of each image
    G: Array  # (K, K) float64, Q^T Q
    s: Array  # (K,) float64, the sums of Q's columns
    W: Array  # (2, 2, K, c_out) float64: the kernels at their places b, a; negated where gamma < 0
    is_lower: (
        Array  # (2, m h/2 w/2, c_out) bool: which of two rows is larger, in the left and the right column
    )
    is_right: Array  # (m h/2 w/2, c_out) bool: which of two columns of those
    pooled: Pooled


def fits(kernel: tuple[int, int], c_in: int, out_shape: Shape) -> bool:
    """Return whether windows are small enough, and the output's sides even.

    Examples
    --------
    >>> fits((3, 3), 3, (64, 64, 24)), fits((3, 3), 24, (32, 32, 48))
    (True, False)
    """
    n_inputs = (kernel[0] + 1) * (kernel[1] + 1) * c_in
    return n_inputs <= MOST_INPUTS and out_shape[0] % 2 == 0 and out_shape[1] % 2 == 0


def conv_norm_relu_pool_forward(
    X: Array,
    W: Array,
    gamma: Array,
    beta: Array,
    *,
    padding: Padding,
    epsilon: float = 1e-5,
    reduce: Callable[[Array], Array] | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, Array, Array, float, ConvNormPoolCache]:
    """Return max_pool(relu(batch_norm(X * W))), mean and variance of X * W, their count, and the cache.

    Of equal values in a window the left column wins, and in it the upper one. Takes a workspace too.
    2 m (h/2) (w/2) K (4 c_out + K) operations, K = (kh + 1) (kw + 1) c_in.
    """
    workspace = workspace or Workspace()
    geometry = window_geometry(
        "conv_norm_relu_pool", X.shape, W.shape[:2], c_out=W.shape[3], stride=(1, 1), padding=padding
    )
    Q, G, s = _windows(X, geometry, workspace)
    kernels = _place(W * np.where(gamma < 0, -1, 1))
    own = [
        4 * Q[..., 0].size,
        np.einsum("k,bakc->c", s, kernels),
        np.einsum("bakc,kl,balc->c", kernels, G, kernels),
    ]
    packed = kernels.reshape(4, *kernels.shape[2:]).astype(X.dtype)
    mean, var, count = moments(np.hstack(own), reduce, lambda mean: _centred(Q, packed, mean, workspace))
    P, is_lower, is_right = _pool(Q, packed, geometry, workspace)
    rstd = 1 / np.sqrt(var + epsilon)
    A = rectified(P, np.abs(gamma) * rstd, beta, mean, workspace.take("A", P.shape, X.dtype))
    cache = ConvNormPoolCache(Q, G, s, kernels, is_lower, is_right, Pooled(P, A, mean, rstd, gamma, count))
    return A, np.where(gamma < 0, -1, 1) * mean, var, count, cache


def conv_norm_relu_pool_backward(
    dA: Array,
    cache: ConvNormPoolCache,
    *,
    dW: Array,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
    reduce: Callable[[Array], Array] | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, Array, Array]:
    """dW, dgamma, dbeta = conv2d_backward(norm_relu_pool_backward(dA)), without a gradient for X."""
    workspace = workspace or Workspace()
    Q, G, s, kernels, is_lower, is_right, pooled = cache
    dgamma_own, dbeta_own, slopes = pooled_gradients(dA, pooled, reduce, workspace)
    n, K, c = Q.shape[1], Q.shape[2], dA.shape[3]
    scaled = Affine(slopes.scale, None, n, dA.dtype)
    total = np.zeros((4, K, c))
    for images, rows in _blocks(Q, c):
        dP = scaled(dA[images], workspace.take("dP", dA[images].shape, dA.dtype)).reshape(-1, c)
        columns = workspace.take("dcolumns", (2, len(dP), c), dA.dtype)
        np.multiply(dP, is_right[rows], out=columns[1])
        np.subtract(dP, columns[1], out=columns[0])
        spread = workspace.take("dZ", (2, 2, len(dP), c), dA.dtype)
        np.multiply(columns, is_lower[:, rows], out=spread[:, 1])
        np.subtract(columns, spread[:, 1], out=spread[:, 0])
        q, dZ = _pieces(Q[images], spread.reshape(4, len(dP), c))
        parts = workspace.take("dW_parts", (4, q.shape[1], K, c), dA.dtype)
        total += np.matmul(q.transpose(0, 1, 3, 2), dZ, out=parts).sum(axis=1)
    total = total.reshape(kernels.shape) + slopes.slope * (G @ kernels) + slopes.level * s[:, None]
    _gather(total, dW)
    return dW, write(dgamma_own, dgamma, dA.dtype), write(dbeta_own, dbeta, dA.dtype)


def _windows(X: Array, geometry: Geometry, workspace: Workspace) -> tuple[Array, Array, Array]:
    """Return the windows Q (m, h/2 w/2, K) that are pooled together, Q^T Q, and the sums of its columns."""
    kh, kw, c = *geometry.kernel, geometry.c_in
    h, w = geometry.h_out // 2, geometry.w_out // 2
    K = (kh + 1) * (kw + 1) * c
    Q = workspace.take("Q", (len(X), h * w, K), X.dtype)
    G, s = np.zeros((K, K)), np.zeros(K)
    scratch = (workspace or Workspace()).of(X.dtype)
    ones = np.ones(h * w, X.dtype)
    for images, _ in _blocks(Q, geometry.c_out):
        band = padded_rows(X[images], geometry, -geometry.padding[0][0], geometry.padded, scratch)
        s_n, s_y, s_x, s_c = band.strides
        shape, strides = (len(band), h, w, kh + 1, (kw + 1) * c), (s_n, 2 * s_y, 2 * s_x, s_y, s_c)
        block = Q[images]
        np.copyto(block.reshape(shape), strided(band, shape, strides))
        for rows in block:  # an image at a time: sums of float32 stay short
            G += np.dot(rows.T, rows)
            s += np.dot(ones, rows)
    return Q, G, s


def _place(W: Array) -> Array:
    """Return the kernels W at their four places b, a in a window: (2, 2, K, c_out), float64."""
    kh, kw, c_in, c_out = W.shape
    placed = np.zeros((2, 2, kh + 1, kw + 1, c_in, c_out))
    for b, a in np.ndindex(2, 2):
        placed[b, a, a : a + kh, b : b + kw] = W
    return placed.reshape(2, 2, -1, c_out)


def _gather(placed: Array, W: Array) -> None:
    """Write the transpose of ``_place`` to W."""
    kh, kw, c_in, c_out = W.shape
    windows = placed.reshape(2, 2, kh + 1, kw + 1, c_in, c_out)
    W[...] = sum(windows[b, a, a : a + kh, b : b + kw] for b, a in np.ndindex(2, 2))


def _pool(Q: Array, packed: Array, geometry: Geometry, workspace: Workspace) -> tuple[Array, Array, Array]:
    """Return the largest of the four outputs of each window, (m, h/2, w/2, c_out), and where each was."""
    c, n_all = packed.shape[2], len(Q) * Q.shape[1]
    P = workspace.take("P", (len(Q), geometry.h_out // 2, geometry.w_out // 2, c), Q.dtype)
    is_lower = workspace.take("is_lower", (2, n_all, c), np.bool_)
    is_right = workspace.take("is_right", (n_all, c), np.bool_)
    for images, rows in _blocks(Q, c):
        Z = _outputs(Q[images], packed, workspace).reshape(2, 2, -1, c)
        np.greater(Z[:, 1], Z[:, 0], out=is_lower[:, rows])
        higher = np.maximum(Z[:, 0], Z[:, 1], out=workspace.take("higher", Z[:, 0].shape, Q.dtype))
        np.greater(higher[1], higher[0], out=is_right[rows])
        np.maximum(higher[0], higher[1], out=P[images].reshape(-1, c))
    return P, is_lower, is_right


def _outputs(Q: Array, packed: Array, workspace: Workspace) -> Array:
    """Return Q W of some images for each of the four places, (4, rows, c_out)."""
    Z = workspace.take("Z", (4, Q[..., 0].size, packed.shape[2]), Q.dtype)
    q, z = _pieces(Q, Z)
    np.matmul(q, packed[:, None], out=z)
    return Z


def _pieces(Q: Array, Z: Array) -> tuple[Array, Array]:
    """Return views (1, pieces, rows, K) and (4, pieces, rows, c_out): products that BLAS takes without packing."""
    n, K, c = Q[..., 0].size, Q.shape[2], Z.shape[2]
    most = max(1, SMALL_PRODUCT // (K * c))
    pieces = next(k for k in range(-(-n // most), n + 1) if n % k == 0)
    return Q.reshape(1, pieces, -1, K), Z.reshape(4, pieces, -1, c)


def _centred(Q: Array, packed: Array, mean: Array, workspace: Workspace) -> Array:
    squares = np.zeros(len(mean))
    for images, _ in _blocks(Q, len(mean)):
        distances = (_outputs(Q[images], packed, workspace) - mean).reshape(-1, len(mean))  # float64
        squares += np.einsum("ij,ij->j", distances, distances)
    return squares


def _blocks(Q: Array, c_out: int) -> list[tuple[slice, slice]]:
    """Return pieces of a batch that stay in cache: images, and the rows of all windows that are theirs."""
    n = Q.shape[1]
    step = max(1, BLOCK_BYTES // (n * (Q.shape[2] + 4 * c_out) * Q.itemsize))
    starts = range(0, len(Q), step)
    return [(slice(i, min(i + step, len(Q))), slice(i * n, min(i + step, len(Q)) * n)) for i in starts]
