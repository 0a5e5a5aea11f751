"""Many full-batch steps of a training in the dual form, in one call: see :mod:`pellucid.training.dual.dense`.

The first layer is Z = K [C, t, b] + s Z_0, whose gradient for C is dZ itself; Dense layers follow. A column of
ones after each layer's activations, and at the end of K, carries the bias through the products. Between steps
everything stays in the processor's cache, whose lines BLAS's loops fill best where rows begin at multiples of
``LINE`` numbers: so rows of n numbers and a 1 are ``row_length(n)`` long, with zeros at the end.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
import math
from typing import NamedTuple

import numpy as np

from pellucid.kernels.activations import relu, relu_slope
from pellucid.kernels.blas import product
from pellucid.kernels.compiled import compiled
from pellucid.kernels.dense_stack import (
    ACTIVATION,
    LINEAR,
    LOGISTIC,
    N_IN,
    N_OUT,
    OUT_AT,
    RELU,
    SOFTMAX,
    W_AT,
    activate,
    squared_error,
)
from pellucid.kernels.losses import binary_cross_entropy, softmax_cross_entropy
from pellucid.kernels.optimizers import sgd_loop
from pellucid.types import Array

LINE = 8
BORROWED_FROM = "activations.py", "blas.py", "dense_stack.py", "losses.py", "optimizers.py"


class Dual(NamedTuple):
    """What a training in the dual form reads and writes; m samples, n units in the first layer.

    Attributes
    ----------
    K : Array, shape (m, m + 2)
        The products of the rows with those less their mean, and with their mean; and a column of ones.
    Z_0 : Array, shape (m, row_length(n))
        Before any step, and zeros.
    theta, grad, velocity : Array, flat
        C (m, row_length(n)), t, b, s, which is one number n times, each with zeros at the end of its rows, and
        after them W and b of each layer above. The velocity is empty where the optimizer keeps none.
    values, slopes, deltas : Array, flat
        A = f(Z), f'(Z) and dZ of each layer, (m, row_length(n_out)). Relu's slopes are not written, as A tells
        them; the first layer's dZ is its gradient, and is written there.
    plan : Array of int64, shape (n_layers, ...)
        As in :mod:`pellucid.kernels.dense_stack`.
    options : Array of float64, shape (n_layers,)
        The option of each activation.
    runs : Array of int64, shape (k, 3)
        Which parameters decay, as :mod:`pellucid.kernels.optimizers` has it.
    labels, targets, scale : Array
        As the losses take them: of labels and targets one is empty.
    """

    K: Array
    Z_0: Array
    theta: Array
    grad: Array
    velocity: Array
    values: Array
    slopes: Array
    deltas: Array
    plan: Array
    options: Array
    runs: Array
    labels: Array
    targets: Array
    scale: Array


@compiled
def row_length(n):
    """Return how long rows of n numbers and a 1 are."""
    return n // LINE * LINE + LINE


@compiled
def layer_of(flat, layer, m):
    """Return a layer's part of values, slopes or deltas."""
    n = row_length(layer[N_OUT])
    return flat[layer[OUT_AT] : layer[OUT_AT] + m * n].reshape(m, n)


@compiled
def with_ones(dual, k):
    """Return A of layer k, and a column of ones."""
    return layer_of(dual.values, dual.plan[k], len(dual.K))[:, : dual.plan[k, N_OUT] + 1]


@compiled
def delta_of(dual, k):
    """Return dZ of layer k."""
    m, n = len(dual.K), dual.Z_0.shape[1]
    return layer_of(dual.deltas, dual.plan[k], m) if k else dual.grad[: m * n].reshape(m, n)


@compiled
def weights_of(flat, layer):
    """Return a layer's W, and below it b."""
    n_in, n_out = layer[N_IN] + 1, layer[N_OUT]
    return flat[layer[W_AT] : layer[W_AT] + n_in * n_out].reshape(n_in, n_out)


@compiled
def first_weights(flat, dual):
    """Return C, and below it t and b."""
    m, n = dual.K.shape[1], dual.Z_0.shape[1]
    return flat[: m * n].reshape(m, n)


