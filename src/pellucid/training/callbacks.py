"""What the loop tells while it runs, and the callbacks that listen.

A callback is any callable that takes an event and returns True to stop the training after the step.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pellucid.nn.model import Model

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


class TrainStart(NamedTuple):
    """Before the first step."""

    model: Model
    n_epochs: int
    n_steps: int  # steps an epoch
    path: str  # "direct" or "dual"
    note: str  # why that path, in words


class StepEnd(NamedTuple):
    """After each update."""

    step: int  # counted from 0: how many updates came before
    epoch: int
    loss: float  # of the parameters before the update


class EpochEnd(NamedTuple):
    """After each pass over the training data."""

    epoch: int
    step: int  # of the epoch's last update
    loss: float  # mean over the epoch's samples
    validation_loss: float | None


class TrainEnd(NamedTuple):
    """After the last step; the model's layers are its own again."""

    model: Model


Event: TypeAlias = TrainStart | StepEnd | EpochEnd | TrainEnd
Callback: TypeAlias = Callable[[Any], "bool | None"]


@dataclass
class History:
    """What a training did, filled while it runs.

    Attributes
    ----------
    losses : list of float
        One for each epoch: the loss of the parameters that the epoch's steps started from, its mean over samples.
    validation_losses : list of float
        One for each epoch where validation data was given.
    n_steps : int
        Updates made.
    seconds : float
        Wall time of the whole training, set-up included.
    setup_seconds : float
        Wall time before the first step.
    path, note : str
        Which form was used, ``"direct"`` or ``"dual"``, and why.
    is_complete : bool
        False if it was stopped before its last epoch.
    """

    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    n_steps: int = 0
    seconds: float = 0.0
    setup_seconds: float = 0.0
    path: str = "direct"
    note: str = ""
    is_complete: bool = False

    def rows(self) -> list[dict[str, float]]:
        """Return one record an epoch, for a file of lines."""
        columns = {"loss": self.losses, "validation_loss": self.validation_losses}
        filled = {name: values for name, values in columns.items() if values}
        return [
            {"epoch": epoch, **{name: values[epoch] for name, values in filled.items()}}
            for epoch in range(len(self.losses))
        ]

    def marks(self, every: int = 100) -> dict[int, float]:
        """Return the losses of every so many epochs and of the last one, by epoch: what the tutorial prints."""
        n = len(self.losses)
        return {i: self.losses[i] for i in range(n) if i % every == 0 or i == n - 1}


class PrintCosts:
    """Print the cost every so many epochs and at the last one, in the tutorial's words."""

    def __init__(self, every: int = 100, say: Callable[[str], None] = print) -> None:
        self.every, self.say = every, say
        self._n_epochs = 0

    def __call__(self, event: Event) -> None:
        """Listen."""
        if isinstance(event, TrainStart):
            self._n_epochs = event.n_epochs
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
    """A bar on standard error: epochs done, loss, time left. Silent where that is not a terminal."""

    def __init__(self, title: str = "training", *, refresh_seconds: float = 0.1) -> None:
        self.title = title
        self.refresh_seconds = refresh_seconds
        self._bar: RichProgress | None = None
        self._next = 0.0

    def __call__(self, event: Event) -> None:
        """Listen."""
        if isinstance(event, StepEnd):
            if self._bar is not None and (now := time.perf_counter()) >= self._next:
                self._next = now + self.refresh_seconds
                done = event.step + 1
                self._bar.update(self._task, completed=done, loss=f"{event.loss:.4f}")
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
            TextColumn("loss {task.fields[loss]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task = self._bar.add_task(self.title, total=event.n_epochs * event.n_steps, loss="")
        self._bar.start()
