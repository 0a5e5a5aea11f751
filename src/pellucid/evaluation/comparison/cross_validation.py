"""Use case: repeated cross-validation. Every sample is tested once a repeat, by a network that never saw it."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.dataset import Dataset, Split
from pellucid.errors import PellucidError
from pellucid.evaluation.comparison.candidates import (
    Candidate,
    answers,
    check_beginning,
    check_labels,
    check_untrained,
    train_candidate,
)
from pellucid.evaluation.comparison.folds import check_counts, deal, whole
from pellucid.evaluation.scores.confusion import confusion_matrix
from pellucid.parallel import run_jobs
from pellucid.stats.t_tests import FoldMean, corrected_t_interval
from pellucid.text import chance_in_words
from pellucid.types import Array

METRICS = ("balanced_accuracy", "accuracy")


@dataclass(frozen=True)
class Fold:
    """One training and its held-out fold."""

    repeat: int
    fold: int
    accuracy: float
    balanced_accuracy: float
    seconds: float


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """The figures of every fold.

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
    """

    data: str
    n_samples: int
    n_left_out: int
    n_splits: int
    n_repeats: int
    sources: tuple[str, ...]
    folds: tuple[tuple[Fold, ...], ...]

    @property
    def is_complete(self) -> bool:
        """Whether every fold was trained."""
        return len(self.folds[0]) == self.n_splits * self.n_repeats

    @property
    def test_fraction(self) -> float:
        """Test samples over training samples of a fold."""
        return 1 / (self.n_splits - 1)

    def values(self, metric: str = METRICS[0]) -> tuple[Array, ...]:
        """Return one figure of each fold, for each source, shape (n_folds,)."""
        return tuple(np.array([getattr(fold, metric) for fold in folds]) for folds in self.folds)

    def means(self, metric: str = METRICS[0]) -> list[FoldMean]:
        """Return the mean of one figure for each source, with its interval."""
        found = [corrected_t_interval(values, self.test_fraction) for values in self.values(metric)]
        return [replace(_within(one, 0, 1), p_value=None) for one in found]  # that it is not 0 says nothing

    def difference(self, metric: str = METRICS[0]) -> FoldMean | None:
        """Return by how much B exceeds A over the folds; None where there is only A."""
        if len(self.sources) == 1:
            return None
        a, b = self.values(metric)
        return _within(corrected_t_interval(b - a, self.test_fraction), -1, 1)

    @property
    def verdict(self) -> str:
        """What the figures say, in a sentence or two."""
        difference, n = self.difference(), len(self.folds[0])
        if difference is None:
            (mean,) = self.means()
            within = "" if mean.low is None else f" (with other samples, {mean.low:.3f} to {mean.high:.3f})"
            return f"Over {n} folds the balanced accuracy is {mean.mean:.3f} on average{within}."
        if difference.mean == 0:
            return f"A and B are equally good on average over {n} folds."
        much = f"{abs(difference.mean):.3f} {'more' if difference.mean > 0 else 'less'} than A's"
        if difference.p_value is None:
            where = "the one fold" if n == 1 else f"each of {n} folds"
            return f"B's balanced accuracy is {much} in {where}, which says nothing about chance. Take more folds."
        a, b = self.values()
        return (
            f"B's balanced accuracy is {much} on average over {n} folds; {chance_in_words(difference.p_value)}. It "
            f"is ahead in {int((b > a).sum())} of {n} folds, behind in {int((b < a).sum())}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
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
            "verdict": self.verdict,
        }


def _within(mean: FoldMean, lowest: float, highest: float) -> FoldMean:
    """Cut an interval at what a score can be: of few folds it is wide."""
    if mean.low is None or mean.high is None:
        return mean
    return replace(mean, low=max(mean.low, lowest), high=min(mean.high, highest))


class _Task(NamedTuple):
    """What every fold's training needs; given to each process once."""

    data: Dataset
    split: Split  # whose name and schema the parts take
    candidates: Sequence[Candidate]
    rows: list[tuple[Array, Array]]
    seed: int
    n_splits: int
    threads: int | None


def cross_validate(
    split: Split,
    candidates: Sequence[Candidate],
    *,
    n_splits: int,
    n_repeats: int,
    seed: int = 1,
    n_jobs: int = 1,
    threads: int | None = 1,
    progress: Callable[[Fold], None] = lambda fold: None,
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
        Processes; the figures do not depend on it.
    threads : int or None, optional
        Of each training whose recipe leaves them open; None: as many as suit it.
    tell : callable, optional
        Told each fold's figures when they are there.

    Raises
    ------
    OptionError, DataError
        If a candidate is a trained model, or a class has too few samples.

    Ctrl-C ends it with the folds that are done for all candidates, if there are two.
    """
    why = "a fold is to be tested on samples that no training has seen, but this model has seen most of them"
    check_untrained(candidates, "cross-validation", why)
    check_labels(split)
    data = whole(split)
    check_counts(data, split.name, n_splits)
    rows = deal(data, n_splits, n_repeats)
    for candidate in candidates:
        check_beginning(
            candidate, Split(data.take(rows[0][0]), data.take(rows[0][1]), split.name, (), split.schema)
        )
    task = _Task(data, split, candidates, rows, seed, n_splits, threads)
    jobs = [(number, which) for number in range(len(rows)) for which in range(len(candidates))]
    done: dict[tuple[int, int], Fold] = {}
    try:
        with closing(run_jobs(_train_fold, task, jobs, n_jobs=n_jobs)) as results:
            for job, fold in results:
                done[job] = fold
                progress(fold)
    except KeyboardInterrupt:
        if sum((number, len(candidates) - 1) in done for number in range(len(rows))) < 2:
            raise
    complete = [n for n in range(len(rows)) if all((n, which) in done for which in range(len(candidates)))]
    return CrossValidation(
        data=split.name,
        n_samples=len(data),
        n_left_out=len(split.train) + len(split.test) - len(data),
        n_splits=n_splits,
        n_repeats=n_repeats,
        sources=tuple(candidate.source for candidate in candidates),
        folds=tuple(tuple(done[number, which] for number in complete) for which in range(len(candidates))),
    )


def _train_fold(task: _Task, job: tuple[int, int]) -> Fold:
    number, which = job
    train_rows, test_rows = task.rows[number]
    part = Split(
        task.data.take(train_rows), task.data.take(test_rows), task.split.name, (), task.split.schema
    )
    repeat, fold = divmod(number, task.n_splits)
    candidate = task.candidates[which]
    try:
        model, history = train_candidate(candidate, part, seed=task.seed + number, threads=task.threads)
        predicted = answers(candidate, model, part.test)
    except PellucidError as error:
        raise type(error)(f"repeat {repeat + 1}, fold {fold + 1}: {error}") from None
    result = confusion_matrix(part.test.y, predicted, task.data.classes)
    return Fold(repeat, fold, result.accuracy, result.balanced_accuracy, history.seconds)
