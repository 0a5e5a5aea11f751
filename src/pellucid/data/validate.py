"""The checks that every source passes, from arrays as read to a Split."""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.dataset import Dataset, Split
from pellucid.data.groups import divide_groups, find_groups
from pellucid.data.labels import as_labels, encode, has_classes
from pellucid.data.preprocess import check_finite
from pellucid.data.readers.picture_modes import UNKNOWN, White
from pellucid.data.stored.base import StoredArray
from pellucid.errors import DataError, OptionError
from pellucid.process_state import one_at_a_time
from pellucid.text import printable
from pellucid.types import Array


class RawPart(NamedTuple):
    """Inputs and labels as read from a file, not yet checked."""

    X: Any  # (m, ...), in memory or a StoredArray
    y: Array  # (m,), (m, 1) or (1, m)
    where: str  # "cats.h5, train_set_x and train_set_y"
    groups: Array | None = None  # (m,), the same number for samples that belong together
    files: Array | None = None  # (m,), of str: where each sample is a file, its path below the folder


class RawSplit(NamedTuple):
    """What a reader found in its source."""

    train: RawPart
    test: RawPart | None
    classes: tuple[str, ...] | None
    notes: tuple[str, ...] = ()
    noun: str = ""  # of a sample, where the pixels do not say it
    white: White = UNKNOWN  # of floating-point and of 32-bit grey pictures


def to_split(raw: RawSplit, *, name: str, seed: int, test_fraction: float) -> Split:
    """Check what a reader found and return it as a Split.

    Parameters
    ----------
    raw : RawSplit
    name : str
        The name of the Split.
    seed : int
        Random seed of the held-out part, where the source has only one.
    test_fraction : float
        The size of that part, between 0 and 1.

    Returns
    -------
    Split
        X as stored (native byte order), y int64 indices into the class names.

    Raises
    ------
    DataError
        If arrays do not fit together, hold NaN, infinity or no numbers, or are empty.
    OptionError
        If the seed or the fraction is out of range.

    Examples
    --------
    >>> part = RawPart(np.arange(20.0).reshape(10, 2), np.arange(10) % 2, "toy")
    >>> split = to_split(RawSplit(part, None, None), name="toy", seed=1, test_fraction=0.2)
    >>> len(split.train), len(split.test), split.notes
    (8, 2, ('held out 20 % (2 of 10 samples), stratified, seed 1',))
    """
    parts = [raw.train] if raw.test is None else [raw.train, raw.test]
    inputs = [_checked_inputs(part) for part in parts]
    labels = [as_labels(part.y, len(X), part.where) for part, X in zip(parts, inputs, strict=True)]
    _check_same_kind(inputs, parts)
    codes, classes, renamed = encode(labels, raw.classes, raw.train.where)
    datasets = [
        Dataset(X, y, classes, raw.noun, part.groups, part.files, raw.white)
        for X, y, part in zip(inputs, codes, parts, strict=True)
    ]
    notes = raw.notes + renamed
    if raw.test is None:
        return hold_out(datasets[0], name=name, seed=seed, test_fraction=test_fraction, notes=notes)
    return Split(datasets[0], datasets[1], name, notes)


def hold_out(
    data: Dataset,
    *,
    name: str,
    seed: int,
    test_fraction: float,
    notes: tuple[str, ...] = (),
) -> Split:
    """Hold out a part of the samples for testing, with the same proportion of every class.

    Where y holds no classes (floats, or a column per label), the part is drawn at random. Groups and copies stay
    together, as far as every class can be divided: see :func:`pellucid.data.groups.find_groups`.

    Parameters
    ----------
    data : Dataset
    name : str
    seed : int, from 0 to 2**32 - 1
    test_fraction : float
        Between 0 and 1; the number of samples is rounded up, and differs where large groups stay together.
    notes : tuple of str, optional
        Kept in front of the note on what was held out.

    Returns
    -------
    Split
        Both parts keep the order of the samples.

    Raises
    ------
    DataError
        If a class has fewer than two samples, or all of them in one group that was named; or if a part would have
        fewer samples than there are classes.
    OptionError
        If the seed or the fraction is out of range.
    """
    groups = find_groups(data)
    train, test = hold_out_rows(data, groups.numbers, name=name, seed=seed, test_fraction=test_fraction)
    how = "stratified" if has_classes(data.y) else "at random"
    if groups.numbers is not None:
        how += ", groups and copies kept together"
    note = f"held out {100 * test_fraction:g} % ({len(test)} of {len(data)} samples), {how}, seed {seed}"
    return Split(data.take(train), data.take(test), name, (*notes, note, *groups.notes("both parts")))


