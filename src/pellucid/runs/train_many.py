"""Many trainings side by side: the one runner under folds, random seeds, label errors, sweeps and influence."""

import operator
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from pellucid.data.dataset import Dataset, Split
from pellucid.errors import PellucidError
from pellucid.job_threads import stop_if_cancelled
from pellucid.nn.model import Model
from pellucid.parallel import JobsLost, run_jobs
from pellucid.runs.candidates import Candidate, ready_to_train, train_candidate
from pellucid.threads import n_cores
from pellucid.training.history import History
from pellucid.training.training_cache import TrainingCache
from pellucid.types import Array

Job = TypeVar("Job", bound=Hashable)
Result = TypeVar("Result")


class TrainingJob(NamedTuple):
    """One of many trainings.

    Attributes
    ----------
    candidate : int
        The number of what is trained.
    seed : int
    fold : int
        The number of this training of that candidate, and of the rows that are held out where there are folds.
    """

    candidate: int
    seed: int
    fold: int


class Trained(NamedTuple):
    """A network that was trained, and the samples that were held out."""

    candidate: Candidate
    model: Model
    history: History
    test: Dataset


@dataclass(frozen=True, eq=False)
class Trainings:
    """What many trainings have in common, sent to each process once; called with a job, it trains.

    Attributes
    ----------
    candidates : sequence of Candidate
    split : Split
    measure : callable
        Takes a job and what was trained, and returns the result; picklable. An error of ours is a result, too.
    rows : sequence of (Array, Array), optional
        The rows of the training part to train on and to test on, of each fold; default: all, and the test part.
    draws_start : bool, optional
        See :func:`pellucid.runs.candidates.train_candidate`.
    shared : TrainingCache or None
        What trainings on threads have in common.
    """

    candidates: Sequence[Candidate]
    split: Split
    measure: Callable[[TrainingJob, Trained], Any]
    rows: Sequence[tuple[Array, Array]] | None = None
    draws_start: bool = False
    shared: TrainingCache | None = None

    @property
    def on_threads(self) -> bool:
        """Whether trainings side by side run on threads: see :func:`pellucid.parallel.run_jobs`."""
        return all(candidate.is_in_kernels for candidate in self.candidates)

    def ready(self, n_trainings: int) -> "Trainings":
        """Return them with the kernels that suit that many trainings of each candidate, compiled."""
        split = self.parts(0)
        candidates = [ready_to_train(one, split, n_trainings) for one in self.candidates]
        found = replace(self, candidates=candidates)
        return replace(found, shared=TrainingCache()) if self.rows is None and found.on_threads else found

    def parts(self, fold: int) -> Split:
        """Return what is trained and tested on."""
        return self.split if self.rows is None else part_of(self.split, self.rows[fold])

    def __call__(self, job: TrainingJob) -> Any:
        """Train, and return what was measured, or the error."""
        split, candidate = self.parts(job.fold), self.candidates[job.candidate]
        try:
            model, history = train_candidate(
                candidate,
                split,
                seed=job.seed,
                n_threads=1,
                draws_start=self.draws_start,
                shared=self.shared,
            )
            return self.measure(job, Trained(candidate, model, history, split.test))
        except PellucidError as error:
            return error


def train_all(
    trainings: Trainings,
    n: int,
    *,
    seed: int,
    n_jobs: int = 1,
    least: int = 0,
    on_done: Callable[[int, TrainingJob, Any], None] = lambda n, job, result: None,
) -> dict[int, tuple[Any, ...]]:
    """Return the results of n trainings of each candidate, by seed, from ``seed`` on.

    Parameters
    ----------
    trainings : Trainings
        Where they have folds, the trainings of each number are of its fold.
    n, seed, n_jobs, on_done
        See :func:`train_many`.
    least : int, optional
        After Ctrl-C the seeds that are done for all candidates are returned if they are as many; 0: never.
    """
    ready = trainings.ready(n)
    jobs = [TrainingJob(side, seed + k, k) for k in range(n) for side in range(len(ready.candidates))]

    def complete(done: Mapping[TrainingJob, Any]) -> dict[int, tuple[Any, ...]]:
        groups = [jobs[i : i + len(ready.candidates)] for i in range(0, len(jobs), len(ready.candidates))]
        return {group[0].seed: tuple(done[job] for job in group) for group in groups if {*group} <= {*done}}

    done = train_many(
        ready,
        jobs,
        n_jobs=n_jobs,
        on_threads=ready.on_threads,
        on_done=on_done,
        is_enough=lambda done: 0 < least <= len(complete(done)),
    )
    return complete(done)


def part_of(split: Split, rows: tuple[Array, Array]) -> Split:
    """Return the rows of the training part to train on and to test on as a split of their own."""
    train, test = (split.train.take(chosen) for chosen in rows)
    return Split(train, test, split.name, (), split.schema)


def undivided(data: Dataset, split: Split) -> Split:
    """Return data that folds will divide as a training part, with a split's name and schema and no test part."""
    return Split(data, data.take(slice(0, 0)), split.name, (), split.schema)


def train_many(
    train: Callable[[Job], Result],
    jobs: Sequence[Job],
    *,
    n_jobs: int = 1,
    on_threads: bool = False,
    on_done: Callable[[int, Job, Result], None] = lambda n, job, result: None,
    is_enough: Callable[[dict[Job, Result]], bool] = lambda done: False,
) -> dict[Job, Result]:
    """Return ``train(job)`` for each job, in the order in which they are done.

    Parameters
    ----------
    train : callable
        Sent to each process once, with all that it holds: :class:`Trainings`, for example.
    jobs : sequence of hashable
    n_jobs, on_threads : optional
        As for :func:`pellucid.parallel.run_jobs`. The results do not depend on them.
    on_done : callable, optional
        Called with the number of jobs done, the last one and its result; what it raises ends the others.
    is_enough : callable, optional
        After Ctrl-C, or where processes or workers are lost, which is warned of: what is done by then is returned
        if this says so. Default: it never is.

    Examples
    --------
    >>> train_many(lambda group: sum(group), [(1, 2), (3,)])
    {(1, 2): 3, (3,): 3}
    """
    done: dict[Job, Result] = {}
    try:
        with closing(run_jobs(operator.call, train, jobs, n_jobs=n_jobs, on_threads=on_threads)) as results:
            for job, result in results:
                stop_if_cancelled()
                done[job] = result
                on_done(len(done), job, result)
    except (KeyboardInterrupt, JobsLost) as error:
        if not is_enough(done):
            raise
        if isinstance(error, JobsLost):
            warnings.warn(f"{error} What was finished is kept.", RuntimeWarning, stacklevel=2)
    return done


def n_jobs_that_fit(candidates: Sequence[Candidate]) -> int:
    """Return how many trainings fit on the cores, where each may take several threads."""
    threads = [one.config.options.n_threads or 1 for one in candidates if one.config is not None]
    return max(1, n_cores() // max(threads, default=1))
