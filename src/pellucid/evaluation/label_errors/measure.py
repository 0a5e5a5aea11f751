"""Find label errors: predict every sample by a network that was not trained on it, and compare with its label."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.checks.check import open_source
from pellucid.checks.findings import Names
from pellucid.data.dataset import Split
from pellucid.data.pairs import as_split
from pellucid.data.source import DataSource
from pellucid.errors import OptionError
from pellucid.evaluation.comparison.candidates import (
    Candidate,
    check_labels,
    check_untrained,
    find_candidate,
    ready_to_train,
)
from pellucid.evaluation.comparison.splitting import check_counts, make_folds, whole_of
from pellucid.evaluation.label_errors.confident import contradicted
from pellucid.evaluation.label_errors.out_of_fold import FoldTask, Say, no_words, out_of_fold
from pellucid.evaluation.label_errors.records import LabelError, LabelErrors
from pellucid.job_threads import Later, at_once
from pellucid.nn.presets import PRESETS
from pellucid.progress import ProgressBar, ProgressCallback, no_progress
from pellucid.registry import validate_call
from pellucid.runs.config import RunConfig
from pellucid.runs.run import Run
from pellucid.training.options import TrainingOptions
from pellucid.training.recommend import AUTO, recommend

N_FOLDS, MOST_SECONDS = (
    5,
    40.0,
)  # of a report's search: trainings, and how long they may take one after another


@validate_call("folds", "seed", "n_jobs")
def find_label_errors(
    data: Split | DataSource | str | Path,
    model: str = AUTO,
    *,
    folds: int = 5,
    seed: int = 1,
    n_jobs: int | None = None,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> LabelErrors:
    """Find samples whose label is probably wrong.

    Both parts are put together and divided into folds; a network is trained on all but one, and predicts the one
    that it has not seen. Labels that these predictions contradict with confidence are returned. Copies and groups
    stay in one fold.

    Parameters
    ----------
    data : Split, DataSource, str or Path
        Loaded data, or what ``load_data`` takes; of one class a sample.
    model : str, optional
        A preset, a ``.toml`` file, or "auto": what :func:`pellucid.recommend` names for the data.
    folds : int, optional
        Trainings; each leaves out one part of as many.
    seed : int, optional
        Of the first training; each has the next.
    n_jobs : int, optional
        Trainings side by side; default: one a core. The result does not depend on it.
    progress : callable, optional
        ``progress(stage, done, total)`` is called with the epochs of all trainings; default: a bar, in a terminal
        or a notebook.
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
    >>> found = pl.find_label_errors(((X[:80], y[:80]), (X[80:], y[80:])), "logistic", n_jobs=1)
    >>> found.errors[0].part, found.errors[0].index
    ('train', 7)
    """
    if folds < 2:
        raise OptionError(f"folds: expected 2 or more, got {folds}. Try 5.")
    source = as_split(data, "find_label_errors", **options)
    with ProgressBar() as bar:
        show = progress or bar
        split, names = (
            (source, Names.of(source)) if isinstance(source, Split) else open_source(source, show)[:2]
        )
        return label_errors_of(
            split, model, names=names, folds=folds, seed=seed, n_jobs=n_jobs, progress=show
        )


def begin_label_errors(
    run: Run, *, n_alike: int = 0, later: Later = at_once
) -> Callable[[], LabelErrors | None]:
    """Return what waits for the label errors by networks trained as a run's was; None where that cannot be done.

    Parameters
    ----------
    run : Run
        Of a preset, whose training took a fifth of ``MOST_SECONDS`` or less: else there are none.
    n_alike : int, optional
        Other trainings like these in this process: kernels that are compiled for them serve these too.
    later : callable, optional
        Begins the trainings where they are spent in kernels: see :func:`pellucid.job_threads.in_background`.
    """
    config, split = run.config, run.split
    counts = np.bincount(np.concatenate([split.train.y, split.test.y]), minlength=len(split.classes))
    is_short = N_FOLDS * run.history.seconds <= MOST_SECONDS
    if not is_short or config.model not in PRESETS or counts.min() < N_FOLDS:
        return lambda: None
    candidate = Candidate("model", config.model, config=config)
    candidate = ready_to_train(candidate, split, N_FOLDS + n_alike)
    begin = later if candidate.is_in_kernels else at_once
    return begin(partial(label_errors_of, split, candidate, folds=N_FOLDS, seed=config.options.seed))


def label_errors_of(
    split: Split,
    model: str | Candidate = AUTO,
    *,
    names: Names | None = None,
    folds: int = 5,
    seed: int = 1,
    n_jobs: int | None = None,
    progress: ProgressCallback = no_progress,
    say: Say = no_words,
) -> LabelErrors:
    """Return the label errors of loaded data, whose samples may have names; ``say`` is told what it will cost."""
    check_labels(split)
    whole = whole_of(split)
    check_counts(whole, split.name, folds, "--folds")
    candidate = model if isinstance(model, Candidate) else _candidate(model, split, seed)
    why = "every sample is to be predicted by a network that has not seen it"
    check_untrained([candidate], "--labels", why)
    divided = make_folds(whole, folds, 1, "--folds")
    task = FoldTask(split, whole, candidate, divided.rows, seed)
    P = out_of_fold(task, n_jobs=n_jobs, progress=progress, say=say)
    rows, likely = contradicted(P, whole.y)
    n_train, names = len(split.train), names or Names.of(split)
    errors = []
    for row, label in zip(rows.tolist(), likely.tolist(), strict=True):
        part, index = ("train", row) if row < n_train else ("test", row - n_train)
        called = names.train if part == "train" else names.test
        errors.append(
            LabelError(
                part,
                index,
                called[index] if called else "",
                split.classes[int(whole.y[row])],
                split.classes[label],
                float(P[row, label]),
                float(P[row, whole.y[row]]),
            )
        )
    accuracy = float((P.argmax(axis=1) == whole.y).mean())
    return LabelErrors(
        split.name,
        candidate.source,
        len(whole),
        folds,
        accuracy,
        tuple(errors),
        P,
        split,
        divided.notes,
    )


def _candidate(model: str, split: Split, seed: int) -> Candidate:
    if model != AUTO:
        return find_candidate("model", model, seed=seed)
    chosen = recommend(split)
    config = RunConfig(
        DataSource(split.name or "data"), chosen.model, TrainingOptions.resolve(chosen.recipe, seed=seed)
    )
    return Candidate("model", chosen.model, config=config)
