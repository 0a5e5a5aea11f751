"""What a model is trained towards: its loss, the targets, and how much each sample counts."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.nn.model import Model
from pellucid.ops.class_weights import class_weights_to_sample_weights, one_hot
from pellucid.ops.losses import default_loss
from pellucid.types import Array, Dataset

AUTO = "auto"  # in place of a loss's name: what suits the outputs and the data


def set_loss(model: Model, data: Dataset, loss: Any) -> None:
    """Set the loss that was asked for, a name or a dictionary with options, else the one that suits the data."""
    if isinstance(loss, Mapping) and "loss" in loss:
        name, options = loss["loss"], {key: value for key, value in loss.items() if key != "loss"}
        if name == AUTO:
            if isinstance(model.output_shape, Mapping):
                raise OptionError("loss: 'auto' is for models with one output; name a loss for each.")
            name = default_loss(model.output_shape[-1], data.y)
        model.set_loss(name, **options)
    elif loss is not None:
        model.set_loss(loss)
    elif not model.has_chosen_loss:
        model.choose_loss(data.y)


def targets(model: Model, data: Dataset, *, are_mixed: bool) -> Any:
    """Return what the loss compares outputs with; where they will be mixed, labels as rows of 0 and 1.

    Raises
    ------
    OptionError
        If they are to be mixed and the loss knows only whole labels.
    """
    Y = model.encode(data.y)
    return _as_rows(Y, model) if are_mixed else Y


def sample_weights(
    model: Model, data: Dataset, sample_weight: Array | None, class_weight: Any
) -> Array | None:
    """Return how much each sample counts: what was given, times the weight of its class; None: all the same."""
    if class_weight is None:
        return sample_weight
    by_class = class_weights_to_sample_weights(data.y, class_weight, max(2, model.output_shape[-1]))
    return by_class if sample_weight is None else by_class * sample_weight


def _as_rows(Y: Any, model: Model) -> Any:
    """Return labels as rows of 0 and 1, which can be mixed; all else as it is."""
    if isinstance(Y, dict):
        shapes: Any = model.output_shape
        return {name: _rows(part, shapes[name][-1], model.dtype) for name, part in Y.items()}
    Y = _rows(Y, model.output_shape[-1], model.dtype)
    try:
        model.loss_of_outputs(np.zeros((1, model.output_shape[-1]), model.dtype), Y[:1])
    except ShapeError:
        raise OptionError(
            f"augment: mixup and cutmix mix targets, which {model.loss} of "
            f"{model.output_shape[-1]} classes does not take. Leave them out, or choose categorical_cross_entropy."
        ) from None
    return Y


def _rows(Y: Array, k: int, dtype: str) -> Array:
    return one_hot(Y, k, dtype) if Y.ndim == 1 else Y
