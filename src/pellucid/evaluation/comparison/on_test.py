"""Use case: two models on the same test samples. Is the one better, or was it luck?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.checks.duplicates import leaked_test_rows
from pellucid.data.dataset import Dataset, Split
from pellucid.errors import DataError
from pellucid.evaluation.comparison.candidates import (
    Candidate,
    answers,
    check_beginning,
    check_labels,
    noun_for,
    train_candidate,
)
from pellucid.evaluation.scores.confusion import ConfusionMatrix, confusion_matrix
from pellucid.evaluation.scores.of_model import on_new_table, was_trained_on_other
from pellucid.nn.model import Model
from pellucid.stats.bootstrap import paired_bootstrap
from pellucid.stats.intervals import wilson_interval
from pellucid.stats.paired import McNemar, mcnemar
from pellucid.text import chance_in_words, join_some
from pellucid.training.events import Callback
from pellucid.types import Array


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two: what it scores.

    Attributes
    ----------
    letter, source : str
    result : Evaluation
    interval : tuple of float
        Wilson's, of the accuracy.
    predicted : Array, shape (m,)
        The class that it says of each test sample.
    seconds : float or None
        Of the training, where it was trained for this comparison.
    note : str
        How it was trained then.
    """

    letter: str
    source: str
    result: ConfusionMatrix
    interval: tuple[float, float]
    predicted: Array
    seconds: float | None = None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        return {
            "source": self.source,
            "n_correct": self.result.n_correct,
            "accuracy": self.result.accuracy,
            "interval": list(self.interval),
            "balanced_accuracy": self.result.balanced_accuracy,
            "was_trained_here": self.seconds is not None,
            "seconds": self.seconds,
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two models on the same samples.

    Attributes
    ----------
    data, things : str
        The data's name, and what its samples are: "photos" or "samples".
    test : Dataset
        What both answered.
    a, b : Side
    test_of_chance : McNemar
    difference : float
        B's accuracy less A's.
    difference_interval : tuple of float, or None
        By the paired bootstrap; None where that cannot say.
    notes : tuple of str
        What one should know besides.
    """

    data: str
    things: str
    test: Dataset
    a: Side
    b: Side
    test_of_chance: McNemar
    difference: float
    difference_interval: tuple[float, float] | None
    notes: tuple[str, ...] = ()

    @property
    def only_a(self) -> list[int]:
        """The test samples that A alone got right, by number."""
        y = self.test.y
        return np.flatnonzero((self.a.predicted == y) & (self.b.predicted != y)).tolist()

    @property
    def only_b(self) -> list[int]:
        """The test samples that B alone got right, by number."""
        y = self.test.y
        return np.flatnonzero((self.b.predicted == y) & (self.a.predicted != y)).tolist()

    @property
    def verdict(self) -> str:
        """What the figures say, in a sentence or two."""
        table, n, things = self.test_of_chance, self.a.result.n_samples, self.things
        ahead = table.only_b - table.only_a
        if table.only_a + table.only_b == 0:
            return f"Of {n} {things}, A and B were right on the same ones: nothing tells them apart here."
        if ahead == 0:
            return (
                f"A and B were right equally often on {n} {things}, though not on the same ones "
                f"({table.only_a} only A, {table.only_b} only B): no difference."
            )
        better, worse = ("B", "A") if ahead > 0 else ("A", "B")
        times = "once" if abs(ahead) == 1 else f"{abs(ahead)} times"
        return (
            f"{better} was right {times} more than {worse} on {n} {things}; {chance_in_words(table.p_value)}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        table = self.test_of_chance.to_dict()
        counts = {name: table.pop(name) for name in ("both", "only_a", "only_b", "neither")}
        interval = self.difference_interval
        return {
            "data": self.data,
            "n_samples": self.a.result.n_samples,
            "baseline": {"accuracy": self.a.result.baseline, "always": self.a.result.majority_class},
            "a": self.a.to_dict(),
            "b": self.b.to_dict(),
            "difference": {
                "accuracy": self.difference,
                "interval": None if interval is None else list(interval),
            },
            "right": counts,
            "mcnemar": table,
            "only_a_right": self.only_a,
            "only_b_right": self.only_b,
            "verdict": self.verdict,
            "notes": list(self.notes),
        }


def compare_candidates(
    split: Split,
    a: Candidate,
    b: Candidate,
    *,
    path: str | Path | None = None,
    callbacks: Callable[[Candidate], Sequence[Callback]] = lambda candidate: (),
) -> Comparison:
    """Return what two candidates score on the test part, and whether their difference may be chance.

    Parameters
    ----------
    split : Split
        A preset or TOML file is trained on its training part first.
    a, b : Candidate
    path : str or Path, optional
        The table's file, where the data are one: two models trained on other tables read all of its rows.
    callbacks : callable, optional
        Returns listeners to a candidate's training.

    Raises
    ------
    DataError, ShapeError
        If a model does not fit the data, the two know other classes, or scores are no numbers.
    """
    check_labels(split)
    _check_classes(a, b)
    for candidate in (a, b):
        if not candidate.is_trained:
            check_beginning(candidate, split)
    parts, notes = _test_parts(split, (a, b), path)
    for candidate in (a, b):  # what is there already is tried before anything is trained
        if candidate.model is not None:
            answers(candidate, candidate.model, parts[candidate.letter].take(slice(0, 1)))
    sides = []
    for candidate in (a, b):
        model, seconds, note = candidate.model, None, ""
        if model is None:
            model, history = train_candidate(candidate, split, callbacks=callbacks(candidate))
            seconds, note = history.seconds, history.note
        notes += _notes_on(candidate, model, split)
        sides.append(_side(candidate, model, parts[candidate.letter], seconds, note))
    side_a, side_b = sides
    test = parts["A"]
    right_a, right_b = side_a.predicted == test.y, side_b.predicted == test.y
    things = noun_for(test)
    return Comparison(
        data=split.name,
        things=things,
        test=test,
        a=side_a,
        b=side_b,
        test_of_chance=mcnemar(right_a, right_b),
        difference=(side_b.result.n_correct - side_a.result.n_correct) / len(test),
        difference_interval=paired_bootstrap(right_a, right_b),
        notes=tuple(dict.fromkeys([*notes, *_copies(split, test, things)])),
    )


def _side(candidate: Candidate, model: Model, test: Dataset, seconds: float | None, note: str) -> Side:
    predicted = answers(candidate, model, test)
    result = confusion_matrix(test.y, predicted, test.classes)
    interval = wilson_interval(result.n_correct, result.n_samples)
    return Side(candidate.letter, candidate.source, result, interval, predicted, seconds, note)


def _check_classes(a: Candidate, b: Candidate) -> None:
    """Raise DataError if two trained models know other classes."""
    known = [candidate.model.classes for candidate in (a, b) if candidate.model is not None]
    if len(known) == 2 and set(known[0]) != set(known[1]):
        raise DataError(
            f"{a.title} knows the classes {join_some(known[0])}, {b.title} {join_some(known[1])}. Only models "
            "of the same "
            "classes can be compared."
        )


def _test_parts(
    split: Split, candidates: Sequence[Candidate], path: str | Path | None
) -> tuple[Mapping[str, Dataset], list[str]]:
    """Return what each candidate answers: the test part; of a foreign table all rows, as each model reads them."""
    schemas = {
        c.letter: c.model.schema for c in candidates if c.model is not None and c.model.schema is not None
    }
    if split.schema is None or all(schema == split.schema for schema in schemas.values()):
        return {candidate.letter: split.test for candidate in candidates}, []
    if len(schemas) < len(candidates) or path is None:
        raise DataError(
            f"{split.name}: a model was trained on a table with other columns or categories. Compare it with "
            "another trained model, or train both on this table by naming presets or .toml files."
        )
    parts = {}
    for candidate in candidates:
        rows = schemas[candidate.letter].encode(path)
        if rows.y is None:
            raise DataError(
                f"{candidate.title}: {path} lacks the column that the model says. Name a table with it."
            )
        assert candidate.model is not None
        parts[candidate.letter] = Dataset(rows.X, rows.y, candidate.model.classes)
    y = [part.y for part in parts.values()]
    if y[0].shape != y[1].shape or not np.array_equal(y[0], y[1]):
        raise DataError(
            f"{split.name}: the two models say different columns of the table. Compare alike ones."
        )
    return parts, [on_new_table(len(y[0]))]


def _notes_on(candidate: Candidate, model: Model, split: Split) -> list[str]:
    if candidate.is_trained and was_trained_on_other(model, split.train):
        return [
            f"{candidate.letter} was trained on other samples than the training part of {split.name}: it may have "
            "seen some of the test part."
        ]
    return []


def _copies(split: Split, test: Dataset, things: str) -> list[str]:
    """Return a note if test samples are in the training part too."""
    leaked = leaked_test_rows(split.train, test).tolist() if test is split.test else []
    if not leaked:
        return []
    if len(leaked) == 1:
        return [f"Test {things[:-1]} {leaked[0]} is in the training part too: it tests memory, not learning."]
    return [
        f"{len(leaked)} of {len(test)} test {things} are in the training part too "
        f"({join_some(leaked, most=10)}): they "
        "test memory, not learning."
    ]
