"""One trial of a sweep: its options made a training, trained on each fold, and scored."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.data.dataset import Split
from pellucid.data.source import DataSource
from pellucid.errors import PellucidError, TrainingError
from pellucid.evaluation.sweep.result import METRICS, Training, Trial
from pellucid.evaluation.sweep.space import MODEL, OF_NAMED, is_of_network
from pellucid.evaluation.sweep.study import Search, Study, trainings_of
from pellucid.prediction.metrics import metrics_of
from pellucid.prediction.predict import Predictions, predict
from pellucid.registry import flags_of
from pellucid.runs.build import plan
from pellucid.runs.candidates import Candidate, train_candidate
from pellucid.runs.train_many import part_of
from pellucid.training.callbacks.base import Callback
from pellucid.training.callbacks.checkpoint import Checkpoint
from pellucid.training.checkpoint import checkpoints_of
from pellucid.training.events import EpochEnd
from pellucid.training.options import TrainingOptions
from pellucid.types import Array

if TYPE_CHECKING:
    import optuna

MINUTES = 0.5  # between checkpoints


class PauseAfter(Callback):
    """Stop after some epochs, as Ctrl-C would: a checkpoint is written, from which the training can go on."""

    def __init__(self, n_epochs: int) -> None:
        self.n_epochs = n_epochs

    def epoch_end(self, event: EpochEnd) -> bool:
        """Stop where the time has come."""
        if event.run.epoch == self.n_epochs:
            event.run.was_interrupted = True
        return event.run.was_interrupted


@dataclass(frozen=True, eq=False)
class NextTrial:
    """What trials have in common, sent to each process once; called, it trains the next one of the study.

    Attributes
    ----------
    folder : Path
        Of the study.
    search : Search
    split : Split
    rows : sequence of (Array, Array)
        The rows of the training part to train on and to test on, of each fold.
    model : str
    source : DataSource or str
    training : mapping
        Options of all trials.
    """

    folder: Path
    search: Search
    split: Split
    rows: list[tuple[Array, Array]]
    model: str
    source: DataSource | str
    training: Mapping[str, Any]

    def __call__(self, job: int) -> None:
        """Train the next trial, or wait until other processes have trained the last ones."""
        study = Study(self.folder, self.search)
        found = study.next_trial()
        if found is None:
            return
        trial, lock = found
        try:
            study.tell(trial, lock, self._train(study, trial, lock.path.parent))
        finally:
            lock.release()

    def _train(self, study: Study, trial: "optuna.Trial", folder: Path) -> Trial:
        """Return a trial and its trainings, each kept in the study as soon as it is done."""
        options, done = self.search.space.options(trial.params), trainings_of(trial.user_attrs)

        def made(fault: str = "", *, is_pruned: bool = False) -> Trial:
            return Trial(trial.number + 1, options, tuple(done.values()), fault, is_pruned)

        try:
            candidate = make_candidate(options, self.model, self.source, self.training)
            assert candidate.config is not None
            n_epochs = candidate.config.options.n_epochs
            for asked in self.search.rounds or [n_epochs]:
                for fold in range(len(self.rows)):
                    before = done.get(fold)
                    if before is None or before.n_epochs == before.asked_epochs < asked:
                        done[fold] = self._train_fold(candidate, fold, asked, before, folder / f"fold-{fold}")
                        trial.set_user_attr("trainings", [one._asdict() for one in done.values()])
                scores = [made().score(name) for name in self.search.objectives]
                for name, score in zip(self.search.objectives, scores, strict=True):
                    if score is None or score != score:
                        raise TrainingError(f"{name} could not be computed.")
                if asked < n_epochs and study.prunes(trial, asked, scores[0] or 0.0):
                    return made(is_pruned=True)
        except PellucidError as error:
            return made(str(error))
        return made()

    def _train_fold(
        self, candidate: Candidate, fold: int, n_epochs: int, before: Training | None, folder: Path
    ) -> Training:
        """Train up to an epoch, from a checkpoint where there is one."""
        assert candidate.config is not None
        options, split = candidate.config.options, part_of(self.split, self.rows[fold])
        callbacks: list[Callback] = []
        if options.optimizer != "lbfgs":  # whose memory cannot be kept
            callbacks.append(Checkpoint(folder, every_minutes=MINUTES, keep=1))
        if n_epochs < options.n_epochs:
            callbacks.append(PauseAfter(n_epochs))
        model, history = train_candidate(
            candidate,
            split,
            seed=self.search.seed + fold,
            n_threads=1,
            callbacks=callbacks,
            resume=folder if checkpoints_of(folder) else None,
        )
        seconds = history.seconds + (0.0 if before is None else before.seconds)
        scores = scores_of(predict(model, split.test))
        return Training(fold, len(history.losses), n_epochs, scores, seconds, model.theta.size)


def scores_of(predictions: Predictions) -> dict[str, float | None]:
    """Return all that a sweep may rank by."""
    found = metrics_of(predictions)
    if predictions.kind == "classification" and predictions.has_probabilities:
        found["log_loss"] = float(predictions.losses.mean())
    return {name: found[name] for name in METRICS[predictions.kind] if name in found}


def make_candidate(
    options: Mapping[str, Any], model: str, data: DataSource | str, training: Mapping[str, Any]
) -> Candidate:
    """Return the training that options are of; an error where they contradict one another."""
    source, changes = str(options.get(MODEL, model)), changes_of(options)
    request = plan(source, data, changes=changes, **{**training, **fields_of(options)})
    return Candidate("trial", source, config=request.config, architecture=request.architecture)


def changes_of(options: Mapping[str, Any]) -> dict[tuple[str | int, ...], Any]:
    """Return the options of the network, by their place in its file."""
    return {tuple(name.split(".")): value for name, value in options.items() if is_of_network(name)}


def fields_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the training, by the fields of TrainingOptions.

    Examples
    --------
    >>> fields_of({"epochs": 5, "optimizer_options.momentum": 0.9, "layers.1.units": 3})
    {'n_epochs': 5, 'optimizer_options': {'momentum': 0.9}}
    """
    flags = flags_of(TrainingOptions)
    found: dict[str, Any] = {}
    for name, value in options.items():
        top, _, rest = name.partition(".")
        if top in OF_NAMED:
            found.setdefault(top, {})[rest] = value
        elif name in flags:
            found[flags[name]] = value
    return found
