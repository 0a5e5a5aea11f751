"""The predicted class and its logit: the score that influence is about."""

from collections.abc import Callable

import numpy as np

from pellucid.errors import OptionError
from pellucid.nn.model import Model
from pellucid.ops.losses.base import LOSSES
from pellucid.prediction.predict import log_odds
from pellucid.types import Array

Slope = Callable[[Array, slice], Array]  # outputs of these samples to the gradient for them, row by row


def check_classifier(model: Model) -> None:
    """Raise OptionError unless a model gives one class a sample, with probabilities."""
    if model._loss.kind != "classification":
        raise OptionError(
            f"influence: expected a model that gives one class a sample, this one is of "
            f"{model._loss.kind.replace('_', ' ')} ({model.loss})."
        )
    if model.loss not in LOSSES or not LOSSES[model.loss].gives_probabilities:
        raise OptionError(
            f"influence: a model trained on {model.loss} gives no probabilities. Train on a cross-entropy."
        )


def outputs_of(model: Model, X: Array) -> Array:
    """Return the model's outputs for samples, (n, n_out), float64."""
    return np.asarray(model.decision_function(X), np.float64).reshape(len(X), -1)


def labels_of(Z: Array) -> Array:
    """Return the predicted classes of outputs (n,), (n, 1) or (n, k), as ``Model.predict``."""
    flat = Z.reshape(len(Z), -1)
    return (flat[:, 0] > 0).astype(np.int64) if flat.shape[1] == 1 else flat.argmax(axis=1)


def logit(Z: Array, predicted_labels: Array) -> Array:
    """Return log(p / (1 - p)) of one class a sample, float64.

    Parameters
    ----------
    Z : Array, shape (n,), (n, 1) or (n, k)
        Outputs.
    predicted_labels : Array, shape (n,)
        The classes.

    Examples
    --------
    >>> logit(np.array([[2.0], [2.0]]), np.array([1, 0]))
    array([ 2., -2.])
    """
    n = len(predicted_labels)
    Z = np.asarray(Z, np.float64).reshape(n, -1)
    if Z.shape[1] == 1:
        return np.where(predicted_labels == 1, Z[:, 0], -Z[:, 0])
    return log_odds(Z)[np.arange(len(predicted_labels)), predicted_labels]


def logit_slope(predicted_labels: Array) -> Slope:
    """Return the outputs' gradient of the predictions' log-odds: 1 for the class, minus the others' softmax."""

    def slope(Z: Array, rows: slice) -> Array:
        labels = predicted_labels[rows]
        if Z.shape[1] == 1:
            return np.where(labels == 1, 1, -1).astype(Z.dtype)[:, np.newaxis]
        at = np.arange(len(labels))
        rest = Z - Z.max(axis=1, keepdims=True)
        rest[at, labels] = -np.inf
        rest = np.exp(rest - rest.max(axis=1, keepdims=True))
        dZ: Array = -rest / rest.sum(axis=1, keepdims=True)
        dZ[at, labels] = 1
        return dZ

    return slope
