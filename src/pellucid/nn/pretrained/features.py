"""What the pretrained body of a model makes of photos: computed once for each, in trainings and predictions."""

import hashlib
import json
from typing import Any

import numpy as np

from pellucid.data.preprocess import Preprocessing
from pellucid.nn.pretrained.feature_memory import remembered_features
from pellucid.nn.sequential import Sequential
from pellucid.progress import ProgressBar
from pellucid.types import Array

FEW = (
    3  # photos that are computed sooner (11 ms for two) than the body's arrays are hashed (8 ms) for a lookup
)


def first_layers(model: Any, n: int) -> Sequential:
    """Return the first n layers of a Sequential as a model that shares their parameters, for predictions."""
    first = Sequential(model._places[:n], dtype=model.dtype)
    first.input_shape, first.output_shape = model.input_shape, model._places[n - 1].output_shape
    first._run_lock = model._run_lock
    first._mark_input_gradient(False)
    return first


def body_features(model: Any, X: Any, rule: Preprocessing) -> Array:
    """Return what a model's body makes of photos, (m, d); that of photos of bytes is kept in memory.

    Parameters
    ----------
    model : Model
        With a pretrained body.
    X : Array or StoredArray, shape (m, h, w, c)
        As they are in the data.
    rule : Preprocessing
        How they are prepared.
    """
    body = body_of(model)

    def compute(photos: Any) -> Array:
        return body._raw_outputs(photos, lambda array: rule.apply(array, model.dtype))

    if len(X) <= FEW or X.dtype != np.uint8 or model.dtype != "float32" or not model._keeps_features:
        return compute(X)
    with ProgressBar() as progress:
        return remembered_features(compute, X, _hash(body, rule), progress=progress)


def body_of(model: Any) -> Sequential:
    """Return the pretrained layers of a model as a model, the same at every call: its kernels warm up once."""
    if model._body_part is None or len(model._body_part.layers) != model._n_body:
        model._body_part = first_layers(model, model._n_body)
    return model._body_part


def outputs_of_features(model: Any, features: Array) -> Array:
    """Return the raw outputs of a model with a pretrained body, (m, n_out), of its body's features."""
    head = Sequential(model._places[model._n_body :], dtype=model.dtype)
    head.input_shape, head._run_lock = features.shape[1:], model._run_lock
    return head._raw_outputs(features)


def _hash(body: Sequential, rule: Preprocessing) -> bytes:
    """Return a hash of all that features depend on besides the photos."""
    total = hashlib.sha256(json.dumps([body.config(), rule.to_config()], sort_keys=True).encode())
    for leaf in body._leaves():
        for array in (*leaf.params.values(), *leaf.state.values()):
            total.update(np.ascontiguousarray(array).data)
    return total.digest()
