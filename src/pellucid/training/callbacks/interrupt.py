"""Ctrl-C that ends a training well."""

import signal
import threading
from dataclasses import dataclass
from types import FrameType
from typing import Any

from pellucid.registry import register
from pellucid.training.callbacks.base import TrainingCallback
from pellucid.training.events import EpochEnd, StepEnd, TrainEnd, TrainStart


@register
@dataclass(eq=False)
class StopOnInterrupt(TrainingCallback):
    """Let Ctrl-C stop the training after the current step; a second one interrupts at once.

    Attributes
    ----------
    was_interrupted : bool
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.was_interrupted = False
        self._previous: Any = None

    def train_start(self, event: TrainStart) -> bool:
        """Take over the signal; only the main thread may."""
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._on_signal)
        return self.was_interrupted

    def step_end(self, event: StepEnd) -> bool:
        """Stop where Ctrl-C was pressed."""
        return self.was_interrupted

    def epoch_end(self, event: EpochEnd) -> bool:
        """Stop where Ctrl-C was pressed."""
        return self.was_interrupted

    def train_end(self, event: TrainEnd) -> None:
        """Give the signal back."""
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        if self.was_interrupted:
            raise KeyboardInterrupt
        self.was_interrupted = True
