"""Time: a training that stops after some minutes, and how long it will take, measured on its first steps."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pellucid.ranks import most, rank
from pellucid.registry import option
from pellucid.text import in_minutes, plural
from pellucid.training.callbacks.base import Callback
from pellucid.training.events import StepEnd, TrainStart

MEASURED = 3.0  # seconds of steps, on which the estimate rests
WORTH_SAYING = 30.0  # seconds that are left


@dataclass(eq=False)
class TimeLimit(Callback):
    """Stop after some minutes of training, with a checkpoint where the training writes any."""

    takes_any_step = True

    minutes: float = option(above=0, help="Minutes of training.")

    def train_start(self, event: TrainStart) -> None:
        """Start the clock."""
        self._end = time.perf_counter() + 60 * self.minutes

    def step_end(self, event: StepEnd) -> bool:
        """Stop where the time is over."""
        if most(int(time.perf_counter() >= self._end)):
            event.run.was_interrupted = True
        return event.run.was_interrupted


@dataclass(eq=False)
class LookAhead(Callback):
    """Say once how long the training will take, where it is long."""

    takes_any_step = True

    show: Callable[[str], Any] = option(print, help="Takes the line.")

    def train_start(self, event: TrainStart) -> None:
        """Forget what was measured."""
        self._first: tuple[int, float] | None = None  # a step and when it ended: the first may have compiled
        self._is_said = False

    def step_end(self, event: StepEnd) -> None:
        """Measure, and say it."""
        if self._is_said or rank() > 0:
            return
        now, run, done = time.perf_counter(), event.run, event.step + 1
        if self._first is None:
            self._first = done, now
            return
        seconds = now - self._first[1]
        if seconds < MEASURED:
            return
        self._is_said, left = True, seconds / (done - self._first[0]) * (run.n_epochs * run.n_steps - done)
        if left >= WORTH_SAYING:
            more = plural(run.n_epochs - run.epoch, "epoch")
            self.show(f"This will take about {in_minutes(left)} ({more}, measured on the first steps).")
