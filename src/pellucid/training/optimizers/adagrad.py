"""Adagrad: the gradient over the root of the sum of all its squares so far."""

from dataclasses import dataclass
from typing import final

import numpy as np

from pellucid.registry import option, register
from pellucid.training.optimizers.base import Optimizer
from pellucid.types import Array


def adagrad(theta: Array, grad: Array, squares: Array, *, learning_rate: float, epsilon: float) -> None:
    """s <- s + g^2, theta <- theta - eta g / (sqrt(s) + epsilon).

    Parameters
    ----------
    theta, grad : Array, shape (p,)
        Parameters, changed in place; gradient.
    squares : Array, shape (p,)
        s, changed in place.
    learning_rate, epsilon : float

    Notes
    -----
    Duchi, Hazan and Singer (2011), the diagonal form.

    Examples
    --------
    >>> theta, s = np.array([1.0]), np.zeros(1)
    >>> adagrad(theta, np.array([3.0]), s, learning_rate=0.5, epsilon=1e-10)
    >>> s, theta.round(6)
    (array([9.]), array([0.5]))
    """
    squares += grad * grad
    theta -= learning_rate * (grad / (np.sqrt(squares) + epsilon))


@final
@register("adagrad")
@dataclass
class Adagrad(Optimizer):
    """Divide the gradient by the root of the sum of all its squares so far: for rare features. Weight decay is L2.

    Notes
    -----
    :func:`adagrad`, after g <- g + lambda theta.
    """

    rule, is_divisible = staticmethod(adagrad), True
    slot_names = ("squares",)

    initial_sum: float = option(0.0, at_least=0, help="What the sum of squares starts from.")
    epsilon: float = option(1e-10, above=0, help="Keeps the division finite.")

    def start(self, theta: Array, decay_mask: Array) -> None:
        """Make the sum of squares, all ``initial_sum``."""
        super().start(theta, decay_mask)
        for slot in self._slots or ():
            slot.fill(self.initial_sum)
