"""Constant rates, and rates that fall by a factor: in steps, or steadily."""

from dataclasses import dataclass
from typing import final

from pellucid.registry import option, register
from pellucid.training.schedules.base import Schedule, duration, in_steps


@final
@register("constant")
@dataclass
class Constant(Schedule):
    """The same rate throughout.

    The factor is::

        1

    Examples
    --------
    >>> Constant()(7, 10)
    1.0
    """

    def __call__(self, step: int, n_steps: int) -> float:
        """Return 1."""
        return 1.0


@final
@register("step")
@dataclass
class Step(Schedule):
    """Multiply the rate by ``factor`` every ``every`` steps.

    At step t the factor is::

        factor ^ floor(t / every)

    Examples
    --------
    >>> [Step(every=2, factor=0.5)(t, 6) for t in range(6)]
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """

    every: float = duration(0.25, at_least=1, help="Steps, or fraction of the training, between two falls.")
    factor: float = option(0.1, above=0, at_most=1, help="What each fall multiplies the rate by.")

    def __call__(self, step: int, n_steps: int) -> float:
        """Return factor ^ floor(step / every)."""
        return float(self.factor ** (step // max(1, round(in_steps(self.every, n_steps)))))


@final
@register("exponential")
@dataclass
class Exponential(Schedule):
    """Multiply the rate by the same ratio in every step.

    At step t the factor is::

        factor ^ (t / every)

    Examples
    --------
    >>> [Exponential(factor=0.25, every=2)(t, 5) for t in range(5)]
    [1.0, 0.5, 0.25, 0.125, 0.0625]
    """

    factor: float = option(0.1, above=0, at_most=1, help="What ``every`` steps multiply the rate by.")
    every: float = duration(0.5, at_least=1, help="Steps, or fraction of the training.")

    def __call__(self, step: int, n_steps: int) -> float:
        """Return factor ^ (step / every)."""
        return float(self.factor ** (step / in_steps(self.every, n_steps)))
