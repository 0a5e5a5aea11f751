"""What a training did: filled while it runs, written as lines or a table, shown in a notebook."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.errors import OptionError, UnknownAttributeError, unknown_name
from pellucid.files import write_atomically
from pellucid.text import plural
from pellucid.text_blocks import frame_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pellucid.nn.model import Model

KERAS_NAMES = {
    "val_loss": "validation_loss",
    "acc": "accuracy",
    "val_acc": "validation_accuracy",
    "val_accuracy": "validation_accuracy",
    "lr": "learning_rate",
}


@dataclass(repr=False)
class History:
    """What a training did, filled while it runs.

    ``history["loss"]`` is a list with one number an epoch; a notebook shows the curves, ``history.plot()`` draws
    them on matplotlib axes, and ``history.to_frame()`` makes a table of them.

    Attributes
    ----------
    columns : dict of str to list of float
        For each metric, one number an epoch. ``"loss"`` is the mean over the epoch's samples (by their weights,
        where they have some) of the loss of the parameters that each step started from; ``"validation_loss"``
        and, of a classifier, ``"validation_accuracy"`` are there where validation data was given, with
        ``"accuracy"``, measured at the same time on as many training samples; ``"learning_rate"`` where it changes.
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
    kernels : {"numpy", "numba", "plain"}
        Whether NumPy or compiled kernels did the work.
    is_complete : bool
        False if it was stopped before its last epoch.
    model : Model or None
        What ``train`` trained.

    Examples
    --------
    >>> history = History(n_steps=2, seconds=0.5)
    >>> history.append({"loss": 0.7})
    >>> history.append({"loss": 0.4})
    >>> history
    History(2 epochs, 2 steps in 0.50 s: loss 0.7000 to 0.4000; stopped early)
    >>> history["loss"]
    [0.7, 0.4]
    >>> history["validation_loss"]
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: history: validation_loss was not measured, as ...
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
    model: Model | None = field(default=None, repr=False, compare=False)

    @property
    def losses(self) -> list[float]:
        """The training loss of each epoch."""
        return self.columns["loss"]

    @property
    def validation_losses(self) -> list[float]:
        """The validation loss of each epoch; empty without validation data."""
        return self.columns.get("validation_loss", [])

    if not TYPE_CHECKING:  # a type checker finds unknown names itself

        def __getattr__(self, name: str) -> Any:
            raise UnknownAttributeError("History", name, self, kind="column")

    def __getitem__(self, name: str) -> list[float]:
        """Return what was measured under that name, one number an epoch; Keras' ``"val_loss"`` is understood."""
        asked = KERAS_NAMES.get(name, name) if isinstance(name, str) else name
        if asked in self.keys():
            return self.columns[asked]
        if asked == "learning_rate":
            raise OptionError(
                "history: the learning rate did not change. It is listed where there is a schedule."
            )
        is_of_validation = asked == "accuracy" or (isinstance(asked, str) and asked.startswith("validation"))
        if is_of_validation and "validation_loss" not in self:
            raise OptionError(
                f"history: {asked} was not measured, as no validation data was given. Try train(..., "
                f"validation=0.2). Known: {', '.join(self.keys())}."
            )
        raise OptionError(f"history: {unknown_name('column', asked, self.keys())}")

    def keys(self) -> list[str]:
        """Return the names of what was measured each epoch."""
        return [name for name, values in self.columns.items() if values or name == "loss"]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def append(self, metrics: dict[str, float]) -> None:
        """Keep an epoch's metrics."""
        for name, value in metrics.items():
            self.columns.setdefault(name, []).append(value)

    def rows(self) -> list[dict[str, float]]:
        """Return one record an epoch, which are counted from 1."""
        names = [name for name, values in self.columns.items() if values]
        return [
            {"epoch": epoch + 1, **{name: self.columns[name][epoch] for name in names}}
            for epoch in range(len(self.losses))
        ]

    def marks(self, every: int = 100) -> dict[int, float]:
        """Return the loss of every hundredth epoch and of the last, by its place: what the tutorial prints."""
        n = len(self.losses)
        return {i: self.losses[i] for i in range(n) if i % every == 0 or i == n - 1}

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, as JSON can hold it; what was measured each epoch under "columns"."""
        found = asdict(replace(self, model=None))
        del found["model"]
        return found

    def to_frame(self) -> Any:
        """Return a pandas table: a row for each epoch, counted from 1, a column for each thing measured.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        return frame_of(self.rows(), "history.to_frame", "history.rows()").set_index("epoch")

    def plot(self, *names: str, ax: Any = None) -> Axes:
        """Draw what was measured over the epochs and return the matplotlib axes.

        Parameters
        ----------
        *names : str
            What to draw, such as ``"validation_accuracy"``. Default: the loss, and the validation loss where
            there is one.
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: new axes.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> axes = History({"loss": [0.7, 0.4]}).plot(ax=Figure().add_subplot())
        >>> axes.get_xlabel(), axes.get_ylabel()
        ('Epoch', 'Loss')
        """
        from pellucid.plotting.axes import axes_for  # when a picture is asked for
        from pellucid.plotting.curves import draw_curves

        chosen = names or [name for name in ("loss", "validation_loss") if name in self]
        curves = {KERAS_NAMES.get(name, name): self[name] for name in chosen}
        axes = axes_for(ax)
        draw_curves(axes, curves)
        return axes

    def __repr__(self) -> str:
        return f"History({self._in_words()})"

    def _repr_html_(self) -> str:
        from pellucid.plotting.curves import curves_figure
        from pellucid.plotting.saving import figure_html

        panels = self._panels()
        picture = figure_html(curves_figure(panels)) if self.losses else ""
        return f"<p>{html.escape(self._in_words())}</p>{picture}"

    def _panels(self) -> list[dict[str, list[float]]]:
        """Return what is drawn together: the losses, the accuracies, and so on."""
        panels: dict[str, dict[str, list[float]]] = {}
        for name in self:
            if name != "learning_rate":
                panels.setdefault(name.removeprefix("validation_"), {})[name] = self.columns[name]
        return list(panels.values())

    def _in_words(self) -> str:
        made = f"{plural(len(self.losses), 'epoch')}, {plural(self.n_steps, 'step')} in {self.seconds:.2f} s"
        parts = [
            f"{name.replace('_', ' ')} {values[0]:.4f} to {values[-1]:.4f}"
            for name, values in self.columns.items()
            if values and name != "learning_rate"
        ]
        return f"{made}: {', '.join(parts)}{'' if self.is_complete else '; stopped early'}"

    def write(self, path: str | Path) -> None:
        """Write one record an epoch, counted from 1: a table if the name ends in ``.csv``, else lines of JSON.

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
        ['epoch,loss', '1,0.5']
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
