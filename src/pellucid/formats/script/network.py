"""A network's forward pass as lines of Python, a line for each layer, with the shape of what it gives."""

import inspect
import keyword
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pellucid.errors import OptionError
from pellucid.formats.expressions import expression_of, function_name, python_of
from pellucid.formats.steps import Step, Steps
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.affine import Affine
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
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
from pellucid.nn.windows import pair
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.conv_geometry import NO_PADDING
from pellucid.text import join
from pellucid.types import Array, Shape

_FREE = ("X", "Y", "Z", "U", "V")


class Forward(NamedTuple):
    """The body of the function ``forward``, and the arrays and activations that it names."""

    lines: list[str]
    weights: dict[str, Array]
    functions: dict[str, str]  # the activations, each as its definition


class _Line(NamedTuple):
    """A layer in Python: an expression of {x}, the arrays of the layer that it reads, and its activation."""

    text: str
    arrays: Mapping[str, Array] = {}
    functions: Mapping[str, str] = {}


def write_forward(steps: Steps) -> Forward:
    """Return the forward pass of a network; OptionError where a layer is not one of pellucid's."""
    last, names = steps.last_uses(), _first_names(steps)
    lines = [f"    # {_shape(shape)}" for shape in steps.inputs.values()]
    weights: dict[str, Array] = {}
    functions: dict[str, str] = {}
    shapes = dict(steps.inputs)
    if len(steps.inputs) > 1:
        lines = [
            f"    {names[name]} = X[{literal(name)}]  # {_shape(shape)}"
            for name, shape in steps.inputs.items()
        ]
    code: list[tuple[str, str]] = []
    for i, step in enumerate(steps.steps):
        sources = [names[source] for source in step.sources]
        line = _line(step, sources, [shapes[source] for source in step.sources])
        shapes[step.target] = step.shape
        weights |= {f"{step.key}.{key}": array for key, array in line.arrays.items()}
        functions |= line.functions
        if line.text == sources[0]:
            names[step.target] = sources[0]
            last[step.target] = max(last.get(step.target, i), last[step.sources[0]])
            code.append(("", f"{type(step.what).__name__}: all values stay, in prediction"))
            continue
        over = [name for name, source in zip(sources, step.sources, strict=True) if last[source] == i]
        taken = {names[value] for value in names if last.get(value, -1) > i}
        names[step.target] = next((n for n in over if n not in taken), None) or _new_name(taken)
        code.append((f"{names[step.target]} = {line.text}", _shape(step.shape)))
    width = min(88, max((len(text) for text, _ in code), default=0))
    lines += [f"    {text:<{width}}  # {note}" if text else f"    # {note}" for text, note in code]
    if "" in steps.outputs:
        lines.append(f"    return {names[steps.outputs['']]}")
    else:
        pairs = ", ".join(f"{literal(name)}: {names[value]}" for name, value in steps.outputs.items())
        lines.append(f"    return {{{pairs}}}")
    return Forward(lines, weights, functions)


def _first_names(steps: Steps) -> dict[str, str]:
    """Return a variable for each input."""
    if len(steps.inputs) == 1:
        return dict.fromkeys(steps.inputs, "X")
    names: dict[str, str] = {}
    for i, name in enumerate(steps.inputs, 1):
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        is_good = plain.isidentifier() and not keyword.iskeyword(plain) and len(plain) > 2
        names[name] = f"{plain}_input" if is_good and plain not in names.values() else f"input_{i}"
    return names


def _new_name(taken: set[str]) -> str:
    more = (f"{_FREE[0]}{i}" for i in range(2, len(taken) + 3))
    return next(name for name in (*_FREE, *more) if name not in taken)


def literal(text: str) -> str:
    """Return a text as Python code, whatever is in it.

    Examples
    --------
    >>> print(literal("dense_1.W"), literal('a"b'), literal("two\\nlines"))
    "dense_1.W" 'a"b' 'two\\nlines'
    """
    is_plain = text.isprintable() and not set(text) & {'"', "\\"}
    return f'"{text}"' if is_plain else repr(text)


def _shape(shape: Any) -> str:
    return f"(m, {', '.join(map(str, shape))})"


def _line(step: Step, sources: list[str], shapes: list[Shape]) -> _Line:
    if step.what == "concat":
        return _Line(f"np.concatenate([{', '.join(sources)}], axis=-1)")
    if step.what in ("add", "multiply"):  # one number a channel meets each pixel
        axes = len(step.shape)
        parts = [
            x if len(shape) == axes else f"{x}[:, None, None]"
            for x, shape in zip(sources, shapes, strict=True)
        ]
        return _Line((" + " if step.what == "add" else " * ").join(parts))
    kind = type(step.what)
    if kind not in WRITERS:
        named = step.what if isinstance(step.what, str) else f"{step.what.label}, {kind.__name__}"
        raise OptionError(
            f"export: {named} is not a layer that a script can have. Take one of "
            f"{join([known.__name__ for known in WRITERS])}."
        )
    return WRITERS[kind](step.what, sources[0], step.key)


