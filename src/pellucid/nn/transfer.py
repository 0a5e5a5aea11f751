"""A new model that begins from a trained one: its layers, and a new last one where the classes are others."""

from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.coerce import as_dataset
from pellucid.data.dataset import Dataset, Split
from pellucid.errors import DataError, OptionError, PellucidError, ShapeError
from pellucid.nn import freezing
from pellucid.nn.blocks import branches_of
from pellucid.nn.by_name import ModelLike, as_model
from pellucid.nn.dense import Dense
from pellucid.nn.graph import Graph
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model, copy_arrays, model_from_config
from pellucid.nn.presets import n_outputs_for
from pellucid.nn.sequential import Sequential
from pellucid.ops.losses.base import LOSSES
from pellucid.ops.losses.regression import MeanSquaredError
from pellucid.ops.losses.targets import default_loss
from pellucid.registry import validate_call
from pellucid.types import map_arrays

OTHER_UNIT = 10  # times the spread of the targets, from which on quantities are taken to be in another unit
RECIPE = "transfer"  # its name in pellucid.training.recipes.RECIPES


@validate_call("model", "data", "freeze", "seed")
def transfer(
    model: ModelLike,
    data: Dataset | Split | tuple[Any, Any] | str | Path,
    *,
    freeze: str | None = None,
    seed: int = 1,
) -> Model:
    """Return a copy of a trained model that is ready to be trained on other data.

    Where the data have the classes that the model knows, by number and name, all its weights are kept. Else it gets
    a new last layer, as wide as the data ask for, whose weights are drawn. The preprocessing is the model's own.
    Where its outputs are standardized quantities and the data's are in another unit, they stand for these.

    Parameters
    ----------
    model : Model, str or Path
        Trained or loaded, or a model file or run folder; not changed. Nothing in the copy is frozen, whatever was
        in it, but for ``freeze``.
    data : Dataset, Split, (X, y), str or Path
        Samples of the shape that the model takes.
    freeze : str, optional
        The last layer to keep as it is: see :func:`pellucid.nn.freezing.freeze`. Where no augmentation changes the
        samples, what the frozen layers make of them is computed once.
    seed : int, optional
        Of the new layer's weights. Default: 1.

    Raises
    ------
    PellucidError
        If the model has no weights yet.
    ShapeError
        If the samples have another shape.
    DataError
        If the data have several targets by name.
    OptionError
        If the model does not end in a Dense layer that could be exchanged, or ``freeze`` names no layer.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.nn.presets import n_outputs_for, preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 1))
    >>> other = transfer(model, (np.zeros((6, 8, 8, 1)), ["a", "b", "c"] * 2), freeze="dense_2")
    >>> other.output_shape, other.classes, other.n_params, other.theta.size
    ((3,), ('a', 'b', 'c'), 1505, 58)
    >>> bool((other.layers[1].params["W"] == model.layers[1].params["W"]).all())
    True
    """
    model = as_model(model, "transfer")
    if not model._is_initialized:
        raise PellucidError(
            "transfer: the model has no weights yet. Train it first, or load one that is trained."
        )
    part = as_dataset(data, "transfer")
    _check_samples(model, part)
    is_same = _has_same_targets(model, part)
    heads = [] if is_same else [_head_of(part) for part in branches_of(model) or [model]]
    if None in heads:
        last = [leaf for leaf in model._leaves() if leaf.params][-1]
        raise OptionError(
            f"transfer: other classes need a new last layer, which must be a Dense; this model ends in {last.name} "
            f"({type(last).__name__}). Build a network of your own and copy the layers' params."
        )
    made = model_from_config(model.config(), dtype=model.dtype)
    at = [i for i, leaf in enumerate(model._leaves()) if leaf in heads]
    for i in at:
        new = made._leaves()[i]
        assert isinstance(new, Dense)
        new._keep("units", n_outputs_for(part))
    made.initialize(model.input_shape, seed=seed)
    copy_arrays(*([leaf for i, leaf in enumerate(each._leaves()) if i not in at] for each in (made, model)))
    if is_same:
        made._copy_loss(model)
        _suit_unit(made, part.y)
    else:
        made._choose_loss(part.y)
        made._has_chosen_loss = False  # so that the recipe's smoothing is taken
    made.preprocessing, made._schema = model.preprocessing, model._schema
    made.inputs_seen = model.inputs_seen
    made.classes = model.classes if is_same else part.classes
    made._recipe = RECIPE
    if body := model._summary_of_training.get("body"):  # whose work it contains
        made._summary_of_training["body"] = {**body, "n_layers": 0}
    if freeze is not None:
        freezing.freeze(made, freeze)
    return made


def _check_samples(model: Model, data: Dataset) -> None:
    several: Any = data.y, model.output_shape
    if any(isinstance(each, dict) for each in several):
        raise DataError(
            "transfer: expected a model with one output and data with one target, got several by name. Build the "
            "graph again and copy the layers' params."
        )
    shape = map_arrays(lambda array: array.shape[1:], data.X)
    if shape != model.input_shape:
        size = model.input_shape[:2]
        advice = f" Read photos at its size, with image_size={tuple(size)}." if len(shape) == 3 else ""
        raise ShapeError(
            f"transfer: the model takes samples of shape {model.input_shape}, the data have {shape}.{advice}"
        )


def _suit_unit(model: Model, y: Any) -> None:
    """Let outputs that are standardized quantities stand for these, where the two are of different size."""
    loss = model._loss
    if not isinstance(loss, MeanSquaredError) or not loss.centre:
        return
    found = MeanSquaredError.standardized(y)
    centres, spreads = (
        np.array([a, b]) for a, b in ((loss.centre, found.centre), (loss.spread, found.spread))
    )
    ratio, distance = spreads[1] / spreads[0], np.abs(centres[1] - centres[0]) / spreads[0]
    if (np.maximum(np.maximum(ratio, 1 / ratio), distance) > OTHER_UNIT).any():
        chosen = model._has_chosen_loss
        model.set_loss(found)
        model._has_chosen_loss = chosen


def _has_same_targets(model: Model, data: Dataset) -> bool:
    """Return whether the model's outputs are of the same kind, number and names as the data's targets."""
    n_wanted = n_outputs_for(data)
    kind = LOSSES[default_loss(n_wanted, data.y)].kind
    n_known = model.output_shape[0] if len(model.output_shape) == 1 else 0
    if kind == "classification":
        n_known, n_wanted = max(n_known, 2), max(n_wanted, 2)
    is_named = bool(model.classes) and bool(data.classes)
    return (
        kind == model._loss.kind and n_known == n_wanted and (not is_named or model.classes == data.classes)
    )


def _head_of(layer: Layer) -> Dense | None:
    """Return the Dense that gives a layer's output, perhaps with an activation after it; None if none does."""
    if isinstance(layer, Dense):
        return None if layer._further_uses else layer
    if isinstance(layer, Graph) and isinstance(layer.outputs, str):
        last = layer.nodes[layer.outputs][0]
        return _head_of(last) if isinstance(last, Layer) else None
    if isinstance(layer, Sequential):
        with_params = [each for each in layer.layers if any(leaf.params for leaf in each._leaves())]
        return _head_of(with_params[-1]) if with_params else None
    return None
