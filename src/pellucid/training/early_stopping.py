"""Stopping early, and keeping the best parameters."""

import math
from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np

from pellucid.errors import OptionError, unknown_name
from pellucid.nn.model import Model
from pellucid.training.events import EpochEnd, Event, Run, StepsEnd, TrainStart
from pellucid.training.validate import check_count, check_number
from pellucid.types import Array


@final
class EarlyStopping:
    """Stop once a metric has not improved for a while, and put the best parameters back.

    Parameters
    ----------
    metric : str or callable, optional
        A figure of the epoch ("loss", "validation_loss", "validation_accuracy"), or a function that takes the model
        and returns a number.
    patience : int, optional
        Epochs without improvement that are waited for.
    min_delta : float, optional
        What counts as an improvement must be larger than this.
    mode : {"min", "max"}, optional
        Which way is better; default: "max" for names with "accuracy" in them, else "min".

    Attributes
    ----------
    best : float
        The best value so far, of epoch ``best_epoch``.
    """

    def __init__(
        self,
        metric: str | Callable[[Model], float] = "validation_loss",
        *,
        patience: int = 10,
        min_delta: float = 0.0,
        mode: str | None = None,
    ) -> None:
        if mode not in (None, "min", "max"):
            raise OptionError(f"EarlyStopping: {unknown_name('mode', mode, ('min', 'max'))}")
        self.metric = metric
        self.patience = check_count("patience", patience, at_least=0)
        self.min_delta = check_number("min_delta", min_delta, at_least=0)
        is_max = mode == "max" if mode else isinstance(metric, str) and "accuracy" in metric
        self._sign = -1.0 if is_max else 1.0
        self._run: Run | None = None
        self._forget()

    def _forget(self) -> None:
        self.best, self.best_epoch, self.n_waited = math.inf * self._sign, -1, 0
        self._theta: Array | None = None
        self._states: list[dict[str, Array]] = []

    def __call__(self, event: Event) -> bool:
        """Listen."""
        if isinstance(event, TrainStart):
            self._run = event.run
            self._forget()
        elif isinstance(event, EpochEnd):
            return self._judge(event)
        elif isinstance(event, StepsEnd) and self._theta is not None:
            model = event.run.model
            model.theta[...] = self._theta
            for leaf, state in zip(model.leaves(), self._states, strict=True):
                for key, value in state.items():
                    leaf.state[key][...] = value
        return False

    def _judge(self, event: EpochEnd) -> bool:
        assert self._run is not None
        value = self._value(event.metrics)
        if self._sign * value < self._sign * self.best - self.min_delta:
            self.best, self.best_epoch, self.n_waited = value, event.epoch, 0
            model = self._run.model
            self._theta = model.theta.copy()
            self._states = [
                {key: value.copy() for key, value in leaf.state.items()} for leaf in model.leaves()
            ]
            return False
        self.n_waited += 1
        return self.n_waited > self.patience

    def _value(self, metrics: Mapping[str, float]) -> float:
        if not isinstance(self.metric, str):
            assert self._run is not None
            return float(self.metric(self._run.model))
        if self.metric not in metrics:
            hint = " Give train() validation data." if self.metric.startswith("validation") else ""
            raise OptionError(f"EarlyStopping: {unknown_name('metric', self.metric, metrics)}{hint}")
        return metrics[self.metric]

    def state(self) -> dict[str, Any]:
        """Return what another of the same options needs to go on."""
        arrays = {f"{i}.{key}": value for i, state in enumerate(self._states) for key, value in state.items()}
        theta = {} if self._theta is None else {"theta": self._theta}
        numbers = {"best": self.best, "best_epoch": self.best_epoch, "n_waited": self.n_waited}
        return {**numbers, **theta, **arrays}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a ``state()``."""
        assert self._run is not None
        self.best, self.best_epoch = float(state["best"]), int(state["best_epoch"])
        self.n_waited = int(state["n_waited"])
        self._theta = np.array(state["theta"]) if "theta" in state else None
        self._states = [
            {key: np.array(state[f"{i}.{key}"]) for key in leaf.state if f"{i}.{key}" in state}
            for i, leaf in enumerate(self._run.model.leaves())
        ]
