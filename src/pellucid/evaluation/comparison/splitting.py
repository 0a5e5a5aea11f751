"""Splitting samples into the folds of a cross-validation."""

import re

import numpy as np

from pellucid.data.copies.duplicates import distinct
from pellucid.data.dataset import Dataset, Split
from pellucid.data.groups import fewest_groups, groups_of
from pellucid.errors import OptionError
from pellucid.types import Array

FOLD_SEED = 0  # of the shuffling into folds: the same for every model


def folds_of(text: str) -> tuple[int, int]:
    """Return folds and repeats of a text such as ``5x3``.

    Raises
    ------
    OptionError
        If it is not that, with at least two folds and one repeat.

    Examples
    --------
    >>> folds_of("5x3"), folds_of("10")
    ((5, 3), (10, 1))
    """
    found = re.fullmatch(r"(\d{1,6})(?:[xX](\d{1,6}))?", text.strip(), re.ASCII)
    n_splits, n_repeats = (int(found[1]), int(found[2] or 1)) if found else (0, 0)
    if n_splits < 2 or n_repeats < 1:
        raise OptionError(
            f"--cv: expected FOLDSxREPEATS, at least 2 folds and 1 repeat, such as 5x3, got {text!r}."
        )
    return n_splits, n_repeats


def merge_parts(split: Split) -> Dataset:
    """Return both parts as one, training part first.

    Of pictures, exact copies are left out: with both, a fold would be tested on what it was trained on. Rows of a
    table may well be alike without being copies.

    Examples
    --------
    >>> part = Dataset(np.zeros((2, 4, 4), np.uint8), np.array([0, 1]), ("a", "b"))
    >>> len(merge_parts(Split(part, part)))
    1
    """
    parts = split.train, split.test
    X = np.concatenate([part.X for part in parts])
    y = np.concatenate([part.y for part in parts])
    named = [part.groups for part in parts if part.groups is not None]
    groups = np.concatenate(named) if len(named) == 2 else None
    data = Dataset(X, y, split.classes, split.train.noun, groups)
    return data if X.ndim < 3 else data.take(distinct(X).firsts)


def check_counts(data: Dataset, name: str, n_splits: int, flag: str = "--cv") -> None:
    """Raise OptionError if a class has fewer samples than there are folds."""
    counts = data.counts
    rarest = min((int(n), i) for i, n in enumerate(counts) if n)
    if rarest[0] < n_splits:
        raise OptionError(
            f"{flag}: {n_splits} folds need {n_splits} samples of every class, and {name} has {rarest[0]} of "
            f"{data.classes[rarest[1]]!r}. Take {max(2, rarest[0])} folds or fewer, or add samples."
        )


def make_folds(data: Dataset, n_splits: int, n_repeats: int, flag: str = "--cv") -> list[tuple[Array, Array]]:
    """Return the training rows and the test rows of every stratified fold; groups and copies are in one fold.

    Raises
    ------
    OptionError
        If there are fewer groups of a class than folds.
    """
    from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedGroupKFold

    X, groups = np.zeros(len(data)), groups_of(data, n_splits)
    if groups is None:
        folds = RepeatedStratifiedKFold(n_splits=n_splits, n_repeats=n_repeats, random_state=FOLD_SEED)
        return list(folds.split(X, data.y))
    n_groups, label = fewest_groups(groups, data.y)
    if n_groups < n_splits:
        raise OptionError(
            f"{flag}: groups stay together, so that {n_splits} folds need {n_splits} groups of every class, and "
            f"{data.classes[label]!r} has {n_groups}. Take {max(2, n_groups)} folds or fewer, or add some."
        )
    return [
        fold
        for repeat in range(n_repeats)
        for fold in StratifiedGroupKFold(n_splits, shuffle=True, random_state=FOLD_SEED + repeat).split(
            X, data.y, groups
        )
    ]
