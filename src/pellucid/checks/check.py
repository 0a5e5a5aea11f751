"""The data doctor: what is wrong with a data set, in words, before a model is trained on it.

:func:`examine` looks at a whole data set; :func:`near_duplicates` and :func:`leaked_test_rows` are its search for
copies alone. What it finds of copies, and what not, is told in :mod:`pellucid.checks.near_duplicates`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid.checks import classes as balance
from pellucid.checks import copies
from pellucid.checks.findings import copy_findings, picture_findings, row_findings
from pellucid.checks.near_duplicates import near_pairs, signatures, usual_likeness, wanted_cosine
from pellucid.checks.pixels import Scale, are_pictures
from pellucid.checks.records import (
    ConstantScore,
    Finding,
    Homogeneity,
    Leak,
    Names,
    Pair,
    ProgressCallback,
    no_progress,
)
from pellucid.checks.words import TITLES
from pellucid.data.dataset import Dataset, Split
from pellucid.errors import ShapeError
from pellucid.types import Array

_LOOK_ALIKE = "The pictures are much alike by nature: only those that agree almost wholly count as copies."
_ALIKE = 0.98  # what is asked of near copies, from which the checkup says that it asks for more than usual


@dataclass(frozen=True)
class DataReport:
    """What the doctor found.

    Attributes
    ----------
    name : str
        Of the data set.
    n_train, n_test : int
    leaks : tuple of Leak
        Test samples that are in the training part too, by index.
    findings : tuple of Finding
        Everything odd: leaks first, then in the order of ``words.TITLES``.
    counts : dict of str to dict
        {"train": {class: samples}, "test": {...}}; empty where there are no classes.
    shift : Homogeneity or None
        Whether both parts hold the classes in the same shares; None where there are no classes.
    shift_words : str
        The same in a sentence.
    baseline : dict of str to ConstantScore
        "train_majority" and "best_constant"; empty where there are no classes.
    notes : tuple of str
        What was left out, and what was done to the data on the way in.
    """

    name: str
    n_train: int
    n_test: int
    leaks: tuple[Leak, ...] = ()
    findings: tuple[Finding, ...] = ()
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    shift: Homogeneity | None = None
    shift_words: str = ""
    baseline: dict[str, ConstantScore] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def of_kind(self, kind: str) -> tuple[Finding, ...]:
        """Return the findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind == kind)

    def to_dict(self) -> dict[str, Any]:
        """Return the checkup as JSON can hold it."""
        classes: dict[str, Any] = {**self.counts}
        if self.shift is not None:
            classes["homogeneity"] = {
                "method": self.shift.method,
                "statistic": self.shift.statistic,
                "p_value": self.shift.p_value,
                "distance": self.shift.distance,
                "words": self.shift_words,
            }
        return {
            "name": self.name,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "leaks": [leak._asdict() for leak in self.leaks],
            "baseline": {name: score.to_dict() for name, score in self.baseline.items()},
            "classes": classes,
            "findings": [finding.to_dict() for finding in self.findings],
            "notes": list(self.notes),
        }


def examine(
    split: Split,
    *,
    names: Names | None = None,
    also: Iterable[Finding] = (),
    progress: ProgressCallback = no_progress,
) -> DataReport:
    """Look for everything that is odd about a data set.

    Parameters
    ----------
    split : Split
        Pictures, (m, h, w) or (m, h, w, c), are looked at as such; rows of numbers, (m, n), as a table; of anything
        else exact copies and classes are checked.
    names : Names, optional
        What the samples are called where they come from.
    also : iterable of Finding, optional
        What was found before the data became arrays: files that cannot be read, say.
    tell : callable, optional
        ``progress(stage, done, total)`` is called now and then.

    Returns
    -------
    Checkup

    Raises
    ------
    DataError
        If a part is empty, or the parts do not fit together.

    Notes
    -----
    Copies: 2 m^2 d operations, d = 336 for coloured pictures. 10,000 pictures of 64 x 64 take seconds.

    Examples
    --------
    >>> from pellucid.data.drawn import load_drawn_cats
    >>> cats = load_drawn_cats()
    >>> cats.test.X[3] = np.minimum(cats.train.X[100] * 1.2, 255)        # a brighter copy
    >>> checkup = examine(cats)
    >>> checkup.leaks
    (Leak(test=3, train=100, kind='near'),)
    >>> print(checkup.findings[0].found)
    test 3 (...) is nearly the same as train 100 (...).
    """
    balance.check_parts(split)
    names = names or Names()
    train, test = split.train.X, split.test.X
    found = copies.find_copies(train, test, progress)
    leaks = copies.leaks_of(found.train, found.test, found.across)
    findings = [*also, *copy_findings(split, names, found, leaks)]
    notes = [*split.notes]
    if are_pictures(train):
        findings += picture_findings(split, names, findings, progress)
        if wanted_cosine(found.usual) > _ALIKE:
            notes.append(_LOOK_ALIKE)
    else:
        notes.append("The samples are no pictures: near copies, empty and odd pictures were not looked for.")
        findings += row_findings(split, names)
    left_out = balance.no_classes(split)
    if left_out:
        return _checkup(split, leaks, findings, [*notes, left_out])
    k = balance.n_classes(split)
    counted = {
        name: balance.class_counts(part, k) for name, part in (("train", split.train), ("test", split.test))
    }
    shift = balance.homogeneity(counted["train"], counted["test"])
    findings += balance.balance_findings(split, shift)
    return _checkup(
        split,
        leaks,
        findings,
        notes,
        counts={
            part: {balance.called(split, i): int(n) for i, n in enumerate(counts)}
            for part, counts in counted.items()
        },
        shift=shift,
        shift_words=balance.shift_words(split, shift),
        baseline=balance.constant_scores(split),
    )


