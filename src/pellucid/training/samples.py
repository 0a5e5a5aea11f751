"""Samples as a model is trained on them: labels as class numbers, inputs in the range of those seen before."""

import dataclasses
from typing import Any

import numpy as np

from pellucid.data.coerce import as_dataset, check_samples
from pellucid.data.dataset import Dataset, Split
from pellucid.data.input_spec import as_seen, inputs_seen
from pellucid.data.label_encoding import with_labels
from pellucid.data.preprocess import Preprocessing
from pellucid.nn.model import Model
from pellucid.training.loss_setup import kind_of_loss, last_width

MOST_SCALED_BY = 200_000  # rows: of more, so many in equal distances


def read_samples(model: Model, data: Any, where: str, *, loss: Any = None) -> Dataset:
    """Return a Dataset or (X, y) whose labels have the form that the model's loss takes.

    Parameters
    ----------
    model : Model
    data : Dataset or (X, y)
    where : str
        The function and the argument, for messages.
    loss : str, dict or Loss, optional
        Default: the model's own, else what suits outputs and targets.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.nn.presets import preset
    >>> data = Dataset(np.zeros((2, 1)), np.array([[0.0], [1.0]]))
    >>> read_samples(preset("mlp"), data, "train", loss="binary_cross_entropy").y
    array([0, 1])
    """
    part = check_samples(as_dataset(data, where), where)
    return with_labels(part, where, kind=kind_of_loss(model, loss), n_out=last_width(model))


def in_range_seen(model: Model, data: Dataset, where: str) -> Dataset:
    """Return samples in the range of those that a model has been trained on; see ``InputsSeen``."""
    return _with_inputs(data, as_seen(data.X, model.inputs_seen, model.preprocessing, where))


def in_range_of(data: Dataset, model: Model, held: Dataset, where: str) -> Dataset:
    """Return samples held out in the range of those that a model is trained on, now and before."""
    seen = inputs_seen(data.X, model.inputs_seen)
    rule = model.preprocessing or preprocessing_for(data.X)
    return _with_inputs(held, as_seen(held.X, seen, rule, where))


def preprocessing_for(X: Any, scaling: str | None = None) -> Preprocessing:
    """Return the preprocessing that suits inputs: of several the first decides. Tables may be scaled.

    Examples
    --------
    >>> import numpy as np
    >>> preprocessing_for(np.array([[1.0], [3.0]]), "standardize").mean
    (2.0,)
    """
    first = next(iter(X.values())) if isinstance(X, dict) else X
    if scaling is None or isinstance(X, dict) or first.ndim != 2:
        return Preprocessing.for_data(first)
    rows = np.unique(np.linspace(0, len(first) - 1, MOST_SCALED_BY).astype(int))
    table = first[rows] if len(first) > len(rows) else first[:]
    return Preprocessing.robust(table) if scaling == "robust" else Preprocessing.standardize(table)


def _with_inputs(data: Dataset, X: Any) -> Dataset:
    return data if X is data.X else dataclasses.replace(data, X=X)


def take_schema(model: Model, split: Split, scaling: str | None = None) -> None:
    """Give a new model the columns of a table, and the rule that standardizes its quantities, in place.

    Where another scaling is asked for, the training does it.

    A model that is trained already, or has a rule of its own, keeps it.
    """
    if (
        split.schema is not None
        and model._schema is None
        and model.preprocessing is None
        and not model._is_initialized
    ):
        model._schema = split.schema
        if scaling is None:
            model.preprocessing = Preprocessing.standardize(split.train.X, split.schema.is_measured)
