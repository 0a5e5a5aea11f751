"""What frozen layers make of the samples, computed once where a training would compute the same in every step."""

import math
from typing import Any

from pellucid.data.preprocess import Preprocessing
from pellucid.nn.model import Model
from pellucid.nn.pretrained.features import body_features, first_layers
from pellucid.nn.sequential import Sequential

MAX_FEATURE_BYTES = 1_000_000_000


def trained_part(model: Any, m: int) -> Model:
    """Return a model's layers after its frozen ones, as a model that shares its parameters, or the model itself.

    It is the model itself where nothing is frozen, where it is no Sequential or has a layer in several places, and
    where what the frozen layers give for m samples would take more than 1 GB.

    Parameters
    ----------
    model : Model
        Initialized.
    m : int
        Samples that will go through it.

    Examples
    --------
    >>> from pellucid.nn.freezing import freeze
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> freeze(model, "dense_2")
    >>> part = trained_part(model, 100)
    >>> part.input_shape, part.theta is model.theta
    ((7,), True)
    """
    n = n_frozen_places(model)
    if not n or model._further():
        return model
    shape = model._places[n].input_shape
    if not isinstance(shape, tuple) or m * math.prod(shape) * model.theta.itemsize > MAX_FEATURE_BYTES:
        return model
    part = Sequential(model._places[n:], dtype=model.dtype)
    part.theta, part.grad = model.theta, model.grad
    part.input_shape, part.output_shape = shape, model.output_shape
    part._loss_hook, part._run_lock = model._loss_hook, model._run_lock
    part._copy_loss(model)
    part._mark_input_gradient(False)
    return part


def n_frozen_places(model: Model) -> int:
    """Return how many layers a model begins with that are frozen, or hold frozen layers alone."""
    if not isinstance(model, Sequential) or not model._n_frozen:
        return 0
    is_frozen = [all(leaf._is_frozen for leaf in place._leaves()) for place in model._places]
    return is_frozen.index(False)


def features_of(model: Model, X: Any, rule: Preprocessing) -> Any:
    """Return what the frozen layers that a model begins with make of samples, a piece at a time.

    What a pretrained body makes of photos is kept from one training to the next.

    Parameters
    ----------
    model : Model
        One that has a :func:`trained_part`.
    X : Array, shape (m, ...)
        As they are in the data.
    rule : Preprocessing
        How they are prepared.
    """
    n = n_frozen_places(model)
    if n == model._n_body:
        return body_features(model, X, rule)
    return first_layers(model, n)._raw_outputs(X, lambda array: rule.apply(array, model.dtype))