def _checkup(
    split: Split, leaks: list[Leak], findings: list[Finding], notes: list[str], **classes: Any
) -> DataReport:
    order = list(TITLES)
    return DataReport(
        name=split.name,
        n_train=len(split.train),
        n_test=len(split.test),
        leaks=tuple(leaks),
        findings=tuple(sorted(findings, key=lambda finding: order.index(finding.kind))),
        notes=tuple(notes),
        **classes,
    )


def near_duplicates(X: Array) -> list[Pair]:
    """Return the pictures that are there twice, exactly or nearly.

    Parameters
    ----------
    X : Array, shape (m, h, w) or (m, h, w, c)
        Pictures of any numeric dtype; c is 1, 3 or 4.

    Returns
    -------
    list of Pair
        ``first < second``; each exact copy is paired with the first picture of its kind, and near copies are told
        of the first of each kind. Found are copies that were resized, saved as JPEG, brightened or darkened; not
        found crops, flips and rotations.

    Raises
    ------
    ShapeError
        If X holds no pictures.

    Examples
    --------
    >>> from pellucid.data.drawn import load_drawn_cats
    >>> X = load_drawn_cats().test.X[:5]
    >>> [pair[:3] for pair in near_duplicates(np.concatenate([X, X[:1], X[1:2] // 2]))]
    [(0, 5, 'exact'), (1, 6, 'near')]
    """
    if not are_pictures(X):
        raise ShapeError(
            f"near_duplicates: expected pictures of shape (m, h, w) or (m, h, w, c), 4 x 4 pixels or more, got "
            f"{np.shape(X)}. If they were flattened, pass them before that."
        )
    if not len(X):
        return []
    same = copies.distinct(X)
    firsts = same.firsts
    marks = signatures(X, firsts, Scale(X))
    near = near_pairs(marks, None, wanted_cosine(usual_likeness(marks)))
    pairs = [Pair(rows[0], row, "exact", 1.0) for rows in same.members for row in rows[1:]]
    pairs += [pair._replace(first=int(firsts[pair.first]), second=int(firsts[pair.second])) for pair in near]
    return sorted(pairs)


def leaked_test_rows(train: Dataset, test: Dataset) -> Array:
    """Return which test samples are in the training part too, exactly or, of pictures, nearly.

    Parameters
    ----------
    train, test : Dataset

    Returns
    -------
    rows : Array, shape (n,), int64
        Indices of test samples, sorted: those of ``examine(split).leaks``.

    Notes
    -----
    20 ms for 209 and 50 pictures of 64 x 64.

    Examples
    --------
    >>> from pellucid.data.drawn import load_drawn_cats
    >>> cats = load_drawn_cats()
    >>> leaked_test_rows(cats.train, cats.test)
    array([], dtype=int64)
    >>> leaked_test_rows(cats.train, cats.train.take(slice(3)))
    array([0, 1, 2])
    """
    if not len(train) or not len(test):
        return np.zeros(0, np.int64)
    return np.array(sorted({leak.test for leak in copies.find_leaks(train.X, test.X)}), np.int64)
