"""One step of SGD or Adam in one pass, with clipping and decay: see training/optimizers.

Moments below ``TINY`` become 0: those of a unit that is never active would shrink down to denormal numbers, with
which processors compute many times slower. What a loop has just written it does not read again, which would wait
for the store: Adam took up to two and a half times as long.
"""

import math
from typing import Any, TypeAlias

import numpy as np

from pellucid.kernels.arrays import are_served
from pellucid.kernels.compiled import compiled, inlined
from pellucid.types import Array

TINY = 1e-30


# Which part of the parameters moves, and what is done to them and their gradient first:
#   runs (k, 3), which cover all parameters: start, stop, and 1 where they decay; what multiplies the learning rate
#   of each run; start and stop of the part;
#   shrink, limit: g <- shrink g, clipped to -limit ... limit;
#   decay, keep: where parameters decay, g <- g + decay theta and theta <- keep theta
Regularized: TypeAlias = tuple[Array, Array, int, int, float, float, float, float]


def _everything(theta: Array) -> Regularized:
    return np.array([[0, theta.size, 0]]), np.ones(1), 0, theta.size, 1.0, math.inf, 0.0, 1.0


@inlined
def run(runs: Array, k: int, start: int, stop: int) -> Any:
    """Return a run's part between start and stop as a slice, and whether it decays."""
    first, last = max(runs[k, 0], start), min(runs[k, 1], stop)
    return slice(first, max(first, last)), runs[k, 2] != 0


@inlined
def prepared(g: Any, p: Any, shrink: Any, limit: Any, decay: Any) -> Any:
    """g <- shrink g, clipped to -limit ... limit, + decay theta; NaN stays NaN."""
    g = g * shrink
    g = limit if g > limit else (-limit if g < -limit else g)
    return g + decay * p if decay > 0 else g


@inlined
def unless_tiny(x: Any) -> Any:
    """x, or 0 where it is nearly 0; NaN stays NaN."""
    T = type(x)
    return T(0) if abs(x) < T(TINY) else x


@compiled
def adam_loop(theta, grad, m, v, how, rate, b1, b2, root, epsilon) -> None:  # type: ignore[no-untyped-def]
    """m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, theta <- keep theta - rate m / (root sqrt(v) + epsilon)."""
    T, (runs, factors, start, stop, shrink, limit, decay, keep) = theta.dtype.type, how
    to_m, to_v, wide, eps = T(1 - b1), T(1 - b2), T(root), T(epsilon)
    for k in range(len(runs)):
        part, decays = run(runs, k, start, stop)
        p, g, a, b = theta[part], grad[part], m[part], v[part]
        less, most, pull = T(shrink), T(limit), T(decay if decays else 0)
        step, kept = T(rate * factors[k]), T(1 - (1 - keep) * factors[k] if decays else 1)
        for i in range(p.size):
            gi = prepared(g[i], p[i], less, most, pull)
            ai = unless_tiny(a[i] + to_m * (gi - a[i]))
            bi = unless_tiny(b[i] + to_v * (gi * gi - b[i]))
            a[i], b[i] = ai, bi
            p[i] = kept * p[i] - step * ai / (wide * np.sqrt(bi) + eps)


def adam(
    theta: Array,
    grad: Array,
    m: Array,
    v: Array,
    *,
    t: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    regularized: Regularized | None = None,
) -> Any:
    """m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, theta <- theta - eta m_hat / (sqrt(v_hat) + epsilon)."""
    if not are_served(theta, grad, m, v):
        return NotImplemented
    rate, root = learning_rate / (1 - beta1**t), 1 / math.sqrt(1 - beta2**t)
    adam_loop(theta, grad, m, v, regularized or _everything(theta), rate, beta1, beta2, root, epsilon)
    return None


@compiled
def sgd_loop(theta, grad, velocity, how, rate, momentum, nesterov) -> None:  # type: ignore[no-untyped-def]
    """v <- mu v + g, theta <- keep theta - rate v, or with Nesterov rate (g + mu v); v = g where mu is 0."""
    T, (runs, factors, start, stop, shrink, limit, decay, keep) = theta.dtype.type, how
    mu = T(momentum)
    for k in range(len(runs)):
        part, decays = run(runs, k, start, stop)
        p, g, v = theta[part], grad[part], velocity[part]
        less, most, pull = T(shrink), T(limit), T(decay if decays else 0)
        step, kept = T(rate * factors[k]), T(1 - (1 - keep) * factors[k] if decays else 1)
        if momentum == 0:
            for i in range(p.size):
                p[i] = kept * p[i] - step * prepared(g[i], p[i], less, most, pull)
        else:
            for i in range(p.size):
                gi = prepared(g[i], p[i], less, most, pull)
                vi = unless_tiny(mu * v[i] + gi)
                v[i] = vi
                p[i] = kept * p[i] - step * (gi + mu * vi if nesterov else vi)


def sgd(
    theta: Array,
    grad: Array,
    velocity: Array | None = None,
    *,
    learning_rate: float,
    momentum: float,
    nesterov: bool,
    regularized: Regularized | None = None,
) -> Any:
    """v <- mu v + g, theta <- theta - eta v, or with Nesterov theta - eta (g + mu v); v = g where mu is 0."""
    if not are_served(theta, grad, velocity):
        return NotImplemented
    v = grad if velocity is None else velocity
    momentum = 0.0 if velocity is None else momentum
    sgd_loop(theta, grad, v, regularized or _everything(theta), learning_rate, momentum, nesterov)
    return None
