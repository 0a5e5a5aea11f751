"""Optimizers: how a gradient moves the parameters, on flat arrays and in place."""

from typing import Any, final

import numpy as np

from pellucid.errors import OptionError
from pellucid.types import Array


class Optimizer:
    """What every optimizer is.

    Attributes
    ----------
    learning_rate : float
    is_linear : bool
        Whether every update is a linear function of the gradients so far: then the first layer's weights never
        leave the span of the training rows, and the dual form is exact.
    """

    is_linear = False

    def __init__(self, learning_rate: float) -> None:
        if not learning_rate > 0 or not np.isfinite(learning_rate):
            raise OptionError(f"learning_rate: expected a number above 0, got {learning_rate}.")
        self.learning_rate = float(learning_rate)

    def start(self, theta: Array, decay_mask: Array) -> None:
        """Make ready for parameters like ``theta``; ``decay_mask`` is 1 where decay applies, else 0."""
        raise NotImplementedError

    def step(self, theta: Array, grad: Array) -> None:
        """Move ``theta`` one step, in place; ``grad`` may be overwritten."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Return the options by name, for the record of a run."""
        return {"type": type(self).__name__, "learning_rate": self.learning_rate}


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
    weight_decay : float, optional
        lambda, 0 or more: the gradient of lambda/2 ||W||^2 is added, on weights but not on biases.

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

    is_linear = True

    def __init__(
        self,
        learning_rate: float = 0.0075,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate)
        if not 0 <= momentum < 1:
            raise OptionError(f"momentum: expected 0 to below 1, got {momentum}.")
        if nesterov and momentum == 0:
            raise OptionError(
                "nesterov: it looks ahead along the momentum; set momentum above 0, such as 0.9."
            )
        if not weight_decay >= 0:
            raise OptionError(f"weight_decay: expected 0 or more, got {weight_decay}.")
        self.momentum, self.nesterov, self.weight_decay = float(momentum), nesterov, float(weight_decay)

    def start(self, theta: Array, decay_mask: Array) -> None:
        """Make the velocity, all zero."""
        self._scratch = np.empty_like(theta)
        self._decay = self.weight_decay * decay_mask
        self.velocity = np.zeros_like(theta) if self.momentum else None

    def step(self, theta: Array, grad: Array) -> None:
        """Move ``theta`` one step, in place; ``grad`` may be overwritten."""
        scratch = self._scratch
        if self.weight_decay:  # g <- g + lambda theta
            np.multiply(theta, self._decay, out=scratch)
            grad += scratch
        if self.velocity is not None:
            self.velocity *= self.momentum  # v <- mu v + g
            self.velocity += grad
            if self.nesterov:  # g <- g + mu v
                np.multiply(self.velocity, self.momentum, out=scratch)
                grad += scratch
            else:
                grad = self.velocity
        np.multiply(grad, self.learning_rate, out=scratch)
        theta -= scratch

    def config(self) -> dict[str, Any]:
        """Return the options by name."""
        return {
            **super().config(),
            "momentum": self.momentum,
            "nesterov": self.nesterov,
            "weight_decay": self.weight_decay,
        }


OPTIMIZERS: dict[str, type[SGD]] = {"sgd": SGD}
