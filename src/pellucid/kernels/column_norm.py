"""The loops of batch norm, each over some columns of a matrix: :mod:`pellucid.ops.batch_norm`.

A matrix is a flat array, the place where its first row's columns begin, and the distance from row to row, m rows.
Sums are float64 of shape (c,), as in the plain op.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
import math

from pellucid.kernels.compiled import compiled


@compiled
def add_columns(z, at, distance, m, sums) -> None:
    """sums += sum of z."""
    c = sums.size
    for i in range(m):
        row = z[at + i * distance : at + i * distance + c]
        for j in range(c):
            sums[j] += row[j]


@compiled
def centre_columns(z, D, at, distance, m, mean, squares) -> None:
    """D <- z - mean, squares += sum of D^2; D may be z."""
    c, T = mean.size, D.dtype.type
    for i in range(m):
        first = at + i * distance
        row, d = z[first : first + c], D[first : first + c]
        for j in range(c):
            d[j] = row[j] - T(mean[j])
            squares[j] += d[j] * d[j]


@compiled
def scale_columns(D, Y, at, distance, m, scale, beta, relu) -> None:
    """Y <- scale D + beta, or relu of it; Y may be D."""
    c, zero = scale.size, D.dtype.type(0)
    for i in range(m):
        first = at + i * distance
        d, y = D[first : first + c], Y[first : first + c]
        if relu:
            for j in range(c):
                v = scale[j] * d[j] + beta[j]
                y[j] = zero if v <= zero else v
        else:
            for j in range(c):
                y[j] = scale[j] * d[j] + beta[j]


@compiled
def add_columns_and_dots(dy, dy_at, D, D_at, distance, m, sums, dots) -> None:
    """sums += sum of dy, dots += sum of dy D."""
    c = sums.size
    for i in range(m):
        first = i * distance
        row, d = dy[dy_at + first : dy_at + first + c], D[D_at + first : D_at + first + c]
        for j in range(c):
            sums[j] += row[j]
            dots[j] += row[j] * d[j]


@compiled
def combine_columns(dy, dy_at, D, D_at, distance, m, scale, level, slope) -> None:
    """dy <- scale (dy - level - slope D)."""
    c = scale.size
    for i in range(m):
        first = i * distance
        row, d = dy[dy_at + first : dy_at + first + c], D[D_at + first : D_at + first + c]
        for j in range(c):
            row[j] = scale[j] * (row[j] - level[j] - d[j] * slope[j])


@compiled
def normalize_columns(z, D, at, distance, m, gamma, beta, epsilon, mean, var, rstd):
    """D <- Z - mean, Z <- gamma rstd D + beta, with rstd = 1 / sqrt(var + epsilon).

    ``mean``, ``var`` and ``rstd`` are float64 of shape (c,), written; ``gamma`` and ``beta`` have shape (c,) too.
    """
    mean[:] = 0
    var[:] = 0
    add_columns(z, at, distance, m, mean)
    mean /= m
    centre_columns(z, D, at, distance, m, mean, var)
    scale = gamma.copy()
    for j in range(gamma.size):
        var[j] /= m
        rstd[j] = 1 / math.sqrt(var[j] + epsilon)
        scale[j] = gamma[j] * rstd[j]
    scale_columns(D, z, at, distance, m, scale, beta, False)


@compiled
def normalize_columns_backward(dy, dy_at, D, D_at, distance, m, gamma, rstd, dgamma, dbeta):
    """dZ = gamma rstd (dY - mean of dY - Xhat mean of dY Xhat), over dY; dgamma = sum(dY Xhat), dbeta = sum dY.

    Xhat = D rstd.
    """
    sums, dots = rstd.copy(), rstd.copy()
    sums[:] = 0
    dots[:] = 0
    add_columns_and_dots(dy, dy_at, D, D_at, distance, m, sums, dots)
    scale, level, slope = gamma.copy(), gamma.copy(), gamma.copy()
    for j in range(gamma.size):
        dbeta[j] = sums[j]
        dgamma[j] = dots[j] * rstd[j]
        scale[j] = gamma[j] * rstd[j]
        level[j] = sums[j] / m
        slope[j] = dots[j] * rstd[j] * rstd[j] / m
    combine_columns(dy, dy_at, D, D_at, distance, m, scale, level, slope)
