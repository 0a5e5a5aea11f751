"""What is odd about the rows and columns of a table: columns of one value, and values far off their column."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from pellucid.checks.records import Finding
from pellucid.data.dataset import Split
from pellucid.text import join_some, printable
from pellucid.types import Array

_FEWEST = 20  # rows from which "the others" means something
_FAR, _FAR_LOGS = 10.0, 5.0  # interquartile ranges beyond the quartiles: Tukey calls 3 far out
_RARE, _FEW = 0.01, 2  # share of the rows, or their number: what is more common is no outlier
_MOST_COLUMNS = 1_000  # wider rows are pictures or signals in disguise


class FarValue(NamedTuple):
    """A row with a value far off its column."""

    row: int  # counted over both parts, the training part first
    found: str


def column_names(split: Split) -> Sequence[str]:
    """Return a name for each column of X."""
    if split.schema is not None:
        return [printable(name) for name in split.schema.feature_names]
    return [f"column {i}" for i in range(split.train.X.shape[1])]


def constant_columns(split: Split) -> Finding | None:
    """Return the finding on columns that hold one value in every training row, or None.

    The columns of a category count only if the whole column of the table never changes.
    """
    X, names = split.train.X, column_names(split)
    if len(X) < 2:
        return None
    same = np.flatnonzero((X[:1] == X).all(axis=0))
    if not len(same):
        return None
    shown = join_some([names[int(i)] for i in same], most=8)
    number = "holds" if len(same) == 1 else "hold"
    return Finding(
        "constant_column",
        f"{len(same)} of {X.shape[1]} columns {number} one value in every training row: {shown}.",
    )


def far_values(split: Split) -> Iterator[FarValue]:
    """Yield the rows with a number far off its column, each once, with the column where it is farthest.

    Notes
    -----
    Far is more than ten interquartile ranges beyond the quartiles of the training part, where no more than 1 % of
    the values are, or two; and, where the lower quartile is above 0, five beyond those of the logarithms too
    (incomes and areas have long tails). Columns of which half the values are the same have no such range and are
    left out.
    """
    train = split.train.X
    if len(train) < _FEWEST or train.shape[1] > _MOST_COLUMNS:
        return
    X = np.concatenate([train, split.test.X]).astype(np.float64)
    names, middle = column_names(split), np.nanmedian(X[: len(train)], axis=0)
    far = np.stack([_ranges_beyond(column, len(train)) for column in X.T], axis=1)
    far[:, (far > _FAR).sum(axis=0) > max(_FEW, _RARE * len(X))] = 0.0
    farthest = far.argmax(axis=1)
    for row in np.flatnonzero(far.max(axis=1) > _FAR):
        column = int(farthest[row])
        yield FarValue(
            int(row), f"has {X[row, column]:g} in {names[column]}, where {middle[column]:g} is usual."
        )


def _ranges_beyond(values: Array, n_train: int) -> Array:
    """Return how many interquartile ranges of the first values each lies beyond their quartiles, at least 0."""
    known = values[:n_train][np.isfinite(values[:n_train])]
    if not len(known):
        return np.zeros(len(values))
    low, high = np.quantile(known, [0.25, 0.75])
    if high <= low:
        return np.zeros(len(values))
    beyond = np.nan_to_num(np.maximum(values - high, low - values) / (high - low), nan=0.0, posinf=0.0)
    if low > 0:
        is_positive = values > 0
        logs = np.log(values, out=np.zeros(len(values)), where=is_positive & np.isfinite(values))
        start, stop = np.log(low), np.log(high)
        beyond_logs = np.maximum(logs - stop, start - logs) / (stop - start) * (_FAR / _FAR_LOGS)
        beyond = np.where(is_positive, np.minimum(beyond, beyond_logs), beyond)
    return np.asarray(np.maximum(beyond, 0.0))


def missing_values(X: Any) -> Array:
    """Return which samples hold NaN or infinities, shape (m,) bool."""
    if isinstance(X, dict):
        masks = [missing_values(array) for array in X.values()]
        return np.asarray(np.any(masks, axis=0))
    if X.dtype.kind != "f":
        return np.zeros(len(X), bool)
    return np.asarray(~np.isfinite(X).reshape(len(X), -1).all(axis=1))
