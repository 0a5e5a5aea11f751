"""Single passes over rows or images: statistics, normalization, relu, pooling.

Arrays are rows (n, c) of channels, images (n, h, w, c), or images by rows (n, h, w c). Those of batch norm are all
that there are: a Dense stack gives some columns to each thread, and images several rows as one (:func:`wide_rows`).
``A <= 0`` lets NaN through, where ``A > 0`` would make 0 of it; so does ``a if a >= b or a != a else b``, where max
would lose it.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from pellucid.kernels.compiled import compiled, copied
from pellucid.types import Array

ZERO = np.float32(0)  # exact, and it widens no float32
WIDE = 512  # values of a row from which it is long enough for vectors
OFTEN = 64  # rows that are added in the arrays' dtype before the float64 sums are


def wide_rows(n: int, c: int) -> int:
    """Return how many of n rows of c channels make one row of at most 512 values, and of which all are made.

    Examples
    --------
    >>> wide_rows(4096, 16), wide_rows(6, 100), wide_rows(10, 1000)
    (32, 2, 1)
    """
    return math.gcd(n, 1 << max(1, WIDE // c).bit_length() - 1)


def repeated(n: int, *vectors: Array) -> list[Array]:
    """Return each vector n times, one after another."""
    return [vector[None].repeat(n, axis=0).reshape(-1) for vector in vectors]


@compiled
def moments(Z: Array, first: int, centre: Array, sums: Array) -> None:
    """sums_0 += sum (z - centre), sums_1 += sum (z - centre)^2, of the columns of Z (n, k) from the first on."""
    n = len(centre)
    s, q = np.zeros_like(centre), np.zeros_like(centre)
    for start in range(0, len(Z), OFTEN):
        for i in range(start, min(start + OFTEN, len(Z))):
            z = Z[i, first : first + n]
            for c in range(n):
                d = z[c] - centre[c]
                s[c] += d
                q[c] += d * d
        flush(s, q, sums)


@copied
def flush(s: Array, q: Array, sums: Array) -> None:
    """sums_0 += s, sums_1 += q, which become 0."""
    for c in range(len(s)):
        sums[0, c] += s[c]
        sums[1, c] += q[c]
        s[c] = q[c] = ZERO


@compiled
def pool_moments(Z: Array, sign: Array, P: Array, sums: Array) -> None:
    """P = the z of each 2x2 window whose sign z is largest; and the moments of all z. Z is (n, 2 h, 2 w, c)."""
    for k in range(P.shape[0]):
        for y in range(P.shape[1]):
            for x in range(P.shape[2]):
                z0, z1 = Z[k, 2 * y, 2 * x], Z[k, 2 * y, 2 * x + 1]
                z2, z3 = Z[k, 2 * y + 1, 2 * x], Z[k, 2 * y + 1, 2 * x + 1]
                p = P[k, y, x]
                for c in range(len(sign)):
                    a0, a1, a2, a3 = z0[c], z1[c], z2[c], z3[c]
                    sums[0, c] += (a0 + a1) + (a2 + a3)
                    sums[1, c] += (a0 * a0 + a1 * a1) + (a2 * a2 + a3 * a3)
                    s = sign[c]
                    p[c] = s * max(max(s * a0, s * a1), max(s * a2, s * a3))


@compiled
def normalize(Z: Array, first: int, scale: Array, mean: Array, beta: Array, relu: bool, A: Array) -> None:
    """A = scale (z - mean) + beta, or relu of it; A may be Z."""
    n, done = len(scale), np.empty_like(scale)  # a loop that may write over what it reads has no vectors
    for i in range(len(Z)):
        z, a = Z[i, first : first + n], A[i, first : first + n]
        if relu:
            for c in range(n):
                v = scale[c] * (z[c] - mean[c]) + beta[c]
                done[c] = ZERO if v <= ZERO else v
        else:
            for c in range(n):
                done[c] = scale[c] * (z[c] - mean[c]) + beta[c]
        for c in range(n):
            a[c] = done[c]


@compiled
def normalize_back_sums(
    dA: Array, Z: Array, first: int, scale: Array, mean: Array, beta: Array, relu: bool, sums: Array
) -> None:
    """sums_0 += sum g, sums_1 += sum g (z - mean); g is dA where relu was on, as ``normalize`` has it.

    What relu let through is computed again from Z, which is read anyway: to read A, and to write g, takes longer.
    """
    n = len(mean)
    s, q = np.zeros_like(mean), np.zeros_like(mean)
    for start in range(0, len(Z), OFTEN):
        for i in range(start, min(start + OFTEN, len(Z))):
            d, z = dA[i, first : first + n], Z[i, first : first + n]
            if relu:
                for c in range(n):
                    off = z[c] - mean[c]
                    g = ZERO if scale[c] * off + beta[c] <= ZERO else d[c]
                    s[c] += g
                    q[c] += g * off
            else:
                for c in range(n):
                    s[c] += d[c]
                    q[c] += d[c] * (z[c] - mean[c])
        flush(s, q, sums)


@compiled
def normalize_back(
    dA: Array,
    Z: Array,
    first: int,
    scale: Array,
    mean: Array,
    beta: Array,
    relu: bool,
    slope: Array,
    level: Array,
    dZ: Array,
) -> None:
    """dz = scale g + slope (z - mean) + level; g is dA where relu was on. dZ may be dA or Z."""
    n, done = len(scale), np.empty_like(scale)
    for i in range(len(Z)):
        d, z, to = dA[i, first : first + n], Z[i, first : first + n], dZ[i, first : first + n]
        if relu:
            for c in range(n):
                off = z[c] - mean[c]
                g = ZERO if scale[c] * off + beta[c] <= ZERO else d[c]
                done[c] = scale[c] * g + (slope[c] * off + level[c])
        else:
            for c in range(n):
                done[c] = scale[c] * d[c] + (slope[c] * (z[c] - mean[c]) + level[c])
        for c in range(n):
            to[c] = done[c]


@lru_cache
def unpool_normalize_back(channels: int) -> Callable[..., None]:
    """Return the pass for images of this many channels, a constant of its loop."""
    C = channels

    @compiled
    def unpool_normalize_back(dP: Array, P: Array, Z: Array, q: Array, relu: bool) -> None:
        """Z <- dz, of which scale g goes to the first z of each 2x2 window that is its P; q holds the five above.

        Z is (n, 2 h, 2 w c), P (n, h, w c); g is dP where relu was on.
        """
        for k in range(P.shape[0]):
            for y in range(P.shape[1]):
                for o in range(0, P.shape[2], C):
                    upper = Z[k, 2 * y, 2 * o :]
                    lower = Z[k, 2 * y + 1, 2 * o :]
                    pooled = P[k, y, o:]
                    d = dP[k, y, o:]
                    for c in range(C):
                        mean, slope, level = q[C + c], q[3 * C + c], q[4 * C + c]
                        p, g = pooled[c], q[c] * d[c]
                        g = ZERO if relu and q[c] * (p - mean) + q[2 * C + c] <= ZERO else g
                        z0, z1, z2, z3 = upper[c], upper[C + c], lower[c], lower[C + c]
                        g0 = g if z0 == p else ZERO
                        g1 = g - g0 if z1 == p else ZERO
                        g2 = g - g0 - g1 if z2 == p else ZERO
                        upper[c] = g0 + (slope * (z0 - mean) + level)
                        upper[C + c] = g1 + (slope * (z1 - mean) + level)
                        lower[c] = g2 + (slope * (z2 - mean) + level)
                        lower[C + c] = (g - g0 - g1 - g2) + (slope * (z3 - mean) + level)

    return unpool_normalize_back


@compiled
def shift_relu(Z: Array, b: Array) -> None:
    """Z <- relu(z + b), for (n, c)."""
    for i in range(len(Z)):
        z = Z[i]
        for c in range(len(b)):
            v = z[c] + b[c]
            z[c] = ZERO if v <= ZERO else v


@compiled
def shift_pool(Z: Array, b: Array, relu: bool, A: Array) -> None:
    """A = the largest z of each 2x2 window, + b, or relu of it. Z is (n, 2 h, 2 w, c)."""
    for k in range(A.shape[0]):
        for y in range(A.shape[1]):
            for x in range(A.shape[2]):
                z0, z1 = Z[k, 2 * y, 2 * x], Z[k, 2 * y, 2 * x + 1]
                z2, z3 = Z[k, 2 * y + 1, 2 * x], Z[k, 2 * y + 1, 2 * x + 1]
                a = A[k, y, x]
                for c in range(len(b)):
                    a0, a1, a2, a3 = z0[c], z1[c], z2[c], z3[c]
                    upper = a0 if a0 >= a1 or a0 != a0 else a1
                    lower = a2 if a2 >= a3 or a2 != a2 else a3
                    v = (upper if upper >= lower or upper != upper else lower) + b[c]
                    a[c] = ZERO if relu and v <= ZERO else v


@compiled
def shift_relu_pool(Z: Array, b: Array, A: Array, which: Array) -> None:
    """A = relu(b + the largest z of each 2x2 window), which = its place in the window. Z is (n, 2 h, 2 w, c)."""
    for k in range(A.shape[0]):
        for y in range(A.shape[1]):
            for x in range(A.shape[2]):
                z0, z1 = Z[k, 2 * y, 2 * x], Z[k, 2 * y, 2 * x + 1]
                z2, z3 = Z[k, 2 * y + 1, 2 * x], Z[k, 2 * y + 1, 2 * x + 1]
                a, place = A[k, y, x], which[k, y, x]
                for c in range(len(b)):
                    a0, a1, a2, a3 = z0[c], z1[c], z2[c], z3[c]
                    upper = a0 if a0 >= a1 or a0 != a0 else a1
                    lower = a2 if a2 >= a3 or a2 != a2 else a3
                    v = upper if upper >= lower or upper != upper else lower
                    is_lower = not (upper >= lower or upper != upper)
                    is_right = not (a2 >= a3 or a2 != a2) if is_lower else not (a0 >= a1 or a0 != a0)
                    place[c] = 2 * is_lower + is_right
                    v += b[c]
                    a[c] = ZERO if v <= ZERO else v


@compiled
def relu_back_sum(dA: Array, A: Array, sums: Array) -> None:
    """dA <- dA where relu was on; sums += sum dA, for (n, c)."""
    for i in range(len(A)):
        d, a = dA[i], A[i]
        for c in range(len(sums)):
            g = ZERO if a[c] <= ZERO else d[c]
            d[c] = g
            sums[c] += g


@lru_cache
def unpool_back(channels: int) -> Callable[..., None]:
    """Return the pass for images of this many channels, a constant of its loop."""
    C = channels

    @compiled
    def unpool_back(dP: Array, which: Array, dZ: Array) -> None:
        """dZ = dP at the place of each 2x2 window that was its largest, else 0. dZ is (n, 2 h, 2 w c)."""
        for k in range(dP.shape[0]):
            for y in range(dP.shape[1]):
                for o in range(0, dP.shape[2], C):
                    upper = dZ[k, 2 * y, 2 * o :]
                    lower = dZ[k, 2 * y + 1, 2 * o :]
                    d = dP[k, y, o:]
                    place = which[k, y, o:]
                    for c in range(C):
                        g, p = d[c], place[c]
                        upper[c] = g if p == 0 else ZERO
                        upper[C + c] = g if p == 1 else ZERO
                        lower[c] = g if p == 2 else ZERO
                        lower[C + c] = g if p == 3 else ZERO

    return unpool_back
