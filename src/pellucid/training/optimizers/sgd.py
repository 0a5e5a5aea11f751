"""Gradient descent."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from pellucid.errors import OptionError
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.validate import check_number
from pellucid.types import Array


@final
class SGD(Optimizer):
    """Gradient descent, with momentum, Nesterov's look-ahead and weight decay by choice.

    Parameters
    ----------
    learning_rate : float, optional
        eta, above 0.
    momentum : float, optional
        mu, from 0 to below 1.
    nesterov : bool, optional
        Look ahead along the velocity; needs momentum.
    weight_decay, decay_biases, clip_value, clip_norm : optional
        See :class:`pellucid.training.optimizers.base.Optimizer`; the decay is L2.

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

    def __init__(
        self,
        learning_rate: float = 0.0075,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        self.momentum, self.nesterov = check_number("momentum", momentum, at_least=0, below=1), nesterov
        if nesterov and not momentum:
            raise OptionError(
                "nesterov: it looks ahead along the momentum; set momentum above 0, such as 0.9."
            )
        self.is_linear = clip_value is None  # clip_norm only shortens the gradient as a whole
        if self.momentum:
            self.slot_names = ("velocity",)
            self.number_names = (*Optimizer.number_names, "momentum")

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

    def config(self) -> dict[str, Any]:
        """Return the options by name."""
        return {**super().config(), "momentum": self.momentum, "nesterov": self.nesterov}