def hold_out_rows(
    data: Dataset, groups: Array | None, *, name: str, seed: int, test_fraction: float
) -> tuple[Array, Array]:
    """Return the rows of both parts as :func:`hold_out` draws them, sorted, given what must stay together."""
    from sklearn.model_selection import train_test_split

    if not 0 < test_fraction < 1:
        raise OptionError(f"test_fraction: expected a number between 0 and 1, got {test_fraction}. Try 0.2.")
    if not 0 <= seed < 2**32:
        raise OptionError(f"seed: expected a whole number from 0 to 2**32 - 1, got {seed}.")
    m, are_classes = len(data), has_classes(data.y)
    counts = Counter(data.y.tolist()) if are_classes else Counter()
    for label, n_samples in counts.items():
        called = _called(data, label)
        if n_samples < 2:
            raise DataError(
                f"{name}: class {called!r} has 1 sample, and holding out a test part takes "
                "at least 2. Add samples of it, or provide a separate test part."
            )
        if data.groups is not None and len(set(data.groups[data.y == label].tolist())) < 2:
            raise DataError(
                f"{name}: class {called!r} is one group, which stays together, and a test part takes at "
                "least 2. Divide it into more groups, or provide a separate test part."
            )
    n_test = int(np.ceil(test_fraction * m))
    if min(n_test, m - n_test) < max(1, len(counts)):
        wanted = f"with fewer samples than the {len(counts)} classes" if are_classes else "without samples"
        raise DataError(
            f"{name}: holding out {n_test} of {m} samples leaves a part {wanted}. "
            "Change test_fraction, or add samples."
        )
    if groups is None:
        stratify = data.y if are_classes else None
        train, test = one_at_a_time(train_test_split)(
            np.arange(m), test_size=n_test, stratify=stratify, random_state=seed
        )
        return np.sort(train), np.sort(test)
    labels = np.unique(data.y, return_inverse=True)[1] if are_classes else np.zeros(m, np.int64)
    train, test = divide_groups(groups, labels, n_test, seed)
    if not len(train) or not len(test):
        raise DataError(
            f"{name}: all {m} samples are one group, which stays together: nothing can be held out. "
            "Provide a separate test part."
        )
    for label in counts:
        if not all((data.y[rows] == label).any() for rows in (train, test)):
            raise DataError(
                f"{name}: groups or copies that stay together leave a part without class "
                f"{_called(data, label)!r}. Divide them into smaller groups, or provide a separate test part."
            )
    return train, test


def _called(data: Dataset, label: int) -> str:
    return printable(data.classes[label] if data.classes else str(label))


def _checked_inputs(part: RawPart) -> Any:
    X, where = part.X, part.where
    if X.dtype.kind not in "buif":
        raise DataError(
            f"{where}: expected numbers for X, got dtype {X.dtype}. Convert it to a numeric dtype."
        )
    if X.ndim < 2:
        raise DataError(
            f"{where}: expected X of shape (m, ...), one row per sample, got {X.shape}. Try X.reshape(m, -1)."
        )
    if X.size == 0:
        raise DataError(f"{where}: expected at least one sample and one value, got X of shape {X.shape}.")
    check_finite(X, where)
    return X if isinstance(X, StoredArray) else X.astype(X.dtype.newbyteorder("="), copy=False)


def _check_same_kind(inputs: list[Any], parts: list[RawPart]) -> None:
    """Raise if a model made for the training samples could not take a test sample."""
    train, test = inputs[0], inputs[-1]
    where = f"{parts[0].where}; {parts[-1].where}"
    if train.shape[1:] != test.shape[1:]:
        raise DataError(
            f"{where}: training samples have shape {train.shape[1:]} and test samples {test.shape[1:]}. "
            "Convert them to one shape."
        )
    if (train.dtype == np.uint8) != (test.dtype == np.uint8):
        raise DataError(
            f"{where}: training samples are {train.dtype} and test samples {test.dtype}. uint8 counts as "
            "pixels and is divided by 255, other dtypes are not. Save both in one dtype."
        )
