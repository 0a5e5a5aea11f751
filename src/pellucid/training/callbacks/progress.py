"""What shows how a training goes: a bar, and the costs as the tutorial prints them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pellucid.progress import ProgressBar
from pellucid.registry import option, register
from pellucid.training.callbacks.base import TrainingCallback
from pellucid.training.events import EpochEnd, StepEnd, TrainEnd, TrainStart


@register
@dataclass(eq=False)
class PrintCosts(TrainingCallback):
    """Print the cost of every hundredth epoch and of the last, in the tutorial's words.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.nn.presets import preset
    >>> from pellucid.training.fit import train
    >>> data = np.array([[0.0], [1.0]]), np.array([0, 1])
    >>> history = train(preset("logistic"), data, n_epochs=3, callbacks=[PrintCosts(every=2)])
    Cost after iteration 0: 0.6931471805599453
    Cost after iteration 2: 0.692...
    """

    every: int = option(100, at_least=1, help="Epochs from one line to the next.")
    show: Callable[[str], Any] = option(print, help="Takes each line.")

    def epoch_end(self, event: EpochEnd) -> None:
        """Print the epoch's cost where it is due."""
        if event.epoch % self.every == 0 or event.epoch == event.run.n_epochs - 1:
            self.show(f"Cost after iteration {event.epoch}: {event.loss}")


@register
@dataclass(eq=False)
class Progress(TrainingCallback):
    """A bar with steps, loss, validation metrics and time left; silent where there is no terminal or notebook."""

    title: str = option("training", help="What is shown before the bar.")
    refresh_seconds: float = option(0.1, at_least=0, help="Least time between two updates of the bar.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._bar = ProgressBar(is_shown=False)
        self._next, self._total, self._validation = 0.0, 0, ""

    def train_start(self, event: TrainStart) -> None:
        """Make a bar for all steps."""
        self._bar, self._next, self._validation = ProgressBar(), 0.0, ""
        self._total = event.run.n_epochs * event.run.n_steps

    def step_end(self, event: StepEnd) -> None:
        """Show the step and its loss, not more often than a reader can see."""
        if self._bar.is_shown and (now := time.perf_counter()) >= self._next:
            self._next = now + self.refresh_seconds
            self._bar(self.title, event.step + 1, self._total, f"loss {event.loss:.4f}{self._validation}")

    def epoch_end(self, event: EpochEnd) -> None:
        """Take note of the validation metrics."""
        held_out = [item for item in event.metrics.items() if item[0].startswith("validation")]
        self._validation = "".join(f", {name.replace('_', ' ')} {value:.4f}" for name, value in held_out)

    def train_end(self, event: TrainEnd) -> None:
        """Take the bar away."""
        self._bar.close()
