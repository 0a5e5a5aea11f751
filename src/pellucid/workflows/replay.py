"""Replay a step or a prediction as one page: what the command ``replay`` does."""

from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.coerce import as_dataset, like
from pellucid.data.dataset import Dataset
from pellucid.data.input_spec import as_seen
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import OptionError
from pellucid.files import check_free, write_atomically
from pellucid.nn.by_name import ModelLike, as_model
from pellucid.nn.model import Model, check_trained
from pellucid.progress import CountCallback, Progress, shown_progress, stage_of
from pellucid.registry import validate_call
from pellucid.replaying.limits import MOST_MB, MOST_SAMPLES
from pellucid.replaying.page import replay_page, replay_widget
from pellucid.replaying.record import Replay, replay_of
from pellucid.runs.reach_step import reach_step
from pellucid.text import join_some
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.trace import step_on, take_step, trace_prediction
from pellucid.types import map_arrays, n_rows
from pellucid.workflows.replay_samples import Samples, read_samples, targets_of

NO_LABEL = "Without a label there is no loss and nothing flows back: this is the prediction alone."
DEFAULTS = {"optimizer": "sgd", "learning_rate": None, "loss": None, "seed": 1}  # of a training step
FRAME = "width:100%;height:90vh;border:0"  # style of the page in a notebook
STAGES = ("reading images", "taking steps again", "writing the page")


