"""A training step of Dense layers one after another, of any depth, compiled as a whole, on one thread or several.

A layer is Z = A W + b, then batch norm where it has one, the activation, and dropout where it has one.

The rows of a layer's W, one for each input, are divided into parts. Forward, part t multiplies its columns of A by
its rows of W, and whoever computes the next layer's inputs adds the parts up. Backward it computes its columns of
dA and its rows of dW, and the optimizer moves these rows of W at once, while they are in the cache. So no gradients
are added up, and every weight stays with one thread. How many parts a layer has is in the plan: the numbers are the
same whether they are computed side by side or one after another.

What only neighbouring layers need, sums and gradients, lies in two places that take turns: a step of many layers
is as fast as the cache of a core that holds what it writes.

A constant among the arguments is written ``int(0)``: for 0 by itself, Numba would compile another copy.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
import math
import os
from typing import NamedTuple

import numba
import numpy as np

from pellucid.kernels import activations as formulas
from pellucid.kernels.blas import SMALL, product
from pellucid.kernels.compiled import compiled, compiled_on_threads, copied
from pellucid.kernels.losses import binary_cross_entropy, softmax_cross_entropy
from pellucid.kernels.optimizers import adam_loop, sgd_loop, unless_tiny
from pellucid.kernels.passes import moments, normalize, normalize_back, normalize_back_sums
from pellucid.types import Array

BORROWED_FROM = "activations.py", "blas.py", "losses.py", "optimizers.py", "passes.py"
# The columns of a plan.
N_IN, N_OUT, PARTS, ACTIVATION, W_AT, OUT_AT, SUMS_AT, DELTAS_AT, HAS_NORM, BITS_AT, SCALE_AT, N_COLUMNS = (
    range(12)
)
OPTION, EPSILON, N_DROPPED, SCALE, N_OPTIONS = range(5)  # the rows of options
MEAN, VAR, RSTD, N_STATISTICS = range(4)  # the rows of statistics, in this order
N_RATES = 5  # the columns of rates
LINEAR, RELU, LEAKY_RELU, ELU, SIGMOID, TANH, SILU, GELU, SELU = range(9)
LOSSES = ("softmax_cross_entropy", "binary_cross_entropy", "squared_error")
SOFTMAX, LOGISTIC, SQUARED, OTHER = range(4)
KEEP, SGD, ADAM = range(3)  # what is done with a gradient
FORWARD, BACKWARD = range(2)
LINE = 16  # parts begin at multiples of it, so that no two threads write into one line of the cache
BLOCK = 524_288  # numbers of a gradient that are computed, and used, at a time, at most
PROCESS = os.getpid()  # in a child that is forked later, threads must not be used


class Stack(NamedTuple):
    """The layers and everything that their step reads and writes; places are counted in numbers.

    Attributes
    ----------
    X : Array, shape (m, n_in)
        The batch.
    data : Array, shape (m_all, n_in)
    rows : Array of intp, shape (m,) or (0,)
        The samples of ``data`` that the batch is to be; none: it is in X already.
    theta, grad, first_slot, second_slot : Array, shape (p,)
        Parameters, gradient and what the optimizer keeps: of each layer W (n_in, n_out), after it b, and with
        batch norm gamma and beta.
    values, slopes : Array, flat
        A = f(Z) and f'(Z) of each layer, (m, n_out), with dropout both times its mask. Relu's slopes are not
        written, as A tells them.
    deltas : Array, flat
        dZ of a layer, (m, n_out), in one of two places.
    sums : Array, flat
        What each part of a layer adds to Z, (parts, m, n_out), in one of two places.
    unscaled : Array, flat
        Z of each layer with batch norm, (m, n_out); empty where no layer has one.
    statistics : Array of float64, shape (N_STATISTICS, outputs of all layers)
        Of each output that batch norm scales.
    bits : Array of uint16, flat
        The random numbers by which each layer with dropout drops, (m, n_out).
    blocks : Array, shape (parts, n)
        Room for rows of dW.
    plan : Array of int64, shape (n_layers, N_COLUMNS)
        Of each layer: inputs, outputs, parts, activation, where its W, its values, its sums and its dZ begin,
        whether it has batch norm, where its random numbers begin, or -1 without dropout, and where the scale of its
        inputs begins in ``theta``, or -1: the first layer may have one.
    options : Array of float64, shape (N_OPTIONS, n_layers)
        The option of each activation, such as leaky_relu's slope, batch norm's epsilon, dropout's limit below which
        a random number drops, and what is kept is multiplied by.
    runs : Array of int64, shape (2, 3)
        Of weights and of the rest, as :mod:`pellucid.kernels.optimizers` has them: whether they decay.
    rates : Array of float64, shape (n_layers, N_RATES)
        What multiplies the learning rate of each layer's W, b, gamma and beta, and of the scale of its inputs.
    numbers : Array of float64, shape (8,)
        The optimizer's numbers: see ``move``.
    """

    X: Array
    data: Array
    rows: Array
    theta: Array
    grad: Array
    first_slot: Array
    second_slot: Array
    values: Array
    slopes: Array
    deltas: Array
    sums: Array
    unscaled: Array
    statistics: Array
    bits: Array
    blocks: Array
    plan: Array
    options: Array
    runs: Array
    rates: Array
    numbers: Array


@compiled
def activate(kind, option, a, d):
    """a <- f(a), d <- f'(a), but for relu's."""
    if kind == RELU:
        for j in range(a.size):
            a[j] = formulas.relu(a[j], option)
    elif kind == LEAKY_RELU:
        for j in range(a.size):
            a[j] = formulas.leaky_relu(a[j], option)
            d[j] = formulas.leaky_relu_slope(a[j], option)
    elif kind == ELU:
        for j in range(a.size):
            a[j] = formulas.elu(a[j], option)
            d[j] = formulas.elu_slope(a[j], option)
    elif kind == SELU:
        for j in range(a.size):
            a[j] = formulas.selu(a[j], option)
            d[j] = formulas.selu_slope(a[j], option)
    elif kind == SIGMOID:
        for j in range(a.size):
            a[j] = formulas.sigmoid(a[j], option)
            d[j] = formulas.sigmoid_slope(a[j], option)
    elif kind == TANH:
        for j in range(a.size):
            a[j] = formulas.tanh(a[j], option)
            d[j] = formulas.tanh_slope(a[j], option)
    elif kind == SILU:
        for j in range(a.size):
            gate = formulas.silu_gate(a[j])
            a[j] *= gate
            d[j] = formulas.silu_slope(a[j], gate)
    elif kind == GELU:
        for j in range(a.size):
            gate = formulas.gelu_gate(a[j])
            d[j] = formulas.gelu_slope(a[j], gate)
            a[j] *= gate


@compiled
def drop(bits, n_dropped, scale, kind, a, d):
    """a <- a mask, d <- d mask but for relu's, with mask 0 where bits < n_dropped, else scale."""
    T, least = a.dtype.type, np.uint16(n_dropped)
    zero, kept = T(0), T(scale)
    if kind == RELU:
        for j in range(a.size):
            a[j] *= kept if bits[j] >= least else zero
    else:
        for j in range(a.size):
            mask = kept if bits[j] >= least else zero
            a[j] *= mask
            d[j] = mask if kind == LINEAR else d[j] * mask


