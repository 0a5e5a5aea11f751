"""Schedules: how the learning rate changes from step to step.

Wherever a schedule counts steps, a whole number is steps and a fraction below 1 is a share of the whole training.
"""

import math
from collections.abc import Mapping
from typing import Any, final

from pellucid.errors import OptionError
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.validate import check_count, check_keys, check_number, check_real


class Schedule:
    """What every schedule is: a factor for each step, by which the optimizer's learning rate is multiplied.

    To write one, derive from it and give it ``__call__`` and ``config``. A training calls ``start`` once, ``apply``
    before each step, and ``observe`` after each epoch.
    """

    number_names: tuple[str, ...] = ("base_rate", "n_steps")  # what a resumed training needs

    def __init__(self) -> None:
        self.base_rate, self.n_steps = 1.0, 1

    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor at a step, counted from 0, of a training of ``n_steps``."""
        raise NotImplementedError

    def start(self, base_rate: float, n_steps: int) -> None:
        """Learn the rate that the factors multiply, and the length of the training."""
        self.base_rate = check_number("base_rate", base_rate, above=0)
        self.n_steps = check_count("n_steps", n_steps)

    def rate(self, step: int) -> float:
        """Return the learning rate at a step, counted from 0."""
        return self.base_rate * self(step, self.n_steps)

    def apply(self, optimizer: Optimizer, step: int) -> None:
        """Set the optimizer up for a step."""
        optimizer.learning_rate = self.rate(step)

    def observe(self, metric: float) -> None:
        """Hear the epoch's metric; most schedules do not mind it."""

    def config(self) -> dict[str, Any]:
        """Return the options by name."""
        return {"type": type(self).__name__}

    def state(self) -> dict[str, float | int]:
        """Return what another schedule of the same options needs to go on from here."""
        return {name: getattr(self, name) for name in self.number_names}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a ``state()``; a FormatError if it is another schedule's."""
        where = f"{type(self).__name__}.load_state"
        check_keys(where, state, self.number_names)
        for name in self.number_names:
            check_real(f"{where}: {name}", state[name])
        for name in self.number_names:
            setattr(self, name, type(getattr(self, name))(state[name]))


@final
class Constant(Schedule):
    """The same rate throughout.

    Examples
    --------
    >>> Constant()(7, 10)
    1.0
    """

    def __call__(self, step: int, n_steps: int) -> float:
        """Return 1."""
        return 1.0


@final
class Step(Schedule):
    """Stairs: times ``factor`` every so many steps.

    Parameters
    ----------
    every : int or float, optional
        Length of a stair: steps, or a share of the training.
    factor : float, optional
        Above 0, at most 1.

    Notes
    -----
    factor ^ floor(t / every) at step t.

    Examples
    --------
    >>> [Step(every=2, factor=0.5)(t, 6) for t in range(6)]
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """

    def __init__(self, every: float = 0.25, factor: float = 0.1) -> None:
        super().__init__()
        self.every = check_length("every", every, at_least=1)
        self.factor = check_number("factor", factor, above=0, at_most=1)

    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor at a step."""
        return float(self.factor ** (step // max(1, round(length(self.every, n_steps)))))

    def config(self) -> dict[str, Any]:
        """Return the options by name."""
        return {**super().config(), "every": self.every, "factor": self.factor}


@final
class Exponential(Schedule):
    """A steady fall: the same ratio from each step to the next.

    Parameters
    ----------
    factor : float, optional
        Above 0, at most 1: what ``every`` steps multiply the rate by.
    every : int or float, optional
        Steps, or a share of the training.

    Notes
    -----
    factor ^ (t / every) at step t.

    Examples
    --------
    >>> [Exponential(factor=0.25, every=2)(t, 5) for t in range(5)]
    [1.0, 0.5, 0.25, 0.125, 0.0625]
    """

    def __init__(self, factor: float = 0.1, every: float = 0.5) -> None:
        super().__init__()
        self.factor = check_number("factor", factor, above=0, at_most=1)
        self.every = check_length("every", every, at_least=1)

    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor at a step."""
        return float(self.factor ** (step / length(self.every, n_steps)))

    def config(self) -> dict[str, Any]:
        """Return the options by name."""
        return {**super().config(), "factor": self.factor, "every": self.every}


@final
class Cosine(Schedule):
    """Half a wave of the cosine, from the full rate to ``final``, after a straight warm-up.

    Parameters
    ----------
    warmup : int or float, optional
        Steps, or a share of the training, over which the rate climbs.
    final : float, optional
        The factor that the end approaches, from 0 to 1.

    Notes
    -----
    Loshchilov and Hutter (2017), equation 5, one cycle; with w steps of warm-up (Goyal et al., 2017, section 2.2)
    of n, the factor at step t is::

        (t + 1) / (w + 1)                                                  t < w
        final + (1 - final) (1 + cos(pi (t - w) / (n - w))) / 2            t >= w

    Examples
    --------
    >>> [round(Cosine(warmup=1)(t, 5), 3) for t in range(5)]
    [0.5, 1.0, 0.854, 0.5, 0.146]
    """

    def __init__(self, warmup: float = 0, final: float = 0.0) -> None:
        super().__init__()
        self.warmup = check_length("warmup", warmup)
        self.final = check_number("final", final, at_least=0, at_most=1)

    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor at a step."""
        warmup = round(length(self.warmup, n_steps))
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return half_wave(1.0, self.final, (step - warmup) / max(n_steps - warmup, 1))

    def config(self) -> dict[str, Any]:
        """Return the options by name."""
        return {**super().config(), "warmup": self.warmup, "final": self.final}


def check_length(name: str, value: Any, *, at_least: int = 0) -> float:
    """Return a number of steps as an int, or a share below 1 as a float."""
    number = check_number(name, value, at_least=0)
    is_share = not number.is_integer()
    if (is_share and number > 1) or (not is_share and number < at_least):
        raise OptionError(
            f"{name}: expected a whole number of at least {at_least} (steps) or a share of the training below 1, "
            f"got {value!r}."
        )
    return number if is_share else int(number)


def length(value: float, n_steps: int) -> float:
    """Return a number of steps from what ``check_length`` returned."""
    return value if isinstance(value, int) else value * n_steps


def half_wave(start: float, end: float, share: float) -> float:
    """Return the value a share of the way from start to end along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
