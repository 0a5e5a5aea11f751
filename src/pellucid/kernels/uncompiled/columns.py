"""Sums over all axes but the last, and the tiling that makes them and their like fast.

An array of shape (..., c) is a table of n rows and c columns. Where c is small, a row is too short for the
processor's vector units, so several rows are treated as one: n rows of c are n / r rows of r c numbers.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from pellucid.types import Array

WIDE_BYTES = 2048  # of one widened row
BLOCK_BYTES = 1 << 18  # rows handled at a time, so that two or three such blocks stay in the core's cache


@lru_cache(maxsize=256)
def n_joined(n: int, c: int, itemsize: int) -> int:
    """Return how many of n rows of c numbers are joined into one: a divisor of n, the largest that fits.

    Examples
    --------
    >>> n_joined(4096, 24, 4), n_joined(7, 3, 4), n_joined(8191, 24, 4)
    (16, 7, 1)
    """
    most = max(1, min(n, WIDE_BYTES // max(1, c * itemsize)))
    return next(r for r in range(most, 0, -1) if n % r == 0)


def widen(A: Array) -> Array:
    """Return A of shape (..., c) as a table with rows of r c numbers; a view where A is contiguous.

    Examples
    --------
    >>> widen(np.zeros((32, 8, 8, 4), np.float32)).shape
    (16, 512)
    """
    c = A.shape[-1]
    n = A.size // c if c else 0
    return A.reshape(-1, n_joined(n, c, A.itemsize) * c) if A.size else A.reshape(0, c)


def blocks(wide: Array) -> Iterator[slice]:
    """Yield slices that cut a table into runs of rows small enough for the core's cache.

    Examples
    --------
    >>> list(blocks(np.zeros((200, 512), np.float32)))
    [slice(0, 128, None), slice(128, 256, None)]
    """
    step = max(1, BLOCK_BYTES // max(1, wide.shape[1] * wide.itemsize))
    for start in range(0, len(wide), step):
        yield slice(start, start + step)


def fold(sums: Array, c: int) -> Array:
    """Return the sums of a widened table's columns, shape (r c,), as those of its c columns, in float64.

    Examples
    --------
    >>> fold(np.array([1.0, 2.0, 3.0, 4.0]), 2)
    array([4., 6.])
    """
    total: Array = sums.reshape(-1, c).sum(axis=0, dtype=np.float64)
    return total


@lru_cache(maxsize=64)
def ones(n: int, dtype: np.dtype[Any]) -> Array:
    """Return n ones, always the same array: a product with them adds rows three times as fast as ``sum(0)``.

    Examples
    --------
    >>> ones(2, np.dtype("float32")) @ np.ones((2, 3), np.float32)
    array([2., 2., 2.], dtype=float32)
    """
    array = np.ones(n, dtype)
    array.flags.writeable = False
    return array


def column_sums(A: Array) -> Array:
    """Return the sum over all axes but the last, float64 of shape (c,).

    Blocks are added up in A's own dtype and their sums in float64, so that the error does not grow with n.

    Examples
    --------
    >>> column_sums(np.ones((2, 5, 3), np.float32))
    array([10., 10., 10.])
    """
    wide, total = widen(A), np.zeros(A.shape[-1])
    for rows in blocks(wide):
        block = wide[rows]
        total += fold(ones(len(block), block.dtype) @ block, len(total))
    return total


def column_sums_and_dots(A: Array, B: Array) -> tuple[Array, Array]:
    """Return the sums of A and of A B over all axes but the last, float64 of shape (c,); one pass for both.

    Examples
    --------
    >>> column_sums_and_dots(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0], [2.0, 0.0]]))
    (array([4., 6.]), array([7., 2.]))
    """
    wide_A, wide_B, c = widen(A), widen(B), A.shape[-1]
    sums, dots = np.zeros(c), np.zeros(c)
    for rows in blocks(wide_A):
        block = wide_A[rows]
        sums += fold(ones(len(block), block.dtype) @ block, c)
        dots += fold(np.einsum("ij,ij->j", block, wide_B[rows]), c)
    return sums, dots


def center(X: Array, mean: Array, D: Array) -> Array:
    """Write X - mean into D, and return the sums of its squares over all axes but the last, float64 (c,).

    Examples
    --------
    >>> D = np.empty((2, 1))
    >>> center(np.array([[1.0], [3.0]]), np.array([2.0]), D), D.ravel()
    (array([2.]), array([-1.,  1.]))
    """
    wide_X, wide_D, squares = widen(X), widen(D), np.zeros(len(mean))
    means = np.tile(mean, wide_D.shape[1] // len(mean))
    for rows in blocks(wide_D):
        block = np.subtract(wide_X[rows], means, out=wide_D[rows])
        squares += fold(np.einsum("ij,ij->j", block, block), len(mean))
    return squares


def multiply_add(A: Array, scale: Array, shift: Array, out: Array) -> None:
    """Write A scale + shift, each (c,) along the last axis, into out, which may be A.

    Examples
    --------
    >>> A = np.array([[1.0, 2.0]])
    >>> multiply_add(A, np.array([3.0, 4.0]), np.array([5.0, 6.0]), A)
    >>> A
    array([[ 8., 14.]])
    """
    wide_A, wide_out = widen(A), _wide_target(out)
    r = wide_A.shape[1] // len(scale)
    scales, shifts = np.tile(scale, r).astype(A.dtype), np.tile(shift, r).astype(A.dtype)
    for rows in blocks(wide_A):
        block = np.multiply(wide_A[rows], scales, out=wide_out[rows])
        block += shifts
    _settle(wide_out, out)


def combine(A: Array, a: Array, B: Array, b: Array, shift: Array, out: Array) -> None:
    """Write A a + B b + shift, each vector (c,) along the last axis, into out, which may be A.

    Examples
    --------
    >>> A, one = np.array([[2.0]]), np.ones(1)
    >>> combine(A, 3 * one, 10 * A, one, 0.5 * one, A)
    >>> A
    array([[26.5]])
    """
    wide_A, wide_B, wide_out = widen(A), widen(B), _wide_target(out)
    r = wide_A.shape[1] // len(a)
    tiled_a, tiled_b, shifts = (np.tile(v, r).astype(A.dtype) for v in (a, b, shift))
    for rows in blocks(wide_A):
        part = np.multiply(wide_B[rows], tiled_b)
        part += shifts
        block = np.multiply(wide_A[rows], tiled_a, out=wide_out[rows])
        block += part
    _settle(wide_out, out)


def _wide_target(out: Array) -> Array:
    return widen(out) if out.flags.c_contiguous else widen(np.empty(out.shape, out.dtype))


def _settle(wide_out: Array, out: Array) -> None:
    """Copy the result to an ``out`` that is not contiguous; one that is contiguous holds it already."""
    if not out.flags.c_contiguous:
        out[...] = wide_out.reshape(out.shape)
