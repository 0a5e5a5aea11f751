"""A network's forward pass as lines of Python, a line for each layer, with the shape of what it gives."""

import inspect
import keyword
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pellucid.formats.describe import describe
from pellucid.formats.expressions import expression_of, function_name, python_of
from pellucid.formats.script import layers
from pellucid.formats.steps import Step, Steps
from pellucid.ops.activations import ACTIVATIONS
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
        more = (f"{_FREE[0]}{i}" for i in range(2, len(taken) + 3))
        names[step.target] = next(name for name in (*over, *_FREE, *more) if name not in taken)
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
    if isinstance(step.what, str):  # "add", "mean", "multiply": one number a channel meets each pixel
        axes = len(step.shape)
        parts = [
            x if len(shape) == axes else f"{x}[:, None, None]"
            for x, shape in zip(sources, shapes, strict=True)
        ]
        text = (" * " if step.what == "multiply" else " + ").join(parts)
        return _Line(f"({text}) / {len(parts)}" if step.what == "mean" else text)
    what, text = describe(step.what), sources[0]
    weights = {name: f"W[{literal(f'{step.key}.{name}')}]" for name in what.arrays}
    if what.name == "dense":
        text = f"{text} @ {weights['W']} + {weights['b']}"
    elif what.name:
        usual = inspect.signature(getattr(layers, what.name)).parameters
        options = [
            f"{name}={value!r}" for name, value in what.options.items() if value != usual[name].default
        ]
        text = f"{what.name}({', '.join([text, *weights.values(), *options])})"
    if what.expression is not None and not what.known_as[0]:
        return _Line(python_of(what.expression, text, weights.__getitem__), what.arrays)
    if what.activation != "linear":
        text = f"{what.activation}({text})"
    return _Line(text, what.arrays, definition(*what.known_as, step.key))


def definition(name: str, options: Mapping[str, float], where: str) -> dict[str, str]:
    """Return an activation as a function, by its name in the script; none where layers.py has it.

    Examples
    --------
    >>> print(definition("relu", {}, "dense_1")["relu"])
    def relu(Z):
        \"""Return A = max(Z, 0).\"""
        return np.maximum(Z, 0)
    """
    if name in ("", "linear", "softmax"):
        return {}
    text, called = python_of(expression_of(name, options, where)), function_name(name, options)
    lines = [f"return {text}"]
    if "np.exp(" in text:  # exp(1000) is infinite, and 1 / infinity is 0, as it should be
        lines = ['with np.errstate(over="ignore"):', f"    return {text}"]
    summary = (inspect.getdoc(ACTIVATIONS[name].forward) or f"Return {name}.").partition("\n")[0]
    summary = summary.replace(", and the cache", "")
    return {called: "\n    ".join([f"def {called}(Z):", f'"""{summary}"""', *lines])}
