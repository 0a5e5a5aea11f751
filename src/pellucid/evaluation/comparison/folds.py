"""Repeated cross-validation: every sample is tested once a repeat, by a network that was not trained on it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.data.dataset import Split
from pellucid.errors import PellucidError
from pellucid.evaluation.comparison.comparison import Comparison
from pellucid.evaluation.comparison.labels import check_labels, check_untrained, predicted_labels
from pellucid.evaluation.comparison.splitting import check_counts, make_folds, merge_parts
from pellucid.prediction.confusion import confusion_matrix
from pellucid.progress import DetailCallback, no_detail
from pellucid.runs.candidates import Candidate
from pellucid.runs.train_many import Trained, TrainingJob, Trainings, complete, train_many, undivided
from pellucid.stats.t_tests import FoldMean, corrected_t_interval
from pellucid.text_blocks import Block
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS = ("balanced_accuracy", "accuracy")


@dataclass(frozen=True)
class Fold:
    """One training, and its scores on the held-out fold."""

    repeat: int
    fold: int
    accuracy: float
    balanced_accuracy: float
    seconds: float


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidation(Comparison):
    """The scores of every fold of repeated cross-validation.

    Attributes
    ----------
    data : str
    n_samples : int
    n_left_out : int
        Exact copies of other samples.
    n_splits, n_repeats : int
    sources : tuple of str
        One or two: A and B.
    folds : tuple of tuple of Fold
        Of each source; the same folds in the same order. Fewer than asked for where it was stopped.
    notes : tuple of str
        What to mind about the folds.
    """

    name = "cross-validation"

    data: str
    n_samples: int
    n_left_out: int
    n_splits: int
    n_repeats: int
    sources: tuple[str, ...]
    folds: tuple[tuple[Fold, ...], ...]
    notes: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every fold was trained."""
        return len(self.folds[0]) == self.n_splits * self.n_repeats

    @property
    def test_fraction(self) -> float:
        """Test samples over training samples of a fold."""
        return 1 / (self.n_splits - 1)

    def values(self, metric: str = METRICS[0]) -> tuple[Array, ...]:
        """Return one metric of each fold, for each source, shape (n_folds,)."""
        return tuple(np.array([getattr(fold, metric) for fold in folds]) for folds in self.folds)

    def means(self, metric: str = METRICS[0]) -> list[FoldMean]:
        """Return the mean of one metric for each source, with its interval."""
        found = [corrected_t_interval(values, self.test_fraction) for values in self.values(metric)]
        return [replace(_within(one, 0, 1), p_value=None) for one in found]  # against 0 it is meaningless

    def difference(self, metric: str = METRICS[0]) -> FoldMean | None:
        """Return by how much B exceeds A over the folds; None where there is only A."""
        if len(self.sources) == 1:
            return None
        a, b = self.values(metric)
        return _within(corrected_t_interval(b - a, self.test_fraction), -1, 1)

    @property
    def finding(self) -> str:
        """The mean over folds; of two models, which is better and whether by chance."""
        from pellucid.evaluation.comparison.text import cv_finding

        return cv_finding(self)

    def blocks(self) -> list[Block]:
        """Return every fold's scores, their means, and the finding."""
        from pellucid.evaluation.comparison.text import cv_blocks

        return cv_blocks(self)

    def figures(self) -> "dict[str, Figure]":
        """Return the figure of every fold."""
        from pellucid.evaluation.comparison.plot_comparison import cross_validation_figure

        return {self.name: cross_validation_figure(self)}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        differences = {metric: self.difference(metric) for metric in METRICS}
        return {
            "data": self.data,
            "n_samples": self.n_samples,
            "n_left_out": self.n_left_out,
            "n_splits": self.n_splits,
            "n_repeats": self.n_repeats,
            "is_complete": self.is_complete,
            **{
                letter: {
                    "source": self.sources[i],
                    **{metric: self.means(metric)[i].to_dict() for metric in METRICS},
                    "folds": [asdict(fold) for fold in self.folds[i]],
                }
                for i, letter in enumerate("ab"[: len(self.sources)])
            },
            "difference": {name: value.to_dict() for name, value in differences.items() if value} or None,
            "notes": list(self.notes),
            "finding": self.finding,
        }


def _within(mean: FoldMean, lowest: float, highest: float) -> FoldMean:
    """Cut an interval at what a score can be: of few folds it is wide."""
    if mean.low is None or mean.high is None:
        return mean
    return replace(mean, low=max(mean.low, lowest), high=min(mean.high, highest))


def cross_validate(
    split: Split,
    candidates: Sequence[Candidate],
    *,
    n_splits: int,
    n_repeats: int,
    seed: int = 1,
    n_jobs: int = 1,
    progress: DetailCallback = no_detail,
) -> CrossValidation:
    """Train each candidate on every fold of ``RepeatedStratifiedKFold`` and test it on what was held out.

    Nothing of a fold's test part is used for stopping or for choosing: the recipe is fixed beforehand. Every
    candidate gets the same folds.

    Parameters
    ----------
    split : Split
        Both parts are put together; of pictures, exact copies are left out.
    candidates : sequence of Candidate
        One or two, none trained already.
    n_splits, n_repeats : int
    seed : int, optional
        Of the first fold's training; each fold has the next.
    n_jobs : int, optional
        Processes; the scores do not depend on it.
    progress : callable, optional
        Called with a stage, how many folds are done, of how many, and the last one's score.

    Raises
    ------
    OptionError, DataError
        If a candidate is a trained model, or a class has too few samples.

    Ctrl-C ends it with the folds that are done for all candidates, if there are two.
    """
    why = "a fold is to be tested on samples that no training has seen, but this model has seen most of them"
    check_untrained(candidates, "cross-validation", why)
    check_labels(split)
    data = merge_parts(split)
    check_counts(data, split.name, n_splits)
    rows, notes = make_folds(data, n_splits, n_repeats)
    whole = undivided(data, split)
    trainings = Trainings(dict(enumerate(candidates)), whole, partial(_score, n_splits), rows).ready(
        len(rows)
    )
    jobs = [
        TrainingJob(side, seed + fold, fold) for fold in range(len(rows)) for side in trainings.candidates
    ]

    def show(n: int, job: TrainingJob, result: Fold | PellucidError) -> None:
        if isinstance(result, PellucidError):
            repeat, fold = divmod(job.fold, n_splits)
            raise type(result)(f"repeat {repeat + 1}, fold {fold + 1}: {result}") from None
        progress("folds", n, len(jobs), f"balanced accuracy {result.balanced_accuracy:.3f}")

    done = train_many(
        trainings,
        jobs,
        n_jobs=n_jobs,
        on_threads=trainings.on_threads,
        on_done=show,
        is_enough=lambda done: len(complete(done, len(candidates))) > 1,
    )
    return CrossValidation(
        data=split.name,
        n_samples=len(data),
        n_left_out=len(split.train) + len(split.test) - len(data),
        n_splits=n_splits,
        n_repeats=n_repeats,
        sources=tuple(candidate.source for candidate in candidates),
        folds=tuple(zip(*complete(done, len(candidates)), strict=True)),
        notes=notes,
    )


def _score(n_splits: int, job: TrainingJob, trained: Trained) -> Fold:
    predicted = predicted_labels(trained.candidate, trained.model, trained.test)
    found = confusion_matrix(trained.test.y, predicted, trained.test.classes)
    repeat, fold = divmod(job.fold, n_splits)
    return Fold(repeat, fold, found.accuracy, found.balanced_accuracy, trained.history.seconds)
