"""Gradient descent."""

from dataclasses import dataclass
from typing import final

from pellucid.dispatch.twins import twins
from pellucid.errors import OptionError
from pellucid.registry import option, register
from pellucid.training.optimizers.base import Optimizer
from pellucid.types import Array


def sgd(
    theta: Array,
    grad: Array,
    velocity: Array | None = None,
    *,
    learning_rate: float,
    momentum: float,
    nesterov: bool,
) -> None:
    """v <- mu v + g, theta <- theta - eta v, or with Nesterov theta <- theta - eta (g + mu v); v = g where mu is 0.

    Parameters
    ----------
    theta, grad : Array, shape (p,)
        Parameters, changed in place; gradient.
    velocity : Array or None, shape (p,)
        v, changed in place; 0 before the first step.
    learning_rate, momentum, nesterov

    Notes
    -----
    Polyak (1964); Sutskever et al. (2013); both as PyTorch has them.

    Examples
    --------
    >>> theta, v = np.array([1.0]), np.array([1.0])
    >>> sgd(theta, np.ones(1), v, learning_rate=0.5, momentum=0.9, nesterov=False)
    >>> v, theta
    (array([1.9]), array([0.05]))
    """
    direction = grad
    if velocity is not None:
        velocity *= momentum
        velocity += grad
        direction = grad + momentum * velocity if nesterov else velocity
    theta -= learning_rate * direction


@final
@register("sgd")
@dataclass
class SGD(Optimizer):
    """Gradient descent, optionally with momentum, Nesterov's look-ahead and weight decay (L2).

    Notes
    -----
    :func:`sgd`, after g <- g + lambda theta.

    Examples
    --------
    >>> optimizer, theta = SGD(learning_rate=0.5), np.array([1.0])
    >>> optimizer.start(theta, np.ones(1))
    >>> optimizer.step(theta, np.array([1.0]))
    >>> theta
    array([0.5])
    """

    rule, is_divisible = twins(sgd, kernel="optimizers", extra=("regularized",)), True

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
        """Whether nothing but the length of the gradient as a whole is clipped, and all have one learning rate."""
        return self.clip_value is None and not self.ntk
