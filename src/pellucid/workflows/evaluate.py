"""Evaluate a saved model on named data: what the command ``evaluate`` does."""

from dataclasses import replace
from pathlib import Path

from pellucid.data.dataset import Dataset, Split
from pellucid.data.hashing import data_hash
from pellucid.data.input_spec import white_seen
from pellucid.data.source import DataSource
from pellucid.errors import DataError, PellucidError, ShapeError
from pellucid.evaluation.scores.advice import Advice, advise, advise_model
from pellucid.evaluation.scores.evaluate import evaluate
from pellucid.evaluation.scores.other_data import OTHER_DATA, on_new_table
from pellucid.evaluation.scores.scores import Scores
from pellucid.formats.safetensors import load as load_model_file
from pellucid.nn.model import Model
from pellucid.prediction.predict import Compute, compute_here
from pellucid.progress import ProgressCallback, no_progress
from pellucid.runs.data import source_for
from pellucid.runs.record import holds_run, read_run


def evaluate_on(
    model_path: Path,
    source: DataSource,
    *,
    progress: ProgressCallback = no_progress,
    compute: Compute = compute_here,
) -> Scores:
    """Return a saved model's scores on the test part of data, or on all rows of a table that is new to it.

    Parameters
    ----------
    model_path : Path
        A model file, or a run folder.
    source : DataSource
        The test part is held out with the seed of the model's training, whatever ``source.seed`` is.
    progress : callable, optional
        Called with a stage, how much of it is done, and of how much.
    compute : callable, optional
        What computes the model's outputs: see :func:`.measure.evaluate`.

    Raises
    ------
    PellucidError
        If the model or the data cannot be read or do not fit.
    """
    model = load_model_file(model_path)
    train, test, notes, own = _parts(model, source)
    try:
        scores = evaluate(model, test, train, progress=progress, compute=compute)
    except (ShapeError, DataError) as error:
        words = str(error).removeprefix("evaluate: ")
        hint = " Use data of the size that it was trained on." if "expected samples of shape" in words else ""
        raise type(error)(f"{source.name}: {words}{hint}") from None
    advice = _advice(model_path, model, scores, source, test if train is None else train, own)
    return replace(scores, notes=(*scores.notes, *notes), advice=advice)


def _advice(
    path: Path, model: Model, scores: Scores, source: DataSource, data: Dataset, own: Split | None
) -> tuple[Advice, ...]:
    """Return what to try next: after a run from its training, too, else from the scores alone."""
    folder = path if path.is_dir() else path.parent
    if own is not None and holds_run(folder):
        try:
            run = read_run(folder, split=own)
        except PellucidError:  # not complete, or the model was put into another's folder
            pass
        else:
            return advise(run, scores.predictions, run.scores["train"])
    return advise_model(model, scores.predictions, data, source, path)


def _parts(model: Model, source: DataSource) -> tuple[Dataset | None, Dataset, tuple[str, ...], Split | None]:
    """Return the training part, where it is known, the samples to evaluate on, notes, and the model's own data."""
    source = source_for(model, source)
    if model.schema is not None and source.kind == "table":
        own = _own_table(model, source)
        if own is not None:
            return own.train, own.test, own.notes, own
        rows = model.schema.encode(source.path)
        if rows.y is None:
            raise DataError(
                f"{source.name}: it has no column {', '.join(model.schema.target)} to compare with."
            )
        notes = (*rows.notes, on_new_table(len(rows.y)))
        return None, Dataset(rows.X, rows.y, model.classes), notes, None
    split = source.load(white_seen(model.inputs_seen))
    known = model.summary_of_training.get("data_sha256")
    is_own = known is not None and known == data_hash(split.train)
    other = (OTHER_DATA,) if known is not None and not is_own else ()
    return split.train, split.test, (*split.notes, *other), split if is_own else None


def _own_table(model: Model, source: DataSource) -> Split | None:
    """Return a table in its two parts if it is the one that the model was trained on."""
    try:
        schema = model.schema
        split = replace(
            source, target=",".join(schema.target), decimal=schema.decimal, missing=schema.missing
        ).load()
    except PellucidError:  # too small to hold out a part, or of another kind: not that table
        return None
    return split if data_hash(split.train) == model.summary_of_training.get("data_sha256") else None
