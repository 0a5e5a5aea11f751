"""The labels that candidates predict, and what is checked before they are trained."""

from collections.abc import Sequence

import numpy as np

from pellucid.data.dataset import Dataset, Split
from pellucid.errors import DataError, OptionError, PellucidError
from pellucid.nn.model import Model
from pellucid.prediction.predict import predict
from pellucid.runs.candidates import Candidate
from pellucid.text import join_some
from pellucid.types import Array


def predicted_labels(candidate: Candidate, model: Model, data: Dataset) -> Array:
    """Return the predicted class of each sample, integers (m,) in the order of the data's classes.

    Raises
    ------
    PellucidError
        If the samples or classes are not those that the model knows, or its scores are NaN or infinite.
    """
    if model._loss.kind != "classification":
        raise DataError(
            f"{candidate.title}: it was trained on {model.loss}, for {model._loss.kind.replace('_', ' ')}; only "
            "classifiers can be compared."
        )
    are_named = bool(model.classes and data.classes)
    if are_named and set(model.classes) != set(data.classes):
        raise DataError(
            f"{candidate.title}: the model knows the classes {join_some(model.classes)}, the data have "
            f"{join_some(data.classes)}. Compare on data of the same classes."
        )
    try:
        predicted = predict(model, data).y_pred
    except PellucidError as error:
        raise type(error)(f"{candidate.title}: {str(error).removeprefix('evaluate: ')}") from None
    if not are_named:
        return predicted
    return np.array([data.classes.index(name) for name in model.classes])[predicted]


def check_labels(split: Split) -> None:
    """Raise DataError unless the data has one class a sample, and samples in both parts."""
    if split.train.y.ndim > 1 or not split.classes:
        raise DataError(
            f"{split.name or 'data'}: expected one class a sample, and the classes' names, got quantities, several "
            "labels or no names. Score models of such data by `pellucid evaluate`, one after the other."
        )
    for name, part in (("training", split.train), ("test", split.test)):
        if not len(part):
            raise DataError(f"{split.name}: the {name} part is empty. Give data with samples in both parts.")


def check_untrained(candidates: Sequence[Candidate], flag: str, why: str) -> None:
    """Raise OptionError if a candidate is already trained, where each is to be trained again."""
    for candidate in candidates:
        if candidate.is_trained:
            raise OptionError(
                f"{flag}: {candidate.title} is a trained model, and {why}. Name a preset or a .toml file."
            )
