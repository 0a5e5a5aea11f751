"""Losses by name: the table, how options are set, and which loss suits which targets."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from pellucid.errors import OptionError, unknown_name
from pellucid.ops.losses.base import ABOVE_ZERO, SMOOTHING, ByWidth, Loss, Number, Numbers, Option
from pellucid.ops.losses.binary import (
    binary_cross_entropy_backward,
    binary_cross_entropy_forward,
    binary_probabilities,
)
from pellucid.ops.losses.categorical import (
    categorical_cross_entropy_backward,
    categorical_cross_entropy_forward,
    softmax_probabilities,
)
from pellucid.ops.losses.class_weights import class_weights_to_sample_weights, one_hot
from pellucid.ops.losses.focal import (
    binary_focal_backward,
    binary_focal_forward,
    categorical_focal_backward,
    categorical_focal_forward,
)
from pellucid.ops.losses.hinge import (
    binary_hinge_backward,
    binary_hinge_forward,
    categorical_hinge_backward,
    categorical_hinge_forward,
)
from pellucid.ops.losses.labels import encode_labels
from pellucid.ops.losses.multi_label import (
    multi_label_backward,
    multi_label_forward,
    sigmoid_probabilities,
)
from pellucid.ops.losses.poisson import poisson_backward, poisson_forward, poisson_mean
from pellucid.ops.losses.regression import (
    huber_backward,
    huber_forward,
    mean_absolute_error_backward,
    mean_absolute_error_forward,
    mean_squared_error_backward,
    mean_squared_error_forward,
)
from pellucid.ops.losses.targets import (
    encode_binary,
    encode_classes,
    encode_multi_label,
    encode_quantities,
)
from pellucid.types import Array

__all__ = [
    "LOSSES",
    "Loss",
    "binary_cross_entropy_backward",
    "binary_cross_entropy_forward",
    "binary_probabilities",
    "categorical_cross_entropy_backward",
    "categorical_cross_entropy_forward",
    "class_weights_to_sample_weights",
    "default_loss",
    "encode_binary",
    "get_loss",
    "one_hot",
]


def _classifier_of_labels(y: Array, n_out: int, dtype: Any) -> Array:
    return encode_labels(y, n_out, "hinge")


def _regression(name: str, forward: Any, backward: Any, **others: Any) -> Loss:
    least = others.pop("least", None)
    encode = partial(encode_quantities, where=name, least=least)
    return Loss(forward, backward, encode, None, "regression", **others)


_FOCAL: Mapping[str, Option] = {
    "gamma": Number("a number of 0 or more", 0),
    "alpha": Numbers("a number from 0 to 1 for two classes, or one of 0 or more for each class", 1),
}
_HINGE: Mapping[str, Option] = {"margin": ABOVE_ZERO}

LOSSES: dict[str, Loss] = {
    "binary_cross_entropy": Loss(
        binary_cross_entropy_forward,
        binary_cross_entropy_backward,
        encode_binary,
        binary_probabilities,
        options=SMOOTHING,
    ),
    "categorical_cross_entropy": Loss(
        categorical_cross_entropy_forward,
        categorical_cross_entropy_backward,
        encode_classes,
        softmax_probabilities,
        options=SMOOTHING,
    ),
    "focal": ByWidth(
        Loss(
            binary_focal_forward,
            binary_focal_backward,
            partial(encode_binary, where="focal"),
            binary_probabilities,
            options=_FOCAL,
        ),
        Loss(
            categorical_focal_forward,
            categorical_focal_backward,
            partial(encode_classes, where="focal"),
            softmax_probabilities,
        ),
    ).merge(),
    "hinge": ByWidth(
        Loss(
            binary_hinge_forward,
            binary_hinge_backward,
            partial(encode_binary, where="hinge"),
            None,
            options=_HINGE,
        ),
        Loss(categorical_hinge_forward, categorical_hinge_backward, _classifier_of_labels, None),
    ).merge(),
    "huber": _regression("huber", huber_forward, huber_backward, options={"delta": ABOVE_ZERO}),
    "mean_absolute_error": _regression(
        "mean_absolute_error", mean_absolute_error_forward, mean_absolute_error_backward
    ),
    "mean_squared_error": _regression(
        "mean_squared_error", mean_squared_error_forward, mean_squared_error_backward
    ),
    "multi_label": Loss(
        multi_label_forward,
        multi_label_backward,
        encode_multi_label,
        sigmoid_probabilities,
        "multi_label",
        options={
            "positive_weight": Numbers("a number of 0 or more, or one for each output", math.inf),
            **SMOOTHING,
        },
    ),
    "poisson": _regression("poisson", poisson_forward, poisson_backward, mean=poisson_mean, least=0.0),
}


def get_loss(name: str, **options: Any) -> Loss:
    """Return the loss of that name, its options set.

    Parameters
    ----------
    name : str
        A key of ``LOSSES``.
    **options
        ``label_smoothing`` of both cross-entropies and of multi_label, which has ``positive_weight`` too; ``gamma``
        and ``alpha`` of focal; ``margin`` of hinge; ``delta`` of huber.

    Returns
    -------
    Loss
        Its ``bound`` has the options as JSON can hold them.

    Raises
    ------
    OptionError
        If there is no such loss or option (the nearest is named), or the option may not have that value.

    Examples
    --------
    >>> get_loss("binary_cross_entropy").backward.__name__
    'binary_cross_entropy_backward'
    >>> get_loss("huber", delta=2).bound
    {'delta': 2.0}
    """
    if name not in LOSSES:
        raise OptionError(unknown_name("loss", name, LOSSES))
    loss = LOSSES[name]
    bound: dict[str, Any] = {}
    for option, value in options.items():
        if not loss.options:
            raise OptionError(f"{name}: it takes no options, got {option!r}. Leave it out.")
        if option not in loss.options:
            raise OptionError(unknown_name(f"option of {name}", option, loss.options))
        try:
            bound[option] = loss.options[option].read(value)
        except (TypeError, ValueError):
            wanted = loss.options[option].wanted
            raise OptionError(f"{name}: expected {option} to be {wanted}, got {value!r}.") from None
    return loss._replace(forward=partial(loss.forward, **bound), bound=bound) if bound else loss


def default_loss(n_out: int, y: Array) -> str:
    """Return the name of the loss that suits a model's outputs and the targets.

    Parameters
    ----------
    n_out : int
        The model's outputs.
    y : Array, shape (m,) or (m, n_out)
        Whole numbers in one column are labels; a matrix of 0 and 1 says yes or no for each output; all else are
        quantities.

    Examples
    --------
    >>> default_loss(1, np.array([0, 1])), default_loss(3, np.array([0, 2]))
    ('binary_cross_entropy', 'categorical_cross_entropy')
    >>> default_loss(2, np.array([[0, 1]])), default_loss(1, np.array([0.5]))
    ('multi_label', 'mean_squared_error')
    """
    if y.ndim == 2 and y.shape[1] > 1 and ((y == 0) | (y == 1)).all():
        return "multi_label"
    if y.ndim == 1 and y.dtype.kind in "bui":
        return "binary_cross_entropy" if n_out == 1 else "categorical_cross_entropy"
    return "mean_squared_error"
