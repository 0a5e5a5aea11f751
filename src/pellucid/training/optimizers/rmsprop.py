"""RMSprop: the gradient over a running root mean square of itself."""

from dataclasses import dataclass, field
from typing import final

import numpy as np

from pellucid.registry import option, register
from pellucid.training.optimizers.base import Optimizer
from pellucid.types import Array


def rmsprop(
    theta: Array,
    grad: Array,
    squares: Array,
    velocity: Array | None = None,
    *,
    learning_rate: float,
    decay: float,
    momentum: float,
    epsilon: float,
) -> None:
    """s <- rho s + (1 - rho) g^2, v <- mu v + g / (sqrt(s) + epsilon), theta <- theta - eta v.

    Parameters
    ----------
    theta, grad : Array, shape (p,)
        Parameters, changed in place; gradient.
    squares : Array, shape (p,)
        s, changed in place; 0 before the first step.
    velocity : Array or None, shape (p,)
        v, changed in place; 0 before the first step; None where mu is 0.
    learning_rate, decay, momentum, epsilon : float
        eta, rho, mu and epsilon.

    Notes
    -----
    Tieleman and Hinton (2012), lecture 6.5, with epsilon and momentum as PyTorch has them.

    Examples
    --------
    >>> theta, s, numbers = np.ones(2), np.zeros(2), {"learning_rate": 0.1, "momentum": 0.0, "epsilon": 1e-8}
    >>> rmsprop(theta, np.array([1.0, 1000.0]), s, None, decay=0.75, **numbers)
    >>> theta.round(6)
    array([0.8, 0.8])
    """
    squares *= decay
    squares += (1 - decay) * (grad * grad)
    direction = grad / (np.sqrt(squares) + epsilon)
    if velocity is not None:
        velocity *= momentum
        velocity += direction
        direction = velocity
    theta -= learning_rate * direction


@final
@register("rmsprop")
@dataclass
class RMSprop(Optimizer):
    """Divide the gradient by a running root mean square of itself; weight decay is L2.

    Notes
    -----
    :func:`rmsprop`, after g <- g + lambda theta.
    """

    rule, is_divisible = staticmethod(rmsprop), True
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
