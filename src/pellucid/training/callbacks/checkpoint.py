"""Writing checkpoints while a training runs."""

import time
from dataclasses import dataclass
from pathlib import Path

from pellucid.errors import OptionError
from pellucid.registry import option, register
from pellucid.training.callbacks.base import TrainingCallback
from pellucid.training.checkpoint import FILES, save_checkpoint
from pellucid.training.events import StepEnd, TrainStart


@register
@dataclass(eq=False)
class Checkpoint(TrainingCallback):
    """Write a checkpoint every few steps or minutes, each whole or not at all, and keep the last few.

    Parameters
    ----------
    folder : str or Path
        Made where it is missing; the files are called ``step-00001200.checkpoint``.
    every_steps : int, optional
    every_minutes : float, optional
        Give one of the two, or both.
    keep : int, optional
        How many of the latest are kept.
    """

    folder: str | Path
    every_steps: int | None = option(None, at_least=1, kw_only=True, help="Steps between checkpoints.")
    every_minutes: float | None = option(None, above=0, kw_only=True, help="Minutes between checkpoints.")
    keep: int = option(3, at_least=1, kw_only=True, help="How many of the latest are kept.")

    is_last = True  # what other callbacks do after a step belongs to the state after it

    def __post_init__(self) -> None:
        super().__post_init__()
        self.folder = Path(self.folder)
        if self.every_steps is None and self.every_minutes is None:
            raise OptionError("Checkpoint: say how often with every_steps or every_minutes.")
        self._last = 0.0

    def train_start(self, event: TrainStart) -> None:
        """Start the clock."""
        self._last = time.monotonic()

    def step_end(self, event: StepEnd) -> None:
        """Write a checkpoint where one is due."""
        if not self._is_due(event.step + 1):
            return
        folder = Path(self.folder)
        save_checkpoint(event.run, folder / f"step-{event.run.step:08d}.checkpoint")
        self._last = time.monotonic()
        for old in sorted(folder.glob(FILES))[: -self.keep]:
            old.unlink(missing_ok=True)

    def _is_due(self, n_steps: int) -> bool:
        if self.every_steps is not None and n_steps % self.every_steps == 0:
            return True
        minutes = self.every_minutes
        return minutes is not None and time.monotonic() - self._last >= 60 * minutes
