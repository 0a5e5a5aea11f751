"""A training into a folder."""

import sys
from pathlib import Path

from pellucid.runs.build import plan
from pellucid.training.callbacks.base import Callback
from pellucid.training.events import TrainStart
from pellucid.workflows.train import train_into


class Listener(Callback):
    """Notes how many steps may be taken before a callback is told."""

    steps = 0

    def train_start(self, event: TrainStart) -> None:
        self.steps = event.run.steps_to_next().at_most

    def next_step(self, step: int) -> int:
        return sys.maxsize


def test_nothing_of_the_command_hears_every_step(tmp_path: Path) -> None:
    listener = Listener()
    asked = plan("mlp-small", "moons", n_epochs=2, batch_size=4)
    train_into(asked, tmp_path / "run", callbacks=[listener], say=lambda line: None)
    assert listener.steps > 5, "many steps of a small network are one call"
