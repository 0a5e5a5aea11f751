"""Blocks of a convolutional network, a few images at a time: what follows a convolution finds it in cache.

Max pooling comes before the normalization, on the values that the convolution gives: normalizing and relu never
change which of a window is the largest if gamma > 0, and make it the smallest if gamma < 0.
"""

from typing import NamedTuple

import numpy as np

from pellucid.kernels import passes
from pellucid.kernels.arrays import by_rows, check_gradient
from pellucid.kernels.conv import algorithm_for, blocks
from pellucid.kernels.conv_algorithm import ConvAlgorithm
from pellucid.ops.arrays import check_channels, written
from pellucid.ops.batch_norm import BatchMoments, Reduce, over_shards
from pellucid.ops.conv import conv_geometry
from pellucid.ops.conv_geometry import NO_PADDING, Geometry, Padding, Pair
from pellucid.types import Array
from pellucid.workspace import Workspace

# mean^2 / var, from which sums of squares lose too many digits
CANCELLATION = {"float32": 1e3, "float64": 1e8}


class ConvNormCache(NamedTuple):
    """What the backward of a convolution with batch norm needs; Z is overwritten by it."""

    X: Array
    W: Array
    algorithm: ConvAlgorithm
    Z: Array  # (m, h_out, w_out, c_out), of the convolution
    P: Array  # Z, or where there is pooling its largest values, (m, h_out/2, w_out/2, c_out)
    gamma: Array
    beta: Array
    mean: Array
    rstd: Array  # float64
    n: float  # values a channel
    relu: bool


def conv_norm_forward(
    X: Array,
    W: Array,
    gamma: Array,
    beta: Array,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    epsilon: float = 1e-5,
    relu: bool = True,
    pool: bool = False,
    reduce: Reduce | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, BatchMoments, ConvNormCache]:
    """Return A = max_pool(relu(batch_norm(X * W))), the moments of X * W, and the cache."""
    geometry = conv_geometry(X, W, None, stride, padding, dilation, groups)
    workspace = workspace or Workspace()
    X = np.ascontiguousarray(X)
    algorithm = algorithm_for(geometry, X.dtype, workspace)
    c = geometry.c_out
    Z = workspace.take("Z", geometry.out_shape, X.dtype)
    check_channels("conv_norm_forward", Z, gamma=gamma, beta=beta)
    P = workspace.take("P", _pooled(geometry.out_shape), X.dtype) if pool else Z
    sign = np.where(gamma < 0, -1, 1).astype(X.dtype)
    k = passes.wide_rows(P.shape[1] * P.shape[2], c)  # rows of channels that are passed over as one
    own, zeros, sums = np.zeros((2, c)), np.zeros(k * c, X.dtype), np.zeros((2, k * c))
    algorithm.set_weights(W)
    for block in blocks(algorithm, len(X)):
        algorithm.forward(X[block], Z[block])
        if pool:
            pooled = np.zeros((2, c), X.dtype)
            passes.pool_moments(Z[block], sign, P[block], pooled)
            own += pooled
        else:
            passes.moments(Z[block].reshape(-1, k * c), 0, zeros, sums)
    found = over_shards(_moments(own + sums.reshape(2, k, c).sum(axis=1), Z.reshape(-1, c)), reduce)
    rstd, mean = 1 / np.sqrt(found.var + epsilon), found.mean.astype(X.dtype)
    A = workspace.take("A", P.shape, X.dtype)
    scale, centre, shift = passes.repeated(k, (gamma * rstd).astype(X.dtype), mean, beta)
    passes.normalize(P.reshape(-1, k * c), 0, scale, centre, shift, relu, A.reshape(-1, k * c))
    return A, found, ConvNormCache(X, W, algorithm, Z, P, gamma, beta, mean, rstd, found.n, relu)


def conv_norm_backward(
    dA: Array,
    cache: ConvNormCache,
    *,
    dX: Array | None = None,
    dW: Array | None = None,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
    needs_dX: bool = True,
    reduce: Reduce | None = None,
) -> tuple[Array | None, Array, Array, Array]:
    """dX, dW, dgamma, dbeta = conv2d_backward(batch_norm_backward(relu_backward(max_pool_backward(dA))))."""
    X, W, algorithm, Z, P, gamma, beta, mean, rstd, count, relu = cache
    c, real = len(gamma), X.dtype
    check_gradient("conv_norm_backward", dA, P.shape)
    dA = np.ascontiguousarray(dA)
    k = passes.wide_rows(P.shape[1] * P.shape[2], c)
    scale, sums = gamma * rstd, np.zeros((2, k * c))
    given, values = (array.reshape(-1, k * c) for array in (dA, P))
    factor, centre, shift = passes.repeated(k, scale.astype(real), mean, beta)
    passes.normalize_back_sums(given, values, 0, factor, centre, shift, relu, sums)
    own = sums.reshape(2, k, c).sum(axis=1)
    own[1] *= rstd
    total = own if reduce is None else reduce(own)
    slope, level = -scale * rstd * total[1] / count, -scale * total[0] / count
    five = [vector.astype(real) for vector in (scale, mean, beta, slope, level)]
    q, (factor, centre, shift, wide_slope, wide_level) = np.concatenate(five), passes.repeated(k, *five)
    dX = (np.empty_like(X) if dX is None else dX) if needs_dX else None
    dW = np.empty_like(W) if dW is None else dW
    algorithm.begin_backward()
    for block in blocks(algorithm, len(X)):
        if P is Z:
            given, dZ = (array[block].reshape(-1, k * c) for array in (dA, Z))
            passes.normalize_back(given, dZ, 0, factor, centre, shift, relu, wide_slope, wide_level, dZ)
        else:
            passes.unpool_normalize_back(c)(*(by_rows(part[block]) for part in (dA, P, Z)), q, relu)
        algorithm.backward(X[block], Z[block], None if dX is None else dX[block])
    algorithm.end_backward(dW)
    return dX, dW, written(own[1], dgamma, real), written(own[0], dbeta, real)


