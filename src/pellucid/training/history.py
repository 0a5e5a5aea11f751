"""What a training did: kept while it runs, written as lines, a table, or for TensorBoard."""

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path

from pellucid.files import write_atomically


@dataclass
class History:
    """What a training did, filled while it runs.

    Attributes
    ----------
    columns : dict of str to list of float
        For each measured figure, one number an epoch. ``"loss"`` is the mean over the epoch's samples of the loss
        of the parameters that each step started from; ``"validation_loss"`` and ``"validation_accuracy"`` are
        there where validation data was given; ``"learning_rate"`` where it changes.
    n_steps : int
        Updates made.
    seconds : float
        Wall time of the whole training, set-up included.
    setup_seconds : float
        Wall time before the first step.
    loop_seconds : float
        Wall time of the steps, and of what callbacks and validation took between them.
    form, note : str
        Which form was used, ``"direct"`` or ``"dual"``, and why.
    n_threads : int
        How many cores the batches were split over; 1: not split.
    is_complete : bool
        False if it was stopped before its last epoch.
    """

    columns: dict[str, list[float]] = field(default_factory=lambda: {"loss": []})
    n_steps: int = 0
    seconds: float = 0.0
    setup_seconds: float = 0.0
    loop_seconds: float = 0.0
    form: str = "direct"
    note: str = ""
    n_threads: int = 1
    is_complete: bool = False

    @property
    def losses(self) -> list[float]:
        """The training loss of each epoch."""
        return self.columns["loss"]

    @property
    def validation_losses(self) -> list[float]:
        """The validation loss of each epoch; empty without validation data."""
        return self.columns.get("validation_loss", [])

    def append(self, metrics: dict[str, float]) -> None:
        """Keep an epoch's figures."""
        for name, value in metrics.items():
            self.columns.setdefault(name, []).append(value)

    def rows(self) -> list[dict[str, float]]:
        """Return one record an epoch."""
        names = [name for name, values in self.columns.items() if values]
        return [
            {"epoch": epoch, **{name: self.columns[name][epoch] for name in names}}
            for epoch in range(len(self.losses))
        ]

    def marks(self, every: int = 100) -> dict[int, float]:
        """Return the loss of every so many epochs and of the last, by epoch: what the tutorial prints."""
        n = len(self.losses)
        return {i: self.losses[i] for i in range(n) if i % every == 0 or i == n - 1}

    def write(self, path: str | Path) -> None:
        """Write one record an epoch: as a table if the name ends in ``.csv``, else as lines of JSON.

        Raises
        ------
        OutputError
            If the file cannot be written; what was there before is kept.

        Examples
        --------
        >>> import tempfile
        >>> history = History()
        >>> history.append({"loss": 0.5})
        >>> path = Path(tempfile.mkdtemp()) / "history.csv"
        >>> history.write(path)
        >>> path.read_text().splitlines()
        ['epoch,loss', '0,0.5']
        """
        rows = self.rows()
        if Path(path).suffix.lower() == ".csv":
            text = io.StringIO()
            writer = csv.DictWriter(text, ["epoch", *self.columns], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            write_atomically(path, text.getvalue())
        else:
            write_atomically(path, "".join(json.dumps(row) + "\n" for row in rows))
