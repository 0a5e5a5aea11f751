"""Each layer and structure of a model as the nodes of an ONNX graph."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.errors import OptionError
from pellucid.formats.expressions import FUNCTIONS, OPERATORS, expression_of
from pellucid.formats.onnx.nodes import Parts, Value
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.affine import Affine
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.graph import Graph
from pellucid.nn.layer import Layer
from pellucid.nn.norm import BatchNorm, LayerNorm
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
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.conv_geometry import Padding
from pellucid.text import join
from pellucid.types import Shape

Writer = Callable[[Parts, Any, Value], str]


def write(parts: Parts, layer: Layer, value: Value) -> Value:
    """Add the nodes of a layer or structure, and return its output.

    Raises
    ------
    OptionError
        If there is no ONNX for a layer or an activation.
    """
    before = parts.where
    if not isinstance(layer, Sequential | Residual | Parallel | Graph):
        parts.where = layer.name or type(layer).__name__.lower()
    kind = type(layer)
    if kind not in WRITERS:
        raise OptionError(
            f"export: {layer.label} is a layer of your own, {kind.__name__}, which ONNX does not know. Take one of "
            f"{join([known.__name__ for known in WRITERS])}."
        )
    out = Value(WRITERS[kind](parts, layer, value), layer.output_shape)
    parts.where = before
    return out


def write_graph(parts: Parts, graph: Graph, inputs: Mapping[str, Value]) -> dict[str, Value]:
    """Add the nodes of a graph, and return each of its outputs by name."""
    values = dict(inputs)
    for name, step, sources in graph.steps:
        if isinstance(step, str):
            values[name] = merged(parts, step, [values[source] for source in sources])
        else:
            values[name] = write(parts, step, values[sources[0]])
    return {name: values[name] for name in graph.output_names}


def merged(parts: Parts, how: str, values: Sequence[Value]) -> Value:
    """Add, multiply or concatenate values, at the axis of their channels."""
    shape = max((value.shape for value in values), key=lambda shape: (len(shape), math.prod(shape)))
    names = [_repeated(parts, value, shape) for value in values]
    if how in ("add", "multiply"):
        out = names[0]
        for name in names[1:]:
            out = parts.add("Add" if how == "add" else "Mul", out, name)
        return Value(out, shape)
    width = sum(value.shape[-1] for value in values)
    return Value(parts.add("Concat", *names, axis=values[0].channel_axis), (*shape[:-1], width))


def _repeated(parts: Parts, value: Value, shape: Shape) -> str:
    """Return a value as it is joined to others of a shape: one number a channel as an image of one pixel."""
    if len(value.shape) == len(shape):
        return value.name
    return parts.add("Reshape", value.name, parts.constant([-1, *value.shape, 1, 1], np.int64))


# What ONNX has an operator for, of the same name; an option is its alpha.
_OWN = ("elu", "hard_sigmoid", "hard_swish", "leaky_relu", "relu", "selu", "sigmoid", "softplus")


def activated(parts: Parts, name: str, value: Value, options: Mapping[str, float]) -> str:
    """Add an activation function of a value: an operator, or the nodes of its expression."""
    if name == "linear":
        return value.name
    if name == "softmax":
        return parts.add("Softmax", value.name, axis=value.channel_axis)
    if name in _OWN:
        usual = inspect.signature(ACTIVATIONS[name].forward).parameters
        alpha = [options.get(option, usual[option].default) for option in ACTIVATIONS[name].options]
        attributes = {"alpha": alpha[0]} if alpha else {}
        return parts.add(name.title().replace("_", ""), value.name, **attributes)
    return _spelled_out(parts, expression_of(name, options, parts.where), value.name)


def _spelled_out(parts: Parts, node: Any, x: str) -> str:
    """Add the nodes of an expression of x; what runtimes have faster code for as they know it."""

    def add(op: str, *inputs: Any) -> str:
        return parts.add(op, *(_spelled_out(parts, each, x) for each in inputs))

    match node:
        case str():  # a value that is there
            return node
        case float():
            return parts.constant(node)
        case ("Z", ()):
            return x
        case ("divide", (1.0, ("add", (("exp", (("negative", (inner,)),)), 1.0)))):
            return add("Sigmoid", inner)
        case ("minimum", (("maximum", (inner, float(low))), float(high))):
            return add("Clip", inner, low, high)
        case ("multiply", (inner, ("ndtr", (same,)))) if inner == same:  # x (1 + erf(x / sqrt 2)) / 2
            erf = add("Erf", add("Div", inner, math.sqrt(2)))
            return add("Mul", add("Mul", inner, add("Add", erf, 1.0)), 0.5)
        case ("ndtr", (inner,)):
            return add("Mul", add("Add", add("Erf", add("Div", inner, math.sqrt(2))), 1.0), 0.5)
        case ("expm1", (inner,)):
            return add("Sub", add("Exp", inner), 1.0)
        case ("log1p", (inner,)):
            return add("Log", add("Add", inner, 1.0))
    name, inputs = node
    return add(OPERATORS[name][2] if name in OPERATORS else FUNCTIONS[name].title(), *inputs)


def _flatten(parts: Parts, layer: Flatten, value: Value) -> str:
    if len(value.shape) == 1:
        return value.name
    return parts.add("Flatten", parts.channels_last(value), axis=1)


def _dense(parts: Parts, layer: Dense, value: Value) -> str:
    W, b = parts.weights("W", layer.params["W"]), parts.weights("b", layer.params["b"])
    Z = Value(parts.add("Gemm", value.name, W, b), layer.output_shape)
    return activated(parts, layer.activation or "linear", Z, {})


def _conv(parts: Parts, layer: Conv2D, value: Value) -> str:
    weights = [parts.weights("W", layer.params["W"].transpose(3, 2, 0, 1))]  # (filters, c, kh, kw)
    if layer.use_bias:
        weights.append(parts.weights("b", layer.params["b"]))
    Z = parts.add(
        "Conv",
        value.name,
        *weights,
        kernel_shape=pair(layer.kernel_size),
        strides=pair(layer.stride),
        dilations=pair(layer.dilation),
        group=layer.groups,
        pads=_pads(layer.pads),
    )
    return activated(parts, layer.activation or "linear", Value(Z, layer.output_shape), {})


def _batch_norm(parts: Parts, layer: BatchNorm, value: Value) -> str:
    arrays = {**layer.params, **layer.state}
    if value.channel_axis > 1:  # BatchNormalization knows channels at axis 1 only
        scale = arrays["gamma"] / np.sqrt(arrays["running_var"].astype(np.float64) + layer.epsilon)
        shift = arrays["beta"] - scale * arrays["running_mean"]
        return parts.add("Add", parts.add("Mul", value.name, parts.constant(scale)), parts.constant(shift))
    names = [parts.weights(key, arrays[key]) for key in ("gamma", "beta", "running_mean", "running_var")]
    return parts.add("BatchNormalization", value.name, *names, epsilon=layer.epsilon)


def _affine(parts: Parts, layer: Affine, value: Value) -> str:
    gamma, beta = (layer.params[key] for key in ("gamma", "beta"))
    if value.is_image:
        gamma, beta = gamma.reshape(-1, 1, 1), beta.reshape(-1, 1, 1)
    scaled = parts.add("Mul", value.name, parts.weights("gamma", gamma))
    return parts.add("Add", scaled, parts.weights("beta", beta))


def _layer_norm(parts: Parts, layer: LayerNorm, value: Value) -> str:
    names = [parts.weights(key, layer.params[key]) for key in ("gamma", "beta")]
    Y = parts.add("LayerNormalization", parts.channels_last(value), *names, axis=-1, epsilon=layer.epsilon)
    return parts.channels_first(Y, value.shape)


def _activation(parts: Parts, layer: Activation, value: Value) -> str:
    return activated(parts, layer.activation, value, layer.options)


def _dropout(parts: Parts, layer: Dropout, value: Value) -> str:
    return value.name


def _pool(op: str) -> Writer:
    def write_pool(parts: Parts, layer: Pooling, value: Value) -> str:
        size, stride = layer.size_and_stride
        attributes: dict[str, Any] = {"kernel_shape": size, "strides": stride, "pads": _pads(layer.pads)}
        if isinstance(layer, AvgPool2D):
            attributes["count_include_pad"] = int(layer.count_include_pad)
        return parts.add(op, value.name, **attributes)

    return write_pool


def _global_average(parts: Parts, layer: GlobalAvgPool2D, value: Value) -> str:
    return parts.add("Flatten", parts.add("GlobalAveragePool", value.name), axis=1)


def _upsample(parts: Parts, layer: UpSample2D, value: Value) -> str:
    scales = parts.constant([1, 1, *pair(layer.factor)])
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return parts.add("Resize", value.name, "", scales, **how)


def _zero_pad(parts: Parts, layer: ZeroPad2D, value: Value) -> str:
    top, left, bottom, right = _pads(layer.pads)
    return parts.add("Pad", value.name, parts.constant([0, 0, top, left, 0, 0, bottom, right], np.int64))


def _reflect_pad(parts: Parts, layer: ReflectPad2D, value: Value) -> str:
    top, left, bottom, right = _pads(layer.pads)
    pads = parts.constant([0, 0, top, left, 0, 0, bottom, right], np.int64)
    return parts.add("Pad", value.name, pads, mode="reflect")


def _resize(parts: Parts, layer: Resize2D, value: Value) -> str:
    scales = [np.float32(n_out / n) for n, n_out in zip(value.shape, pair(layer.size), strict=False)]
    for i, n_out in enumerate(pair(layer.size)):
        while float(scales[i]) * value.shape[i] < n_out:  # which is rounded down
            scales[i] = np.nextafter(scales[i], np.float32(np.inf))
    how = "align_corners" if layer.align_corners else "half_pixel"
    factors = parts.constant([1, 1, *scales])
    return parts.add("Resize", value.name, "", factors, mode="linear", coordinate_transformation_mode=how)


def _sequential(parts: Parts, layer: Sequential, value: Value) -> str:
    for place in layer.places:
        value = write(parts, place, value)
    return value.name


def _residual(parts: Parts, layer: Residual, value: Value) -> str:
    body, *others = layer.places
    around = write(parts, others[0], value) if others else value
    return parts.add("Add", write(parts, body, value).name, around.name)


def _parallel(parts: Parts, layer: Parallel, value: Value) -> str:
    return merged(parts, layer.merge, [write(parts, place, value) for place in layer.places]).name


def _graph(parts: Parts, layer: Graph, value: Value) -> str:
    (out,) = write_graph(parts, layer, {layer.inputs[0]: value}).values()
    return out.name


def _pads(padding: Padding) -> list[int]:
    (top, bottom), (left, right) = padding
    return [top, left, bottom, right]


WRITERS: dict[type, Writer] = {
    Activation: _activation,
    Affine: _affine,
    AvgPool2D: _pool("AveragePool"),
    BatchNorm: _batch_norm,
    Conv2D: _conv,
    Dense: _dense,
    Dropout: _dropout,
    Flatten: _flatten,
    GlobalAvgPool2D: _global_average,
    Graph: _graph,
    LayerNorm: _layer_norm,
    MaxPool2D: _pool("MaxPool"),
    Parallel: _parallel,
    ReflectPad2D: _reflect_pad,
    Residual: _residual,
    Resize2D: _resize,
    Sequential: _sequential,
    UpSample2D: _upsample,
    ZeroPad2D: _zero_pad,
}
