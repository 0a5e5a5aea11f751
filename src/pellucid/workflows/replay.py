"""Replay a step or a prediction as one page: what the command ``replay`` does."""

from collections.abc import Iterator, Sequence
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
from pellucid.data.readers.named import TABLES, NamedImages
from pellucid.data.readers.table_file import read_file
from pellucid.data.readers.table_text import MISSING
from pellucid.errors import DataError, MissingExtraError, OptionError, ShapeError, unknown_name
from pellucid.files import check_free, write_atomically
from pellucid.formats.outputs import outputs_of
from pellucid.nn.by_name import ModelLike, as_model
from pellucid.nn.model import Model, check_trained
from pellucid.progress import CountCallback, Progress, shown_progress, stage_of
from pellucid.registry import validate_call
from pellucid.replaying.limits import MOST_MB, MOST_SAMPLES
from pellucid.replaying.notebook import replay_widget
from pellucid.replaying.page import replay_page
from pellucid.replaying.record import Replay, replay_of
from pellucid.runs.reach_step import reach_step
from pellucid.text import join_some, plural
from pellucid.training.optimizers.base import Optimizer
from pellucid.training.trace import step_on, take_step, trace_prediction
from pellucid.training.trace_records import Trace
from pellucid.types import Array, map_arrays, n_rows

MOST_READ = 1000  # images
NO_LABEL = "Without a label there is no loss and nothing flows back: this is the prediction alone."
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
        return tuple(
            f"{each['name']}: {each['verdict']}{_on_label(each)}" for each in self.replay.header["samples"]
        )

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
        """Return the views as a widget for a notebook; MissingExtraError without the extra notebook."""
        return replay_widget(self.replay)

    def _repr_mimebundle_(self, **how: Any) -> Any:
        """Return the widget for a notebook; None where anywidget is not installed: the page is then shown."""
        try:
            return self.widget()._repr_mimebundle_(**how)
        except MissingExtraError:
            return None

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own."""
        style = "width:100%;height:90vh;border:0"
        return f'<iframe sandbox="allow-scripts" style="{style}" srcdoc="{escape(self.html)}"></iframe>'

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


def _on_label(sample: dict[str, Any]) -> str:
    """Return what follows a verdict: whether it is right, else the label."""
    label, is_right = sample["label"], sample["is_right"]
    if label is None:
        return ""
    return "; right" if is_right else f"; {'wrong, ' * (is_right is False)}label {label}"


class _Samples(NamedTuple):
    """Samples to replay: inputs as loaded, with what each is called and shows."""

    X: Any
    names: tuple[str, ...] = ()
    cells: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()


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
    ('A training step on 1 sample', ('photo 1: none: cat, dog are equal (50.0 % each); label dog',))
    >>> page.html[:15]
    '<!DOCTYPE html>'
    """
    if out is not None:
        check_free(Path(out), overwrite=overwrite)
    with shown_progress(progress) as show:
        shown: dict[str, Any] = {"samples": samples, "most_mb": most_mb}
        if step is not None:
            if loss is not None:
                raise OptionError("replay: a step of a run has the run's loss. Leave loss out.")
            made = _of_run(model, step, data, label, title, shown, stage_of(show, STAGES[1]))
        else:
            made = _of_samples(
                model,
                data,
                label,
                row,
                optimizer,
                learning_rate,
                loss,
                seed,
                title,
                shown,
                stage_of(show, STAGES[0]),
            )
        show(STAGES[2], 0, 1)
        page = ReplayPage(made, replay_page(made), None if out is None else Path(out))
        if page.path is not None:
            write_atomically(page.path, page.html)
    return page


def _of_run(
    model: ModelLike,
    step: int,
    data: Any,
    label: Any,
    title: str,
    shown: dict[str, Any],
    progress: CountCallback,
) -> Replay:
    """Return a step of a run."""
    if not isinstance(model, str | Path):
        raise OptionError("replay: a step is one of a run. Name the run's folder in the place of the model.")
    if label is not None:
        raise OptionError("replay: a step of a run has the labels of its samples. Leave the label out.")
    if data is not None and not isinstance(data, str | Path):
        raise OptionError("replay: of a step of a run, data are the place where the run's data are now.")
    reached = reach_step(Path(model), step, data=None if data is None else str(data), progress=progress)
    trace = take_step(
        reached.model,
        reached.X,
        reached.Y,
        reached.weights,
        reached.optimizer,
        seed=reached.seed,
        step=reached.step,
        memory=reached.memory,
        data=reached.data,
    )
    noun = reached.data.noun
    names = [reached.data.file(i) or f"{noun} {row + 1}" for i, row in enumerate(reached.rows.tolist())]
    heading = title or f"Step {step} of {Path(model).name}"
    return replay_of(trace, title=heading, names=names, notes=reached.notes, **shown)


