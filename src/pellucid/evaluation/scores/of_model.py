"""Use case: what a saved model scores, and how sure one may be of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.data.dataset import Dataset, Split
from pellucid.data.hashing import data_hash
from pellucid.data.source import load_data
from pellucid.errors import DataError, PellucidError, ShapeError
from pellucid.evaluation.scores.metrics import evaluate
from pellucid.evaluation.scores.outputs import read_outputs
from pellucid.evaluation.scores.regression import quantity_figures
from pellucid.files import atomic_folder
from pellucid.formats.safetensors import load as load_model_file
from pellucid.nn.model import Model
from pellucid.progress import ProgressCallback, no_progress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pellucid.evaluation.scores.records import ScoresWithIntervals

TABLES = (".csv", ".tsv")
OTHER_DATA = (
    "The model was trained on other data than the training part of these; "
    "samples that it has seen may go unnoticed."
)


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A model's assessment on named data.

    Attributes
    ----------
    assessment : Assessment
    data : str
        As it was named.
    files : tuple of Path
        The figures that were written.
    """

    assessment: "ScoresWithIntervals"
    data: str
    files: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {"data": self.data, **self.assessment.to_dict(), "files": [str(path) for path in self.files]}


def evaluate_on(
    model_path: Path,
    data: str,
    *,
    load: Callable[[int, str | None], Split],
    out: Path | None = None,
    force: bool = False,
    progress: ProgressCallback = no_progress,
) -> Evaluated:
    """Return what a saved model is worth on data: on their test part, or on all rows of a table that is new to it.

    Parameters
    ----------
    model_path : Path
        A model file, or a run folder.
    data : str
        As the user named it.
    load : callable
        Loads it, given the seed that holds out a test part, which is that of the model's training, and the size
        that images of a folder are brought to, HEIGHTxWIDTH, where the model wants one.
    out : Path, optional
        A folder for the figures.
    force : bool, optional
        Write into it although it is not empty.
    tell : callable, optional
        Told of progress.

    Raises
    ------
    PellucidError
        If the model or the data cannot be read, do not fit, or the folder cannot be written.
    """
    from pellucid.evaluation.scores.measure import assess

    model = load_model_file(model_path)
    train, test, notes = _parts(model, data, load)
    try:
        found = assess(model, test, train=train, progress=progress)
    except (ShapeError, DataError) as error:
        words = str(error).removeprefix("evaluate: ")
        is_of_another_size = "expected samples of shape" in words
        hint = " Use data of the size that it was trained on." if is_of_another_size else ""
        raise type(error)(f"{data}: {words}{hint}") from None
    found = replace(found, notes=(*found.notes, *notes))
    if out is None:
        return Evaluated(found, data)
    with atomic_folder(out, force=force) as folder:
        names = write_figures(found, folder, model, test)
    return Evaluated(found, data, tuple(out / name for name in names))


def _parts(
    model: Model, data: str, load: Callable[[int, str | None], Split]
) -> tuple[Dataset | None, Dataset, tuple[str, ...]]:
    """Return the training part, where it is known, the samples to judge the model by, and what is to be noted."""
    seed, size = reading_of(model, data)
    if model.schema is not None and Path(data).suffix.lower() in TABLES:
        own = _own_table(model, data, seed)
        if own is not None:
            return own.train, own.test, own.notes
        rows = model.schema.encode(Path(data))
        if rows.y is None:
            raise DataError(f"{data}: it has no column {', '.join(model.schema.target)} to compare with.")
        return None, Dataset(rows.X, rows.y, model.classes), (*rows.notes, on_new_table(len(rows.y)))
    split = load(seed, size)
    other = (OTHER_DATA,) if was_trained_on_other(model, split.train) else ()
    return split.train, split.test, (*split.notes, *other)


def reading_of(model: Model, data: str) -> tuple[int, str | None]:
    """Return the seed that held out a test part for a model, and the size that it wants a folder's images in."""
    seed = int(model.summary_of_training.get("options", {}).get("seed", 1))
    shape = model.input_shape
    is_folder = Path(data).expanduser().is_dir() and len(shape) == 3
    return seed, f"{shape[0]}x{shape[1]}" if is_folder else None


def on_new_table(n_rows: int) -> str:
    """Return the note on a table of which no part is known to be held out."""
    return (
        f"The model was trained on another table: all {n_rows} rows are tested; rows that it has seen may go "
        "unnoticed."
    )


def was_trained_on_other(model: Model, train: Dataset) -> bool:
    """Return whether it is known that a model was trained on other samples than these."""
    known = model.summary_of_training.get("data_sha256")
    return known is not None and known != data_hash(train)


def _own_table(model: Model, data: str, seed: int) -> Split | None:
    """Return a table in its two parts if it is the one that the model was trained on."""
    try:
        split = load_data(data, target=",".join(model.schema.target), decimal=model.schema.decimal, seed=seed)
    except PellucidError:  # too small to hold out a part, or of another kind: not that table
        return None
    return split if data_hash(split.train) == model.summary_of_training.get("data_sha256") else None


def write_figures(found: "ScoresWithIntervals", folder: Path, model: Model, data: Dataset) -> list[str]:
    """Write the figures that suit an assessment into a folder, and return the names of the files."""
    from pellucid.evaluation.scores import figures as draw
    from pellucid.plotting.data_figures import confusion_matrix_figure
    from pellucid.plotting.saving import save_figure

    figures: dict[str, Figure] = {}
    if found.kind == "regression":
        outputs = read_outputs(model, data)
        figures["predicted"] = draw.predicted_figure(outputs.y, outputs.predicted)
    else:
        figures["intervals"] = draw.intervals_figure(found)
        figures["roc"] = draw.roc_figure(found)
        figures["precision-recall"] = draw.precision_recall_figure(found)
        if any(one.calibration is not None for one in found.per_class):
            figures["calibration"] = draw.calibration_figure(found)
    if found.evaluation is not None:
        import numpy as np

        counts = found.evaluation
        figures["confusion"] = confusion_matrix_figure(np.array(counts.confusion), counts.classes)
    for name, figure in figures.items():
        save_figure(figure, folder / f"{name}.png")
    return [f"{name}.png" for name in figures]


def metrics_of(model: Model, data: Dataset) -> dict[str, Any]:
    """Return the plain figures that suit the model's loss: of classes, of labels, or errors of quantities.

    Quicker than :func:`pellucid.evaluation.scores.measure.assess`, and without intervals but that of the accuracy.
    """
    if model.loss_kind == "classification":
        return evaluate(model, data).to_dict()
    outputs = read_outputs(model, data)
    if outputs.kind == "regression":
        return {"n_samples": len(outputs), **quantity_figures(outputs.y, outputs.predicted)}
    hits = outputs.predicted == outputs.y
    return {
        "n_samples": len(outputs),
        "label_accuracy": float(hits.mean()),
        "exact_match": float(hits.all(axis=1).mean()),
        "per_label": dict(zip(outputs.classes, hits.mean(axis=0).tolist(), strict=True)),
    }
