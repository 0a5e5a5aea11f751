"""Which models are stacks of Dense layers that :mod:`pellucid.kernels.dense_stack` trains, and their layers."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.hooks import is_hooked
from pellucid.nn.model import Model
from pellucid.nn.norm import Affine, BatchNorm
from pellucid.nn.sequential import Sequential
from pellucid.ops.losses.base import Loss

PART_OPERATIONS = 1e6  # of a layer's product: with fewer in each part, it does not pay to divide it
# By the kernel's numbers.
ACTIVATIONS = ("linear", "relu", "leaky_relu", "elu", "sigmoid", "tanh", "silu", "gelu", "selu")
OPTIONS = {"leaky_relu": 0.01, "elu": 1.0}  # of activations, where none is chosen


class Layer(NamedTuple):
    """A Dense layer, the batch norm after it, if any, the activation after that, and dropout, if any."""

    n_in: int
    n_out: int
    activation: str
    option: float
    norm: BatchNorm | None = None
    dropout: Dropout | None = None
    scale: Affine | None = None  # of its inputs; the first layer may have one


def layers_of(model: Model) -> list[Layer]:
    """Return a model's layers where it is a stack of Dense layers whose activations the kernel has, else nothing.

    Batch norm may stand between a Dense layer and its activation, dropout after that; a scale of the inputs, an
    Affine without shift, before the first. A model with a hooked layer has none.

    Examples
    --------
    >>> model = Sequential([Flatten(), Dense(3, activation="relu"), Dense(1)])
    >>> model.initialize((2, 2))
    >>> [(layer.n_in, layer.n_out, layer.activation) for layer in layers_of(model)]
    [(4, 3, 'relu'), (3, 1, 'linear')]
    """
    if type(model) is not Sequential or model._further() or model._n_frozen or is_hooked(model):
        return []
    layers, scale = model.layers, None
    while layers and type(layers[0]) is Flatten:
        layers = layers[1:]
    if layers and type(layers[0]) is Affine and not layers[0].shift and len(layers[0].input_shape) == 1:
        scale, layers = layers[0], layers[1:]
    found = _stack(layers, Dense)
    return [found[0]._replace(scale=scale), *found[1:]] if found else []


def layers_above(first: Any, layers: Sequence[Any]) -> list[Layer]:
    """Return what ``layers_of`` does, another layer in the first Dense's place, without batch norm and dropout."""
    found = _stack(layers, type(first)) if layers[0] is first else []
    return [] if any(layer.norm or layer.dropout for layer in found) else found


def _stack(layers: Sequence[Any], first: type) -> list[Layer]:
    found: list[Layer] = []
    for layer in layers:
        if type(layer) in ((Dense,) if found else (first,)):
            name = layer.activation or "linear"
            found.append(_with(name, math.prod(layer.input_shape), *layer.output_shape))
        elif not found or found[-1].dropout is not None:
            if type(layer) is not Flatten or found:
                return []
        elif type(layer) is Activation and found[-1].activation == "linear":
            activation = _with(layer.activation, *found[-1][:2], *layer.options.values())
            found[-1] = activation._replace(norm=found[-1].norm)
        elif type(layer) is BatchNorm and found[-1][2:] == ("linear", 0.0, None, None, None):
            found[-1] = found[-1]._replace(norm=layer)
        elif type(layer) is Dropout:
            found[-1] = found[-1]._replace(dropout=layer if layer.rate > 0 else None)
        else:
            return []
    return found if all(layer.activation in ACTIVATIONS for layer in found) else []


def loss_kind(loss: Loss, n_out: int, kernel: Any) -> int:
    """Return the number of a loss's formula in the kernel, by which it is computed, or of ``OTHER``."""
    formula = loss.pair(n_out)[0].__name__.removesuffix("_forward")
    is_known = formula in kernel.LOSSES and type(loss).forward is Loss.forward
    return int(kernel.LOSSES.index(formula) if is_known else kernel.OTHER)


def n_parts(layer: Layer, m: int, n_threads: int) -> int:
    """Return into how many parts a layer is divided, for batches of m samples.

    Examples
    --------
    >>> n_parts(Layer(784, 128, "relu", 0), 32, 2), n_parts(Layer(128, 10, "linear", 0), 32, 2)
    (2, 1)
    """
    most = 2.0 * m * layer.n_in * layer.n_out / PART_OPERATIONS
    return max(1, min(n_threads, int(most), layer.n_in // 32))


def _with(activation: str, n_in: int, n_out: int, *option: float) -> Layer:
    return Layer(n_in, n_out, activation, option[0] if option else OPTIONS.get(activation, 0.0))
