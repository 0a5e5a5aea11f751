"""Gradient descent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from pellucid.errors import OptionError
from pellucid.registry import option, register
from pellucid.training.optimizers.base import Optimizer
from pellucid.types import Array


@final
@register("sgd")
@dataclass
class SGD(Optimizer):
    """Gradient descent, optionally with momentum, Nesterov's look-ahead and weight decay (L2).

    Notes
    -----
    ::

        g <- g + lambda theta
        v <- mu v + g                      (Polyak, 1964)
        theta <- theta - eta v             or, with Nesterov, theta - eta (g + mu v)   (Sutskever et al., 2013)

    as PyTorch has it; v starts at 0.

    Examples
    --------
    >>> sgd, theta = SGD(learning_rate=0.5), np.array([1.0])
    >>> sgd.start(theta, np.ones(1))
    >>> sgd.step(theta, np.array([1.0]))
    >>> theta
    array([0.5])
    """

    is_divisible = True

    learning_rate: float = option(0.0075, above=0, help="Step size, eta.")
    momentum: float = option(0.0, at_least=0, below=1, help="mu: how much of the velocity is kept each step.")
    nesterov: bool = option(False, help="Look ahead along the velocity; needs momentum.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and not self.momentum:
            raise OptionError(
                "nesterov: it looks ahead along the momentum; set momentum above 0, such as 0.9."
            )
        if self.momentum:
            self.slot_names = ("velocity",)
            self.number_names = (*self.number_names, "momentum")

    @property
    def is_linear(self) -> bool:
        """Whether nothing but the length of the gradient as a whole is clipped."""
        return self.clip_value is None

    def _update(self, theta: Array, grad: Array, scratch: Array, slots: Sequence[Array]) -> None:
        direction = grad
        if slots:
            (velocity,) = slots
            velocity *= self.momentum  # v <- mu v + g
            velocity += grad
            if self.nesterov:  # g <- g + mu v
                np.multiply(velocity, self.momentum, out=scratch)
                grad += scratch
            else:
                direction = velocity
        np.multiply(direction, self.learning_rate, out=scratch)
        theta -= scratch
