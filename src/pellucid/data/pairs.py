"""Data given as arrays: a pair (X, y) made into a Dataset."""

from typing import Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.errors import DataError
from pellucid.types import n_rows


def as_dataset(data: Any, where: str) -> Dataset:
    """Return a data set unchanged, or a pair (X, y) of array-likes as one.

    Parameters
    ----------
    data : Dataset or (X, y)
        X of numbers, or a dictionary of such arrays; y of class numbers, class names, or continuous targets. Names
        become numbers in sorted order, and are kept as ``classes``.
    where : str
        The name of the argument, for messages.

    Raises
    ------
    DataError
        If it is neither, X is not numeric, or the lengths differ.

    Examples
    --------
    >>> as_dataset(([[0.0], [1.0]], ["dog", "cat"]), "train").y
    array([1, 0])
    """
    if isinstance(data, Dataset):
        return data
    if not isinstance(data, tuple) or len(data) != 2:
        got = f"a tuple of {len(data)}" if isinstance(data, tuple) else type(data).__name__
        raise DataError(f"{where}: expected a Dataset or a pair (X, y), got {got}. Try (X, y).")
    X = {key: _numbers(value, where) for key, value in data[0].items()} if isinstance(data[0], dict) else None
    X = _numbers(data[0], where) if X is None else X
    y, classes = data[1], ()
    if not isinstance(y, dict):
        y = np.asarray(y)
        if y.dtype.kind in "OUS":
            names, y = np.unique(y.astype(str), return_inverse=True)
            classes = tuple(names.tolist())
        elif y.dtype.kind == "b":
            y = y.astype(np.int64)
    if n_rows(X) != n_rows(y):
        raise DataError(f"{where}: X has {n_rows(X)} samples and y has {n_rows(y)} labels.")
    return Dataset(X, y, classes)  # type: ignore[arg-type]


def _numbers(values: Any, where: str) -> Any:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf" or array.ndim < 2:
        raise DataError(
            f"{where}: expected X to be numbers of shape (m, ...), got {array.dtype} of shape {array.shape}. Try "
            "encoding names as numbers, and X[:, None] for one feature."
        )
    return array
