"""What each layer computes when it predicts, described once: scripts, pages and ONNX files are written from it."""

import copy
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pellucid.errors import OptionError
from pellucid.formats.expressions import Node, Noted, Z, expression_of, function_name
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.layer import Layer
from pellucid.nn.norm import Affine, BatchNorm, LayerNorm
from pellucid.nn.pooling import (
    AvgPool2D,
    GlobalAvgPool2D,
    MaxPool2D,
    Pooling,
    ReflectPad2D,
    Resize2D,
    UpSample2D,
    ZeroPad2D,
)
from pellucid.nn.windows import pair
from pellucid.text import join
from pellucid.types import Array

_SCALE = Node("multiply", (Z, Node("array", ("gamma",))))
_AFFINE = Node("add", (_SCALE, Node("array", ("beta",))))


class Description(NamedTuple):
    """What a layer computes of its input: a function of whole samples, then one of each number.

    Attributes
    ----------
    name : str
        The function, a key of ``LAYERS`` in network.js and of ``NODES`` in onnx/layers.py, and a function of
        script/layers.py; "" for none.
    options : mapping
        Of the function, by name.
    arrays : mapping of str to Array
        That it takes, in its order, or that ``expression`` names.
    activation : str
        "linear", "softmax", or what files call the function of each number.
    expression : Node or None
        That function; None for "linear" and "softmax".
    known_as : tuple of str and mapping
        A key of ``ACTIVATIONS`` and its options, where it is one of those.
    """

    name: str = ""
    options: Mapping[str, Any] = {}
    arrays: Mapping[str, Array] = {}
    activation: str = "linear"
    expression: Node | None = None
    known_as: tuple[str, Mapping[str, float]] = ("", {})


def describe(layer: Layer) -> Description:
    """Return what a layer computes.

    A layer that is not in ``DESCRIPTIONS`` is described by its forward, which is called with stand-ins for its
    input and for its arrays, of one number for each channel: they note what is computed of each number.

    Raises
    ------
    OptionError
        If it is not among them, and its forward cannot be noted.

    Examples
    --------
    >>> describe(Dropout(0.5)).name, describe(UpSample2D(2))[:2]
    ('', ('upsample', {'factor': (2, 2)}))
    """
    if type(layer) in DESCRIPTIONS:
        return DESCRIPTIONS[type(layer)](layer)
    arrays = {**layer.params, **layer.state}
    stand_in: Any = copy.copy(layer)
    stand_in.params = {name: Noted(Node("array", (name,))) for name in layer.params}
    stand_in.state = {name: Noted(Node("array", (name,))) for name in layer.state}
    is_simple = layer.output_shape == layer.input_shape and all(array.ndim == 1 for array in arrays.values())
    try:
        if is_simple:
            return _each(layer, stand_in.forward(Noted(Z)).node, arrays)
        raise TypeError
    except (AttributeError, TypeError):
        raise OptionError(
            f"export: {layer._label} is a layer of your own, {type(layer).__name__}, and not one that computes "
            "each number by + - * / and functions of NumPy from its input and from one number for each channel. "
            f"Make it such a layer, or take one of {join([known.__name__ for known in DESCRIPTIONS])}."
        ) from None


def _each(layer: Layer, expression: Node, arrays: Mapping[str, Array]) -> Description:
    """Return the description of a layer that computes each number from its own arrays."""
    first = layer._first_use or layer
    called = function_name(f"layer_{first.name or type(first).__name__.lower()}", {})
    return Description("", {}, arrays, called, expression)


def _activated(
    layer: Any, name: str, options: Mapping[str, Any], arguments: Mapping[str, float] | None = None
) -> Description:
    """Return the description of a layer with an activation."""
    activation, arguments = layer.activation or "linear", arguments or {}
    has_expression = activation not in ("linear", "softmax")
    return Description(
        name,
        options,
        layer.params,
        function_name(activation, arguments),
        expression_of(activation, arguments, layer._label) if has_expression else None,
        (activation, arguments),
    )


def _conv(layer: Conv2D) -> Description:
    options = {"stride": pair(layer.stride), "padding": layer.pads, "dilation": pair(layer.dilation)}
    return _activated(layer, "conv2d", {**options, "groups": layer.groups})


def _norm(name: str, layer: BatchNorm | LayerNorm) -> Description:
    return Description(name, {"epsilon": layer.epsilon}, {**layer.params, **layer.state})


def _pool(name: str, layer: Pooling, **options: Any) -> Description:
    return Description(name, {**layer.window, **options})


DESCRIPTIONS: dict[type, Callable[[Any], Description]] = {
    Activation: lambda layer: _activated(layer, "", {}, layer.options),
    Affine: lambda layer: _each(layer, _AFFINE if layer.shift else _SCALE, layer.params),
    AvgPool2D: lambda layer: _pool("average_pool", layer, count_include_pad=layer.count_include_pad),
    BatchNorm: lambda layer: _norm("batch_norm", layer),
    Conv2D: _conv,
    Dense: lambda layer: _activated(layer, "dense", {}),
    Dropout: lambda layer: Description(),
    Flatten: lambda layer: Description("flatten"),
    GlobalAvgPool2D: lambda layer: Description("global_average"),
    LayerNorm: lambda layer: _norm("layer_norm", layer),
    MaxPool2D: lambda layer: _pool("max_pool", layer),
    ReflectPad2D: lambda layer: Description("reflect_pad", {"padding": layer.pads}),
    Resize2D: lambda layer: Description(
        "resize", {"size": pair(layer.size), "align_corners": layer.align_corners}
    ),
    UpSample2D: lambda layer: Description("upsample", {"factor": pair(layer.factor)}),
    ZeroPad2D: lambda layer: Description("zero_pad", {"padding": layer.pads}),
}
