"""Event files for TensorBoard, by the ``tensorboard`` package's own writer."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.errors import MissingExtraError, OutputError
from pellucid.ranks import rank
from pellucid.registry import register
from pellucid.training.callbacks.base import Callback
from pellucid.training.events import EpochEnd, TrainEnd, TrainStart


@register
@dataclass(eq=False)
class TensorBoard(Callback):
    """Write every metric of every epoch as a TensorBoard scalar.

    Parameters
    ----------
    folder : str or Path
        Made where it is missing; see it with ``tensorboard --logdir FOLDER``.

    Raises
    ------
    MissingExtraError
        If the package is not installed.
    """

    folder: str | Path

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            from tensorboard.compat.proto.event_pb2 import Event as Record
            from tensorboard.compat.proto.summary_pb2 import Summary
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError:
            raise MissingExtraError(
                "TensorBoard: the tensorboard package is not installed. pip install 'pellucid[tensorboard]'"
            ) from None
        self._record, self._summary, self._open = Record, Summary, EventFileWriter
        self._writer: Any = None

    def train_start(self, event: TrainStart) -> None:
        """Make folder and file."""
        if rank() > 0:
            return
        try:
            Path(self.folder).mkdir(parents=True, exist_ok=True)
            self._writer = self._open(str(self.folder))
        except OSError as error:
            raise OutputError(
                f"{self.folder}: cannot be written: {error.strerror}. Choose another place, or no TensorBoard."
            ) from None

    def epoch_end(self, event: EpochEnd) -> None:
        """Write the epoch's metrics."""
        if self._writer is None:
            return
        values = [self._summary.Value(tag=name, simple_value=value) for name, value in event.metrics.items()]
        summary = self._summary(value=values)
        self._writer.add_event(self._record(wall_time=time.time(), step=event.step, summary=summary))

    def train_end(self, event: TrainEnd) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
