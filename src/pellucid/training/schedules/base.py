"""What every schedule is: a factor for each step, by which the optimizer's learning rate is multiplied.

Wherever a schedule counts steps, a whole number means steps and a fraction below 1 means that of the training.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pellucid.registry import Configurable, Limits, Registry, check_option, option
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.saved_state import check_keys, saved_numbers

SCHEDULES: "Registry[Schedule]" = Registry("schedule", "pellucid.training.schedules")


@dataclass
class Schedule(Configurable):
    """A factor for each step, by which the optimizer's learning rate is multiplied.

    To write one, derive from it and define ``__call__``: see docs/extending.md. A training calls ``start`` once,
    ``apply`` before each step, and ``observe`` after each epoch.
    """

    _registry = SCHEDULES
    number_names: ClassVar[tuple[str, ...]] = ("base_rate", "n_steps")  # what a resumed training needs

    def __post_init__(self) -> None:
        super().__post_init__()
        self.base_rate, self.n_steps = 1.0, 1

    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor at a step, counted from 0, of a training of ``n_steps``."""
        raise NotImplementedError

    def start(self, base_rate: float, n_steps: int) -> None:
        """Set the rate that the factors multiply, and the length of the training."""
        where = type(self).__name__
        self.base_rate = check_option(where, "base_rate", base_rate, float, Limits(above=0))
        self.n_steps = check_option(where, "n_steps", n_steps, int, Limits(at_least=1))

    def rate(self, step: int) -> float:
        """Return the learning rate at a step, counted from 0."""
        return self.base_rate * self(step, self.n_steps)

    def apply(self, optimizer: Optimizer, step: int) -> None:
        """Set the optimizer's learning rate for a step."""
        optimizer._keep("learning_rate", self.rate(step))

    def observe(self, metric: float) -> None:
        """Take note of the epoch's metric; most schedules ignore it."""

    def state(self) -> dict[str, float | int]:
        """Return what another schedule of the same options needs to go on from here."""
        return {name: getattr(self, name) for name in self.number_names}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a ``state()``; a FormatError if it is another schedule's."""
        where = f"{type(self).__name__}.load_state"
        check_keys(where, state, self.number_names)
        for name, number in saved_numbers(where, state, self.number_names, self).items():
            setattr(self, name, number)


def duration(default: float, *, at_least: int = 0, help: str) -> Any:
    """Return an option that is a number of steps (a whole number) or a fraction of the training (below 1).

    Examples
    --------
    >>> from pellucid.training.schedules import Step
    >>> Step(every=2.5)
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: step: expected every to be a whole number of at least 1 (steps) or a fraction ...
    """

    def check(number: float) -> float:
        if (number < at_least) if number.is_integer() else (number > 1):
            raise ValueError(
                f"a whole number of at least {at_least} (steps) or a fraction of the training below 1"
            )
        return int(number) if number.is_integer() else number

    return option(default, at_least=0, check=check, help=help)


def in_steps(value: float, n_steps: int) -> float:
    """Return the number of steps of a ``duration``.

    Examples
    --------
    >>> in_steps(10, 200), in_steps(0.25, 200)
    (10, 50.0)
    """
    return value if isinstance(value, int) else value * n_steps
