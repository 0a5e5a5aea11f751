"""What shows how a training goes: a bar, and the costs as the tutorial prints them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pellucid.progress import TRAINING_PATIENCE, ProgressBar, are_bars_shown
from pellucid.progress import Progress as ProgressLike
from pellucid.ranks import rank
from pellucid.registry import option, register
from pellucid.text import percent
from pellucid.training.callbacks.base import Callback
from pellucid.training.events import EpochEnd, StepEnd, TrainEnd, TrainStart

SILENCE = 20.0  # seconds after which an epoch's cost is printed in any case, where no bar is shown


@register
@dataclass(eq=False)
class PrintCosts(Callback):
    """Print the cost of every hundredth epoch, of the first and of the last, in the tutorial's words.

    Epochs are counted from 1. Where an epoch is one step and ``as_tutorial``, it is called an iteration and counted
    from 0, as in the tutorial, whose costs have all their digits.

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
    as_tutorial: bool = option(True, help="Whether full batches are iterations, their costs with all digits.")
    show: Callable[[str], Any] = option(print, help="Takes each line.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._last = time.perf_counter()

    def epoch_end(self, event: EpochEnd) -> None:
        """Print the epoch's cost where it is due, or where no bar shows that the training goes on."""
        is_one_step = self.as_tutorial and event.run.n_steps == 1
        what, number = ("iteration", event.epoch) if is_one_step else ("epoch", event.epoch + 1)
        is_due = number % self.every == 0 or event.epoch in (0, event.run.n_epochs - 1)
        is_silent = time.perf_counter() - self._last >= SILENCE and not are_bars_shown()
        if rank() == 0 and (is_due or is_silent):
            self._last = time.perf_counter()
            self.show(f"Cost after {what} {number}: {event.loss if is_one_step else f'{event.loss:.4g}'}")


@register
@dataclass(eq=False)
class Progress(Callback):
    """A bar with epochs, loss, validation metrics and time left; silent where there is no terminal or notebook."""

    takes_any_step = True

    title: str = option("", help="What is shown before the epoch.")
    refresh_seconds: float = option(0.1, at_least=0, help="Least time between two updates of the bar.")
    is_shown: bool | None = option(None, help="Whether to show it; default: on a terminal and in a notebook.")
    show: Callable[..., Any] | None = option(None, help="Takes stage, steps, total and loss, for the bar.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._bar = ProgressBar(is_shown=False)
        self._next, self._total, self._validation = 0.0, 0, ""

    def train_start(self, event: TrainStart) -> None:
        """Make a bar for all steps."""
        self._bar = ProgressBar(is_shown=self.is_shown, patience=TRAINING_PATIENCE)
        self._next, self._validation = 0.0, ""
        self._total = event.run.n_epochs * event.run.n_steps

    def step_end(self, event: StepEnd) -> None:
        """Show the step and its loss, not more often than a reader can see."""
        if (self.show or self._bar.is_shown) and (now := time.perf_counter()) >= self._next:
            self._next = now + self.refresh_seconds
            label = f"{self.title}{': ' if self.title else ''}epoch {event.epoch + 1}/{event.run.n_epochs}"
            detail = f"loss {event.loss:.4f}{self._validation}"
            if self.show is not None:
                self.show(self.title or "training", event.step + 1, self._total, detail)
            else:
                self._bar(self.title, event.step + 1, self._total, detail, label=label)

    def epoch_end(self, event: EpochEnd) -> None:
        """Take note of the validation metrics."""
        self._validation = validation_in_short(event.metrics)

    def train_end(self, event: TrainEnd) -> None:
        """Take the bar away."""
        self._bar.close()


def validation_in_short(metrics: Mapping[str, float]) -> str:
    """Return the validation loss of an epoch, and in brackets another metric, accuracy first; "" without any.

    Examples
    --------
    >>> validation_in_short({"loss": 0.2, "validation_loss": 0.3456, "validation_accuracy": 0.88})
    ', validation 0.3456 (88.0 %)'
    """
    found = {
        name.removeprefix("validation_"): v for name, v in metrics.items() if name.startswith("validation_")
    }
    loss, accuracy = found.pop("loss", None), found.pop("accuracy", None)
    words = "" if loss is None else f" {loss:.4f}"
    if accuracy is not None:
        words += f" ({percent(accuracy, 1)})"
    elif found:
        name, value = next(iter(found.items()))
        words += f" ({name.replace('_', ' ')} {value:.4g})"
    return f", validation{words}" if words else ""


def progress_bar(progress: ProgressLike, callbacks: Sequence[object]) -> list[Callback]:
    """Return a bar for a training, in a list; none where one is there already or it would not be seen.

    Parameters
    ----------
    progress : callable, bool or None
        None: on a terminal and in a notebook.
    callbacks : sequence of callable
        Those that the training has.
    """
    if any(isinstance(callback, Progress) for callback in callbacks):
        return []
    if callable(progress):
        return [Progress(show=progress)]
    return [Progress(is_shown=progress)] if progress or (progress is None and are_bars_shown()) else []
