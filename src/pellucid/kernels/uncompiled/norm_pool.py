"""Batch norm, relu and 2x2 max pooling fused: the maximum comes first and leaves a quarter of the values.

relu and a normalization with gamma >= 0 never change which of two numbers is larger, so that pooling first gives
the same result, and all that follows works on a quarter of the elements. Where gamma < 0 the channel is negated
first. A batch is worked on in blocks of images that stay in cache through the statistics and both comparisons.

Plain: :func:`pellucid.ops.fused.norm_relu_pool_forward`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pellucid.kernels.uncompiled.columns import fold, n_joined, ones
from pellucid.types import Array
from pellucid.workspace import Workspace

BLOCK_BYTES = 1 << 20
CANCELLATION = 1e3  # mean^2 over variance above which the variance is recomputed about the mean


class Pooled(NamedTuple):
    """What the backward needs: the pooled values and their statistics."""

    P: Array  # (m, h/2, w/2, c) pooled, of values negated where gamma < 0
    A: Array  # (m, h/2, w/2, c) the output
    mean: Array  # (c,) of the values as kept
    rstd: Array  # (c,)
    gamma: Array  # (c,)
    n_values: float  # a channel, over all shards


class NormPoolCache(NamedTuple):
    """What the backward needs. It overwrites Z with the gradient for it."""

    Z: Array  # (m, h, w, c), negated where gamma < 0
    is_lower: Array  # (m, h/2, w c) bool: which of two rows is larger
    is_right: Array  # (m, h/2, w/2, c) bool: which of two columns of those
    pooled: Pooled


def norm_relu_pool_forward(
    Z: Array,
    gamma: Array,
    beta: Array,
    *,
    epsilon: float = 1e-5,
    reduce: Callable[[Array], Array] | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, Array, Array, float, NormPoolCache]:
    """Return max_pool(relu(batch_norm(Z))), the batch's mean and variance, their count, and the cache.

    Z has to be contiguous, and is overwritten: negated in channels with gamma < 0, and by the backward. Of equal
    values in a window the left column wins, and in it the upper one. Takes a workspace too.
    """
    workspace = workspace or Workspace()
    m, h, w, c = Z.shape
    take = workspace.take
    is_lower = take("is_lower", (m, h // 2, w * c), np.bool_)
    is_right = take("is_right", (m, h // 2, w // 2, c), np.bool_)
    P = take("P", (m, h // 2, w // 2, c), Z.dtype)
    sign = np.where(gamma < 0, -1, 1).astype(Z.dtype)
    if (sign < 0).any():
        Z *= sign
    sums = np.zeros((2, c))
    for block in blocks_of(Z):
        z = Z[block]
        rows = z.reshape(-1, 2, w * c)
        sums += _sums(rows.reshape(-1, w * c), c)
        higher = take("higher", (len(rows), w * c), Z.dtype)
        np.greater(rows[:, 1], rows[:, 0], out=is_lower[block].reshape(-1, w * c))
        np.maximum(rows[:, 0], rows[:, 1], out=higher)
        columns = higher.reshape(-1, w // 2, 2, c)
        np.greater(columns[:, :, 1], columns[:, :, 0], out=is_right[block].reshape(-1, w // 2, c))
        np.maximum(columns[:, :, 0], columns[:, :, 1], out=P[block].reshape(-1, w // 2, c))
    own = np.concatenate([[Z.size / c], sums.ravel()])
    mean, var, count = moments(own, reduce, lambda mean: _centred(Z, mean))
    rstd = 1 / np.sqrt(var + epsilon)
    A = rectified(P, np.abs(gamma) * rstd, beta, mean, take("A", P.shape, Z.dtype))
    cache = NormPoolCache(Z, is_lower, is_right, Pooled(P, A, mean, rstd, gamma, count))
    return A, sign * mean, var, count, cache


def norm_relu_pool_backward(
    dA: Array,
    cache: NormPoolCache,
    *,
    dgamma: Array | None = None,
    dbeta: Array | None = None,
    reduce: Callable[[Array], Array] | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, Array, Array]:
    """dZ, dgamma, dbeta = batch_norm_backward(relu_backward(max_pool_backward(dA))), dZ written over Z."""
    workspace = workspace or Workspace()
    Z, is_lower, is_right, pooled = cache
    _, _, w, c = Z.shape
    take = workspace.take
    dgamma_own, dbeta_own, slopes = pooled_gradients(dA, pooled, reduce, workspace)
    dgamma, dbeta = write(dgamma_own, dgamma, Z.dtype), write(dbeta_own, dbeta, Z.dtype)
    n = dA[0, ..., 0].size
    scaled, sloped = (
        Affine(slopes.scale, None, n, Z.dtype),
        Affine(slopes.slope, slopes.level, 4 * n, Z.dtype),
    )
    for block in blocks_of(Z):
        dP = scaled(dA[block], take("dP", dA[block].shape, Z.dtype))
        spread = take("spread", (dP.size // (w // 2 * c), w // 2, 2, c), Z.dtype)
        dP = dP.reshape(-1, w // 2, c)
        np.multiply(dP, is_right[block].reshape(dP.shape), out=spread[:, :, 1])
        np.subtract(dP, spread[:, :, 1], out=spread[:, :, 0])
        both = spread.reshape(-1, w * c)
        lower = np.multiply(both, is_lower[block].reshape(both.shape), out=take("lower", both.shape, Z.dtype))
        both -= lower
        z = Z[block]
        sloped(z, z)
        rows = z.reshape(-1, 2, w * c)
        rows[:, 0] += both
        rows[:, 1] += lower
    return Z, dgamma, dbeta


def rectified(P: Array, scale: Array, beta: Array, mean: Array, A: Array) -> Array:
    """Write relu((P - mean) scale + beta) to A."""
    Affine(scale, beta - mean * scale, P[0, ..., 0].size, P.dtype)(P, A)
    return np.maximum(A, 0, out=A)


class Slopes(NamedTuple):
    """The gradient for a value Z behind a batch norm: scale times what comes from above, + slope Z + level."""

    scale: Array
    slope: Array
    level: Array


def pooled_gradients(
    dA: Array, pooled: Pooled, reduce: Callable[[Array], Array] | None, workspace: Workspace
) -> tuple[Array, Array, Slopes]:
    """Return the gradients for gamma and beta, this shard's part, and the terms of the one for Z.

    Parameters
    ----------
    dA : Array, shape of the output
        Set to 0 where the relu's output is 0.
    pooled : Pooled
        The slopes take Z as kept and give the gradient for the values as they were given.
    reduce : callable or None
    workspace : Workspace
    """
    P, A, mean, rstd, gamma, count = pooled
    c = len(gamma)
    np.multiply(dA, np.greater(A, 0, out=workspace.take("is_on", A.shape, np.bool_)), out=dA)
    sums = np.zeros((2, c))
    for block in blocks_of(dA):
        part, kept = dA[block].reshape(-1, dA.shape[2] * c), P[block].reshape(-1, dA.shape[2] * c)
        sums[0] += fold(np.dot(ones(len(part), part.dtype), part), c)
        sums[1] += fold(np.einsum("ij,ij->j", part, kept), c)
    sums[1] = rstd * (sums[1] - mean * sums[0])  # the gradient for |gamma|
    sign = np.where(gamma < 0, -1.0, 1.0)
    total = sums if reduce is None else reduce(sums.ravel()).reshape(2, c)
    scale = np.abs(gamma) * rstd
    slope = -scale * rstd * total[1] / count
    level = -scale * total[0] / count - slope * mean
    return sign * sums[1], sums[0], Slopes(scale * sign, slope * sign, level * sign)


def blocks_of(X: Array) -> list[slice]:
    """Return slices of images, each as many as stay in cache, at least one."""
    step = max(1, BLOCK_BYTES // max(1, X[:1].nbytes))
    return [slice(start, start + step) for start in range(0, len(X), step)]


def _sums(rows: Array, c: int) -> Array:
    """Return each channel's sum and sum of squares, float64, shape (2, c); rows are (n, k c)."""
    totals = np.dot(ones(len(rows), rows.dtype), rows)
    return np.array([fold(totals, c), fold(np.einsum("ij,ij->j", rows, rows), c)])


