"""Writing checkpoints while a training runs."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from pellucid.errors import OptionError
from pellucid.ranks import rank
from pellucid.registry import option, register
from pellucid.training.callbacks.base import Callback
from pellucid.training.checkpoint import checkpoints_of, save_checkpoint
from pellucid.training.events import EpochEnd, StepEnd, TrainingState, TrainStart


@register
@dataclass(eq=False)
class Checkpoint(Callback):
    """Write a checkpoint every few steps or minutes, each whole or not at all, and keep those written last.

    One more is written where Ctrl-C stops the training (``StopOnInterrupt``), and one after its last epoch, from
    which a longer training can go on.

    Parameters
    ----------
    folder : str or Path
        Made where it is missing; the files are called ``step-00001200.checkpoint``.
    every_steps : int, optional
    every_minutes : float, optional
        Give one of the two, or both.
    keep : int, optional
        How many of the folder's checkpoints are kept: those written last, whatever their numbers.

    Raises
    ------
    OptionError
        If neither is given; when the training starts, if it is L-BFGS's, whose memory SciPy keeps to itself.
    """

    folder: str | Path
    every_steps: int | None = option(None, at_least=1, kw_only=True, help="Steps between checkpoints.")
    every_minutes: float | None = option(None, above=0, kw_only=True, help="Minutes between checkpoints.")
    keep: int = option(3, at_least=1, kw_only=True, help="How many of the latest are kept.")

    is_last = True  # what other callbacks do after a step belongs to the state after it

    def __post_init__(self) -> None:
        super().__post_init__()
        self._keep("folder", Path(self.folder))
        if self.every_steps is None and self.every_minutes is None:
            raise OptionError("Checkpoint: say how often with every_steps or every_minutes.")
        self._last, self._written = 0.0, list[Path]()

    def next_step(self, step: int) -> int:
        """Return the next step after which one is written; by the clock any will do."""
        return sys.maxsize if self.every_steps is None else step + self.every_steps - step % self.every_steps

    def train_start(self, event: TrainStart) -> None:
        """Start the clock."""
        if event.run.optimizer.is_full_batch:
            raise OptionError("Checkpoint: a training by L-BFGS cannot be resumed. Leave checkpoints out.")
        self._last, self._written = time.monotonic(), []

    def step_end(self, event: StepEnd) -> None:
        """Write a checkpoint where one is due."""
        minutes = self.every_minutes
        is_due = self.every_steps is not None and (event.step + 1) % self.every_steps == 0
        is_due |= minutes is not None and time.monotonic() - self._last >= 60 * minutes
        if is_due or event.run.was_interrupted:
            self._write(event.run)

    def epoch_end(self, event: EpochEnd) -> None:
        """Write a checkpoint where the training was interrupted, or is complete."""
        if event.run.was_interrupted or event.run.epoch == event.run.n_epochs:
            self._write(event.run)

    def _write(self, run: TrainingState) -> None:
        if rank() > 0:
            return
        path = Path(self.folder) / f"step-{run.step:08d}.checkpoint"
        save_checkpoint(run, path)
        if (newest := checkpoints_of(self.folder)[-1]) != path:  # the system's clock was set back
            later = newest.stat().st_mtime_ns + 1000
            os.utime(path, ns=(later, later))
        self._last = time.monotonic()
        self._written = [*(one for one in self._written if one != path), path]
        others = [one for one in checkpoints_of(self.folder) if one not in self._written]
        for old in [*others, *self._written][: -self.keep]:
            old.unlink(missing_ok=True)
        self._written = self._written[-self.keep :]
