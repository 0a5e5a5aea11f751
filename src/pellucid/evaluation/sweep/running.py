"""The trainings of a sweep, side by side: one for each fold of each trial, round by round."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pellucid.errors import PellucidError
from pellucid.evaluation.sweep.records import METRICS, Training, Trial, rank
from pellucid.evaluation.sweep.results import Results
from pellucid.prediction.metrics import metrics_of
from pellucid.prediction.predict import Predictions, predict
from pellucid.progress import DetailCallback
from pellucid.runs.train_many import Trained, TrainingJob, Trainings, train_many

TrialCallback = Callable[
    [Trial, Trial | None, str], None
]  # one that is done, the best so far, and the metric


def measure(job: TrainingJob, trained: Trained) -> Training:
    """Return the scores on the fold that was held out."""
    scores = scores_of(predict(trained.model, trained.test))
    return Training(job.fold, 0, 0, scores, trained.history.seconds, trained.model.theta.size)


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
        trainings: Trainings,
        options: Mapping[int, Mapping[str, Any]],
        metric: str,
        results: Results,
        progress: DetailCallback,
        on_trial: TrialCallback,
    ) -> None:
        self.make, self.options, self.metric, self.results = trainings, options, metric, results
        self.progress, self.on_trial = progress, on_trial
        self.trials: dict[int, Trial] = {}
        self.n_trainings, self.seconds, self.n_total = 0, 0.0, 0
        self.n_folds = len(trainings.rows or ())
        self._open: dict[int, dict[int, Training]] = {}

    @property
    def best(self) -> Trial | None:
        """The best so far."""
        return next(iter(rank(list(self.trials.values()), self.metric)), None)

    def cannot(self, number: int, fault: str) -> None:
        """Note a trial whose options contradict one another."""
        self._finish(number, (Training(0, 0, 0, {}, 0.0, 0, fault),))

    def run(self, jobs: Sequence[TrainingJob], n_jobs: int, number: int) -> bool:
        """Make the trainings of one round, but for those that are kept from before; return whether all are made."""
        self._open, left = {}, []
        for job in jobs:
            training = self.results.find(self.options[job.candidate], job.n_epochs, job.fold)
            if training is None:
                left.append(job)
            else:
                self._add(job, training)

        def keep(n: int, job: TrainingJob, found: Training | PellucidError) -> None:
            config = self.make.candidates[job.candidate].config
            assert config is not None
            n_epochs = config.options.n_epochs if job.n_epochs is None else job.n_epochs
            if isinstance(found, PellucidError):
                found = Training(job.fold, number, n_epochs, {}, 0.0, 0, str(found))
            training = found._replace(round=number, n_epochs=n_epochs)
            self.results.add(self.options[job.candidate], job.n_epochs, training)
            self._add(job, training)

        is_enough = lambda done: self.best is not None  # noqa: E731
        return len(train_many(self.make, left, n_jobs=n_jobs, on_done=keep, is_enough=is_enough)) == len(left)

    def _add(self, job: TrainingJob, training: Training) -> None:
        self.n_trainings += 1
        self.seconds += training.seconds
        folds = self._open.setdefault(job.candidate, {})
        folds[job.fold] = training
        if len(folds) == self.n_folds:
            self._finish(job.candidate, tuple(folds[fold] for fold in sorted(folds)))
        best = self.best
        words = "" if best is None else f"best {best.score(self.metric):.4f}: {best.in_words()}"
        self.progress("trainings", self.n_trainings, self.n_total, words[:60])

    def _finish(self, number: int, trainings: tuple[Training, ...]) -> None:
        self.trials[number] = Trial(number, dict(self.options[number]), trainings)
        self.on_trial(self.trials[number], self.best, self.metric)