def moments(
    own: Array, reduce: Callable[[Array], Array] | None, centred: Callable[[Array], Array]
) -> tuple[Array, Array, float]:
    """Return each channel's mean and biased variance over all shards, and how many values it has.

    Parameters
    ----------
    own : Array, shape (1 + 2 c,), float64
        Of this shard: values a channel, their sums, the sums of their squares.
    reduce : callable or None
        Sums a float64 vector over the shards.
    centred : callable
        Given the means, returns this shard's sums of squares about them: called where a mean is so large that
        the squares' difference would have lost its digits.
    """
    c = len(own) // 2
    total = own if reduce is None else reduce(own)
    count = float(total[0])
    mean, square = total[1 : c + 1] / count, total[c + 1 :] / count
    var = np.maximum(square - mean * mean, 0)
    if (mean * mean > CANCELLATION * var).any():  # the same in every shard: all saw one total
        squares = centred(mean)
        var = (squares if reduce is None else reduce(squares)) / count
    return mean, var, count


def _centred(Z: Array, mean: Array) -> Array:
    squares = np.zeros(len(mean))
    for block in blocks_of(Z):
        rows = (Z[block] - mean).reshape(-1, len(mean))  # float64
        squares += np.einsum("ij,ij->j", rows, rows)
    return squares


class Affine:
    """X scale + shift per channel, on rows of a few hundred values, since short ones are slow.

    Parameters
    ----------
    scale, shift : Array, shape (c,), or None for no shift
    n : int
        The numbers of X are a multiple of n c.
    dtype : dtype
    """

    def __init__(self, scale: Array, shift: Array | None, n: int, dtype: Any) -> None:
        c, dtype = len(scale), np.dtype(dtype)
        repeats = n_joined(n, c, dtype.itemsize)
        self.width = repeats * c
        self.scale = np.tile(scale.astype(dtype), repeats)
        self.shift = None if shift is None else np.tile(shift.astype(dtype), repeats)

    def __call__(self, X: Array, out: Array) -> Array:
        """Write X scale + shift to out, which may be X; both contiguous."""
        rows = out.reshape(-1, self.width)
        np.multiply(X.reshape(-1, self.width), self.scale, out=rows)
        if self.shift is not None:
            rows += self.shift
        return out


def write(values: Array, out: Array | None, dtype: np.dtype) -> Array:
    if out is None:
        return values.astype(dtype)
    out[...] = values
    return out
