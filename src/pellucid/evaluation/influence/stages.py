"""A training in stages, each with options of its own, run again as it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pellucid.data.dataset import Dataset
from pellucid.nn.model import Model
from pellucid.runs.config import Stage
from pellucid.training.callbacks.base import Callback as CallbackBase
from pellucid.training.checkpoint import save_checkpoint
from pellucid.training.events import Callback, EpochEnd
from pellucid.training.fit import fit
from pellucid.training.options import TrainingOptions
from pellucid.types import Array


@dataclass(eq=False)
class EndOfStage(CallbackBase):
    """Write a checkpoint after a number of epochs, and stop there."""

    until: int
    path: Path

    is_last = True  # what other callbacks do after an epoch belongs to the state after it

    def epoch_end(self, event: EpochEnd) -> bool:
        """Write the checkpoint where the stage is over, and return whether it is."""
        is_over = event.run.epoch >= self.until
        if is_over:
            save_checkpoint(event.run, self.path)
        return is_over


def fit_in_stages(
    stages: Sequence[Stage],
    options: TrainingOptions,
    model: Model,
    data: Dataset,
    callbacks: Sequence[Callback] = (),
    *,
    held: Array | None = None,
) -> None:
    """Train as a run did: its stages one after the other, then to the end as the options say.

    Parameters
    ----------
    stages : sequence of Stage
        How the epochs before were trained; empty: in one go.
    options : TrainingOptions
        Of the last epochs.
    model : Model
        Initialized; trained in place.
    data : Dataset
    callbacks : sequence of callable, optional
        They see a training for each stage, which goes on from the step where the one before ended.
    held : Array of int, optional
        The rows held out for validation.
    """
    if not stages:
        fit(model, data, options, callbacks, held=held)
        return
    with TemporaryDirectory(prefix="pellucid-stages-") as folder:
        resume = None
        for number, (until, own) in enumerate(stages):
            path = Path(folder) / f"{number}.checkpoint"
            fit(model, data, own, [*callbacks, EndOfStage(until, path)], resume=resume, held=held)
            resume = path
        fit(model, data, options, callbacks, resume=resume, held=held)
