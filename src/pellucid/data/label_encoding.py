"""Labels in the forms that other libraries use: a column, one-hot rows, floats. Each becomes class numbers."""

import sys
import warnings
from dataclasses import replace

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.errors import DataError, DataWarning
from pellucid.text import join_some
from pellucid.types import Array

CLASSES = "classification"


def with_labels(data: Dataset, where: str, *, kind: str | None = None, n_out: int | None = None) -> Dataset:
    """Return a data set whose labels are class numbers, shape (m,), where they are classes in another form.

    A warning says so where the form alone decides. Where the loss is left open, a column (m, 1) of 0 and 1, rows
    with a single 1, and floats that are 0 and 1 count as classes.

    Parameters
    ----------
    data : Dataset
    where : str
        The function, for the warning.
    kind : str, optional
        Of the loss: "classification" takes all these forms, another kind none. Default: it is left open.
    n_out : int, optional
        Outputs of the model: whole floats below it are classes too, where there are several.

    Examples
    --------
    >>> with_labels(Dataset(np.zeros((2, 1)), np.array([[0, 1], [1, 0]])), "train", kind="classification").y
    array([1, 0])
    """
    y = data.y
    if kind == "regression" and data.classes and not isinstance(y, dict) and y.dtype.kind in "ui":
        raise DataError(
            f"{where}: the loss is of quantities, y holds classes ({join_some(data.classes, most=3)}). Leave the "
            "loss out, or choose a cross-entropy."
        )
    if isinstance(y, dict) or kind not in (None, CLASSES) or y.dtype.kind not in "buif" or not y.size:
        return data
    found = _as_classes(y, is_open=kind is None, n_out=n_out or 1)
    if found is None:
        return data
    labels, form = found
    if kind is None:
        other = "multi_label" if form.startswith("one-hot") else "mean_squared_error"
        warn(f'{where}: y is {form}: taken as classes. If it is not, choose loss="{other}".')
    return replace(data, y=labels)


def _as_classes(y: Array, *, is_open: bool, n_out: int) -> tuple[Array, str] | None:
    """Return class numbers and the form that they had; None where y is not a form of them, or needs no change."""
    if y.ndim == 2 and y.shape[1] > 1:
        is_one_hot = ((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all()
        return (y.argmax(axis=1), f"one-hot, shape {y.shape}") if is_one_hot else None
    is_float, is_column = y.dtype.kind == "f", y.ndim == 2
    if y.ndim > 2 or not (is_float or is_column):
        return None
    flat = y.reshape(-1)
    if is_float and not (np.isfinite(flat).all() and (flat == np.rint(flat)).all()):
        return None
    if is_open and not (flat.min() == 0 and 0 < flat.max() <= max(1, n_out - 1)):
        return None
    what = "floats" if is_float else "numbers"
    return flat.astype(np.int64), f"{'a column' if is_column else 'an array'} of {what}, shape {y.shape}"


def warn(text: str, category: type[Warning] = DataWarning) -> None:
    """Warn at the line of the caller outside the package and scikit-learn, which wraps the estimators' methods."""
    level, frame = 1, sys._getframe()
    while frame.f_back and str(frame.f_globals.get("__name__", "")).split(".")[0] in ("pellucid", "sklearn"):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)