@compiled
def forward(dual):
    """A <- f(Z) of every layer, Z = K [C, t, b] + s Z_0 of the first, A W + b of the others."""
    m = len(dual.K)
    for k in range(len(dual.plan)):
        layer = dual.plan[k]
        n = layer[N_OUT]
        A = layer_of(dual.values, layer, m)
        if k == 0:
            product(dual.K, first_weights(dual.theta, dual)[:, :n], A[:, :n])
        else:
            product(with_ones(dual, k - 1), weights_of(dual.theta, layer), A[:, :n])
        a, z, zero = A.ravel(), dual.Z_0.ravel(), dual.theta.dtype.type(0)
        s = dual.theta[(m + 2) * dual.Z_0.shape[1]] if k == 0 else zero
        if layer[ACTIVATION] == RELU and k == 0:
            for i in range(a.size):
                a[i] = relu(a[i] + s * z[i], zero)
        elif layer[ACTIVATION] == RELU:
            for i in range(a.size):
                a[i] = relu(a[i], zero)
        else:
            if k == 0:
                for i in range(a.size):
                    a[i] += s * z[i]
            activate(layer[ACTIVATION], dual.options[k], a, layer_of(dual.slopes, layer, m).ravel())
        if A[0, n] != 1:
            A[:, n] = 1


@compiled
def loss_and_dZ(dual, kind, smoothing):
    """Return the loss;  dZ of the last layer <- its gradient."""
    m, layer = len(dual.K), dual.plan[-1]
    n = layer[N_OUT]
    Z, dZ = layer_of(dual.values, layer, m)[:, :n].copy(), np.empty((m, n), dual.theta.dtype)
    if kind == SOFTMAX:
        loss = softmax_cross_entropy(Z, dual.labels, dual.targets, dual.scale, smoothing, dZ)
    elif kind == LOGISTIC:
        loss = binary_cross_entropy(Z.ravel(), dual.targets.ravel(), dual.scale, smoothing, dZ.ravel())
    else:
        loss = squared_error(Z.ravel(), dual.targets.ravel(), dual.scale, dZ.ravel())
    delta = delta_of(dual, len(dual.plan) - 1)
    for i in range(m):
        for j in range(n):
            delta[i, j] = dZ[i, j]
    return loss


@compiled
def backward(dual):
    """dW, db <- [A 1]^T dZ, dA <- dZ W^T; of the first layer dC <- dZ, dt and db <- its column sums."""
    m = len(dual.K)
    for k in range(len(dual.plan) - 1, -1, -1):
        layer = dual.plan[k]
        n, dZ = layer[N_OUT], delta_of(dual, k)
        d = dZ.ravel()
        a = layer_of(dual.values, layer, m).ravel()
        slopes = layer_of(dual.slopes, layer, m).ravel()
        if layer[ACTIVATION] == RELU:
            for i in range(d.size):
                d[i] *= relu_slope(a[i], 0)
        elif layer[ACTIVATION] != LINEAR:
            for i in range(d.size):
                d[i] *= slopes[i]
        if k > 0:
            product(with_ones(dual, k - 1).T, dZ[:, :n], weights_of(dual.grad, layer))
            product(dZ[:, :n], weights_of(dual.theta, layer)[:-1].T, delta_of(dual, k - 1)[:, : layer[N_IN]])
        else:
            sums = first_weights(dual.grad, dual)[m:]
            product(dual.K[:, m + 1 :].T, dZ[:, :n], sums[1:, :n])
            for j in range(n):
                sums[0, j] = sums[1, j]


@compiled
def take_steps(memory, kind, smoothing, rate, momentum, nesterov, decay, losses):
    """Take one step of SGD for each loss that there is room for; return how many.

    The loss of one that is not taken, since it is NaN or infinite, is written too.
    """
    dual = Dual(*memory)
    how = dual.runs, np.ones(len(dual.runs)), 0, dual.theta.size, 1.0, math.inf, decay, 1.0
    for step in range(losses.size):
        forward(dual)
        losses[step] = loss_and_dZ(dual, kind, smoothing)
        if not math.isfinite(losses[step]):
            return step
        backward(dual)
        sgd_loop(dual.theta, dual.grad, dual.velocity, how, rate, momentum, nesterov)
    return losses.size
