"""The nodes and constants of an ONNX graph while it is written: those of each step of a network."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from pellucid.formats.describe import Description, describe
from pellucid.formats.expressions import FUNCTIONS, OPERATORS
from pellucid.formats.half_precision import stored
from pellucid.formats.steps import Step
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.conv_geometry import Padding
from pellucid.types import Array, Shape

# What ONNX has an operator for, of the same name; an option is its alpha.
_OWN = ("elu", "hard_sigmoid", "hard_swish", "leaky_relu", "relu", "selu", "sigmoid", "softplus")


class Value(NamedTuple):
    """A value of the graph. Images are kept as ONNX has them, (m, c, h, w), from one layer to the next."""

    name: str
    shape: Shape  # of one sample, as pellucid has it: (h, w, c) for an image

    @property
    def is_image(self) -> bool:
        """Whether it is (m, c, h, w) in the file."""
        return len(self.shape) == 3

    @property
    def channel_axis(self) -> int:
        """The axis of its channels in the file: what is the last one in pellucid."""
        return 1 if self.is_image else len(self.shape)


class Parts:
    """Collects nodes and constants, and gives each a name of its own."""

    def __init__(self, onnx: Any, dtype: str = "float32") -> None:
        self.onnx = onnx
        self.dtype = dtype  # of weights in the file; all is computed in float32
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.where = ""  # the layer that is written: names begin so
        self._n: dict[str, int] = {}
        self._weights: set[str] = set()

    def add(self, op: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node, and return the name of its output."""
        out = name or self._name(op.lower())
        self.nodes.append(self.onnx.helper.make_node(op, list(inputs), [out], name=out, **attributes))
        return out

    def constant(self, array: Any, dtype: Any = np.float32) -> str:
        """Add an array, and return its name."""
        name = self._name("constant")
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(array, dtype), name))
        return name

    def weights(self, key: str, array: Array) -> str:
        """Add an array of the layer that is written, once if the layer is used again, and return its name."""
        name = f"{self.where}.{key}"
        if name in self._weights:
            return name
        self._weights.add(name)
        kept = stored(array, self.dtype)
        own = name if kept.dtype == np.float32 else f"{name}.{self.dtype}"
        self.constants.append(self.onnx.numpy_helper.from_array(kept, own))
        return name if own == name else self.add("Cast", own, name=name, to=self.onnx.TensorProto.FLOAT)

    def _name(self, kind: str) -> str:
        stem = f"{self.where}.{kind}" if self.where else kind
        self._n[stem] = self._n.get(stem, 0) + 1
        return stem if self._n[stem] == 1 else f"{stem}_{self._n[stem]}"

    def channels_last(self, value: Value) -> str:
        """Return a value with its channels at the last axis, as pellucid has it."""
        return self.add("Transpose", value.name, perm=[0, 2, 3, 1]) if value.is_image else value.name

    def channels_first(self, name: str, shape: Shape) -> str:
        """Return a value whose channels are at the last axis as it is kept from layer to layer."""
        return self.add("Transpose", name, perm=[0, 3, 1, 2]) if len(shape) == 3 else name


def write(parts: Parts, step: Step, values: Sequence[Value]) -> Value:
    """Add the nodes of a step, and return its output.

    Raises
    ------
    OptionError
        If there is no ONNX for a layer or an activation.
    """
    if isinstance(step.what, str):
        parts.where = ""
        return Value(_merged(parts, step.what, values), step.shape)
    what, (value,) = describe(step.what), values
    parts.where = step.key
    if what.name:
        value = Value(NODES[what.name](parts, what, value), step.shape)
    return Value(_activated(parts, what, value), step.shape)


def _merged(parts: Parts, how: str, values: Sequence[Value]) -> str:
    """Add, multiply or concatenate values, at the axis of their channels."""
    shape = max((value.shape for value in values), key=lambda shape: (len(shape), math.prod(shape)))
    names = [_repeated(parts, value, shape) for value in values]
    if how == "mean":
        return parts.add("Mean", *names)
    if how in ("add", "multiply"):
        out = names[0]
        for name in names[1:]:
            out = parts.add("Add" if how == "add" else "Mul", out, name)
        return out
    return parts.add("Concat", *names, axis=values[0].channel_axis)


def _repeated(parts: Parts, value: Value, shape: Shape) -> str:
    """Return a value as it is joined to others of a shape: one number a channel as an image of one pixel."""
    if len(value.shape) == len(shape):
        return value.name
    return parts.add("Reshape", value.name, parts.constant([-1, *value.shape, 1, 1], np.int64))


def _activated(parts: Parts, what: Description, value: Value) -> str:
    """Add what is computed of each number of a value: an operator, or the nodes of an expression."""
    name, options = what.known_as
    if what.activation == "linear":
        return value.name
    if name == "softmax":
        return parts.add("Softmax", value.name, axis=value.channel_axis)
    if name in _OWN:
        usual = inspect.signature(ACTIVATIONS[name].forward).parameters
        alpha = [options.get(option, usual[option].default) for option in ACTIVATIONS[name].options]
        attributes = {"alpha": alpha[0]} if alpha else {}
        return parts.add(name.title().replace("_", ""), value.name, **attributes)
    arrays = {}  # of one number for each channel, in the shape that meets a value
    if not name:
        shape = (-1, 1, 1) if value.is_image else (-1,)
        arrays = {key: parts.weights(key, array.reshape(shape)) for key, array in what.arrays.items()}
    return _spelled_out(parts, what.expression, value.name, arrays)