@copied
def matrix(flat, at, m, n):
    """Return m rows of n numbers that begin at a place of a flat array."""
    return flat[at : at + m * n].reshape(m, n)


@copied
def part_of(layer, t):
    """Return where part t of a layer's inputs begins and ends."""
    n, parts = layer[N_IN], layer[PARTS]
    return n * t // parts // LINE * LINE, n if t == parts - 1 else n * (t + 1) // parts // LINE * LINE


@compiled
def outputs_of(layer):
    """Return where all of a layer's outputs begin and end."""
    return int(0), layer[N_OUT]  # noqa: RUF046, UP018


@compiled
def rows_at_a_time(m, n_in, n_out):
    """Return how many rows of a layer's dW are computed, and used, at a time: those of a small product."""
    most, small = max(LINE, BLOCK // n_out), SMALL // (m * n_out) // LINE * LINE
    return min(n_in, most, small or most)


@copied
def after_b(stack, flat, k, i, first, last):
    """Return some numbers of the i-th vector that follows a layer's W: b, gamma or beta, or what belongs to it."""
    layer = stack.plan[k]
    at = layer[W_AT] + (layer[N_IN] + i) * layer[N_OUT]
    return flat[at + first : at + last]


@copied
def statistics_of(stack, k, i, first, last):
    """Return a statistic of some columns of a layer's outputs."""
    at = stack.plan[k, OUT_AT] // len(stack.X)
    return stack.statistics[i, at + first : at + last]


@compiled
def normalize_outputs(stack, k, first, last):
    """A <- gamma (Z - mean) rstd + beta, for some columns of a layer's outputs: :mod:`pellucid.ops.batch_norm`."""
    m, layer = len(stack.X), stack.plan[k]
    Z = matrix(stack.unscaled, layer[OUT_AT], m, layer[N_OUT])
    A = matrix(stack.values, layer[OUT_AT], m, layer[N_OUT])
    gamma = after_b(stack, stack.theta, k, 1, first, last)
    beta = after_b(stack, stack.theta, k, 2, first, last)
    mean = statistics_of(stack, k, MEAN, first, last)
    var = statistics_of(stack, k, VAR, first, last)
    rstd = statistics_of(stack, k, RSTD, first, last)
    sums, centre, scale = np.zeros((2, gamma.size)), np.zeros_like(gamma), gamma.copy()
    moments(Z, first, centre, sums)
    for j in range(gamma.size):
        mean[j] = sums[0, j] / m
        centre[j] = mean[j]
        sums[1, j] = 0
    moments(Z, first, centre, sums)
    for j in range(gamma.size):
        var[j] = sums[1, j] / m
        rstd[j] = 1 / math.sqrt(var[j] + stack.options[EPSILON, k])
        scale[j] = gamma[j] * rstd[j]
    normalize(Z, first, scale, centre, beta, False, A)


@compiled
def normalize_outputs_back(stack, k, first, last):
    """dZ <- gamma rstd (dA - mean of dA - Xhat mean of dA Xhat); dgamma = sum(dA Xhat), dbeta = sum dA."""
    m, layer = len(stack.X), stack.plan[k]
    Z = matrix(stack.unscaled, layer[OUT_AT], m, layer[N_OUT])
    dZ = matrix(stack.deltas, layer[DELTAS_AT], m, layer[N_OUT])
    gamma = after_b(stack, stack.theta, k, 1, first, last)
    dgamma = after_b(stack, stack.grad, k, 1, first, last)
    dbeta = after_b(stack, stack.grad, k, 2, first, last)
    mean, rstd = statistics_of(stack, k, MEAN, first, last), statistics_of(stack, k, RSTD, first, last)
    sums, centre, scale = np.zeros((2, gamma.size)), gamma.copy(), gamma.copy()
    level, slope = gamma.copy(), gamma.copy()
    for j in range(gamma.size):
        centre[j] = mean[j]
    normalize_back_sums(dZ, Z, first, scale, centre, scale, False, sums)
    for j in range(gamma.size):
        dbeta[j] = sums[0, j]
        dgamma[j] = sums[1, j] * rstd[j]
        scale[j] = gamma[j] * rstd[j]
        level[j] = -gamma[j] * rstd[j] * sums[0, j] / m
        slope[j] = -gamma[j] * rstd[j] ** 3 * sums[1, j] / m
    normalize_back(dZ, Z, first, scale, centre, scale, False, slope, level, dZ)


@compiled
def finish(stack, k, first, last):
    """A <- f(Z), Z the sum of the parts + b, normalized or not, for some columns of a layer's outputs."""
    m, layer = len(stack.X), stack.plan[k]
    n, b = layer[N_OUT], after_b(stack, stack.theta, k, 0, first, last)
    target = stack.unscaled if layer[HAS_NORM] else stack.values
    for i in range(m):
        row = slice(layer[OUT_AT] + i * n + first, layer[OUT_AT] + i * n + last)
        a, at = target[row], layer[SUMS_AT] + i * n
        z = stack.sums[at + first : at + last]
        for j in range(a.size):
            a[j] = z[j] + b[j]
        for _ in range(1, layer[PARTS]):
            at += m * n
            z = stack.sums[at + first : at + last]
            for j in range(a.size):
                a[j] += z[j]
    if layer[HAS_NORM]:
        normalize_outputs(stack, k, first, last)
    for i in range(m):
        at = i * n + first
        row = slice(layer[OUT_AT] + at, layer[OUT_AT] + i * n + last)
        a, d = stack.values[row], stack.slopes[row]
        activate(layer[ACTIVATION], stack.options[OPTION, k], a, d)
        if layer[BITS_AT] >= 0:
            bits = stack.bits[layer[BITS_AT] + at :]
            drop(bits, stack.options[N_DROPPED, k], stack.options[SCALE, k], layer[ACTIVATION], a, d)


@compiled
def multiply_by_slopes(stack, k, first, last):
    """dZ <- dA f'(Z), for some columns of a layer's outputs; denormal numbers, which take long, become 0."""
    m, layer, scale = len(stack.X), stack.plan[k], stack.theta.dtype.type(stack.options[SCALE, k])
    is_as_given = layer[ACTIVATION] == LINEAR and layer[BITS_AT] < 0
    for i in range(m):
        at = i * layer[N_OUT]
        a = stack.values[layer[OUT_AT] + at + first : layer[OUT_AT] + at + last]
        d = stack.slopes[layer[OUT_AT] + at + first : layer[OUT_AT] + at + last]
        dz = stack.deltas[layer[DELTAS_AT] + at + first : layer[DELTAS_AT] + at + last]
        if layer[ACTIVATION] == RELU:
            for j in range(dz.size):
                dz[j] = unless_tiny(dz[j] * (scale * formulas.relu_slope(a[j], 0)))
        else:
            for j in range(dz.size):
                dz[j] = unless_tiny(dz[j] if is_as_given else dz[j] * d[j])
    if layer[HAS_NORM]:
        normalize_outputs_back(stack, k, first, last)


@compiled
def move(rule, theta, grad, first_slot, second_slot, runs, factors, numbers):
    """Let an optimizer move parameters by the kernels of :mod:`pellucid.kernels.optimizers`."""
    limit, decay, keep, rate = numbers[0], numbers[1], numbers[2], numbers[3]
    how = runs, factors, 0, theta.size, 1.0, limit, decay, keep
    if rule == SGD:
        sgd_loop(theta, grad, first_slot, how, rate, numbers[4], numbers[5] > 0)
    elif rule == ADAM:
        adam_loop(
            theta, grad, first_slot, second_slot, how, rate, numbers[4], numbers[5], numbers[6], numbers[7]
        )


@compiled
def use_dZ(stack, k, first, last, rule):
    """db <- the column sums of dZ, for some of a layer's outputs; the optimizer moves b, gamma and beta."""
    layer = stack.plan[k]
    n = layer[N_OUT]
    start = layer[W_AT] + layer[N_IN] * n
    db = stack.grad[start + first : start + last]
    db[:] = 0
    for i in range(len(stack.X)):
        at = layer[DELTAS_AT] + i * n
        dz = stack.deltas[at + first : at + last]
        for j in range(db.size):
            db[j] += dz[j]
    for i in range(3 if layer[HAS_NORM] else 1):
        b = slice(start + i * n + first, start + i * n + last)
        move(
            rule,
            stack.theta[b],
            stack.grad[b],
            stack.first_slot[b],
            stack.second_slot[b],
            stack.runs[1:],
            stack.rates[k, i + 1 :],
            stack.numbers,
        )


@copied
def gather(stack, first, last):
    """X <- the wanted samples, some of their columns."""
    for i in range(stack.rows.size):
        x, sample = stack.X[i, first:last], stack.data[stack.rows[i], first:last]
        for j in range(x.size):
            x[j] = sample[j]


@compiled
def forward_part(stack, k, t):
    """Z_t <- A_t W_t, of one part of a layer's inputs."""
    m, layer = len(stack.X), stack.plan[k]
    first, last = part_of(layer, t)
    W = matrix(stack.theta, layer[W_AT], layer[N_IN], layer[N_OUT])
    Z = matrix(stack.sums, layer[SUMS_AT] + t * m * layer[N_OUT], m, layer[N_OUT])
    A = stack.X
    if k > 0:
        finish(stack, k - 1, first, last)
        A = matrix(stack.values, stack.plan[k - 1, OUT_AT], m, layer[N_IN])
    else:
        gather(stack, first, last)
    if layer[SCALE_AT] >= 0:  # X (gamma W) in place of (X gamma) W, as gradients of weights are then few sums
        W = matrix(stack.grad, layer[W_AT], layer[N_IN], layer[N_OUT])
        scale_rows(stack, k, first, last, matrix(stack.theta, layer[W_AT], layer[N_IN], layer[N_OUT]), W)
    product(A[:, first:last], W[first:last], Z)


@compiled
def scale_rows(stack, k, first, last, W, scaled):
    """Scaled <- gamma W, for some rows of a layer's W."""
    gamma = stack.theta[stack.plan[k, SCALE_AT] :]
    for i in range(first, last):
        w, s, factor = W[i], scaled[i], gamma[i]
        for j in range(w.size):
            s[j] = factor * w[j]


@compiled
def scale_back(stack, k, start, stop, G, rule):
    """dgamma <- sum(G W), dW <- gamma G over G, the gradient of gamma W; the optimizer moves gamma."""
    at, layer = stack.plan[k, SCALE_AT], stack.plan[k]
    W = matrix(stack.theta, layer[W_AT], layer[N_IN], layer[N_OUT])
    own = slice(at + start, at + stop)
    gamma, dgamma = stack.theta[own], stack.grad[own]
    for i in range(stop - start):
        w, g, factor, total = W[start + i], G[i], gamma[i], G.dtype.type(0)
        for j in range(w.size):
            total += g[j] * w[j]
            g[j] *= factor
        dgamma[i] = total
    move(
        rule,
        gamma,
        dgamma,
        stack.first_slot[own],
        stack.second_slot[own],
        stack.runs[1:],
        stack.rates[k, N_RATES - 1 :],
        stack.numbers,
    )


@compiled
def backward_part(stack, k, t, rule):
    """dA_t <- dZ W_t^T, dW_t <- A_t^T dZ, of one part of a layer's inputs; the optimizer moves W_t."""
    m, layer = len(stack.X), stack.plan[k]
    first, last = part_of(layer, t)
    n = layer[N_OUT]
    A, dZ = stack.X, matrix(stack.deltas, layer[DELTAS_AT], m, n)
    if k > 0:
        A = matrix(stack.values, stack.plan[k - 1, OUT_AT], m, layer[N_IN])
        dA = matrix(stack.deltas, stack.plan[k - 1, DELTAS_AT], m, layer[N_IN])
        W = matrix(stack.theta, layer[W_AT], layer[N_IN], n)
        product(dZ, W[first:last].T, dA[:, first:last])
        multiply_by_slopes(stack, k - 1, first, last)
        use_dZ(stack, k - 1, first, last, rule)
    rows = rows_at_a_time(m, layer[N_IN], n)
    for start in range(first, last, rows):
        stop = min(start + rows, last)
        W_t = slice(layer[W_AT] + start * n, layer[W_AT] + stop * n)
        dW = stack.grad[W_t] if rule == KEEP else stack.blocks[t, : (stop - start) * n]
        product(A[:, start:stop].T, dZ, dW.reshape(stop - start, n))
        if layer[SCALE_AT] >= 0:
            scale_back(stack, k, start, stop, dW.reshape(stop - start, n), rule)
        move(
            rule,
            stack.theta[W_t],
            dW,
            stack.first_slot[W_t],
            stack.second_slot[W_t],
            stack.runs[:1],
            stack.rates[k],
            stack.numbers,
        )


@compiled
def any_part(stack, task, k, t, rule):
    """Do one part of a layer, forward or backward."""
    if task == FORWARD:
        forward_part(stack, k, t)
    else:
        backward_part(stack, k, t, rule)


@compiled_on_threads
def parts_on_threads(stack, task, k, rule):
    """Do all parts of a layer, side by side."""
    for t in numba.prange(stack.plan[k, PARTS]):
        any_part(stack, task, k, t, rule)


@compiled
def squared_error(Z, Y, scale, dZ):
    """Return sum scale (Z - Y)^2;  dZ <- 2 scale (Z - Y); all are flat."""
    loss, two = 0.0, Z.dtype.type(2)
    for i in range(Z.size):
        d = Z[i] - Y[i]
        loss += scale[i] * d * d
        dZ[i] = two * scale[i] * d
    return loss


@compiled
def forward(X, data, rows, memory, kind, labels, targets, smoothing, scale, threads):
    """Return the loss; values <- the layers' outputs, deltas <- dZ of the last unless the loss is another."""
    stack = Stack(X, data, rows, *memory)
    last = len(stack.plan) - 1
    for k in range(last + 1):
        if threads is not None and threads and stack.plan[k, PARTS] > 1:
            parts_on_threads(stack, int(FORWARD), k, int(KEEP))
        else:
            for t in range(stack.plan[k, PARTS]):
                forward_part(stack, k, t)
    first, n = outputs_of(stack.plan[last])
    finish(stack, last, first, n)
    Z = matrix(stack.values, stack.plan[last, OUT_AT], len(X), n)
    dZ = matrix(stack.deltas, stack.plan[last, DELTAS_AT], len(X), n)
    if kind == SOFTMAX:
        return softmax_cross_entropy(Z, labels, targets, scale, smoothing, dZ)
    if kind == LOGISTIC:
        return binary_cross_entropy(Z.ravel(), targets.ravel(), scale, smoothing, dZ.ravel())
    return squared_error(Z.ravel(), targets.ravel(), scale, dZ.ravel()) if kind == SQUARED else 0.0


@compiled
def backward(X, data, rows, memory, rule, threads):
    """grad <- the gradient, or theta <- what the optimizer makes of it."""
    stack = Stack(X, data, rows, *memory)
    last = len(stack.plan) - 1
    first, n = outputs_of(stack.plan[last])
    multiply_by_slopes(stack, last, first, n)
    use_dZ(stack, last, first, n, rule)
    for k in range(last, -1, -1):
        if threads is not None and threads and stack.plan[k, PARTS] > 1:
            parts_on_threads(stack, int(BACKWARD), k, rule)
        else:
            for t in range(stack.plan[k, PARTS]):
                backward_part(stack, k, t, rule)


@compiled
def take_steps(
    X, data, rows, memory, kind, all_labels, all_targets, labels, targets, smoothing, scale, rule, numbers,
    threads, losses,
):  # fmt: skip
    """losses <- the loss of each row of sample numbers, by which a step is taken; return how many there were.

    One that is NaN or infinite ends them. ``labels`` and ``targets`` are room for those of a batch, ``numbers``
    has the optimizer's of each step.
    """
    own_numbers = memory[-1]
    for s in range(len(rows)):
        for i in range(labels.size):
            labels[i] = all_labels[rows[s, i]]
        for i in range(len(targets)):
            for j in range(targets.shape[1]):
                targets[i, j] = all_targets[rows[s, i], j]
        losses[s] = forward(X, data, rows[s], memory, kind, labels, targets, smoothing, scale, threads)
        if not math.isfinite(losses[s]):
            return s
        for i in range(own_numbers.size):
            own_numbers[i] = numbers[s, i]
        backward(X, data, rows[s], memory, rule, threads)
    return len(rows)
