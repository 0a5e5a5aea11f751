"""Find label errors: predict every sample by a network that was not trained on it, and compare with its label."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial

import numpy as np

from pellucid.data.dataset import Split
from pellucid.errors import PellucidError
from pellucid.evaluation.comparison.labels import check_labels, check_untrained
from pellucid.evaluation.comparison.splitting import check_counts, make_folds, whole_of
from pellucid.evaluation.label_errors.confident import contradicted
from pellucid.evaluation.label_errors.label_errors import LabelError, LabelErrors
from pellucid.job_threads import submit
from pellucid.nn.presets import PRESETS
from pellucid.progress import ProgressCallback, no_progress
from pellucid.runs.candidates import Candidate, ready_to_train
from pellucid.runs.run import Run
from pellucid.runs.train_many import Trained, TrainingJob, Trainings, n_jobs_that_fit, train_all, undivided
from pellucid.text import plural
from pellucid.types import Array

N_FOLDS, MOST_SECONDS = 5, 40.0  # of a report: trainings, and how long they may take one after another
STAGE = "training on folds"
Say = Callable[[str], None]


def say_nothing(line: str) -> None:
    """Say nothing."""


def begin_label_errors(
    run: Run, *, n_alike: int = 0, executor: Executor | None = None
) -> Future[LabelErrors | None]:
    """Return the label errors by networks trained as a run's was, as a future; None where that cannot be done.

    Parameters
    ----------
    run : Run
        Of a preset, whose training took a fifth of ``MOST_SECONDS`` or less: else there are none.
    n_alike : int, optional
        Other trainings like these in this process: kernels that are compiled for them serve these too.
    executor : Executor, optional
        For the trainings where they are spent in kernels: see :func:`pellucid.job_threads.in_background`.
    """
    config, split = run.config, run.split
    counts = np.bincount(np.concatenate([split.train.y, split.test.y]), minlength=len(split.classes))
    is_short = N_FOLDS * run.history.seconds <= MOST_SECONDS
    if not is_short or config.model not in PRESETS or counts.min() < N_FOLDS:
        return submit(None, lambda: None)
    candidate = Candidate("model", config.model, config=config)
    candidate = ready_to_train(candidate, split, N_FOLDS + n_alike)
    search = partial(label_errors_of, split, candidate, folds=N_FOLDS, seed=config.options.seed)
    return submit(executor if candidate.is_in_kernels else None, search)


def label_errors_of(
    split: Split,
    candidate: Candidate,
    *,
    folds: int = 5,
    seed: int = 1,
    n_jobs: int | None = None,
    progress: ProgressCallback = no_progress,
    say: Say = say_nothing,
) -> LabelErrors:
    """Return the label errors of loaded data.

    Parameters
    ----------
    split : Split
    candidate : Candidate
        What is trained.
    folds, seed, n_jobs, progress : optional
        See :func:`pellucid.find_label_errors`.
    say : callable, optional
        Takes a line: how many trainings there will be, and after the first of them how long all will take.
    """
    check_labels(split)
    whole = whole_of(split)
    check_counts(whole, split.name, folds)
    why = "every sample is to be predicted by a network that was not trained on it"
    check_untrained([candidate], "--labels", why)
    divided = make_folds(whole, folds)
    trainings = Trainings([candidate], undivided(whole, split), _probabilities, divided.rows)
    assert candidate.config is not None
    side_by_side = min(n_jobs or n_jobs_that_fit([candidate]), folds)
    say(
        f"Looking for label errors: {plural(folds, 'training')} of {candidate.source}, "
        f"{plural(candidate.config.options.n_epochs, 'epoch')} each, on {len(divided.rows[0][0]):,} of "
        f"{len(whole):,} samples."
    )
    progress(STAGE, 0, folds)
    started, P = time.perf_counter(), np.zeros((len(whole), len(split.classes)))

    def keep(n: int, job: TrainingJob, found: Array | PellucidError) -> None:
        if isinstance(found, PellucidError):
            raise type(found)(f"fold {job.fold + 1}: {found}") from None
        P[divided.rows[job.fold][1]] = found
        progress(STAGE, n, folds)
        if n == 1 and (words := cost(time.perf_counter() - started, folds, side_by_side)):
            say(words)

    train_all(trainings, folds, seed=seed, n_jobs=side_by_side, on_done=keep)
    rows, likely = contradicted(P, whole.y)
    return LabelErrors(
        data=split.name,
        model=candidate.source,
        n_samples=len(whole),
        n_folds=folds,
        accuracy=float((P.argmax(axis=1) == whole.y).mean()),
        errors=tuple(
            _label_error(split, P[row], int(whole.y[row]), row, label)
            for row, label in zip(rows.tolist(), likely.tolist(), strict=True)
        ),
        probabilities=P,
        split=split,
        notes=divided.notes,
    )


def _label_error(split: Split, p: Array, given: int, row: int, likely: int) -> LabelError:
    n_train = len(split.train)
    part, index = ("train", row) if row < n_train else ("test", row - n_train)
    name = (split.train if part == "train" else split.test).file(index)
    classes = split.classes
    return LabelError(part, index, name, classes[given], classes[likely], float(p[likely]), float(p[given]))


def _probabilities(job: TrainingJob, trained: Trained) -> Array:
    return np.asarray(trained.model.predict_proba(trained.test.X), np.float64)


def cost(seconds: float, n_folds: int, n_jobs: int) -> str:
    """Return what all trainings will cost, from the time of the first; "" where that is soon over.

    Examples
    --------
    >>> cost(12.0, n_folds=5, n_jobs=2)
    'The first training took 12 s: about 24 s more for the other 4, 2 at a time.'
    >>> cost(0.2, n_folds=5, n_jobs=2)
    ''
    """
    left = seconds * (-(-n_folds // n_jobs) - 1)
    if left < 1:
        return ""
    at_a_time = f", {n_jobs} at a time" if n_jobs > 1 else ""
    others = f"the other {n_folds - 1}" if n_folds > 2 else "the other one"
    return f"The first training took {seconds:.0f} s: about {left:.0f} s more for {others}{at_a_time}."
