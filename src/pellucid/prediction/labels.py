"""The labels of a data set in the terms of a model: matched by class name, refused where they do not fit."""

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.errors import DataError
from pellucid.nn.model import Model, numbers_of
from pellucid.text import join_some
from pellucid.types import Array


def class_names(model: Model, data: Dataset) -> tuple[str, ...]:
    """Return the model's class names, else the data's, else numbers."""
    numbers = numbers_of(model._loss, model.output_shape[-1])
    return next((names for names in (model.classes, data.classes) if len(names) == len(numbers)), numbers)


def labels_of(model: Model, data: Dataset) -> Array:
    """Return the labels as indices into the model's classes."""
    y = data.y
    if y.ndim != 1 or y.dtype.kind not in "bui":
        raise DataError(
            f"evaluate: the model is a classifier, the data have {_what_of(y)}. Use data with one class a sample."
        )
    names = model.classes
    if names and data.classes and tuple(data.classes) != tuple(names):
        _check_known(names, data.classes)
        return np.array([names.index(name) for name in data.classes])[y]
    known = class_names(model, data)
    if len(y) and (int(y.min()) < 0 or int(y.max()) >= len(known)):
        raise DataError(
            f"evaluate: the model knows {len(known)} classes, labels 0 to {len(known) - 1}, the data have labels "
            f"from {y.min()} to {y.max()}. Use data of the same classes."
        )
    return y.astype(np.int64)


def _check_known(names: tuple[str, ...], given: tuple[str, ...]) -> None:
    unknown = [name for name in given if name not in names]
    if unknown:
        raise DataError(
            f"evaluate: the model knows the classes {join_some(names)}, the data have {join_some(given)}: "
            f"{join_some(unknown)} cannot be predicted. Use data of the same classes."
        )


def indicators_of(y: Array, k: int, names: tuple[str, ...], data: Dataset) -> Array:
    """Return several labels a sample as 0 and 1, in the order of the model\'s names."""
    if y.ndim != 2 or y.shape[1] != k or not ((y == 0) | (y == 1)).all():
        raise DataError(
            f"evaluate: the model predicts {k} labels a sample ({join_some(names)}), the data have {_what_of(y)}. "
            "Use data with a column of 0 and 1 for each."
        )
    if not data.classes or tuple(data.classes) == names:
        return y.astype(np.int64)
    _check_known(names, data.classes)
    return y[:, [data.classes.index(name) for name in names]].astype(np.int64)


def _what_of(y: Array) -> str:
    if y.ndim == 2:
        return f"{y.shape[1]} labels or quantities a sample"
    return "quantities" if y.dtype.kind == "f" else "one class a sample"
