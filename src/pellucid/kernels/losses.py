"""The cross-entropies with their gradient, as parts of larger kernels: :mod:`pellucid.ops.losses.cross_entropy`."""

import math
from typing import Any

import numpy as np

from pellucid.kernels.compiled import compiled
from pellucid.kernels.maths import exp, log1p
from pellucid.types import Array


@compiled
def binary_cross_entropy(Z: Array, Y: Array, scale: Array, smoothing: float, dZ: Array) -> Any:
    """L = sum of scale (max(Z, 0) - Z Y + log(1 + exp(-|Z|))), dZ = scale (sigmoid(Z) - Y); all are flat."""
    T = Z.dtype.type
    zero, one, rest, half = T(0), T(1), T(1 - smoothing), T(smoothing / 2)
    factor = scale[0]
    total = 0.0
    for i in range(Z.size):
        z = Z[i]
        y = rest * Y[i] + half
        e = exp(-abs(z))
        weight = factor if scale.size == 1 else scale[i]
        total += weight * ((zero if z <= zero else z) - z * y + log1p(e))
        dZ[i] = weight * ((e if z < zero else one) / (one + e) - y)
    return total


@compiled
def softmax_cross_entropy(
    Z: Array, labels: Array, Y: Array, scale: Array, smoothing: float, dZ: Array
) -> Any:
    """L = -sum of scale Y log P, dZ = scale (P - Y), P = softmax(Z), Y from labels where there are any.

    Returns L, or minus infinity where a label is none.
    """
    T, (m, k) = Z.dtype.type, Z.shape
    rest, each = T(1 - smoothing), T(smoothing / k)
    flat, shift = dZ.reshape(m * k), np.empty(m, Z.dtype)
    for i in range(m):
        z, d = Z[i], dZ[i]
        highest = z[0]
        for j in range(k):
            highest = highest if z[j] <= highest else z[j]
        for j in range(k):
            d[j] = z[j] - highest
        shift[i] = highest
    for i in range(m * k):  # all rows at once: vectors are longer than most rows
        flat[i] = exp(flat[i])
    loss = 0.0
    for i in range(m):
        z, d = Z[i], dZ[i]
        weight = scale[0] if scale.size == 1 else scale[i]
        total = T(0)
        for j in range(k):
            total += d[j]
        logarithm = math.log(total)
        if labels.size:
            label = labels[i]
            if label < 0 or label >= k:
                return -math.inf
            own = logarithm - rest * (z[label] - shift[i])
            factor = weight / total
            if smoothing > 0:
                for j in range(k):
                    own -= each * (z[j] - shift[i])
            for j in range(k):
                d[j] = factor * d[j] - weight * each
            d[label] -= weight * rest
        else:
            y = Y[i]
            mass, own = T(0), T(0)
            for j in range(k):
                target = rest * y[j] + each
                mass += target
                own -= target * (z[j] - shift[i])
            own += mass * logarithm
            factor = weight * mass / total
            for j in range(k):
                d[j] = factor * d[j] - weight * (rest * y[j] + each)
        loss += weight * own
    return loss
