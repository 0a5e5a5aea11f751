"""Optimizers that give each parameter a step size of its own by the squares of its gradients: RMSprop, Adagrad."""

import math
from collections.abc import Sequence
from typing import Any, final

import numpy as np

from pellucid.training.optimizers.base import Optimizer
from pellucid.training.validate import check_number
from pellucid.types import Array


@final
class RMSprop(Optimizer):
    """Divide the gradient by a running root mean square of itself.

    Parameters
    ----------
    learning_rate : float, optional
        eta, above 0.
    decay : float, optional
        rho, from 0 to below 1: how much of the running mean of squares is kept each step.
    momentum : float, optional
        mu, from 0 to below 1.
    epsilon : float, optional
        Above 0; keeps the division finite.
    weight_decay, decay_biases, clip_value, clip_norm : optional
        See :class:`pellucid.training.optimizers.base.Optimizer`; the decay is L2.

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
    slot_names: tuple[str, ...] = ("squares",)

    def __init__(
        self,
        learning_rate: float = 0.01,
        decay: float = 0.99,
        momentum: float = 0.0,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        decay_biases: bool = False,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay=weight_decay,
            decay_biases=decay_biases,
            clip_value=clip_value,
            clip_norm=clip_norm,
        )
        self.decay = check_number("decay", decay, at_least=0, below=1)
        self.momentum = check_number("momentum", momentum, at_least=0, below=1)
        self.epsilon = check_number("epsilon", epsilon, above=0)
        if self.momentum:
            self.slot_names = ("squares", "velocity")
            self.number_names = (*Optimizer.number_names, "momentum")

    def _begin(self) -> None:
        # What is kept is S = s / (1 - rho): S <- rho S + g^2 saves a pass, and sqrt(s) = root sqrt(S).
        root = math.sqrt(1 - self.decay)
        self._rate, self._epsilon = self.learning_rate / root, self.epsilon / root

    def _update(self, theta: Array, grad: Array, scratch: Array, slots: Sequence[Array]) -> None:
        squares = slots[0]
        np.multiply(grad, grad, out=scratch)
        squares *= self.decay  # S <- rho S + g^2
        squares += scratch
        np.sqrt(squares, out=scratch)
        scratch += self._epsilon
        grad /= scratch  # g <- root u
        if len(slots) == 2:
            velocity = slots[1]
            velocity *= self.momentum
            velocity += grad
            np.multiply(velocity, self._rate, out=grad)
        else:
            grad *= self._rate
        theta -= grad

    def config(self) -> dict[str, Any]:
        """Return the options by name."""
        own = {"decay": self.decay, "momentum": self.momentum, "epsilon": self.epsilon}
        return {**super().config(), **own}


@final
class Adagrad(Optimizer):
    """Divide the gradient by the root of the sum of all its squares so far: for rare features.

    Parameters
    ----------
    learning_rate : float, optional
        eta, above 0.
    initial_sum : float, optional
        What the sum of squares starts from, 0 or more.
    epsilon : float, optional
        Above 0; keeps the division finite.
    weight_decay, decay_biases, clip_value, clip_norm : optional
        See :class:`pellucid.training.optimizers.base.Optimizer`; the decay is L2.

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

    def __init__(
        self,
        learning_rate: float = 0.01,
        initial_sum: float = 0.0,
        epsilon: float = 1e-10,
        weight_decay: float = 0.0,
        *,
        decay_biases: bool = False,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay=weight_decay,
            decay_biases=decay_biases,
            clip_value=clip_value,
            clip_norm=clip_norm,
        )
        self.initial_sum = check_number("initial_sum", initial_sum, at_least=0)
        self.epsilon = check_number("epsilon", epsilon, above=0)

    def start(self, theta: Array, decay_mask: Array) -> None:
        """Make the sum of squares, all ``initial_sum``."""
        super().start(theta, decay_mask)
        for slot in self._slots or ():
            slot.fill(self.initial_sum)

    def _update(self, theta: Array, grad: Array, scratch: Array, slots: Sequence[Array]) -> None:
        (squares,) = slots
        np.multiply(grad, grad, out=scratch)
        squares += scratch
        np.sqrt(squares, out=scratch)
        scratch += self.epsilon
        grad /= scratch
        grad *= self.learning_rate
        theta -= grad

    def config(self) -> dict[str, Any]:
        """Return the options by name."""
        return {**super().config(), "initial_sum": self.initial_sum, "epsilon": self.epsilon}
