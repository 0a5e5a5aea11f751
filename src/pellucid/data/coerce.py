"""How public functions take data: one part as a Dataset or (X, y), or both as a Split or a name."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.data.dataset import Dataset, Split
from pellucid.data.gaps import input_array, plain_array
from pellucid.data.labels import has_classes, renumbered
from pellucid.data.preprocess import check_finite
from pellucid.data.stored.base import StoredArray
from pellucid.errors import DataError, OptionError
from pellucid.text import kind_of
from pellucid.types import Array, map_arrays, n_rows

if TYPE_CHECKING:
    from pellucid.data.source import DataSource


def as_dataset(data: Any, where: str, *, part: str = "train", with_gaps: bool = False) -> Dataset:
    """Return a data set unchanged, a pair (X, y) of array-likes as one, or one part of data in two.

    Parameters
    ----------
    data : Dataset, (X, y), Split, str or Path
        X of numbers, or a dictionary of such arrays; y of class numbers, class names, or continuous targets. Names
        become numbers in sorted order, and are kept as ``classes``. A name or path is read by :func:`.load_data`.
    where : str
        The name of the argument, for messages.
    part : {"train", "test", ""}, optional
        Which part of a Split is meant; "": it has to be named.
    with_gaps : bool, optional
        Missing numbers of X become NaN instead of being refused.

    Raises
    ------
    DataError
        If it is none of these or cannot be read; X is not numeric; a value is missing; or the lengths differ.

    Examples
    --------
    >>> as_dataset(([[0.0], [1.0]], ["dog", "cat"]), "train").y
    array([1, 0])
    """
    if isinstance(data, str | Path):
        from pellucid.data.source import load_data

        data = load_data(data)
    if isinstance(data, Split):
        if not part:
            raise DataError(f"{where}: expected one part of the data, got both (a Split). Name one of them.")
        data = data.train if part == "train" else data.test
    if isinstance(data, Dataset):
        return data
    if not isinstance(data, tuple) or len(data) != 2:
        got = f"a tuple of {len(data)}" if isinstance(data, tuple) else kind_of(data)
        raise DataError(
            f"{where}: expected a Dataset, a pair (X, y), or a name that load_data takes, got {got}. Try (X, y)."
        )
    X = map_arrays(lambda values: _numbers(values, where, with_gaps=with_gaps), data[0])
    y = map_arrays(lambda values: plain_array(values, f"{where}: y"), data[1])
    if isinstance(y, np.ndarray) and y.dtype.kind == "b":
        y = y.astype(np.int64)
    if n_rows(X) != n_rows(y):
        raise DataError(f"{where}: X has {n_rows(X)} samples and y has {n_rows(y)} labels.")
    return Dataset(X, y)


def check_samples(data: Dataset, where: str) -> Dataset:
    """Return a data set; DataError if it has no samples, not a label for each, or NaN or infinity in X."""
    if n_rows(data.X) == 0:
        raise DataError(f"{where}: expected at least one sample, got none.")
    if n_rows(data.X) != n_rows(data.y):
        raise DataError(f"{where}: X has {n_rows(data.X)} samples and y has {n_rows(data.y)} labels.")
    for array in data.X.values() if isinstance(data.X, dict) else (data.X,):
        check_finite(array, where)
    return data


def like(data: Dataset, other: Dataset, where: str) -> Dataset:
    """Return a data set with its classes numbered as in another; DataError where one is not among them.

    Examples
    --------
    >>> train = Dataset(np.zeros((2, 1)), ["cat", "dog"])
    >>> like(Dataset(np.zeros((1, 1)), ["dog"]), train, "validation").y
    array([1])
    """
    if not data.classes or not other.classes or data.classes == other.classes:
        return data
    return replace(data, y=renumbered(data.y, data.classes, other.classes, where), classes=other.classes)


def as_split(data: Any, where: str, *, with_gaps: bool = False, **options: Any) -> "Split | DataSource":
    """Return a Split or DataSource unchanged, or the DataSource of a name or path with these options.

    A pair of pairs, ``(X_train, y_train), (X_test, y_test)``, is a Split too; of one pair ``(X, y)`` a fifth is
    held out, stratified. ``with_gaps`` as for :func:`as_dataset`.

    Raises
    ------
    DataError
        If it is anything else: one part of the data, for example.
    OptionError
        If an option is unknown or out of range, or options are given with data that are loaded already.

    Examples
    --------
    >>> as_split("photos", "compare", seed=2).to_dict()
    {'name': 'photos', 'seed': 2}
    """
    from pellucid.data.source import DataSource
    from pellucid.data.validate import hold_out

    if isinstance(data, str | Path):
        return DataSource.from_dict({"name": data, **options})
    if isinstance(data, tuple) and len(data) == 2 and all(isinstance(part, tuple | Dataset) for part in data):
        data = _as_parts(data, where, with_gaps=with_gaps)
    elif isinstance(data, tuple) and len(data) == 2:
        whole = _with_names(as_dataset(data, where, with_gaps=with_gaps))
        data = hold_out(whole, name="data", seed=1, test_fraction=0.2)
    if not isinstance(data, Split | DataSource):
        raise DataError(
            f"{where}: expected a Split or a name, got {kind_of(data)}. Try ((X_train, y_train), (X_test, "
            "y_test)), or a name that load_data takes."
        )
    found: Split | DataSource = data
    if isinstance(found, Split) and not with_gaps:
        for name, part in (("training", found.train), ("test", found.test)):
            if name == "training" or n_rows(part.X):
                check_samples(part, f"{where}: the {name} part")
    if options:
        raise OptionError(
            f"{where}: {next(iter(options))} is for data by name, got {kind_of(data)}. Leave it out."
        )
    return found


def _as_parts(pair: Any, where: str, *, with_gaps: bool) -> Split:
    """Return two parts as a Split; classes that are numbers get these as names."""
    train, test = (
        as_dataset(part, f"{where}: the {name} part", with_gaps=with_gaps)
        for part, name in zip(pair, ("training", "test"), strict=True)
    )
    test = like(test, train, f"{where}: the test part")
    k = max((int(part.y.max()) + 1 for part in (train, test) if _has_numbers(part)), default=0)
    return Split(_with_names(train, k), _with_names(test, k), "data")


def _has_numbers(data: Dataset) -> bool:
    """Return whether the classes are numbers without names."""
    return has_classes(data.y) and data.y.size > 0 and not data.classes


def _with_names(data: Dataset, k: int = 0) -> Dataset:
    """Return a data set whose classes have their numbers as names, where they have none."""
    if not _has_numbers(data):
        return data
    k = max(k, int(data.y.max()) + 1)
    return replace(data, classes=tuple(str(label) for label in range(k)))


def as_weights(values: Any, where: str) -> Array:
    """Return how much each sample counts, given as an array-like, shape (m,); DataError if it is none.

    Examples
    --------
    >>> as_weights([1, 2], "train: sample_weight")
    array([1, 2])
    """
    array = plain_array(values, where) if np.ndim(values) == 1 else None
    if array is None or array.dtype.kind not in "biuf":
        raise DataError(f"{where}: expected one number for each sample, shape (m,), got {kind_of(values)}.")
    return array


def _numbers(values: Any, where: str, *, with_gaps: bool) -> Any:
    is_stored = isinstance(values, StoredArray)
    array = values if is_stored else input_array(values, f"{where}: X", with_gaps=with_gaps)
    if array.dtype.kind not in "biuf" or array.ndim < 2:
        raise DataError(
            f"{where}: expected X to be numbers of shape (m, ...), got {array.dtype} of shape {array.shape}. Try "
            "encoding names as numbers, and X[:, None] for one feature."
        )
    return array
