"""Use case: what a saved model scores, and how sure one may be of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.app.run_folder import filled_beside
from pellucid.data.sources import load_data
from pellucid.errors import DataError, PellucidError, ShapeError
from pellucid.evaluation.metrics import evaluate
from pellucid.evaluation.outputs import read_outputs
from pellucid.evaluation.quantities import quantity_figures
from pellucid.formats.safetensors import data_hash
from pellucid.formats.safetensors import load as load_model_file
from pellucid.nn.model import Model
from pellucid.types import Dataset, Split

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pellucid.evaluation.assessing import TellWhat
    from pellucid.evaluation.assessment import Assessment

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

    assessment: "Assessment"
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
    tell: "TellWhat" = lambda what, done, total: None,
) -> Evaluated:
    """Return what a saved model is worth on data: the test part, or all rows of a table like its own.

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
    from pellucid.evaluation.assessing import assess

    model = load_model_file(model_path)
    train, test, notes = _parts(model, data, load)
    try:
        found = assess(model, test, train=train, tell=tell)
    except ShapeError as error:
        hint = (
            " Use data of the size that it was trained on."
            if "expected samples of shape" in str(error)
            else ""
        )
        raise ShapeError(f"{data}: {error}{hint}") from None
    except DataError as error:
        raise DataError(f"{data}: {error}") from None
    found = replace(found, notes=(*found.notes, *notes))
    if out is None:
        return Evaluated(found, data)
    with filled_beside(out, force=force) as folder:
        names = write_figures(found, folder, model, test)
    return Evaluated(found, data, tuple(out / name for name in names))


def _parts(
    model: Model, data: str, load: Callable[[int, str | None], Split]
) -> tuple[Dataset | None, Dataset, tuple[str, ...]]:
    """Return the training part, where it is known, the samples to judge the model by, and what is to be noted."""
    training = model.summary_of_training
    seed = int(training.get("config", {}).get("seed", 1))
    if model.schema is not None and Path(data).suffix.lower() in TABLES:
        rows = model.schema.encode(Path(data))
        if rows.y is None:
            raise DataError(f"{data}: it has no column {', '.join(model.schema.target)} to compare with.")
        train = _training_rows(model, data, seed)
        return train, Dataset(rows.X, rows.y, model.classes), rows.notes
    shape = model.input_shape
    size = f"{shape[0]}x{shape[1]}" if Path(data).expanduser().is_dir() and len(shape) == 3 else None
    split = load(seed, size)
    known = training.get("data_sha256")
    is_other = known is not None and known != data_hash(split.train)
    return split.train, split.test, (*split.notes, *((OTHER_DATA,) if is_other else ()))


def _training_rows(model: Model, data: str, seed: int) -> Dataset | None:
    """Return the rows of a table that the model was trained on, if it is the one that it was trained on."""
    try:
        split = load_data(data, target=",".join(model.schema.target), seed=seed)
    except PellucidError:  # too small to hold out a part, or of another kind: not that table
        return None
    return split.train if data_hash(split.train) == model.summary_of_training.get("data_sha256") else None


def write_figures(found: "Assessment", folder: Path, model: Model, data: Dataset) -> list[str]:
    """Write the figures that suit an assessment into a folder, and return the names of the files."""
    from pellucid.evaluation import metric_figures as draw
    from pellucid.evaluation.figures import confusion_matrix_figure
    from pellucid.evaluation.report import save_figure

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


def figures_of(model: Model, data: Dataset) -> dict[str, Any]:
    """Return the plain figures that suit the model's loss: of classes, of labels, or errors of quantities.

    Quicker than :func:`pellucid.evaluation.assessing.assess`, and without intervals but that of the accuracy.
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