def _weight(key: str, name: str) -> str:
    return f"W[{literal(f'{key}.{name}')}]"


def definition(name: str, options: Mapping[str, float], where: str) -> dict[str, str]:
    """Return an activation as a function, by its name in the script; none where layers.py has it.

    Examples
    --------
    >>> print(definition("relu", {}, "dense_1")["relu"])
    def relu(Z):
        \"""Return A = max(Z, 0).\"""
        return np.maximum(Z, 0)
    """
    if name in ("linear", "softmax"):
        return {}
    text, called = python_of(expression_of(name, options, where)), function_name(name, options)
    lines = [f"return {text}"]
    if "np.exp(" in text:  # exp(1000) is infinite, and 1 / infinity is 0, as it should be
        lines = ['with np.errstate(over="ignore"):', f"    return {text}"]
    summary = (inspect.getdoc(ACTIVATIONS[name].forward) or f"Return {name}.").partition("\n")[0]
    summary = summary.replace(", and the cache", "")
    return {called: "\n    ".join([f"def {called}(Z):", f'"""{summary}"""', *lines])}


def _activated(text: str, layer: Activation | Conv2D | Dense) -> _Line:
    """Return an expression within a layer's activation function."""
    name, options = layer.activation or "linear", layer.options if isinstance(layer, Activation) else {}
    called = text if name == "linear" else f"{function_name(name, options)}({text})"
    return _Line(called, layer.params, definition(name, options, layer.label))


def _call(name: str, x: str, *rest: str, **options: Any) -> str:
    given = [f"{key}={value!r}" for key, value in options.items()]
    return f"{name}({', '.join([x, *rest, *given])})"


def _dense(layer: Dense, x: str, key: str) -> _Line:
    text = f"{x} @ {_weight(key, 'W')} + {_weight(key, 'b')}"
    return _activated(text, layer)


def _conv(layer: Conv2D, x: str, key: str) -> _Line:
    given = {
        "stride": (pair(layer.stride), (1, 1)),
        "padding": (layer.pads, NO_PADDING),
        "dilation": (pair(layer.dilation), (1, 1)),
        "groups": (layer.groups, 1),
    }
    options = {name: value for name, (value, default) in given.items() if value != default}
    text = _call("conv2d", x, *(_weight(key, name) for name in layer.params), **options)
    return _activated(text, layer)


def _affine(layer: Affine, x: str, key: str) -> _Line:
    return _Line(f"{x} * {_weight(key, 'gamma')} + {_weight(key, 'beta')}", layer.params)


def _norm(name: str) -> "Writer":
    def write(layer: BatchNorm | LayerNorm, x: str, key: str) -> _Line:
        given = {} if layer.epsilon == 1e-5 else {"epsilon": layer.epsilon}
        return _Line(_call(name, x, "W", literal(key), **given), {**layer.params, **layer.state})

    return write


def _pool(name: str) -> "Writer":
    def write(layer: Pooling, x: str, key: str) -> _Line:
        size, stride = layer.size_and_stride
        options: dict[str, Any] = {"size": size, "stride": stride}
        if layer.pads != NO_PADDING:
            options["padding"] = layer.pads
            if isinstance(layer, AvgPool2D):
                options["count_include_pad"] = layer.count_include_pad
        return _Line(_call(name, x, **options))

    return write


def _resize(layer: Resize2D, x: str, key: str) -> _Line:
    options = {"align_corners": True} if layer.align_corners else {}
    return _Line(_call("resize", x, repr(pair(layer.size)), **options))


Writer = Callable[[Any, str, str], _Line]
WRITERS: dict[type, Writer] = {
    Activation: lambda layer, x, key: _activated(x, layer),
    Affine: _affine,
    AvgPool2D: _pool("average_pool"),
    BatchNorm: _norm("batch_norm"),
    Conv2D: _conv,
    Dense: _dense,
    Dropout: lambda layer, x, key: _Line(x),
    Flatten: lambda layer, x, key: _Line(f"flatten({x})"),
    GlobalAvgPool2D: lambda layer, x, key: _Line(f"global_average({x})"),
    LayerNorm: _norm("layer_norm"),
    MaxPool2D: _pool("max_pool"),
    ReflectPad2D: lambda layer, x, key: _Line(f"reflect_pad({x}, {layer.pads!r})"),
    Resize2D: _resize,
    UpSample2D: lambda layer, x, key: _Line(f"upsample({x}, {pair(layer.factor)!r})"),
    ZeroPad2D: lambda layer, x, key: _Line(f"zero_pad({x}, {layer.pads!r})"),
}
