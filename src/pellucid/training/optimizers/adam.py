"""Adam and AdamW: a running mean of the gradient over a running root mean square of it.

The running means, m <- beta m + (1 - beta) g, are kept as M = m / (1 - beta), so that M <- beta M + g saves a pass;
the factor goes into the step size and epsilon, once a step instead of once a parameter. The result is the same
number, in ten passes over a block that stays in cache.
"""

import math
from collections.abc import Sequence
from typing import Any, final

import numpy as np

from pellucid.training.optimizers.base import Optimizer
from pellucid.training.validate import check_number
from pellucid.types import Array


class _AdamRule(Optimizer):
    """What Adam and AdamW share: everything but the decay."""

    is_divisible = True
    slot_names = ("first_moment", "second_moment")  # M = m / (1 - beta1), V = v / (1 - beta2)
    number_names = (*Optimizer.number_names, "beta1", "beta1_before")

    def __init__(
        self, learning_rate: float, beta1: float, beta2: float, epsilon: float, **options: Any
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta1 = self.beta1_before = check_number("beta1", beta1, at_least=0, below=1)
        self.beta2 = check_number("beta2", beta2, at_least=0, below=1)
        self.epsilon = check_number("epsilon", epsilon, above=0)

    def start(self, theta: Array, decay_mask: Array) -> None:
        """Make both moments, all zero."""
        super().start(theta, decay_mask)
        self.beta1_before = self.beta1

    def _begin(self) -> None:
        """Fold (1 - beta) and the corrections of both moments into three numbers.

        With root = sqrt((1 - beta2) / (1 - beta2^t)), sqrt(v_hat) = root sqrt(V), so that eta m_hat over
        (sqrt(v_hat) + epsilon) is eta (1 - beta1) / (1 - beta1^t) / root times M over (sqrt(V) + epsilon / root).
        """
        beta1, t = self.beta1, self.n_steps
        root = math.sqrt((1 - self.beta2) / (1 - self.beta2**t))
        self._rate = self.learning_rate * (1 - beta1) / (1 - beta1**t) / root
        self._epsilon = self.epsilon / root
        # M was divided by the beta1 of the step before, which a schedule may have moved since.
        self._keep = beta1 * (1 - self.beta1_before) / (1 - beta1)
        self.beta1_before = beta1

    def _update(self, theta: Array, grad: Array, scratch: Array, slots: Sequence[Array]) -> None:
        first_moment, second_moment = slots
        first_moment *= self._keep  # M <- beta1 M + g
        first_moment += grad
        grad *= grad
        second_moment *= self.beta2  # V <- beta2 V + g^2
        second_moment += grad
        np.sqrt(second_moment, out=grad)
        grad += self._epsilon
        np.divide(first_moment, grad, out=grad)
        grad *= self._rate
        theta -= grad

    def config(self) -> dict[str, Any]:
        """Return the options by name."""
        own = {"beta1": self.beta1, "beta2": self.beta2, "epsilon": self.epsilon}
        return {**super().config(), **own}


@final
class Adam(_AdamRule):
    """Divide a running mean of the gradient by a running root mean square of it.

    Parameters
    ----------
    learning_rate : float, optional
        eta, above 0: about how far a parameter moves in a step.
    beta1, beta2 : float, optional
        From 0 to below 1: how much of the running means of g and of g^2 is kept each step.
    epsilon : float, optional
        Above 0; keeps the division finite.
    weight_decay, decay_biases, clip_value, clip_norm : optional
        See :class:`pellucid.training.optimizers.base.Optimizer`; the decay is L2. :class:`AdamW` decouples it.

    Notes
    -----
    Kingma and Ba (2015), algorithm 1, at step t = 1, 2, ...::

        m <- beta1 m + (1 - beta1) g               m_hat = m / (1 - beta1^t)
        v <- beta2 v + (1 - beta2) g^2             v_hat = v / (1 - beta2^t)
        theta <- theta - eta m_hat / (sqrt(v_hat) + epsilon)

    Examples
    --------
    >>> adam, theta = Adam(learning_rate=0.1), np.array([1.0, 1.0])
    >>> adam.start(theta, np.ones(2))
    >>> adam.step(theta, np.array([0.001, 1000.0]))
    >>> theta.round(4)
    array([0.9, 0.9])
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        decay_biases: bool = False,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            beta1,
            beta2,
            epsilon,
            weight_decay=weight_decay,
            decay_biases=decay_biases,
            clip_value=clip_value,
            clip_norm=clip_norm,
        )


@final
class AdamW(_AdamRule):
    """Adam with the decay beside the adaptive step, not inside it.

    Parameters
    ----------
    learning_rate : float, optional
        eta, above 0.
    beta1, beta2, epsilon : float, optional
        As in :class:`Adam`.
    weight_decay : float, optional
        lambda, 0 or more: each step shrinks the parameters by the factor 1 - eta lambda.
    decay_biases, clip_value, clip_norm : optional
        See :class:`pellucid.training.optimizers.base.Optimizer`.

    Notes
    -----
    Loshchilov and Hutter (2019), algorithm 2, with eta lambda for the decay's factor, as PyTorch has it::

        theta <- theta - eta lambda theta
        then Adam's step; the gradient knows nothing of the decay

    Examples
    --------
    >>> adamw, theta = AdamW(learning_rate=0.1, weight_decay=0.5), np.array([1.0, 1.0])
    >>> adamw.start(theta, np.array([1.0, 0.0]))
    >>> adamw.step(theta, np.zeros(2))
    >>> theta
    array([0.95, 1.  ])
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        *,
        decay_biases: bool = False,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            beta1,
            beta2,
            epsilon,
            weight_decay=weight_decay,
            decay_biases=decay_biases,
            clip_value=clip_value,
            clip_norm=clip_norm,
        )

    def _decay(self, theta: Array, grad: Array, start: int, stop: int) -> None:
        keep = 1 - self.learning_rate * self.weight_decay
        for first, last in self._decayed:
            a, b = max(first, start), min(last, stop)
            if a < b:
                theta[a:b] *= keep
