"""Splitting samples into the folds of a cross-validation."""

import re
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.copies.duplicates import distinct
from pellucid.data.dataset import Dataset, Split
from pellucid.data.groups import fewest_groups, find_groups, folds_by
from pellucid.data.labels import has_classes
from pellucid.errors import OptionError
from pellucid.text import shown
from pellucid.types import Array

FOLD_SEED = 0  # of the shuffling into folds: the same for every model


class Folds(NamedTuple):
    """The training rows and the test rows of every fold, and what to mind about them."""

    rows: list[tuple[Array, Array]]
    notes: tuple[str, ...] = ()


class CV(NamedTuple):
    """How many folds, how often, and the splitter of scikit-learn that draws them, if it is not ours."""

    n_splits: int
    n_repeats: int = 1
    splitter: Any = None


def folds_of(cv: Any) -> CV:
    """Return what ``cv`` of a public function asks for: a number of folds, or a splitter of scikit-learn.

    Raises
    ------
    OptionError
        If it is neither, or fewer than 2 folds.

    Examples
    --------
    >>> folds_of(5)[:2]
    (5, 1)
    """
    if isinstance(cv, CV):
        return cv
    if isinstance(cv, int | np.integer) and cv > 1:
        return CV(int(cv))
    if not hasattr(cv, "get_n_splits") or isinstance(cv, type):
        raise OptionError(
            f"cv: expected a number of folds, at least 2, or a splitter of scikit-learn, got {shown(cv)}. Try 5."
        )
    n_repeats = int(getattr(cv, "n_repeats", 1))
    return CV(cv.get_n_splits() // n_repeats, n_repeats, cv)


def folds_of_text(text: str) -> CV:
    """Return folds and repeats of the command's text such as ``5x3``.

    Raises
    ------
    OptionError
        If it is not that, with at least two folds and one repeat.

    Examples
    --------
    >>> folds_of_text("5x3")[:2], folds_of_text("10")[:2]
    ((5, 3), (10, 1))
    """
    found = re.fullmatch(r"(\d{1,6})(?:[xX](\d{1,6}))?", text.strip(), re.ASCII)
    n_splits, n_repeats = (int(found[1]), int(found[2] or 1)) if found else (0, 0)
    if n_splits < 2 or n_repeats < 1:
        raise OptionError(
            f"--cv: expected FOLDSxREPEATS, at least 2 folds and 1 repeat, such as 5x3, got {text!r}."
        )
    return CV(n_splits, n_repeats)


def whole_of(split: Split) -> Dataset:
    """Return both parts as one, training part first.

    Where only one part has groups, each sample of the other is a group of its own.

    Examples
    --------
    >>> train = Dataset(np.eye(2), np.array([0, 1]), groups=np.array([4, 4]))
    >>> whole_of(Split(train, Dataset(np.eye(2), np.array([0, 1])))).groups
    array([4, 4, 5, 6])
    """
    parts = split.train, split.test
    X, y = np.concatenate([part.X for part in parts]), np.concatenate([part.y for part in parts])
    groups, known = None, [part.groups for part in parts if part.groups is not None]
    if known:
        free = max(int(numbers.max()) for numbers in known) + 1
        own = (free + np.arange(len(part)) for part in parts)
        groups = np.concatenate(
            [new if part.groups is None else part.groups for new, part in zip(own, parts, strict=True)]
        )
    return Dataset(X, y, split.classes, split.train.noun, groups)


def merge_parts(split: Split) -> Dataset:
    """Return both parts as one, as :func:`whole_of` does, but without copies.

    Of pictures, exact copies are left out: with both, a fold would be tested on what it was trained on. Rows of a
    table may well be alike without being copies.

    Examples
    --------
    >>> part = Dataset(np.zeros((2, 4, 4), np.uint8), np.array([0, 1]), ("a", "b"))
    >>> len(merge_parts(Split(part, part)))
    1
    """
    data = whole_of(split)
    return data if data.X.ndim < 3 else data.take(distinct(data.X).firsts)


def check_counts(data: Dataset, name: str, n_splits: int) -> None:
    """Raise OptionError if a class has fewer samples than there are folds."""
    counts = data.counts
    rarest = min((int(n), i) for i, n in enumerate(counts) if n)
    if rarest[0] < n_splits:
        raise OptionError(
            f"cv: {n_splits} folds need {n_splits} samples of every class, and {name} has {rarest[0]} of "
            f"{data.classes[rarest[1]]!r}. Take {max(2, rarest[0])} folds or fewer, or add samples."
        )


def make_folds(data: Dataset, n_splits: int, n_repeats: int = 1, splitter: Any = None) -> Folds:
    """Return folds, stratified where there are classes: all samples of a group are in one of them.

    Copies count as a group, unless a class then had fewer groups than there are folds.

    A splitter of scikit-learn gets the samples' labels and groups, and draws them itself.

    Raises
    ------
    OptionError
        If there are fewer groups of a class than folds.
    """
    from sklearn.model_selection import (
        GroupKFold,
        KFold,
        RepeatedStratifiedKFold,
        StratifiedGroupKFold,
    )

    X = np.zeros(len(data))
    if splitter is not None:
        return Folds(folds_by(splitter, X, data.y, data.groups))
    groups, kind = data.groups, KFold if data.groups is None else GroupKFold
    notes: tuple[str, ...] = ()
    if has_classes(data.y):
        found = find_groups(data, n_splits)
        groups, notes, kind = found.numbers, found.notes("several folds"), StratifiedGroupKFold
        if groups is None:
            folds = RepeatedStratifiedKFold(n_splits=n_splits, n_repeats=n_repeats, random_state=FOLD_SEED)
            return Folds(folds_by(folds, X, data.y), notes)
        n_groups, label = fewest_groups(groups, data.y)
        if n_groups < n_splits:
            raise OptionError(
                f"cv: groups stay together, so that {n_splits} folds need {n_splits} groups of every class, and "
                f"{data.classes[label]!r} has {n_groups}. Take {max(2, n_groups)} folds or fewer, or add some."
            )
    elif (n := len(data) if groups is None else len(np.unique(groups))) < n_splits:
        what = "samples" if groups is None else "groups"
        raise OptionError(
            f"cv: {n_splits} folds need as many {what}, and there are {n}. Take fewer, or add some."
        )
    splitters = (kind(n_splits, shuffle=True, random_state=FOLD_SEED + i) for i in range(n_repeats))
    return Folds([fold for one in splitters for fold in folds_by(one, X, data.y, groups)], notes)
