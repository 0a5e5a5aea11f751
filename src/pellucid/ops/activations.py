"""Functions that bend, by name: the table of all activations.

The ones with a kink are in :mod:`pellucid.ops.activations_kinked`, the others in
:mod:`pellucid.ops.activations_smooth`, which says what all have in common.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import OptionError, unknown_name
from pellucid.ops.activations_kinked import (
    elu_backward,
    elu_forward,
    leaky_relu_backward,
    leaky_relu_forward,
    linear_activation_backward,
    linear_activation_forward,
    relu_backward,
    relu_forward,
)
from pellucid.ops.activations_smooth import (
    OutputCache,
    gelu_backward,
    gelu_forward,
    sigmoid_backward,
    sigmoid_forward,
    silu_backward,
    silu_forward,
    softmax_backward,
    softmax_forward,
    tanh_backward,
    tanh_forward,
)
from pellucid.types import Array

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "OutputCache",
    "elu_backward",
    "elu_forward",
    "gelu_backward",
    "gelu_forward",
    "get_activation",
    "leaky_relu_backward",
    "leaky_relu_forward",
    "linear_activation_backward",
    "linear_activation_forward",
    "relu_backward",
    "relu_forward",
    "sigmoid_backward",
    "sigmoid_forward",
    "silu_backward",
    "silu_forward",
    "softmax_backward",
    "softmax_forward",
    "tanh_backward",
    "tanh_forward",
]


class Activation(NamedTuple):
    """A function and its derivative, both from and to arrays of one shape."""

    forward: Callable[..., tuple[Array, Any]]
    backward: Callable[..., Array]
    options: tuple[str, ...] = ()  # keywords that the forward takes besides ``out``


ACTIVATIONS: dict[str, Activation] = {
    "elu": Activation(elu_forward, elu_backward, ("alpha",)),
    "gelu": Activation(gelu_forward, gelu_backward),
    "leaky_relu": Activation(leaky_relu_forward, leaky_relu_backward, ("slope",)),
    "linear": Activation(linear_activation_forward, linear_activation_backward),
    "relu": Activation(relu_forward, relu_backward),
    "sigmoid": Activation(sigmoid_forward, sigmoid_backward),
    "silu": Activation(silu_forward, silu_backward),
    "softmax": Activation(softmax_forward, softmax_backward),
    "tanh": Activation(tanh_forward, tanh_backward),
}


def get_activation(name: str, **options: float) -> Activation:
    """Return the activation of that name, its options set.

    Parameters
    ----------
    name : str
        A key of ``ACTIVATIONS``.
    **options : float
        ``slope`` of leaky_relu, ``alpha`` of elu.

    Raises
    ------
    OptionError
        If there is no such activation (the nearest is named), or it has no such option or value.

    Examples
    --------
    >>> get_activation("leaky_relu", slope=0.5).forward(np.array([-1.0]))[0]
    array([-0.5])
    """
    if name not in ACTIVATIONS:
        raise OptionError(unknown_name("activation", name, ACTIVATIONS))
    activation = ACTIVATIONS[name]
    for option in options:
        if not activation.options:
            raise OptionError(f"{name}: it takes no options, got {option!r}. Leave it out.")
        if option not in activation.options:
            raise OptionError(unknown_name(f"option of {name}", option, activation.options))
    if not options:
        return activation
    forward = partial(activation.forward, **options)
    try:
        forward(np.zeros(1))  # refuses a value out of range here, not in the middle of a training
    except TypeError:
        raise OptionError(f"{name}: expected numbers as options, got {options}.") from None
    return activation._replace(forward=forward)
