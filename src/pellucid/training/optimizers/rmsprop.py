"""RMSprop: the gradient over a running root mean square of itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np

from pellucid.registry import option, register
from pellucid.training.optimizers.base import Optimizer
from pellucid.types import Array


@final
@register("rmsprop")
@dataclass
class RMSprop(Optimizer):
    """Divide the gradient by a running root mean square of itself; weight decay is L2.

    Notes
    -----
    Tieleman and Hinton (2012), lecture 6.5, with epsilon and momentum as PyTorch has them::

        s <- rho s + (1 - rho) g^2
        u  = g / (sqrt(s) + epsilon)
        v <- mu v + u
        theta <- theta - eta v

    Examples
    --------
    >>> rmsprop, theta = RMSprop(learning_rate=0.1, decay=0.75), np.array([1.0, 1.0])
    >>> rmsprop.start(theta, np.ones(2))
    >>> rmsprop.step(theta, np.array([1.0, 1000.0]))
    >>> theta.round(6)
    array([0.8, 0.8])
    """

    is_divisible = True
    slot_names: tuple[str, ...] = field(default=("squares",), init=False, repr=False)

    decay: float = option(
        0.99, at_least=0, below=1, help="rho: how much of the running mean of squares is kept each step."
    )
    momentum: float = option(0.0, at_least=0, below=1, help="mu: how much of the velocity is kept each step.")
    epsilon: float = option(1e-8, above=0, help="Keeps the division finite.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.momentum:
            self.slot_names = ("squares", "velocity")
            self.number_names = (*self.number_names, "momentum")

    def _update(self, theta: Array, grad: Array, scratch: Array, slots: Sequence[Array]) -> None:
        squares, *velocities = slots
        np.multiply(grad, grad, out=scratch)
        scratch *= 1 - self.decay
        squares *= self.decay  # s <- rho s + (1 - rho) g^2
        squares += scratch
        np.sqrt(squares, out=scratch)
        scratch += self.epsilon
        grad /= scratch  # u = g / (sqrt(s) + epsilon)
        direction = grad
        if velocities:
            direction = velocities[0]
            direction *= self.momentum  # v <- mu v + u
            direction += grad
        np.multiply(direction, self.learning_rate, out=scratch)
        theta -= scratch
