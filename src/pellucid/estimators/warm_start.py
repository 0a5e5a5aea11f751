"""Continue in another call of ``train`` where an earlier one of the same model ended."""

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from pellucid.errors import OptionError
from pellucid.training.events import EpochEnd, Event, StepsEnd, TrainingState, TrainStart


@dataclass(eq=False)
class Position:
    """Where a training ended: the optimizer's state, and the epochs and steps done.

    Attributes
    ----------
    kind : str
        The optimizer's class.
    optimizer : dict
        Its ``state()``, for the model's plain form.
    kernels : str
        What did the work, "numba" or "numpy": their states are not alike.
    """

    epoch: int = 0
    step: int = 0
    kind: str = ""
    optimizer: dict[str, Any] = field(default_factory=dict)
    kernels: str = ""


@final
class Continuation:
    """Continue a training from a position, and record the position where it ends.

    As a callback of ``train`` it continues the counts of epochs and steps, so that batches and dropout draw what
    they would have drawn in one long training; and the optimizer keeps its state.

    Parameters
    ----------
    start : Position, optional
        Default: the beginning.
    n_epochs : int, optional
        Stop after this many epochs.

    Attributes
    ----------
    end : Position
    """

    def __init__(self, start: Position | None = None, *, n_epochs: int | None = None) -> None:
        self.start, self.n_epochs = start, n_epochs
        self.end = Position()
        self._n_done = 0

    def __call__(self, event: Event) -> bool:
        """Restore the position at the start, and stop after ``n_epochs``."""
        if isinstance(event, TrainStart):
            self._n_done = 0
            self._restore(event.run)
        elif isinstance(event, EpochEnd):
            self._n_done += 1
            return self.n_epochs is not None and self._n_done >= self.n_epochs
        elif isinstance(event, StepsEnd):
            run = event.run
            state = {} if run.optimizer.is_full_batch else dict(run.optimizer.state())
            for key, value in state.items():
                if isinstance(value, np.ndarray):  # as it would be without the dual form
                    state[key] = run.form.to_plain(value)
            self.end = Position(run.epoch, run.step, type(run.optimizer).__name__, state, run.history.kernels)
        return False

    def _restore(self, run: TrainingState) -> None:
        if self.start is None:
            return
        run.epoch, run.step = self.start.epoch, self.start.step
        run.n_epochs = max(run.n_epochs, run.epoch + (self.n_epochs or run.n_epochs))
        if self.start.optimizer and self.start.kind == type(run.optimizer).__name__:
            if self.start.kernels not in ("", run.history.kernels):
                raise OptionError(
                    f"kernels: the training to continue from ran on {self.start.kernels}, this one would on "
                    f"{run.history.kernels}. Set it back, or fit again with warm_start=False."
                )
            run.optimizer.load_state(self.start.optimizer)
