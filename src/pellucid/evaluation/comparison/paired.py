"""Two models on the same test samples: is one better, or is it chance?"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.data.copies.duplicates import leaked_test_rows
from pellucid.data.dataset import Dataset, Split
from pellucid.errors import DataError
from pellucid.evaluation.comparison.labels import check_labels, predicted_labels
from pellucid.evaluation.scores.other_data import was_trained_on_other
from pellucid.plotting.types import Figure
from pellucid.prediction.confusion import ConfusionMatrix, confusion_matrix
from pellucid.prediction.predict import majority_in_training
from pellucid.progress import ProgressCallback, no_progress
from pellucid.runs.candidates import Candidate, ready_to_train, train_candidate
from pellucid.stats.bootstrap import paired_bootstrap
from pellucid.stats.paired import McNemar, mcnemar
from pellucid.text import in_seconds, join_some, p_in_words, plural
from pellucid.text_blocks import Result, as_json
from pellucid.training.callbacks.progress import Progress
from pellucid.types import Array

MOST_LISTED = 20  # samples that divide the two


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two models.

    Attributes
    ----------
    letter, source : str
    confusion : ConfusionMatrix
    y_pred : Array, shape (m,)
        The predicted class of each test sample.
    seconds : float or None
        Of the training, where it was trained for this comparison.
    """

    letter: str
    source: str
    confusion: ConfusionMatrix
    y_pred: Array
    seconds: float | None = None


