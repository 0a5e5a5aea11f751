"""What a training did: filled while it runs, written as lines or a table, shown in a notebook."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.files import write_atomically
from pellucid.text import plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(repr=False)
class History:
    """What a training did, filled while it runs.

    Attributes
    ----------
    columns : dict of str to list of float
        For each metric, one number an epoch. ``"loss"`` is the mean over the epoch's samples (by their weights,
        where they have some) of the loss of the parameters that each step started from; ``"validation_loss"`` and
        ``"validation_accuracy"`` are there where validation data was given; ``"learning_rate"`` where it changes.
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
        Cores that the batches were split over; 1: not split.
    kernels : {"numpy", "numba"}
        Whether NumPy or compiled kernels did the work.
    is_complete : bool
        False if it was stopped before its last epoch.

    Examples
    --------
    >>> history = History(n_steps=2, seconds=0.5)
    >>> history.append({"loss": 0.7})
    >>> history.append({"loss": 0.4})
    >>> history
    History(2 epochs, 2 steps in 0.50 s: loss 0.7000 to 0.4000; stopped early)
    """

    columns: dict[str, list[float]] = field(default_factory=lambda: {"loss": []})
    n_steps: int = 0
    seconds: float = 0.0
    setup_seconds: float = 0.0
    loop_seconds: float = 0.0
    form: str = "direct"
    note: str = ""
    n_threads: int = 1
    kernels: str = "numpy"
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
        """Keep an epoch's metrics."""
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
        """Return the loss of every hundredth epoch and of the last, by epoch: what the tutorial prints."""
        n = len(self.losses)
        return {i: self.losses[i] for i in range(n) if i % every == 0 or i == n - 1}

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, as JSON can hold it; what was measured each epoch under "columns"."""
        return asdict(self)

    def plot(self) -> Figure:
        """Return a figure: the loss over the epochs, that on validation data too where there is one."""
        from pellucid.plotting.training import cost_curve  # when a picture is asked for

        held_out = self.validation_losses or None
        return cost_curve(range(len(self.losses)), self.losses, validation=held_out)

    def __repr__(self) -> str:
        return f"History({self._in_words()})"

    def _repr_html_(self) -> str:
        from pellucid.plotting.saving import figure_png

        words = f"<p>{html.escape(self._in_words())}</p>"
        if not self.losses:
            return words
        picture = base64.b64encode(figure_png(self.plot())).decode()
        return f'{words}<img alt="Loss over the epochs" src="data:image/png;base64,{picture}">'

    def _in_words(self) -> str:
        made = f"{plural(len(self.losses), 'epoch')}, {plural(self.n_steps, 'step')} in {self.seconds:.2f} s"
        parts = [
            f"{name.replace('_', ' ')} {values[0]:.4f} to {values[-1]:.4f}"
            for name, values in self.columns.items()
            if values and name != "learning_rate"
        ]
        return f"{made}: {', '.join(parts)}{'' if self.is_complete else '; stopped early'}"

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