@dataclass(frozen=True, eq=False)
class ReplayPage:
    """A step or a prediction as a page.

    Attributes
    ----------
    replay : Replay
        Its header and numbers.
    html : str
        The page.
    path : Path or None
        Where it was written.
    """

    replay: Replay
    html: str
    path: Path | None = None

    @property
    def title(self) -> str:
        """What it shows."""
        return str(self.replay.header["title"])

    @property
    def verdicts(self) -> tuple[str, ...]:
        """Of each sample shown: its name, what the outputs say, and its label."""
        found = []
        for each in self.replay.header["samples"]:
            label, is_right = each["label"], each["is_right"]
            after = "; right" if is_right else f"; {'wrong, ' * (is_right is False)}label {label}"
            found.append(f"{each['name']}: {each['verdict']}{'' if label is None else after}")
        return tuple(found)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is odd in the step."""
        return tuple(each["text"] for each in self.replay.header["remarks"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not exact, and what was left out."""
        return (*self.replay.header["about"]["notes"], *self.replay.header["left_out"])

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the page to a file."""
        check_free(Path(path), overwrite=overwrite)
        write_atomically(Path(path), self.html)

    def widget(self) -> Any:
        """Return the views as a widget, which a notebook's page holds itself; it needs the extra notebook."""
        return replay_widget(self.replay)

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own: a saved notebook shows it without a kernel and without anywidget.

        What stands below it is all that remains where frames are taken out, as on GitHub.
        """
        frame = f'<iframe sandbox="allow-scripts" style="{FRAME}" srcdoc="{escape(self.html)}"></iframe>'
        return f"{frame}<p><small>{escape(f'{self.title}. {join_some(self.verdicts, 4)}.')}</small></p>"

    def to_dict(self) -> dict[str, Any]:
        """Return what is printed as JSON can hold it."""
        header, loss = self.replay.header, self.replay.header["loss"]
        keys = ("name", "label", "verdict", "is_right", "in_prediction", "loss")
        return {
            "file": None if self.path is None else str(self.path),
            "bytes": len(self.html.encode()),
            "kind": header["kind"],
            "title": header["title"],
            "loss": loss["value"],
            "loss_after": loss["after"],
            "samples": [{key: each[key] for key in keys} for each in header["samples"]],
            "remarks": list(self.remarks),
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        return f"ReplayPage({self.title}, {len(self.html) / 1e6:.1f} MB)"


@validate_call(
    "optimizer", "learning_rate", "loss", "seed", "step", "row", "samples", "most_mb", "title", "overwrite"
)
def replay(
    model: ModelLike,
    data: Any = None,
    *,
    label: Any = None,
    row: int = 1,
    step: int | None = None,
    optimizer: str | dict[str, Any] | Optimizer = "sgd",
    learning_rate: float | None = None,
    loss: Any = None,
    seed: int = 1,
    title: str = "",
    samples: int = MOST_SAMPLES,
    most_mb: float = MOST_MB,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress = None,
) -> ReplayPage:
    """Return one page that shows a training step, or a prediction, number by number.

    Parameters
    ----------
    model : Model, str or Path
        Trained; or a model file or run folder.
    data : optional
        Images as files (one, or a list of files, folders and patterns); a table's file, of which ``row`` is taken;
        samples as an array; or a Dataset or (X, y), whose labels are taken. With ``step``: where the data of the
        run are now.
    label : str, float or list, optional
        The class of all samples, or of each: its name, or of several labels the names with commas between them; a
        number of a model of quantities. Then a training step is taken on them; else it is the prediction alone.
    row : int, optional
        Which row of a table, from 1.
    step : int, optional
        A step of a run, from 1: its mini-batch, with the parameters before it. All else is then the run's.
    optimizer : str, dict or Optimizer, optional
        What takes the step; it starts without a memory of earlier ones.
    learning_rate : float, optional
        Of an optimizer given by name. Default: its own.
    loss : str, dict or Loss, optional
        Of the step. Default: the model's own, else what suits outputs and targets.
    seed : int, optional
        Of what Dropout drops.
    title : str, optional
        Heading of the page. Default: what it shows.
    samples : int, optional
        How many of the batch are shown at most; sums over the batch have all.
    most_mb : float, optional
        Megabytes of the page, at most: samples are left out first, then the largest arrays; it says so.
    out : str or Path, optional
        The file to write. Default: none.
    overwrite : bool, optional
        Replace a file that is there.
    progress : callable or bool, optional
        Called with a stage, how much of it is done, and of how much. Default: a bar; False: silent.

    Returns
    -------
    ReplayPage
        ``html`` is the page; ``save(path)`` writes it.

    Raises
    ------
    DataError, ShapeError
        If samples cannot be read or do not fit the model.
    OptionError
        If a label is no class, the run took no such step, or an option does not go with the others.

    Examples
    --------
    >>> import pellucid as pl
    >>> model = pl.preset("logistic")
    >>> model.initialize((8, 8, 3))
    >>> model.classes = ("cat", "dog")
    >>> page = replay(model, np.zeros((1, 8, 8, 3), np.uint8), label="dog", learning_rate=0.1)
    >>> page.title, page.verdicts
    ('A training step on 1 sample', ('photo 1: cat (50.0 %, equal to dog); wrong, label dog',))
    >>> page.html[:15]
    '<!DOCTYPE html>'
    """
    if out is not None:
        check_free(Path(out), overwrite=overwrite)
    with shown_progress(progress) as show:
        if step is not None:
            traced = _of_run(model, step, data, label, loss, stage_of(show, STAGES[1]))
        else:
            how = {"optimizer": optimizer, "learning_rate": learning_rate, "loss": loss, "seed": seed}
            traced = _of_samples(model, data, label, row, how, stage_of(show, STAGES[0]))
        show(STAGES[2], 0, 1)
        traced["title"] = title or traced["title"]
        made = replay_of(**traced, samples=samples, most_mb=most_mb)
        page = ReplayPage(made, replay_page(made), None if out is None else Path(out))
        if page.path is not None:
            write_atomically(page.path, page.html)
    return page


def _of_run(
    model: ModelLike, step: int, data: Any, label: Any, loss: Any, progress: CountCallback
) -> dict[str, Any]:
    """Return a step of a run, as arguments of :func:`replay_of`."""
    if loss is not None:
        raise OptionError("replay: a step of a run has the run's loss. Leave loss out.")
    if not isinstance(model, str | Path):
        raise OptionError("replay: a step is one of a run. Name the run's folder instead of the model.")
    if label is not None:
        raise OptionError("replay: a step of a run has the labels of its samples. Leave the label out.")
    if data is not None and not isinstance(data, str | Path):
        raise OptionError("replay: of a step of a run, data are the place where the run's data are now.")
    reached = reach_step(Path(model), step, data=None if data is None else str(data), progress=progress)
    of_step = {name: value for name, value in vars(reached).items() if name not in ("rows", "notes")}
    noun = reached.data.noun
    names = [reached.data.file(i) or f"{noun} {row + 1}" for i, row in enumerate(reached.rows.tolist())]
    title = f"Step {step} of {Path(model).name}"
    return {"trace": take_step(**of_step), "title": title, "names": names, "notes": reached.notes}


def _of_samples(
    given: ModelLike, data: Any, label: Any, row: int, how: dict[str, Any], progress: CountCallback
) -> dict[str, Any]:
    """Return a step on samples, taken as ``how`` says, or the prediction for them where they have no labels."""
    if data is None:
        raise OptionError("replay: name an image, a table's row or samples; or a step of a run.")
    model = as_model(given, "replay")
    if isinstance(data, Dataset) or (isinstance(data, tuple) and len(data) == 2):
        if label is not None:
            raise OptionError("replay: these data have labels. Leave the label out.")
        batch = as_dataset(data, "replay")
        batch = like(batch, replace(batch, classes=model.classes), "replay")  # in the order that it knows
        found = Samples(batch.X)
    else:
        check_trained("replay", model)
        shapes: Any = model.output_shape
        if isinstance(shapes, dict) and model._loss.kind != "joint":
            raise OptionError(
                "replay: the model has several outputs, and no loss for each, which says how they are read. Call "
                "model.set_loss first."
            )
        found = read_samples(model, data, row, progress)
        if label is None:
            return _prediction(model, found, how)
        batch = Dataset(found.X, targets_of(model, label, n_rows(found.X)), model.classes)
    trace = step_on(model, batch, **how, where="replay")
    title = f"A training step on {found.title}"
    return {"trace": trace, "title": title, **found.shown}


def _prediction(model: Model, found: Samples, how: dict[str, Any]) -> dict[str, Any]:
    """Return the prediction for samples, as arguments of :func:`replay_of`."""
    if given := [name for name, value in how.items() if value != DEFAULTS[name]]:
        raise OptionError(
            f"replay: {given[0]} is for a training step, which needs labels. Give label, or no {given[0]}."
        )
    seen = as_seen(found.X, model.inputs_seen, model.preprocessing, "replay")
    rule = model.preprocessing or Preprocessing()
    prepared = map_arrays(lambda array: rule.apply(array, model.dtype), seen)
    data = None if isinstance(found.X, dict) else Dataset(found.X, np.zeros(n_rows(found.X)))
    trace = trace_prediction(model, prepared, data)
    found = found._replace(notes=(NO_LABEL, *found.notes))
    return {"trace": trace, "title": f"The prediction for {found.title}", **found.shown}
