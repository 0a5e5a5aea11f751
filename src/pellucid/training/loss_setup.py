"""What a model is trained towards: its loss, the targets, and how much each sample counts."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.data.augmentation.augment import Augment
from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError
from pellucid.nn.blocks import branches_of
from pellucid.nn.model import Model
from pellucid.nn.presets import PRESETS
from pellucid.nn.sequential import Sequential
from pellucid.ops.losses.base import LOSSES, Loss
from pellucid.ops.losses.regression import Huber, MeanAbsoluteError, MeanSquaredError
from pellucid.ops.losses.targets import class_weights_to_sample_weights, default_loss, one_hot
from pellucid.registry import options_of
from pellucid.training.options import AUTO
from pellucid.types import Array


def set_loss(model: Model, data: Dataset, loss: Any) -> None:
    """Set the loss that was asked for; None is the model's own, and where it has none, "auto"."""
    shape: Any = model.output_shape
    if loss is None and model._has_chosen_loss:
        return
    is_smoothing = isinstance(loss, Mapping) and loss.keys() == {"type", "label_smoothing"}
    if model._has_chosen_loss and is_smoothing and loss["type"] == AUTO:  # of the model's own loss
        if model.loss in LOSSES and "label_smoothing" in options_of(LOSSES[model.loss]):
            model.set_loss({**model.loss_config, "label_smoothing": loss["label_smoothing"]})
            return
        if not loss["label_smoothing"]:
            return
    is_new = not model._has_chosen_loss
    if loss is None or loss == {"type": AUTO}:
        model._choose_loss(data.y)
        if model.loss == "mean_squared_error":
            model.set_loss(standardized_for(model, data.y) or MeanSquaredError())
    elif not isinstance(loss, Mapping):
        model.set_loss(loss)
    elif "type" in loss:
        model.set_loss(_resolved(loss, shape, data.y))
    else:  # one for each output
        is_known = all(isinstance(named, Mapping) and set(named) == set(loss) for named in (shape, data.y))
        losses: Any = {k: _resolved(v, shape[k], data.y[k]) for k, v in loss.items()} if is_known else loss
        model.set_loss(losses)
    if is_new:
        begin_at_the_mean(model, model._loss, data.y)


def standardized_for(model: Model, y: Any) -> MeanSquaredError | None:
    """Return the default loss of a preset that learns quantities; None for a network of one's own.

    Its outputs are standardized targets, so that the learning rate of the recipe suits any unit.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> standardized_for(preset("mlp-wide"), np.array([100.0, 300.0]))
    MeanSquaredError(centre=(200.0,), spread=(100.0,))
    """
    return None if model._recipe is None else MeanSquaredError.standardized(y)


def begin_at_the_mean(model: Model, loss: Loss, y: Any) -> None:
    """Let the first predictions of a new preset have the targets' mean and spread, where they are its outputs.

    A house's price in thousands, say, is far from where weights begin: most of a training would pass on the way.
    Nothing is done for other losses, nor for a network of one's own.
    """
    is_of_distances = isinstance(loss, MeanSquaredError | MeanAbsoluteError | Huber)
    is_standardized = isinstance(loss, MeanSquaredError) and bool(loss.centre)
    if model._recipe not in PRESETS or not is_of_distances or is_standardized:
        return
    Y = loss.encode(y, model.output_shape[-1], np.float64)
    spread = Y.std(axis=0)
    for part in branches_of(model) or [model]:
        last = next(leaf for leaf in reversed(part._leaves()) if "W" in leaf.params)
        last.params["W"] *= np.where(spread > 0, spread, 1)
        last.params["b"][...] = Y.mean(axis=0)


def check_last_activation(model: Model) -> None:
    """Raise OptionError where the last layer computes probabilities, and the loss, which takes logits, too."""
    last: Any = model
    while isinstance(last, Sequential):
        last = last.layers[-1]
    name = getattr(last, "activation", None)
    if name in ("softmax", "sigmoid") and model._loss.gives_probabilities:
        raise OptionError(
            f"train: the last layer has the activation {name}, which {model.loss} applies itself: losses take "
            f"logits. Leave it out, as in Dense({model.output_shape[-1]}); model.predict_proba gives probabilities."
        )


