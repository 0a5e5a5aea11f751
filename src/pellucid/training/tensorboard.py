"""Event files for TensorBoard, by the ``tensorboard`` package's own writer."""

import time
from pathlib import Path
from typing import Any, final

from pellucid.errors import MissingExtraError
from pellucid.training.events import EpochEnd, Event, TrainEnd


@final
class TensorBoard:
    """Write every figure of every epoch as a TensorBoard scalar.

    Parameters
    ----------
    folder : str or Path
        Made where it is missing; see it with ``tensorboard --logdir FOLDER``.

    Raises
    ------
    MissingExtraError
        If the package is not installed.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from tensorboard.compat.proto.event_pb2 import Event as Record
            from tensorboard.compat.proto.summary_pb2 import Summary
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError:
            raise MissingExtraError(
                "TensorBoard: the tensorboard package is not installed. pip install 'pellucid[tensorboard]'"
            ) from None
        self._record, self._summary = Record, Summary
        Path(folder).mkdir(parents=True, exist_ok=True)
        self._writer: Any = EventFileWriter(str(folder))

    def __call__(self, event: Event) -> None:
        """Listen."""
        if isinstance(event, EpochEnd):
            values = [
                self._summary.Value(tag=name, simple_value=value) for name, value in event.metrics.items()
            ]
            summary = self._summary(value=values)
            self._writer.add_event(self._record(wall_time=time.time(), step=event.step, summary=summary))
        elif isinstance(event, TrainEnd):
            self._writer.close()