def _spelled_out(parts: Parts, node: Any, x: str, arrays: Mapping[str, str]) -> str:
    """Add the nodes of an expression of x; what runtimes have faster code for as they know it."""

    def add(op: str, *inputs: Any) -> str:
        return parts.add(op, *(_spelled_out(parts, each, x, arrays) for each in inputs))

    match node:
        case str():  # a value that is there
            return node
        case float():
            return parts.constant(node)
        case ("Z", ()):
            return x
        case ("array", (key,)):
            return arrays[key]
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


def _flatten(parts: Parts, what: Description, value: Value) -> str:
    if len(value.shape) == 1:
        return value.name
    return parts.add("Flatten", parts.channels_last(value), axis=1)


def _dense(parts: Parts, what: Description, value: Value) -> str:
    return parts.add("Gemm", value.name, *(parts.weights(*each) for each in what.arrays.items()))


def _conv(parts: Parts, what: Description, value: Value) -> str:
    W = what.arrays["W"].transpose(3, 2, 0, 1)  # (filters, c, kh, kw)
    return parts.add(
        "Conv",
        value.name,
        *(parts.weights(*each) for each in {**what.arrays, "W": W}.items()),
        kernel_shape=W.shape[2:],
        strides=what.options["stride"],
        dilations=what.options["dilation"],
        group=what.options["groups"],
        pads=_pads(what.options["padding"]),
    )


def _batch_norm(parts: Parts, what: Description, value: Value) -> str:
    arrays, epsilon = what.arrays, what.options["epsilon"]
    if value.channel_axis > 1:  # BatchNormalization knows channels at axis 1 only
        scale = arrays["gamma"] / np.sqrt(arrays["running_var"].astype(np.float64) + epsilon)
        shift = arrays["beta"] - scale * arrays["running_mean"]
        return parts.add("Add", parts.add("Mul", value.name, parts.constant(scale)), parts.constant(shift))
    names = [parts.weights(*each) for each in arrays.items()]
    return parts.add("BatchNormalization", value.name, *names, epsilon=epsilon)


def _layer_norm(parts: Parts, what: Description, value: Value) -> str:
    names = [parts.weights(*each) for each in what.arrays.items()]
    Y = parts.add("LayerNormalization", parts.channels_last(value), *names, axis=-1, **what.options)
    return parts.channels_first(Y, value.shape)


def _pool(op: str, parts: Parts, what: Description, value: Value) -> str:
    given: dict[str, Any] = dict(what.options)
    window = {"kernel_shape": given.pop("size"), "strides": given.pop("stride")}
    return parts.add(op, value.name, **window, pads=_pads(given.pop("padding")), **given)


def _global_average(parts: Parts, what: Description, value: Value) -> str:
    return parts.add("Flatten", parts.add("GlobalAveragePool", value.name), axis=1)


def _upsample(parts: Parts, what: Description, value: Value) -> str:
    scales = parts.constant([1, 1, *what.options["factor"]])
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return parts.add("Resize", value.name, "", scales, **how)


def _pad(mode: str, parts: Parts, what: Description, value: Value) -> str:
    top, left, bottom, right = _pads(what.options["padding"])
    pads = parts.constant([0, 0, top, left, 0, 0, bottom, right], np.int64)
    return parts.add("Pad", value.name, pads, mode=mode)


def _resize(parts: Parts, what: Description, value: Value) -> str:
    size = what.options["size"]
    scales = [np.float32(n_out / n) for n, n_out in zip(value.shape, size, strict=False)]
    for i, n_out in enumerate(size):
        while float(scales[i]) * value.shape[i] < n_out:  # which is rounded down
            scales[i] = np.nextafter(scales[i], np.float32(np.inf))
    how = "align_corners" if what.options["align_corners"] else "half_pixel"
    factors = parts.constant([1, 1, *scales])
    return parts.add("Resize", value.name, "", factors, mode="linear", coordinate_transformation_mode=how)


def _pads(padding: Padding) -> list[int]:
    (top, bottom), (left, right) = padding
    return [top, left, bottom, right]


Writer = Callable[[Parts, Description, Value], str]
NODES: dict[str, Writer] = {  # by the name of a description
    "average_pool": partial(_pool, "AveragePool"),
    "batch_norm": _batch_norm,
    "conv2d": _conv,
    "dense": _dense,
    "flatten": _flatten,
    "global_average": _global_average,
    "layer_norm": _layer_norm,
    "max_pool": partial(_pool, "MaxPool"),
    "reflect_pad": partial(_pad, "reflect"),
    "resize": _resize,
    "upsample": _upsample,
    "zero_pad": partial(_pad, "constant"),
}