def kind_of_loss(model: Model, loss: Any) -> str | None:
    """Return the kind of the loss that a model will be trained on; None where labels and outputs decide."""
    if loss is None and model._has_chosen_loss:
        return model._loss.kind
    name = loss.get("type") if isinstance(loss, Mapping) else loss
    if isinstance(name, str):
        return LOSSES[name].kind if name in LOSSES else None
    return getattr(loss, "kind", "joint" if isinstance(loss, Mapping) else None)


def last_width(model: Model) -> int | None:
    """Return how many outputs a model has, before its shapes are known too; None where that cannot be told."""
    if model._is_initialized:
        shape: Any = model.output_shape
        return shape[-1] if isinstance(shape, tuple) and shape else None
    last: Any = model
    while isinstance(last, Model) and last.children():
        last = last.children()[-1]
    return getattr(last, "units", None)


def _resolved(loss: Any, shape: Any, y: Any) -> Any:
    """Return a loss, where "auto" is replaced by the name of what suits the output."""
    given = {"type": loss} if isinstance(loss, str) else loss
    if not isinstance(given, Mapping) or given.get("type") != AUTO or isinstance(shape, Mapping):
        return loss
    return {**given, "type": default_loss(shape[-1], y)}


def mixable(model: Any, Y: Any) -> Any:
    """Return encoded targets as what can be mixed: labels as rows of 0 and 1, all else as it is."""

    def as_rows(part: Array, shape: Any) -> Array:
        return one_hot(part, shape[-1], model.dtype) if part.ndim == 1 else part

    if isinstance(Y, dict):
        return {name: as_rows(part, model.output_shape[name]) for name, part in Y.items()}
    return as_rows(Y, model.output_shape)


def weigh_samples(
    model: Model, data: Dataset, sample_weight: Array | None, class_weight: Any
) -> Array | None:
    """Return how much each sample counts: what was given, times the weight of its class; None: all the same."""
    if class_weight is None:
        return sample_weight
    by_class = class_weights_to_sample_weights(data.y, class_weight, max(2, model.output_shape[-1]))
    return by_class if sample_weight is None else by_class * sample_weight


def augment_weighted(
    augment: Augment,
    X: Array,
    Y: Any,
    weights: Array | None,
    rng: np.random.Generator,
    *,
    out: Array | None = None,
) -> tuple[Array, Any, Array | None]:
    """Return a changed copy of a batch, its targets and how much each sample counts.

    Where samples are mixed, a mixture counts as much as its parts do, and its targets are weighted by that:
    ``w = sum_i s_i w_i`` and ``Y = sum_i s_i w_i Y_i / w`` for fractions s. So classes keep the weight that they
    were given.

    Examples
    --------
    >>> from pellucid.data.augmentation import CutMix
    >>> X, Y, w = np.zeros((2, 4, 4, 3)), np.eye(2), np.array([1.0, 3.0])
    >>> X, Y, w = augment_weighted(Augment([CutMix()]), X, Y, w, np.random.default_rng(1))
    >>> w @ Y  # as before
    array([1., 3.])
    """
    if weights is None or not augment.mixes_targets:
        return (*augment.apply(X, Y, rng, out=out), weights)
    column = weights.astype(np.float64)[:, None]
    named = Y if isinstance(Y, dict) else {"": Y}
    weighted: dict[Any, Array] = {name: (part * column).astype(part.dtype) for name, part in named.items()}
    X, mixed = augment.apply(X, {**weighted, None: column}, rng, out=out)
    column = mixed.pop(None)
    shared = {
        name: np.divide(part, column, out=np.zeros_like(part), where=column > 0)
        for name, part in mixed.items()
    }
    return X, shared if isinstance(Y, dict) else shared[""], column[:, 0]
