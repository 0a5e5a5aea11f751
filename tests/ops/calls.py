"""Functions with kernels that are no pairs of ops: what they are called with, for tests that go through them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pellucid.ops.batch_norm import batch_norm_forward
from pellucid.training.optimizers.base import OPTIMIZERS

list(OPTIMIZERS.items())  # which loads them


class Call(NamedTuple):
    """A function by name, and arguments, some of which it may change."""

    name: str
    make: Callable[[np.random.Generator, Any, int], tuple[Any, ...]]  # from a generator, a dtype and a size
    options: dict[str, Any] = {}  # noqa: RUF012

    def __str__(self) -> str:
        return f"{self.name} {self.options}"


def flat(n: int) -> Callable[..., tuple[Any, ...]]:
    """Return what makes parameters, a gradient, and n arrays of positive numbers."""
    return lambda rng, dtype, size: (
        *rng.standard_normal((2, size)).astype(dtype),
        *rng.random((n, size)).astype(dtype),
    )


def normed(rng: np.random.Generator, dtype: Any, m: int) -> tuple[Any, ...]:
    """Return a gradient for the output of a batch norm, and the norm's cache."""
    X, dY = rng.standard_normal((2, m, 3)).astype(dtype)
    ones = np.ones(3, dtype)
    return dY, batch_norm_forward(X, ones, ones, epsilon=0.1)[-1]


CALLS = [
    Call("adam", flat(2), {"t": 1, "learning_rate": 0.1, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}),
    Call("adam", flat(2), {"t": 7, "learning_rate": 0.01, "beta1": 0.0, "beta2": 0.9, "epsilon": 1e-2}),
    Call("sgd", flat(0), {"learning_rate": 0.1, "momentum": 0.0, "nesterov": False}),
    Call("sgd", flat(1), {"learning_rate": 0.1, "momentum": 0.9, "nesterov": False}),
    Call("sgd", flat(1), {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    Call("batch_moments", lambda rng, dtype, m: (2 + rng.random((m, 3)).astype(dtype),)),
    Call("gradient_sums", normed),
]

# Kernels whose tests need arguments of their own, in these files below tests/.
ELSEWHERE = {"conv_affine": "kernels/test_fused.py", "conv_run": "kernels/test_conv_run.py"}

# Optimizers, whose rules share clipping and decay.
RULES: list[tuple[str, dict[str, Any]]] = [
    ("sgd", {"learning_rate": 0.05}),
    ("sgd", {"learning_rate": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    ("rmsprop", {"learning_rate": 0.01}),
    ("rmsprop", {"learning_rate": 0.01, "decay": 0.9, "momentum": 0.7, "weight_decay": 0.1}),
    ("adagrad", {"learning_rate": 0.1, "initial_sum": 0.3, "weight_decay": 0.1}),
    ("adam", {"learning_rate": 0.01, "weight_decay": 0.1}),
    ("adamw", {"learning_rate": 0.01, "weight_decay": 0.3}),
]
