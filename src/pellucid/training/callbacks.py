"""Callbacks that show how a training goes, and that let Ctrl-C end it well."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from pellucid.training.events import EpochEnd, Event, StepEnd, TrainEnd, TrainStart

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


class PrintCosts:
    """Print the cost every so many epochs and at the last one, in the tutorial's words."""

    def __init__(self, every: int = 100, say: Callable[[str], None] = print) -> None:
        self.every, self.say = every, say
        self._n_epochs = 0

    def __call__(self, event: Event) -> None:
        """Listen."""
        if isinstance(event, TrainStart):
            self._n_epochs = event.run.n_epochs
        elif isinstance(event, EpochEnd) and (
            event.epoch % self.every == 0 or event.epoch == self._n_epochs - 1
        ):
            self.say(f"Cost after iteration {event.epoch}: {event.loss}")


class StopOnInterrupt:
    """Let Ctrl-C stop the training after the step that runs; a second one interrupts at once."""

    def __init__(self) -> None:
        self.was_interrupted = False
        self._previous: Any = None

    def __call__(self, event: Event) -> bool:
        """Listen."""
        if isinstance(event, TrainStart) and threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._note)
        elif isinstance(event, TrainEnd) and self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None
        return self.was_interrupted

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if self.was_interrupted:
            raise KeyboardInterrupt
        self.was_interrupted = True


class Progress:
    """A bar on standard error: steps done, loss, validation, time left. Silent where that is no terminal."""

    def __init__(self, title: str = "training", *, refresh_seconds: float = 0.1) -> None:
        self.title, self.refresh_seconds = title, refresh_seconds
        self._bar: RichProgress | None = None
        self._next = 0.0
        self._validation = ""

    def __call__(self, event: Event) -> None:
        """Listen."""
        if isinstance(event, StepEnd):
            if self._bar is not None and (now := time.perf_counter()) >= self._next:
                self._next = now + self.refresh_seconds
                figures = f"loss {event.loss:.4f}{self._validation}"
                self._bar.update(self._task, completed=event.step + 1, figures=figures)
        elif isinstance(event, EpochEnd):
            if len(event.metrics) > 1:
                rest = [item for item in event.metrics.items() if item[0].startswith("validation")]
                self._validation = "".join(f", {name.replace('_', ' ')} {value:.4f}" for name, value in rest)
        elif isinstance(event, TrainStart):
            self._open(event)
        elif isinstance(event, TrainEnd) and self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _open(self, event: TrainStart) -> None:
        if not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn(self.title),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        )
        run = event.run
        self._task = self._bar.add_task(
            self.title, total=run.n_epochs * run.n_steps, completed=run.step, figures=""
        )
        self._bar.start()
