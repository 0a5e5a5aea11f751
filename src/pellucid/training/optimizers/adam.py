"""Optimizers that divide by a size of each parameter's gradients: Adam, AdamW, Adagrad and RMSprop."""

from dataclasses import KW_ONLY, dataclass, field
from typing import final

import numpy as np

from pellucid.dispatch.twins import twins
from pellucid.registry import option, register
from pellucid.training.optimizers.base import Optimizer
from pellucid.types import Array


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
) -> None:
    """m <- m + (1 - b1) (g - m), v <- v + (1 - b2) (g^2 - v), theta <- theta - eta m_hat / (sqrt(v_hat) + epsilon).

    Parameters
    ----------
    theta, grad : Array, shape (p,)
        Parameters, changed in place, and gradient.
    m, v : Array, shape (p,)
        Both moments, changed in place; 0 before the first step.
    t : int
        The step's number, from 1.
    learning_rate, beta1, beta2, epsilon : float

    Notes
    -----
    Kingma and Ba (2015), algorithm 1. m_hat = m / (1 - b1^t) and v_hat = v / (1 - b2^t): the moments start at 0.

    Examples
    --------
    >>> theta, m, v = np.array([1.0, 1.0]), np.zeros(2), np.zeros(2)
    >>> grad, numbers = np.array([0.001, 1000.0]), {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    >>> adam(theta, grad, m, v, t=1, learning_rate=0.1, **numbers)
    >>> theta.round(4)
    array([0.9, 0.9])
    """
    m += (1 - beta1) * (grad - m)
    v += (1 - beta2) * (grad * grad - v)
    rate = learning_rate / (1 - beta1**t)
    theta -= rate * m / (np.sqrt(v / (1 - beta2**t)) + epsilon)


@register("adam")
@dataclass
class Adam(Optimizer):
    """Divide a running mean of the gradient by a running root mean square of it; weight decay is L2.

    Notes
    -----
    :func:`adam`, after g <- g + lambda theta.

    Examples
    --------
    >>> optimizer, theta = Adam(learning_rate=0.1), np.array([1.0, 1.0])
    >>> optimizer.start(theta, np.ones(2))
    >>> optimizer.step(theta, np.array([0.001, 1000.0]))
    >>> theta.round(4)
    array([0.9, 0.9])
    """

    rule, is_divisible = twins(adam, kernel="optimizers", extra=("regularized",)), True
    slot_names = ("first_moment", "second_moment")
    number_names = ("n_steps", "learning_rate", "beta1")

    learning_rate: float = option(
        0.001, above=0, help="Step size, eta: about how far a parameter moves in a step."
    )
    beta1: float = option(
        0.9, at_least=0, below=1, help="How much of the running mean of g is kept each step."
    )
    beta2: float = option(
        0.999, at_least=0, below=1, help="How much of the running mean of g^2 is kept each step."
    )
    epsilon: float = option(1e-8, above=0, help="Keeps the division finite.")

    @property
    def t(self) -> int:
        """The number of the step, counted from 1, as the rule has it."""
        return self.n_steps


@final
@register("adamw")
@dataclass
class AdamW(Adam):
    """Adam with decoupled weight decay: next to the adaptive step, not part of its gradient.

    Notes
    -----
    Loshchilov and Hutter (2019), algorithm 2, with eta lambda for the decay's factor, as PyTorch has it::

        theta <- theta - eta lambda theta
        then Adam's step, whose gradient has no part of the decay

    Examples
    --------
    >>> adamw, theta = AdamW(learning_rate=0.1, weight_decay=0.5), np.array([1.0, 1.0])
    >>> adamw.start(theta, np.array([1.0, 0.0]))
    >>> adamw.step(theta, np.zeros(2))
    >>> theta
    array([0.95, 1.  ])
    """

    decouples_decay = True

    _: KW_ONLY
    weight_decay: float = option(
        0.01, at_least=0, help="lambda: each step multiplies the weights by 1 - eta lambda."
    )


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
    """s <- s + (1 - rho) (g^2 - s), v <- mu v + g / (sqrt(s) + epsilon), theta <- theta - eta v.

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
    squares += (1 - decay) * (grad * grad - squares)
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
