"""Probabilities of every sample by a network that was not trained on it, with progress and what it will cost."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pellucid.data.dataset import Dataset, Split
from pellucid.evaluation.comparison.candidates import Candidate, ready_to_train, train_candidate
from pellucid.evaluation.comparison.jobs import run_for_each
from pellucid.evaluation.comparison.measure import n_jobs_that_fit
from pellucid.progress import ProgressCallback, no_progress
from pellucid.text import plural
from pellucid.training.callbacks.base import Callback
from pellucid.training.events import EpochEnd
from pellucid.types import Array

Say = Callable[[str], None]
STAGE = "training on folds, epochs"
EVERY = 0.5  # seconds between two looks at how far the trainings are


def no_words(line: str) -> None:
    """Say nothing."""


class FoldTask(NamedTuple):
    """What every fold's training needs; given to each process once."""

    split: Split
    whole: Dataset
    candidate: Candidate
    folds: list[tuple[Array, Array]]  # rows to train on, rows to predict
    seed: int
    counts: Path | None = None  # the file of the epochs made, of each fold


def out_of_fold(task: FoldTask, *, n_jobs: int | None, progress: ProgressCallback, say: Say) -> Array:
    """Return the probabilities of every sample by the network that was not trained on it, shape (m, k).

    Parameters
    ----------
    task : FoldTask
    n_jobs : int or None
        Trainings side by side; None: as many as fit on the cores.
    progress : callable
        Called with the epochs that all trainings have made, and of how many, twice a second.
    say : callable
        Takes a line: how many trainings there will be, and after the first of them how long all will take.
    """
    whole, rows, n_folds = task.whole, task.folds, len(task.folds)
    first = Split(whole.take(rows[0][0]), whole.take(rows[0][1]), task.split.name, (), task.split.schema)
    candidate = ready_to_train(task.candidate, first, n_folds)
    assert candidate.config is not None
    n_jobs = min(n_jobs or n_jobs_that_fit([candidate]), n_folds)
    n_epochs = candidate.config.options.n_epochs
    say(
        f"Looking for label errors: {plural(n_folds, 'training')} of {candidate.source}, "
        f"{plural(n_epochs, 'epoch')} each, on {len(rows[0][0]):,} of {len(whole):,} samples."
    )
    started = time.perf_counter()

    def done(n: int, _: int, __: Array) -> None:
        if n == 1 and (words := cost(time.perf_counter() - started, n_folds, n_jobs)):
            say(words)

    with _watched(n_folds, n_epochs, progress) as counts:
        results = run_for_each(
            _predict_fold,
            task._replace(candidate=candidate, counts=counts),
            range(n_folds),
            1,
            n_jobs=n_jobs,
            on_threads=candidate.is_in_kernels,
            least=n_folds + 1,
            show=done,
        )
    P = np.zeros((len(whole), len(task.split.classes)))
    for number, (found,) in results.items():
        P[rows[number][1]] = found
    return P


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


@contextmanager
def _watched(n_folds: int, n_epochs: int, progress: ProgressCallback) -> Iterator[Path | None]:
    """Yield a file of one count for each fold, which trainings map, and tell ``progress`` the sum of them.

    None where nobody asks: then a kernel can take many epochs in one call.
    """
    if progress is no_progress:
        yield None
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "epochs"
        counts = np.memmap(path, np.int64, "w+", shape=(n_folds,))
        is_over = threading.Event()

        def look() -> None:
            while not is_over.wait(EVERY):
                progress(STAGE, int(counts.sum()), n_folds * n_epochs)

        progress(STAGE, 0, n_folds * n_epochs)
        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield path
        finally:
            is_over.set()
            thread.join()
        progress(STAGE, n_folds * n_epochs, n_folds * n_epochs)


class _Counted(Callback):
    """Writes how many epochs are made where another process sees it."""

    def __init__(self, path: Path, number: int) -> None:
        self._counts, self._number = np.memmap(path, np.int64, "r+"), number

    def epoch_end(self, event: EpochEnd) -> None:
        """Count an epoch."""
        self._counts[self._number] = event.epoch + 1


def _predict_fold(task: FoldTask, job: tuple[int, int]) -> Array:
    number, _ = job
    train, test = (task.whole.take(rows) for rows in task.folds[number])
    part = Split(train, test, task.split.name, (), task.split.schema)
    is_here = task.counts is not None and task.counts.is_file()  # and not another machine of a cluster
    callbacks = [_Counted(task.counts, number)] if task.counts is not None and is_here else []
    seed = task.seed + number
    model, _ = train_candidate(task.candidate, part, seed=seed, n_threads=1, callbacks=callbacks)
    return np.asarray(model.predict_proba(test.X), np.float64)
