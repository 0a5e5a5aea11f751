"""Replay a step or a prediction as one page, what the command ``replay`` does; and the samples that it is of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.coerce import as_dataset, like
from pellucid.data.dataset import Dataset
from pellucid.data.gaps import input_array
from pellucid.data.input_spec import as_seen, white_seen
from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.images import check_takes_images, read_sample
from pellucid.data.readers.listing import TABLES, NamedImages
from pellucid.data.readers.table_text import MISSING
from pellucid.errors import DataError, OptionError, ShapeError, unknown_name
from pellucid.files import check_free, write_atomically
from pellucid.formats.outputs import outputs_of
from pellucid.nn.by_name import ModelLike, as_model
from pellucid.nn.model import Model, check_trained
from pellucid.progress import CountCallback, Progress, shown_progress, stage_of
from pellucid.registry import validate_call
from pellucid.replaying.limits import MOST_MB, MOST_SAMPLES
from pellucid.replaying.page import replay_page, replay_widget
from pellucid.replaying.record import Replay, replay_of
from pellucid.runs.reach_step import reach_step
from pellucid.text import join_some, plural
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.trace import step_on, take_step, trace_prediction
from pellucid.types import Array, map_arrays, n_rows

MOST_READ = 1000  # images


class Samples(NamedTuple):
    """Inputs as loaded, with the name of each sample and, of a table's row, its columns and cells."""

    X: Any
    names: tuple[str, ...] = ()
    cells: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Their names, else their number."""
        return join_some(self.names, 3) if self.names else plural(n_rows(self.X), "sample")


def read_samples(model: Model, data: Any, row: int, progress: CountCallback) -> Samples:
    """Return samples as a model of that kind takes them."""
    files = [data] if isinstance(data, bytes | str | Path) else data
    if isinstance(files, Sequence) and files and all(isinstance(each, str | Path | bytes) for each in files):
        if len(files) == 1 and not isinstance(files[0], bytes) and Path(files[0]).suffix.lower() in TABLES:
            return _row(model, Path(files[0]), row)
        return _images(model, files, progress)
    X = map_arrays(lambda values: input_array(values, "replay"), data)
    wanted: Any = model.input_shape
    if map_arrays(np.shape, X) == wanted:  # one sample
        X = map_arrays(lambda array: array[None], X)
    got = map_arrays(lambda array: array.shape[1:], X)
    if got != wanted:
        raise ShapeError(f"replay: expected samples of shape {wanted}, as the model takes, got {got}.")
    if n_rows(X) == 0:
        raise DataError("replay: expected at least one sample, got none.")
    return Samples(X)


def _images(model: Model, files: Sequence[Any], progress: CountCallback) -> Samples:
    check_takes_images(model.input_shape)
    listed = ([file] if isinstance(file, bytes) else NamedImages([file]) for file in files)
    images = [image for its in listed for image in its]
    if len(images) > MOST_READ:
        raise DataError(
            f"replay: {len(images):,} images are too many for a page. Name {MOST_READ:,} at most."
        )
    white, arrays = white_seen(model.inputs_seen), []
    for i, image in enumerate(images):
        progress(i, len(images))
        arrays.append(read_sample(image, model.input_shape, white))
    return Samples(
        np.stack(arrays), tuple("image" if isinstance(each, bytes) else Path(each).name for each in images)
    )


def _row(model: Model, path: Path, row: int) -> Samples:
    schema: Any = model._schema
    if schema is None:
        raise DataError(
            f"{path}: the model was trained on {model.input_shape}, not on a table; give it images."
        )
    one = schema.read_row(path, row)
    stands = {name: cells[0] or MISSING for name, cells in zip(one.names, one.columns, strict=True)}
    cells = [(column.name, stands.get(column.name, MISSING)) for column in schema.columns]
    encoded = schema.encode(one, with_target=False)
    return Samples(encoded.X, (f"row {row} of {path.name}",), (cells,), encoded.notes)


def targets_of(model: Model, label: Any, m: int) -> Array:
    """Return the labels of samples as class numbers or quantities."""
    outputs = outputs_of(model)
    if "" not in outputs:
        raise OptionError(
            "replay: the model has several outputs. In Python: pl.replay(model, (X, y)), y a dictionary by output."
        )
    output, n_out = outputs[""], model.output_shape[-1]
    is_of_several = output.kind == "answers" or (output.kind == "values" and n_out > 1)
    if isinstance(label, str) and label not in output.classes:
        label = [part.strip() for part in label.split(",")]
    labels = list(label) if isinstance(label, list | tuple | np.ndarray) else [label]
    if is_of_several and not isinstance(labels[0], list | tuple | np.ndarray):
        labels = [labels]  # of one sample, and so of all
    if len(labels) not in (1, m):
        raise OptionError(
            f"replay: expected one label, or one for each of {plural(m, 'sample')}, got {len(labels)}."
        )
    encode: Any = {"values": _quantities, "answers": _answers}.get(output.kind, _class)
    encoded = [encode(one, output.classes, n_out) for one in labels]
    return np.array(encoded * m if len(labels) == 1 else encoded)


def _quantities(label: Any, classes: tuple[str, ...], n_out: int) -> Any:
    given = label if isinstance(label, list | tuple | np.ndarray) else [label]
    try:
        numbers = [float(one) for one in given]
    except ValueError:
        raise OptionError(f"replay: the model predicts numbers, and the label is {label!r}.") from None
    if len(numbers) != n_out or not np.isfinite(numbers).all():
        raise OptionError(f"replay: expected {plural(n_out, 'finite number')} as the label, got {label!r}.")
    return numbers if n_out > 1 else numbers[0]


def _answers(label: Any, classes: tuple[str, ...], n_out: int) -> list[int]:
    numbers = {_class(one, classes, n_out) for one in label if str(one)}
    return [int(i in numbers) for i in range(len(classes))]


def _class(label: Any, classes: tuple[str, ...], n_out: int) -> int:
    """Return the number of a class by name; OptionError where there is none."""
    if str(label) in classes:
        return classes.index(str(label))
    raise OptionError(f"replay: {unknown_name('class', str(label), classes)}")


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
        raise OptionError("replay: a step is one of a run. Name the run's folder in the place of the model.")
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
            if given_how := [name for name, value in how.items() if value != DEFAULTS[name]]:
                raise OptionError(
                    f"replay: {given_how[0]} is for a training step, which needs labels. Give label, or no "
                    f"{given_how[0]}."
                )
            notes = NO_LABEL, *found.notes
            seen = as_seen(found.X, model.inputs_seen, model.preprocessing, "replay")
            rule = model.preprocessing or Preprocessing()
            prepared = map_arrays(lambda array: rule.apply(array, model.dtype), seen)
            data = None if isinstance(found.X, dict) else Dataset(found.X, np.zeros(n_rows(found.X)))
            trace, title = trace_prediction(model, prepared, data), f"The prediction for {found.title}"
            return {
                "trace": trace,
                "title": title,
                "names": found.names,
                "cells": found.cells,
                "notes": notes,
            }
        batch = Dataset(found.X, targets_of(model, label, n_rows(found.X)), model.classes)
    trace = step_on(model, batch, **how, where="replay")
    title = f"A training step on {found.title}"
    return {"trace": trace, "title": title, "names": found.names, "cells": found.cells, "notes": found.notes}
