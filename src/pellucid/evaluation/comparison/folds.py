"""Repeated cross-validation: every sample is tested once a repeat, by a network that was not trained on it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from pellucid.data.dataset import Split
from pellucid.errors import PellucidError
from pellucid.evaluation.comparison.labels import check_labels, check_untrained, predicted_labels
from pellucid.evaluation.comparison.splitting import check_counts, make_folds, merge_parts
from pellucid.evaluation.scores.estimate_text import title_of
from pellucid.plotting.types import Figure
from pellucid.prediction.confusion import confusion_matrix
from pellucid.prediction.metrics import metrics_of
from pellucid.prediction.predict import predict
from pellucid.progress import ProgressCallback, no_progress
from pellucid.runs.candidates import Candidate
from pellucid.runs.train_many import Trained, TrainingJob, Trainings, train_all, undivided
from pellucid.stats.t_tests import FoldMean, corrected_t_interval
from pellucid.text import p_in_words, plural
from pellucid.text_blocks import Result, as_json
from pellucid.types import Array

# The first of each is what models are compared by. Lower is better of those that may be above 1.
OF_CLASSES = ("balanced_accuracy", "accuracy")
OF_NUMBERS = ("r_squared", "mean_absolute_error", "root_mean_squared_error")
AT_MOST_1 = ("balanced_accuracy", "accuracy", "r_squared")


@dataclass(frozen=True)
class Fold:
    """One training, and its scores on the held-out fold by name: the fold's number counts within its repeat."""

    repeat: int
    fold: int
    scores: Mapping[str, float]
    seconds: float


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidation(Result):
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
    test_to_train : float
        Test samples over training samples, the mean over folds: 0.25 for five.
    about_folds : tuple of str
        What to mind about the folds.
    """

    name = "cross-validation"
    in_json = "data n_samples n_left_out n_splits n_repeats is_complete sources headline rows=to_rows"

    data: str
    n_samples: int
    n_left_out: int
    n_splits: int
    n_repeats: int
    sources: tuple[str, ...]
    folds: tuple[tuple[Fold, ...], ...]
    test_to_train: float
    about_folds: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every fold was trained."""
        return len(self.folds[0]) == self.n_splits * self.n_repeats

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the scores, the one that is compared first."""
        return tuple(self.folds[0][0].scores)

    @property
    def title(self) -> str:
        """The name of the score that is compared."""
        return title_of(self.metrics[0])

    def values(self, metric: str = "") -> tuple[Array, ...]:
        """Return one metric of each fold, default the first, for each source, shape (n_folds,)."""
        name = metric or self.metrics[0]
        return tuple(np.array([fold.scores[name] for fold in folds]) for folds in self.folds)

    def means(self, metric: str = "") -> list[FoldMean]:
        """Return the mean of one metric for each source, with its interval."""
        found = [corrected_t_interval(values, self.test_to_train) for values in self.values(metric)]
        low, high = self._ends(metric)
        # A p-value against 0 is meaningless.
        return [replace(_within(one, low, high), p_value=None) for one in found]

    def difference(self, metric: str = "") -> FoldMean | None:
        """Return by how much B exceeds A over the folds; None where there is only A."""
        if len(self.sources) == 1:
            return None
        a, b = self.values(metric)
        low, high = self._ends(metric)
        return _within(corrected_t_interval(b - a, self.test_to_train), low - high, high - low)

    def _ends(self, metric: str) -> tuple[float, float]:
        """Return the least and the largest that a metric can be."""
        name = metric or self.metrics[0]
        return -math.inf if name == "r_squared" else 0.0, 1.0 if name in AT_MOST_1 else math.inf

    @property
    def headline(self) -> str:
        """The mean over folds; of two models, which is better and whether by chance."""
        difference, n = self.difference(), len(self.folds[0])
        if difference is None:
            return f"Mean {in_sentence(self.title)} over {plural(n, 'fold')}: {_mean(self.means()[0])}."
        p = "" if difference.p_value is None else f"; {p_in_words(difference.p_value)}"
        ahead = np.sign(np.subtract(*reversed(self.values())))
        return (
            f"{self.title}, B minus A: {_mean(difference, '+')} over {plural(n, 'fold')}{p}. "
            f"B is ahead in {(ahead > 0).sum()}, behind in {(ahead < 0).sum()}."
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """The means of both metrics, and what to mind about the folds."""
        means = [
            f"Mean {in_sentence(title_of(metric)).removeprefix('mean ')}: "
            + ", ".join(
                f"{letter} {_mean(one)}" for letter, one in zip("AB", self.means(metric), strict=False)
            )
            + "."
            for metric in self.metrics
        ]
        left_out = [f"Left out as exact copies: {self.n_left_out}."] if self.n_left_out else []
        n, of = len(self.folds[0]), self.n_splits * self.n_repeats
        stopped = [] if self.is_complete else [f"Stopped after {n} of {of} folds."]
        return (*means, *left_out, *stopped, *self.about_folds)

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each fold: what each model scored, and the seconds of its trainings."""
        return [
            {
                "repeat": folds[0].repeat + 1,
                "fold": folds[0].fold + 1,
                **{
                    f"{metric}_{letter}": one.scores[metric]
                    for metric in self.metrics
                    for letter, one in zip("ab", folds, strict=False)
                },
                "seconds": sum(one.seconds for one in folds),
            }
            for folds in zip(*self.folds, strict=True)
        ]

    @property
    def columns(self) -> tuple[str, ...]:
        """The heading: a column for each model."""
        models = [f"{letter}: {source}" for letter, source in zip("AB", self.sources, strict=False)]
        return ("repeat", "fold", *models, "seconds")

    def cells(self, row: dict[str, Any]) -> tuple[str, ...]:
        """Return a row as it is printed."""
        scores = [f"{value:.3f}" for name, value in row.items() if name.startswith(self.metrics[0])]
        return (f"{row['repeat']}", f"{row['fold']}", *scores, f"{row['seconds']:.1f}")

    def to_dict(self) -> dict[str, Any]:
        """Return every fold as JSON can hold it."""
        means = {metric: self.means(metric) for metric in self.metrics}
        differences = {metric: self.difference(metric) for metric in self.metrics}
        return super().to_dict() | {
            "means": as_json(means),
            "difference": as_json(differences) if len(self.sources) > 1 else None,
            "notes": list(self.about_folds),
        }

    def figures(self) -> dict[str, Figure]:
        """Return the figure of every fold."""
        from pellucid.evaluation.comparison.plot_comparison import cross_validation_figure

        return {self.name: cross_validation_figure(self)}


