"""Signals that end a training well: Ctrl-C, SIGTERM, SIGHUP."""

import os
import signal
import threading
from dataclasses import dataclass
from types import FrameType
from typing import Any

from pellucid.ranks import most
from pellucid.registry import option, register
from pellucid.training.callbacks.base import Callback
from pellucid.training.events import EpochEnd, StepEnd, TrainEnd, TrainingState, TrainStart


@register
@dataclass(eq=False)
class StopOnInterrupt(Callback):
    """Let Ctrl-C stop the training after the current step; a second one interrupts at once.

    A ``Checkpoint`` writes one then, so that the training can go on from there.

    Attributes
    ----------
    signal : int
        The number of the signal that stopped the training; 0: none did.
    """

    takes_any_step = True

    takes_sigterm: bool = option(
        False,
        help="Stop the same way where the process is asked to end (SIGTERM), or its terminal closes (SIGHUP).",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.signal = 0
        self._previous: dict[int, Any] = {}

    @property
    def was_interrupted(self) -> bool:
        """Whether a signal has come."""
        return self.signal > 0

    def train_start(self, event: TrainStart) -> bool:
        """Take over the signals; only the main thread may."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, *(ends_of_a_process() if self.takes_sigterm else ())):
                self._previous[number] = signal.signal(number, self._on_signal)
        return self._stops(event.run)

    def step_end(self, event: StepEnd) -> bool:
        """Stop where Ctrl-C was pressed."""
        return self._stops(event.run)

    def epoch_end(self, event: EpochEnd) -> bool:
        """Stop where Ctrl-C was pressed."""
        return self._stops(event.run)

    def train_end(self, event: TrainEnd) -> None:
        """Give the signals back."""
        for number, previous in self._previous.items():
            if previous is not None:  # it was not set by Python
                signal.signal(number, previous)
        self._previous = {}

    def _stops(self, run: TrainingState) -> bool:
        if number := most(self.signal):  # one that comes meanwhile is there at the next step
            self.signal = number
            run.was_interrupted = True
        return run.was_interrupted

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        if self.signal:
            raise KeyboardInterrupt
        self.signal = signum
        if signum == getattr(signal, "SIGHUP", None):
            self._previous.pop(signum, None)
            _leave_the_terminal(signum)


def ends_of_a_process() -> list[signal.Signals]:
    """Return the signals that ask a process to end: SIGTERM, and SIGHUP unless it is ignored, as under ``nohup``.

    Examples
    --------
    >>> signal.SIGTERM in ends_of_a_process()
    True
    """
    numbers = [signal.SIGTERM]
    # Windows has no SIGHUP.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers


def _leave_the_terminal(hangup: int) -> None:
    """Go on without a terminal: both system and shell send the signal, and what is printed there would fail."""
    signal.signal(hangup, signal.SIG_IGN)
    for stream in (1, 2):
        try:
            os.write(stream, b"")
        except OSError:
            with open(os.devnull, "wb") as nothing:
                os.dup2(nothing.fileno(), stream)
