"""How often a training writes checkpoints, and whether it goes on from one."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.registry import Configurable, option

if TYPE_CHECKING:
    from pellucid.training.callbacks.checkpoint import Checkpoint

MINUTES = 5.0  # between two, where nothing else is asked for


@dataclass(frozen=True)
class Checkpoints(Configurable):
    """The checkpoints of a training."""

    resume: bool = option(False, help="Go on from the last checkpoint in --out.")
    checkpoint_steps: int | None = option(None, at_least=1, help="Write a checkpoint every this many steps.")
    checkpoint_minutes: float | None = option(
        None, above=0, help=f"Write one every this many minutes; default: {MINUTES:g}."
    )

    def callback(self, folder: Path) -> "Checkpoint":
        """Return what writes them into a folder while a training runs."""
        from pellucid.training.callbacks.checkpoint import Checkpoint

        is_open = self.checkpoint_steps is None and self.checkpoint_minutes is None
        minutes = MINUTES if is_open else self.checkpoint_minutes
        return Checkpoint(folder, every_steps=self.checkpoint_steps, every_minutes=minutes)