def _mean(one: FoldMean, sign: str = "") -> str:
    digits = f"{sign}.{3 if abs(one.mean) < 10 else 1}f"
    interval = "" if one.low is None else f" (95 % interval {one.low:{digits}} to {one.high:{digits}})"
    return f"{one.mean:{digits}}{interval}"


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
    n_repeats: int = 1,
    splitter: Any = None,
    seed: int = 1,
    n_jobs: int = 1,
    progress: ProgressCallback = no_progress,
) -> CrossValidation:
    """Train each candidate on every fold, and test it on what was held out.

    The folds are those of ``RepeatedStratifiedKFold``; of numbers, of ``KFold``, shuffled again for each repeat.

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

    Notes
    -----
    Ctrl-C keeps the folds that are done for every candidate, if there are two or more: an interval takes two.
    """
    why = "a fold is to be tested on samples that no training has seen, but this model has seen most of them"
    check_untrained(candidates, "cross-validation", why)
    is_of_numbers = not split.classes and split.train.y.dtype.kind == "f"
    if not is_of_numbers:
        check_labels(split)
    data = merge_parts(split)
    if not is_of_numbers:
        check_counts(data, split.name, n_splits)
    rows, notes = make_folds(data, n_splits, n_repeats, splitter)
    trainings = Trainings(candidates, undivided(data, split), partial(_score, n_splits), rows)

    def show(n: int, job: TrainingJob, result: Fold | PellucidError) -> None:
        if isinstance(result, PellucidError):
            repeat, fold = divmod(job.fold, n_splits)  # a job's number counts on over the repeats
            raise type(result)(f"repeat {repeat + 1}, fold {fold + 1}: {result}") from None
        name, value = next(iter(result.scores.items()))
        progress("folds", n, len(rows) * len(candidates), f"{in_sentence(title_of(name))} {value:.3f}")

    done = train_all(trainings, len(rows), seed=seed, n_jobs=n_jobs, least=2, on_done=show)
    return CrossValidation(
        data=split.name,
        n_samples=len(data),
        n_left_out=len(split.train) + len(split.test) - len(data),
        n_splits=n_splits,
        n_repeats=n_repeats,
        sources=tuple(candidate.source for candidate in candidates),
        folds=tuple(zip(*done.values(), strict=True)),
        test_to_train=float(np.mean([len(test) / len(train) for train, test in rows])),
        about_folds=notes,
    )


def _score(n_splits: int, job: TrainingJob, trained: Trained) -> Fold:
    repeat, fold = divmod(job.fold, n_splits)
    if trained.test.classes:
        predicted = predicted_labels(trained.candidate, trained.model, trained.test)
        matrix = confusion_matrix(trained.test.y, predicted, trained.test.classes)
        scores = {name: getattr(matrix, name) for name in OF_CLASSES}
    else:
        found = metrics_of(predict(trained.model, trained.test))
        scores = {name: math.nan if found[name] is None else found[name] for name in OF_NUMBERS}
    return Fold(repeat, fold, scores, trained.history.seconds)


def in_sentence(title: str) -> str:
    """Return a score's title as it stands within a sentence.

    Examples
    --------
    >>> in_sentence("Balanced accuracy"), in_sentence("R²")
    ('balanced accuracy', 'R²')
    """
    return title if len(title) < 3 else title[0].lower() + title[1:]
