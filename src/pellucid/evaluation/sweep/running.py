"""The trainings of a sweep, side by side: one for each fold of each trial, round by round."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from pellucid.data.dataset import Dataset, Split
from pellucid.errors import PellucidError
from pellucid.evaluation.comparison.candidates import Candidate, train_candidate
from pellucid.evaluation.sweep.records import METRICS, Training, Trial, rank
from pellucid.evaluation.sweep.results import Results
from pellucid.evaluation.sweep.trials import with_epochs
from pellucid.parallel import run_jobs
from pellucid.prediction.metrics import metrics_of
from pellucid.prediction.predict import Predictions, predict
from pellucid.progress import DetailCallback
from pellucid.types import Array

TrialCallback = Callable[
    [Trial, Trial | None, str], None
]  # one that is done, the best so far, and the metric


class Task(NamedTuple):
    """What all trainings share; sent to each worker once."""

    data: Dataset
    name: str
    schema: Any
    rows: Sequence[tuple[Array, Array]]  # to train on and to test on, of each fold
    candidates: Mapping[int, Candidate]
    seed: int


class Job(NamedTuple):
    """One training."""

    number: int  # of the trial
    fold: int
    round: int
    n_epochs: int | None  # None: as its options say


def train_one(task: Task, job: Job) -> Training:
    """Train and test on one fold; what cannot be trained is kept as its reason."""
    train_rows, test_rows = task.rows[job.fold]
    part = Split(task.data.take(train_rows), task.data.take(test_rows), task.name, (), task.schema)
    candidate = task.candidates[job.number]
    if job.n_epochs is not None:
        candidate = with_epochs(candidate, job.n_epochs)
    assert candidate.config is not None
    n_epochs = candidate.config.options.n_epochs
    try:
        model, history = train_candidate(candidate, part, seed=task.seed + job.fold, n_threads=1)
        scores = scores_of(predict(model, part.test))
    except PellucidError as error:
        return Training(job.fold, job.round, n_epochs, {}, 0.0, 0, str(error))
    return Training(job.fold, job.round, n_epochs, scores, history.seconds, model.theta.size)


def scores_of(predictions: Predictions) -> dict[str, float | None]:
    """Return all that a sweep may rank by."""
    found = metrics_of(predictions)
    if predictions.kind == "classification" and predictions.has_probabilities:
        found["log_loss"] = float(predictions.losses.mean())
    return {name: found[name] for name in METRICS[predictions.kind] if name in found}


class Running:
    """A sweep while it runs.

    Attributes
    ----------
    trials : dict of int to Trial
        Those that are done, each as of its last round.
    n_trainings : int
    seconds : float
        Of all trainings together.
    """

    def __init__(
        self,
        task: Task,
        options: Mapping[int, Mapping[str, Any]],
        metric: str,
        results: Results,
        progress: DetailCallback,
        on_trial: TrialCallback,
    ) -> None:
        self.task, self.options, self.metric, self.results = task, options, metric, results
        self.progress, self.on_trial = progress, on_trial
        self.trials: dict[int, Trial] = {}
        self.n_trainings, self.seconds, self.n_total = 0, 0.0, 0
        self._open: dict[int, dict[int, Training]] = {}

    @property
    def best(self) -> Trial | None:
        """The best so far."""
        return next(iter(rank(list(self.trials.values()), self.metric)), None)

    def cannot(self, number: int, fault: str) -> None:
        """Note a trial whose options contradict one another."""
        self._finish(number, (Training(0, 0, 0, {}, 0.0, 0, fault),))

    def run(self, jobs: Sequence[Job], n_jobs: int) -> None:
        """Make the trainings of one round, but for those that are kept from before."""
        self._open, left = {}, []
        for job in jobs:
            training = self.results.find(self.options[job.number], job.n_epochs, job.fold)
            if training is None:
                left.append(job)
            else:
                self._add(job, training)
        with closing(run_jobs(train_one, self.task, left, n_jobs=n_jobs)) as done:
            for job, training in done:
                self.results.add(self.options[job.number], job.n_epochs, training)
                self._add(job, training)

    def _add(self, job: Job, training: Training) -> None:
        self.n_trainings += 1
        self.seconds += training.seconds
        folds = self._open.setdefault(job.number, {})
        folds[job.fold] = training
        if len(folds) == len(self.task.rows):
            self._finish(job.number, tuple(folds[fold] for fold in sorted(folds)))
        best = self.best
        words = "" if best is None else f"best {best.score(self.metric):.4f}: {best.in_words()}"
        self.progress("trainings", self.n_trainings, self.n_total, words[:60])

    def _finish(self, number: int, trainings: tuple[Training, ...]) -> None:
        self.trials[number] = Trial(number, dict(self.options[number]), trainings)
        self.on_trial(self.trials[number], self.best, self.metric)
