"""A network as plain steps, and what each layer computes: scripts, pages and ONNX files are written from both."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pellucid.errors import OptionError
from pellucid.formats.expressions import Node, Noted, Z, expression_of, function_name
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.graph import Graph
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
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
from pellucid.nn.sequential import Sequential
from pellucid.nn.windows import pair
from pellucid.text import join
from pellucid.types import Array, Shape

_SCALE = Node("multiply", (Z, Node("array", ("gamma",))))
_AFFINE = Node("add", (_SCALE, Node("array", ("beta",))))


class Step(NamedTuple):
    """What makes one value of others."""

    what: Layer | str  # a layer, or how its sources are joined: "add", "concat"
    sources: tuple[str, ...]
    target: str
    shape: Shape  # of one sample of the value

    @property
    def key(self) -> str:
        """The stem of the names of its arrays: "dense_1"; in a further place of a layer, that of the first."""
        if isinstance(self.what, str):
            return self.what
        first: Layer = self.what._first_use or self.what
        return first.name or type(first).__name__.lower()


class Steps(NamedTuple):
    """A network: its inputs, what is done, and which values are its outputs."""

    inputs: dict[str, Shape]  # "input" where there is one
    steps: tuple[Step, ...]
    outputs: dict[str, str]  # the value of each; "" where there is one

    def last_uses(self) -> dict[str, int]:
        """Return the number of the step that is the last to need each value; of outputs, one behind all."""
        last = {source: i for i, step in enumerate(self.steps) for source in step.sources}
        return last | dict.fromkeys(self.outputs.values(), len(self.steps))


def steps_of(model: Model) -> Steps:
    """Return an initialized model as steps; structures are taken apart, layers of one's own are left as they are.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> model = Sequential([Dense(3), Residual(Dense(3))])
    >>> model.initialize((2,))
    >>> [(step.key, step.sources, step.target) for step in steps_of(model).steps]
    [('dense_1', ('input',), '#1'), ('dense_2', ('#1',), '#2'), ('add', ('#1', '#2'), '#3')]
    """
    found: list[Step] = []
    given: Any = model.input_shape
    inputs = dict(given) if isinstance(given, Mapping) else {"input": given}
    if not isinstance(model, Graph):
        outputs = {"": _write(found, model, "input")}
        return Steps(inputs, tuple(found), outputs)
    outputs = _write_graph(found, model, {name: name if name in inputs else "input" for name in model.inputs})
    if model.is_single_output:
        outputs = {"": outputs[model.output_names[0]]}
    return Steps(inputs, tuple(found), outputs)


def _write(found: list[Step], layer: Any, source: str) -> str:
    """Add the steps of a layer or structure, and return the name of its output."""
    if isinstance(layer, Sequential):
        for place in layer._places:
            source = _write(found, place, source)
        return source
    if isinstance(layer, Residual):
        body, *others = layer._places
        around = _write(found, others[0], source) if others else source
        return _add(found, "add", [around, _write(found, body, source)], layer.output_shape)
    if isinstance(layer, Parallel):
        return _add(
            found, layer.merge, [_write(found, each, source) for each in layer._places], layer.output_shape
        )
    if isinstance(layer, Graph):
        return _write_graph(found, layer, {layer.inputs[0]: source})[layer.output_names[0]]
    return _add(found, layer, [source], layer.output_shape)


def _write_graph(found: list[Step], graph: Any, inputs: Mapping[str, str]) -> dict[str, str]:
    values = dict(inputs)
    for name, step, sources in graph.steps:
        named = [values[source] for source in sources]
        if isinstance(step, str):
            values[name] = _add(found, step, named, graph._shapes[name])
        else:
            values[name] = _write(found, step, named[0])
    return {name: values[name] for name in graph.output_names}


def _add(found: list[Step], what: Layer | str, sources: Sequence[str], shape: Shape) -> str:
    target = f"#{len(found) + 1}"  # which is the name of no input
    found.append(Step(what, tuple(sources), target, shape))
    return target


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