def _of_samples(
    given: ModelLike,
    data: Any,
    label: Any,
    row: int,
    optimizer: Any,
    learning_rate: float | None,
    loss: Any,
    seed: int,
    title: str,
    shown: dict[str, Any],
    progress: CountCallback,
) -> Replay:
    """Return a step on samples, or the prediction for them where they have no labels."""
    if data is None:
        raise OptionError("replay: name an image, a table's row or samples; or a step of a run.")
    model = as_model(given, "replay")
    if _has_labels(data):
        if label is not None:
            raise OptionError("replay: these data have labels. Leave the label out.")
        batch, found = as_dataset(data, "replay"), _Samples(None)
        batch = like(batch, replace(batch, classes=model.classes), "replay")  # in the order that it knows
    else:
        check_trained("replay", model)
        shapes: Any = model.output_shape
        if isinstance(shapes, dict) and model._loss.kind != "joint":
            raise OptionError(
                "replay: the model has several outputs, and no loss for each, which says how they are read. Call "
                "model.set_loss first."
            )
        found = _samples(model, data, row, progress)
        if label is None:
            for name, is_given in {
                "optimizer": optimizer != "sgd",
                "learning_rate": learning_rate is not None,
                "loss": loss is not None,
                "seed": seed != 1,
            }.items():
                if is_given:
                    raise OptionError(
                        f"replay: {name} is for a training step, which needs labels. Give label, or no {name}."
                    )
            what = join_some(found.names, 3) if found.names else plural(n_rows(found.X), "sample")
            trace = _prediction(model, found.X)
            return replay_of(
                trace,
                title=title or f"The prediction for {what}",
                names=found.names,
                cells=found.cells,
                notes=[NO_LABEL, *found.notes],
                **shown,
            )
        batch = Dataset(found.X, _targets(model, label, n_rows(found.X)), model.classes)
    what = join_some(found.names, 3) if found.names else plural(len(batch), "sample")
    trace = step_on(model, batch, optimizer, learning_rate, loss, seed, where="replay")
    return replay_of(
        trace,
        title=title or f"A training step on {what}",
        names=found.names,
        cells=found.cells,
        notes=found.notes,
        **shown,
    )


def _has_labels(data: Any) -> bool:
    return isinstance(data, Dataset) or (isinstance(data, tuple) and len(data) == 2)


def _prediction(model: Model, X: Any) -> Trace:
    seen = as_seen(X, model.inputs_seen, model.preprocessing, "replay")
    rule = model.preprocessing or Preprocessing()
    prepared = map_arrays(lambda array: rule.apply(array, model.dtype), seen)
    m = n_rows(X)
    return trace_prediction(model, prepared, Dataset(X, np.zeros(m)) if not isinstance(X, dict) else None)


def _samples(model: Model, data: Any, row: int, progress: CountCallback) -> _Samples:
    """Return samples as a model of that kind takes them."""
    if isinstance(data, bytes | str | Path) or _are_files(data):
        files = [data] if isinstance(data, bytes | str | Path) else list(data)
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
    return _Samples(X)


def _are_files(data: Any) -> bool:
    return (
        isinstance(data, Sequence)
        and bool(data)
        and all(isinstance(each, str | Path | bytes) for each in data)
    )


def _images(model: Model, files: Sequence[Any], progress: CountCallback) -> _Samples:
    check_takes_images(model.input_shape)
    images = [*_listed(files)]
    if len(images) > MOST_READ:
        raise DataError(
            f"replay: {len(images):,} images are too many for a page. Name {MOST_READ:,} at most."
        )
    white, arrays = white_seen(model.inputs_seen), []
    for i, image in enumerate(images):
        progress(i, len(images))
        arrays.append(read_sample(image, model.input_shape, white))
    return _Samples(
        np.stack(arrays), tuple("image" if isinstance(each, bytes) else Path(each).name for each in images)
    )


def _listed(files: Sequence[Any]) -> Iterator[Any]:
    for file in files:
        if isinstance(file, bytes):
            yield file
        else:
            yield from NamedImages([file])


def _row(model: Model, path: Path, row: int) -> _Samples:
    schema: Any = model._schema
    if schema is None:
        raise DataError(
            f"{path}: the model was trained on {model.input_shape}, not on a table; give it images."
        )
    table = read_file(path.expanduser(), schema.decimal, schema.missing)
    if not 1 <= row <= len(table.rows):
        raise DataError(f"{path}: expected a row from 1 to {len(table.rows)}, got --row {row}.")
    one = table.take(np.array([row - 1]))
    stands = {name: cells[0] or MISSING for name, cells in zip(one.names, one.columns, strict=True)}
    cells = [(column.name, stands.get(column.name, MISSING)) for column in schema.columns]
    encoded = schema.encode(one, with_target=False)
    return _Samples(encoded.X, (f"row {row} of {path.name}",), (cells,), encoded.notes)


def _targets(model: Model, label: Any, m: int) -> Array:
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
