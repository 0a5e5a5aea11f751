"""Batch norm of some columns of a matrix, all of whose rows are at hand, for :mod:`pellucid.kernels.dense_stack`.

A matrix is a flat array, the place where its first row's columns begin, and the distance from row to row. The plain
twin is :mod:`pellucid.ops.batch_norm`; sums are taken in float64, as there.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
import math

from pellucid.kernels.compiled import compiled


@compiled
def normalize_columns(z, D, at, distance, m, gamma, beta, epsilon, mean, var, rstd):
    """D <- Z - mean, Z <- gamma rstd D + beta, with rstd = 1 / sqrt(var + epsilon); m rows.

    ``mean``, ``var`` and ``rstd`` are float64 of shape (c,), written; ``gamma`` and ``beta`` have shape (c,) too.
    """
    c, T = gamma.size, gamma.dtype.type
    mean[:] = 0
    var[:] = 0
    for i in range(m):
        row = z[at + i * distance : at + i * distance + c]
        for j in range(c):
            mean[j] += row[j]
    for j in range(c):
        mean[j] /= m
    for i in range(m):
        first = at + i * distance
        row, d = z[first : first + c], D[first : first + c]
        for j in range(c):
            d[j] = row[j] - T(mean[j])
            var[j] += d[j] * d[j]
    for j in range(c):
        var[j] /= m
        rstd[j] = 1 / math.sqrt(var[j] + epsilon)
    for i in range(m):
        first = at + i * distance
        row, d = z[first : first + c], D[first : first + c]
        for j in range(c):
            row[j] = T(gamma[j] * rstd[j]) * d[j] + beta[j]


@compiled
def normalize_columns_backward(dy, dy_at, D, D_at, distance, m, gamma, rstd, sums, dots, dgamma, dbeta):
    """dZ = gamma rstd (dY - mean of dY - Xhat mean of dY Xhat), over dY; dgamma = sum(dY Xhat), dbeta = sum dY.

    Xhat = D rstd. ``sums`` and ``dots`` are room, float64 of shape (c,).
    """
    c, T = gamma.size, gamma.dtype.type
    sums[:] = 0
    dots[:] = 0
    for i in range(m):
        first = i * distance
        row, d = dy[dy_at + first : dy_at + first + c], D[D_at + first : D_at + first + c]
        for j in range(c):
            sums[j] += row[j]
            dots[j] += row[j] * d[j]
    for j in range(c):
        dbeta[j] = sums[j]
        dgamma[j] = dots[j] * rstd[j]
        sums[j] /= m
        dots[j] *= rstd[j] * rstd[j] / m
    for i in range(m):
        first = i * distance
        row, d = dy[dy_at + first : dy_at + first + c], D[D_at + first : D_at + first + c]
        for j in range(c):
            row[j] = T(gamma[j] * rstd[j]) * (row[j] - T(sums[j]) - d[j] * T(dots[j]))