@dataclass(frozen=True, eq=False, repr=False)
class PairedComparison(Result):
    """Two models on the same test samples.

    Attributes
    ----------
    data, noun : str
        The data's name, and what one of its samples is called: "photo" or "sample".
    test : Dataset
        What both predicted.
    a, b : Side
    about_data : tuple of str
        What a reader must know of the data.
    """

    name = "comparison"
    columns = ("model", "accuracy", "95 %", "balanced", "correct", "trained")
    in_json = "data mcnemar only_a_correct only_b_correct headline notes=about_data"
    is_complete = True

    data: str
    noun: str
    test: Dataset
    a: Side
    b: Side
    about_data: tuple[str, ...] = ()

    @cached_property
    def mcnemar(self) -> McNemar:
        """McNemar's test of the two."""
        return mcnemar(*self._correct)

    @cached_property
    def difference(self) -> float:
        """B's accuracy minus A's."""
        return (self.b.confusion.n_correct - self.a.confusion.n_correct) / len(self.test)

    @cached_property
    def difference_interval(self) -> tuple[float, float] | None:
        """The paired bootstrap interval of the difference; None where resampling gives a point."""
        return paired_bootstrap(*self._correct)

    @property
    def only_a_correct(self) -> list[int]:
        """The test samples that only A classifies correctly, by number."""
        a, b = self._correct
        return np.flatnonzero(a & ~b).tolist()

    @property
    def only_b_correct(self) -> list[int]:
        """The test samples that only B classifies correctly, by number."""
        a, b = self._correct
        return np.flatnonzero(b & ~a).tolist()

    @property
    def _correct(self) -> tuple[Array, Array]:
        return self.a.y_pred == self.test.y, self.b.y_pred == self.test.y

    @property
    def headline(self) -> str:
        """Which is better, and whether by chance."""
        table, n = self.mcnemar, len(self.test)
        ahead = abs(table.only_b - table.only_a)
        counts = f"{table.only_a} only by A, {table.only_b} only by B, of {n}"
        if not ahead:
            return f"A and B classify equally many {self.noun}s correctly ({counts})."
        better, worse = ("B", "A") if table.only_b > table.only_a else ("A", "B")
        more = plural(ahead, self.noun)
        return (
            f"{better} classifies {more} more than {worse} correctly ({counts}; {p_in_words(table.p_value)})."
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """The difference and its interval, the baseline, and which samples divide the two."""
        between, known = self.difference_interval, self.a.confusion
        interval = "" if between is None else f" (95 % interval {between[0]:+.3f} to {between[1]:+.3f})"
        return (
            f"Accuracy, B minus A: {self.difference:+.3f}{interval}. "
            f"Baseline (always {known.majority_class!r}): {known.baseline:.3f}.",
            *(
                f"Only {letter} is correct on {self.noun}s {join_some(numbers, most=MOST_LISTED)}."
                for letter, numbers in (("A", self.only_a_correct), ("B", self.only_b_correct))
                if numbers
            ),
            *self.about_data,
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row of scores for each model."""
        return [
            {
                "model": side.letter,
                "source": side.source,
                "n_correct": side.confusion.n_correct,
                "accuracy": side.confusion.accuracy,
                "interval": list(side.confusion.accuracy_interval),
                "balanced_accuracy": side.confusion.balanced_accuracy,
                "seconds": side.seconds,
            }
            for side in (self.a, self.b)
        ]

    def cells(self, row: dict[str, Any]) -> tuple[str, ...]:
        """Return a row as it is printed."""
        low, high = row["interval"]
        return (
            f"{row['model']}: {row['source']}",
            f"{row['accuracy']:.3f}",
            f"{low:.3f} to {high:.3f}",
            f"{row['balanced_accuracy']:.3f}",
            f"{row['n_correct']} of {len(self.test)}",
            "before" if row["seconds"] is None else f"here, in {in_seconds(row['seconds'])}",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        known = self.a.confusion  # whose baseline is B's, too
        return super().to_dict() | {
            "n_samples": len(self.test),
            "baseline": {"accuracy": known.baseline, "majority_class": known.majority_class},
            "rows": self.to_rows(),
            "difference": {"accuracy": self.difference, "interval": as_json(self.difference_interval)},
        }

    def figures(self) -> dict[str, Figure]:
        """Return the accuracies, and of images those that only one of the two classifies correctly."""
        from pellucid.evaluation.comparison.plot_comparison import comparison_figure, disputed_pictures

        found = {self.name: comparison_figure(self)}
        if self.test.has_pictures:
            y_pred = (self.a.y_pred, self.b.y_pred)
            found["disputed"] = disputed_pictures(self.test, self.only_a_correct, self.only_b_correct, y_pred)
        return found


def compare_on_test(
    split: Split,
    a: Candidate,
    b: Candidate,
    *,
    tests: Mapping[str, Dataset] | None = None,
    notes: tuple[str, ...] = (),
    progress: ProgressCallback = no_progress,
) -> PairedComparison:
    """Return what two candidates score on the test part; presets and TOML files are trained first.

    Parameters
    ----------
    split : Split
        A preset or TOML file is trained on its training part first.
    a, b : Candidate
    tests : mapping of str to Dataset, optional
        What each is tested on, by its letter: the same samples, as it takes them. Default: the test part.
    notes : tuple of str, optional
        What is to be said of them.
    progress : callable, optional
        Called with a stage, how many steps are done, of how many, and the loss.

    Raises
    ------
    DataError, ShapeError
        If a model does not fit the data, the two know different classes, or scores are NaN.
    """
    check_labels(split)
    known = [one.model.classes for one in (a, b) if one.model is not None]
    if len(known) == 2 and set(known[0]) != set(known[1]):
        raise DataError(
            f"{a.title} knows the classes {join_some(known[0])}, {b.title} {join_some(known[1])}. Only "
            "models of the same classes can be compared."
        )
    a, b = (one if one.is_trained else ready_to_train(one, split) for one in (a, b))
    parts, found = tests or dict.fromkeys((a.letter, b.letter), split.test), [*notes]
    for candidate in (a, b):  # a model that does not fit is refused before another is trained
        if candidate.model is not None:
            predicted_labels(candidate, candidate.model, parts[candidate.letter].take(slice(0, 1)))
    sides = []
    for candidate in (a, b):
        model, seconds = candidate.model, None
        if model is None:
            model, history = train_candidate(
                candidate,
                split,
                callbacks=[Progress(f"training {candidate.title}", show=progress, refresh_seconds=0)],
            )
            seconds = history.seconds
        if candidate.is_trained and was_trained_on_other(model, split.train):
            found.append(
                f"{candidate.letter} was trained on other samples than the training part of {split.name}: it may "
                "have seen some of the test part."
            )
        test = parts[candidate.letter]
        y_pred = predicted_labels(candidate, model, test)
        if test is split.test:
            majority: int | None = int(np.bincount(split.train.y).argmax())
        else:  # of other samples the baseline is that of what the model was trained on
            majority = majority_in_training(model) if model.classes == test.classes else None
        confusion = confusion_matrix(test.y, y_pred, test.classes, majority)
        sides.append(Side(candidate.letter, candidate.source, confusion, y_pred, seconds))
    test = parts["A"]
    if test is split.test and (leaked := leaked_test_rows(split.train, test).tolist()):
        found.append(
            f"{len(leaked)} of {len(test)} test {test.noun}s in the training part too "
            f"({join_some(leaked, most=10)}): that tests memory, not generalization."
        )
    return PairedComparison(split.name, test.noun, test, sides[0], sides[1], tuple(dict.fromkeys(found)))
