"""Find label errors in data by name."""

from pathlib import Path
from typing import Any

from pellucid.checks.check import open_source
from pellucid.data.coerce import as_split
from pellucid.data.dataset import Split
from pellucid.data.source import DataSource, data_options
from pellucid.errors import OptionError
from pellucid.evaluation.comparison.labels import check_labels
from pellucid.evaluation.label_errors.find_label_errors import label_errors_of
from pellucid.evaluation.label_errors.label_errors import LabelErrors
from pellucid.progress import Progress, shown_progress
from pellucid.registry import validate_call
from pellucid.runs.candidates import Candidate, find_candidate
from pellucid.runs.config import RunConfig
from pellucid.training.options import TrainingOptions
from pellucid.training.recommend import AUTO, recommend


@validate_call("cv", "seed", "n_jobs", others=data_options)
def find_label_errors(
    model: str | Path,
    data: Split | DataSource | str | Path,
    *,
    cv: int = 5,
    seed: int = 1,
    n_jobs: int | None = None,
    progress: Progress = None,
    **options: Any,
) -> LabelErrors:
    """Find samples whose label is probably wrong.

    Both parts are put together and divided into folds; a network is trained on all but one, and predicts the one
    that it was not trained on. Labels that these predictions contradict with confidence are returned. Copies and
    groups stay in one fold.

    Parameters
    ----------
    model : str or Path
        A preset, a ``.toml`` file, or "auto": what :func:`pellucid.recommend` names for the data.
    data : Split, DataSource, str or Path
        Loaded data, or what ``load_data`` takes; of one class a sample.
    cv : int, optional
        Trainings; each leaves out one part of as many.
    seed : int, optional
        Of the first training; each has the next.
    n_jobs : int, optional
        Trainings side by side; default: one a core. The result does not depend on it.
    progress : callable or bool, optional
        Called with a stage, the number of trainings done, and of how many; default: a bar; False: silent.
    **options
        For data by name: as for ``load_data``.

    Returns
    -------
    LabelErrors

    Raises
    ------
    DataError, OptionError
        If the data has no classes, a class has fewer samples than there are folds, or an option is wrong.

    Notes
    -----
    Confident learning (Northcutt, Jiang and Chuang, 2021): see ``pellucid.evaluation.label_errors.confident``.
    ``benchmarks/label_errors.py`` prints precision and recall on labels that were flipped on purpose.

    Examples
    --------
    >>> import numpy as np, pellucid as pl
    >>> rng = np.random.default_rng(1)
    >>> X = rng.normal(size=(100, 2)); y = (X[:, 0] > 0).astype(int); y[7] = 1 - y[7]
    >>> found = pl.find_label_errors("logistic", ((X[:80], y[:80]), (X[80:], y[80:])), n_jobs=1)
    >>> found.errors[0].part, found.errors[0].index
    ('train', 7)
    """
    if cv < 2:
        raise OptionError(f"cv: expected 2 folds or more, got {cv}. Try 5.")
    source = as_split(data, "find_label_errors", **options)
    with shown_progress(progress) as show:
        split = source if isinstance(source, Split) else open_source(source, show)[0]
        candidate = candidate_for(split, str(model), seed)
        return label_errors_of(split, candidate, folds=cv, seed=seed, n_jobs=n_jobs, progress=show)


def candidate_for(split: Split, model: str, seed: int) -> Candidate:
    """Return what is trained: a preset or a file, or with "auto" what suits the data."""
    check_labels(split)
    if model != AUTO:
        return find_candidate("model", model, seed=seed)
    chosen = recommend(split)
    config = RunConfig(
        DataSource(split.name or "data"), chosen.model, TrainingOptions.resolve(chosen.recipe, seed=seed)
    )
    return Candidate("model", chosen.model, config=config)
