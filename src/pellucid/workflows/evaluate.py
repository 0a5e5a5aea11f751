"""Scores of a model on data, both in memory or by name: what the command ``evaluate`` prints."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pellucid.data.dataset import Dataset, Split
from pellucid.data.hashing import data_hash
from pellucid.data.input_spec import white_seen
from pellucid.data.source import DataSource
from pellucid.errors import DataError, PellucidError, ShapeError
from pellucid.evaluation.scores.advice import Advice, advise, advise_model
from pellucid.evaluation.scores.evaluate import SEED
from pellucid.evaluation.scores.evaluate import evaluate as evaluate_arrays
from pellucid.evaluation.scores.other_data import OTHER_DATA, on_new_table
from pellucid.evaluation.scores.scores import Scores
from pellucid.nn.by_name import ModelLike
from pellucid.nn.model import Model
from pellucid.prediction.predict import Compute, compute_here
from pellucid.progress import Progress, shown_progress
from pellucid.registry import validate_call
from pellucid.runs.data import model_and_data, source_for
from pellucid.runs.run import holds_run, read_run
from pellucid.stats.bootstrap import N_RESAMPLES
from pellucid.stats.intervals import LEVEL


@validate_call("level", "n_resamples", "seed")
def evaluate(
    model: ModelLike,
    data: Any = None,
    train: Any = None,
    *,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
    metrics: Any = (),
    positive: str | None = None,
    progress: Progress = None,
    compute: Compute = compute_here,
) -> Scores:
    """Return a trained model's scores on data, with confidence intervals.

    Parameters
    ----------
    model : Model, str or Path
        Of classes, labels or quantities; or its file or run folder.
    data : Dataset, (X, y), Split, str or Path, optional
        Classes are matched by name. Of a Split the test part; data by name are read as the model's training data
        were, and of a table that is new to it all rows count. Default: the data of the run.
    train : Dataset or (X, y), optional
        What the model was trained on, of data by name known already: ``without_leaks`` has the scores without the
        samples of ``data`` that are in it, and the baseline predicts its most common class.
    level, n_resamples, seed, metrics, positive, compute : optional
        As for :func:`.scores.evaluate.evaluate`: of the intervals, of the bootstrap, further metrics by name or as
        functions of (y_true, y_pred), the class that sensitivity is of, and what computes outputs.
    progress : callable or bool, optional
        Called with a stage, how much of it is done, and of how much; default: a bar; False: silent.

    Raises
    ------
    PellucidError
        If the model or the data cannot be read or do not fit, or an option is out of range.

    Examples
    --------
    >>> import pellucid as pl
    >>> moons = pl.load_data("moons")
    >>> model = pl.train("mlp-small", moons, n_epochs=3).model
    >>> evaluate(model, moons).accuracy == evaluate(model, moons.test).accuracy == evaluate(model, "moons").accuracy
    True
    """
    path = None if isinstance(model, Model) else Path(model)
    model, source = model_and_data("evaluate", model, data)
    options: dict[str, Any] = {"level": level, "n_resamples": n_resamples, "seed": seed, "metrics": metrics}
    with shown_progress(progress) as show:
        options |= {"positive": positive, "progress": show, "compute": compute}
        if not isinstance(source, DataSource):
            if isinstance(source, Split) and train is None:
                train = source.train
            return evaluate_arrays(model, source, train, **options)
        train, test, notes, own = _parts(model, source)
        try:
            scores = evaluate_arrays(model, test, train, **options)
        except (ShapeError, DataError) as error:
            words = str(error).removeprefix("evaluate: ")
            is_size = "expected samples of shape" in words
            hint = " Use data of the size that it was trained on." if is_size else ""
            raise type(error)(f"{source.name}: {words}{hint}") from None
    advice = _advice(path, model, scores, source, test if train is None else train, own)
    return replace(scores, about_data=(*scores.about_data, *notes), advice=advice)


def _advice(
    path: Path | None, model: Model, scores: Scores, source: DataSource, data: Dataset, own: Split | None
) -> tuple[Advice, ...]:
    """Return what to try next: after a run from its training, too, else from the scores alone."""
    folder = path if path is None or path.is_dir() else path.parent
    if folder is not None and own is not None and holds_run(folder):
        try:
            run = read_run(folder, split=own)
        except PellucidError:  # not complete, or the model was put into another's folder
            pass
        else:
            return advise(run, scores.predictions, run.scores["train"])
    return advise_model(model, scores.predictions, data, None if path is None else source, path)


def _parts(model: Model, source: DataSource) -> tuple[Dataset | None, Dataset, tuple[str, ...], Split | None]:
    """Return the training part, where it is known, the samples to evaluate on, notes, and the model's own data."""
    source = source_for(model, source)
    if model._schema is not None and source.kind == "table":
        own = _own_table(model, source)
        if own is not None:
            return own.train, own.test, own.notes, own
        rows = model._schema.encode(source.path)
        if rows.y is None:
            raise DataError(
                f"{source.name}: it has no column {', '.join(model._schema.target)} to compare with."
            )
        notes = (*rows.notes, on_new_table(len(rows.y)))
        return None, Dataset(rows.X, rows.y, model.classes), notes, None
    split = source.load(white_seen(model.inputs_seen))
    known = model._summary_of_training.get("data_sha256")
    is_own = known is not None and known == data_hash(split.train)
    other = (OTHER_DATA,) if known is not None and not is_own else ()
    return split.train, split.test, (*split.notes, *other), split if is_own else None


def _own_table(model: Model, source: DataSource) -> Split | None:
    """Return a table in its two parts if it is the one that the model was trained on."""
    try:
        schema = model._schema
        split = replace(
            source, target=",".join(schema.target), decimal=schema.decimal, missing=schema.missing
        ).load()
    except PellucidError:  # too small to hold out a part, or of another kind: not that table
        return None
    return split if data_hash(split.train) == model._summary_of_training.get("data_sha256") else None
