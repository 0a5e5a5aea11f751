"""Stopping early, and restoring the best parameters."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import OptionError, unknown_name
from pellucid.nn.model import Model
from pellucid.registry import option, register
from pellucid.training.callbacks.base import Callback
from pellucid.training.events import EpochEnd, StepsEnd, TrainingState, TrainStart
from pellucid.training.saved_state import check_array, saved_numbers
from pellucid.types import Array

COUNTED = ("best", "best_epoch", "n_waited")  # what a rule keeps, besides the weights


class BestWeights:
    """Parameters and running statistics as they were at the best epoch, in the form of the training."""

    def __init__(self) -> None:
        self.theta: Array | None = None
        self._states: list[Array] = []

    def keep(self, model: Model) -> None:
        """Take a copy of them."""
        self.theta = model.theta.copy()
        self._states = [array.copy() for array in _state_arrays(model)]

    def restore(self, model: Model, theta: Array | None = None) -> bool:
        """Write them into a model, or another ``theta`` with their statistics; False if none were kept."""
        if self.theta is None:
            return False
        best = self.theta if theta is None else theta
        pairs = [(model.theta, best), *zip(_state_arrays(model), self._states, strict=True)]
        for array, kept in pairs:
            check_array("the best epoch's weights", kept, array)  # a damaged checkpoint may have brought them
        for array, kept in pairs:
            array[...] = kept
        return True

    def state(self) -> dict[str, Array]:
        """Return them by name."""
        theta = {} if self.theta is None else {"theta": self.theta}
        return {**theta, **{f"state.{i}": array for i, array in enumerate(self._states)}}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take them from a ``state()``."""
        self.theta = np.array(state["theta"]) if "theta" in state else None
        n = sum(name.startswith("state.") for name in state)
        self._states = [np.array(state[f"state.{i}"]) for i in range(n)]


@dataclass(eq=False)
class Stopping(Callback):
    """What every rule for stopping early has: epochs without improvement are counted, the best weights restored.

    Attributes
    ----------
    best : float
        The best value so far.
    n_waited : int
        Epochs since it improved.
    run : TrainingState or None
        The training that it watches, or watched.
    """

    changes_training = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.best, self.n_waited = math.inf, 0
        self.run: TrainingState | None = None
        self.weights = BestWeights()

    def train_start(self, event: TrainStart) -> None:
        """Take note of the run."""
        self.run = event.run

    def steps_end(self, event: StepsEnd) -> None:
        """Restore the best weights, where some were kept."""
        self.weights.restore(event.run.model)

    def has_waited(self, patience: float, *, is_better: bool) -> bool:
        """Count an epoch, and return whether more than ``patience`` in a row were no better."""
        self.n_waited = 0 if is_better else self.n_waited + 1
        return self.n_waited > patience


@register
@dataclass(eq=False)
class EarlyStopping(Stopping):
    """Stop when the metric has not improved for ``patience`` epochs, and restore the best weights.

    Parameters
    ----------
    metric : str or callable, optional
        A metric of the epoch ("loss", "validation_loss", "validation_accuracy"), or a function that takes the model
        and returns a number.
    patience : int, optional
    min_delta : float, optional
        What counts as an improvement must be larger than this.
    mode : {"min", "max"}, optional
        Which way is better; default: "max" for names with "accuracy" in them, else "min".

    Attributes
    ----------
    best : float
        The best value so far.
    best_epoch : int
        The epoch that had it, counted from 0 as events do: its place in the columns of the history.

    Examples
    --------
    >>> EarlyStopping(patience=5)
    EarlyStopping(patience=5)
    """

    metric: str | Callable[[Model], float] = option("validation_loss", help="What is watched.")
    patience: int = option(10, at_least=0, kw_only=True, help="Epochs without improvement before it stops.")
    min_delta: float = option(0.0, at_least=0, kw_only=True, help="Least improvement that counts.")
    mode: str | None = option(
        None, choices=lambda: ("min", "max"), kw_only=True, help="Which way is better; default: by the name."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        is_name = isinstance(self.metric, str) and "accuracy" in self.metric
        self._sign = -1.0 if self.mode == "max" or (self.mode is None and is_name) else 1.0
        self._forget()

    def _forget(self) -> None:
        self.best, self.best_epoch, self.n_waited = math.inf * self._sign, -1, 0
        self.weights = BestWeights()

    def train_start(self, event: TrainStart) -> None:
        """Begin again."""
        super().train_start(event)
        self._forget()

    def epoch_end(self, event: EpochEnd) -> bool:
        """Keep the weights of the best epoch, and stop where patience has run out."""
        value = self._value(event)
        is_better = self._sign * value < self._sign * self.best - self.min_delta
        if is_better:
            self.best, self.best_epoch = value, event.epoch
            self.weights.keep(event.run.model)
        return self.has_waited(self.patience, is_better=is_better)

    def _value(self, event: EpochEnd) -> float:
        if not isinstance(self.metric, str):
            return float(self.metric(event.run.model))
        if self.metric not in event.metrics:
            hint = " Give train() validation data." if self.metric.startswith("validation") else ""
            raise OptionError(f"EarlyStopping: {unknown_name('metric', self.metric, event.metrics)}{hint}")
        return event.metrics[self.metric]

    def state(self) -> dict[str, Any]:
        """Return what another of the same options needs to go on."""
        return {**{name: getattr(self, name) for name in COUNTED}, **self.weights.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a ``state()``."""
        numbers = saved_numbers(f"{type(self).__name__}.load_state", state, COUNTED, self)
        for name, number in numbers.items():
            setattr(self, name, number)
        self.weights.load_state(state)


def _state_arrays(model: Model) -> list[Array]:
    return [array for leaf in model._leaves() for array in leaf.state.values()]
