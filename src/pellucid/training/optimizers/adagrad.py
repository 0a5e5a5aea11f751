"""Adagrad: the gradient over the root of the sum of all its squares so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from pellucid.registry import option, register
from pellucid.training.optimizers.base import Optimizer
from pellucid.types import Array


@final
@register("adagrad")
@dataclass
class Adagrad(Optimizer):
    """Divide the gradient by the root of the sum of all its squares so far: for rare features. Weight decay is L2.

    Notes
    -----
    Duchi, Hazan and Singer (2011), the diagonal form::

        s <- s + g^2
        theta <- theta - eta g / (sqrt(s) + epsilon)

    Examples
    --------
    >>> adagrad, theta = Adagrad(learning_rate=0.5), np.array([1.0])
    >>> adagrad.start(theta, np.ones(1))
    >>> adagrad.step(theta, np.array([3.0]))
    >>> theta.round(6)
    array([0.5])
    """

    is_divisible = True
    slot_names = ("squares",)

    initial_sum: float = option(0.0, at_least=0, help="What the sum of squares starts from.")
    epsilon: float = option(1e-10, above=0, help="Keeps the division finite.")

    def start(self, theta: Array, decay_mask: Array) -> None:
        """Make the sum of squares, all ``initial_sum``."""
        super().start(theta, decay_mask)
        for slot in self._slots or ():
            slot.fill(self.initial_sum)

    def _update(self, theta: Array, grad: Array, scratch: Array, slots: Sequence[Array]) -> None:
        (squares,) = slots
        np.multiply(grad, grad, out=scratch)
        squares += scratch  # s <- s + g^2
        np.sqrt(squares, out=scratch)
        scratch += self.epsilon
        grad /= scratch
        grad *= self.learning_rate
        theta -= grad