class ConvReluCache(NamedTuple):
    """What the backward of a convolution with relu needs."""

    X: Array
    W: Array
    algorithm: ConvAlgorithm
    A: Array  # the output
    which: Array | None  # uint8: which of its window an output is, where there is pooling
    dZ: Array  # room for a block
    has_bias: bool


def conv_relu_forward(
    X: Array,
    W: Array,
    b: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    pool: bool = False,
    workspace: Workspace | None = None,
) -> tuple[Array, ConvReluCache]:
    """Return A = max_pool(relu(X * W + b)), or without the pooling, and the cache."""
    geometry = conv_geometry(X, W, b, stride, padding, dilation, groups)
    workspace = workspace or Workspace()
    X = np.ascontiguousarray(X)
    algorithm, c = algorithm_for(geometry, X.dtype, workspace), geometry.c_out
    A = workspace.take("A", _pooled(geometry.out_shape) if pool else geometry.out_shape, X.dtype)
    which = workspace.take("which", A.shape, np.uint8) if pool else None
    Z = _block_of(geometry, algorithm, X, workspace)
    shift = np.zeros(c, X.dtype) if b is None else b
    algorithm.set_weights(W)
    for block in blocks(algorithm, len(X)):
        own = A[block] if which is None else Z[: len(A[block])]
        algorithm.forward(X[block], own)
        if which is None:
            passes.shift_relu(own.reshape(-1, c), shift)
        else:
            passes.shift_relu_pool(own, shift, A[block], which[block])
    return A, ConvReluCache(X, W, algorithm, A, which, Z, b is not None)


def conv_relu_backward(
    dA: Array,
    cache: ConvReluCache,
    *,
    dX: Array | None = None,
    dW: Array | None = None,
    db: Array | None = None,
    needs_dX: bool = True,
) -> tuple[Array | None, Array, Array | None]:
    """dX, dW, db = conv2d_backward(relu_backward(max_pool_backward(dA))); dA may be overwritten."""
    X, W, algorithm, A, which, dZ, has_bias = cache
    c = A.shape[-1]
    check_gradient("conv_relu_backward", dA, A.shape)
    dA = np.ascontiguousarray(dA)
    dX = (np.empty_like(X) if dX is None else dX) if needs_dX else None
    dW = np.empty_like(W) if dW is None else dW
    own = np.zeros(c)
    algorithm.begin_backward()
    for block in blocks(algorithm, len(X)):
        sums = np.zeros(c, X.dtype)
        passes.relu_back_sum(dA[block].reshape(-1, c), A[block].reshape(-1, c), sums)
        own += sums
        given = dA[block]
        if which is not None:
            given = dZ[: len(given)]
            passes.unpool_back(c)(by_rows(dA[block]), by_rows(which[block]), by_rows(given))
        algorithm.backward(X[block], given, None if dX is None else dX[block])
    algorithm.end_backward(dW)
    return dX, dW, written(own, db, X.dtype) if has_bias else None


def _moments(own: Array, Z: Array) -> BatchMoments:
    """Return each channel's moments from sums and sums of squares.

    Where a mean is so large that their difference would have lost its digits, squares are summed about it.
    """
    n = max(len(Z), 1)
    mean, square = own / n
    var = np.maximum(square - mean * mean, 0)
    if (mean * mean > CANCELLATION[Z.dtype.name] * var).any():
        again = np.zeros_like(own)
        passes.moments(Z, 0, mean.astype(Z.dtype), again)
        var = again[1] / n - (again[0] / n) ** 2
    return BatchMoments(mean, var, float(len(Z)))


def _pooled(shape: tuple[int, ...]) -> tuple[int, ...]:
    m, h, w, c = shape
    return m, h // 2, w // 2, c


def _block_of(geometry: Geometry, algorithm: ConvAlgorithm, X: Array, workspace: Workspace) -> Array:
    """Return room for the outputs of one block of images."""
    return workspace.take("Z", (min(algorithm.block, len(X)), *geometry.out_shape[1:]), X.dtype)
