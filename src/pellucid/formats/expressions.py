"""Activations as expressions, for files that run without pellucid: Python, JavaScript or the nodes of ONNX.

An activation is described once, by its forward. It is called with a stand-in for Z that notes which NumPy functions
are applied to it, and the files are written from these notes.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from pellucid.errors import OptionError
from pellucid.ops.activations import get_activation

OPERATORS = {  # the symbol, how strongly it binds, and what ONNX calls it
    "add": ("+", 2, "Add"),
    "divide": ("/", 3, "Div"),
    "greater": (">", 1, "Greater"),
    "less": ("<", 1, "Less"),
    "multiply": ("*", 3, "Mul"),
    "negative": ("-", 4, "Neg"),
    "subtract": ("-", 2, "Sub"),
}
# What NumPy calls them (ndtr is SciPy's), and what JavaScript and, with a capital, ONNX do.
_SAME = ("cos", "exp", "expm1", "log", "log1p", "ndtr", "sign", "sin", "sqrt", "tanh", "where")
_SHORTER = {"absolute": "abs", "arctan": "atan", "maximum": "max", "minimum": "min", "power": "pow"}
FUNCTIONS = {name: name for name in _SAME} | _SHORTER
_BY_OTHERS: dict[str, Callable[..., Any]] = {
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "logaddexp": lambda x, y: np.maximum(x, y) + np.log1p(np.exp(-np.abs(x - y))),
    "reciprocal": lambda x: 1 / x,
    "square": lambda x: x * x,
}
_ATOM = 9  # the strength of what needs no brackets


class Node(NamedTuple):
    """A function of other nodes and of numbers; ``Node("array", (name,))`` is an array of the layer."""

    name: str
    inputs: tuple[Any, ...]


Z = Node("Z", ())


class Noted(NDArrayOperatorsMixin):
    """Stands in for an array, and notes what is computed of it."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        found = _noted(ufunc.__name__, inputs)
        if out is None or found is NotImplemented:
            return found
        out[0].node = found.node
        return out[0]

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        return NotImplemented if options else _noted(function.__name__, inputs)

    def _refuse(self, *options: Any, **more: Any) -> Any:
        raise TypeError("it asks for the numbers of Z")

    __array__ = __bool__ = _refuse


def _noted(name: str, inputs: tuple[Any, ...]) -> Any:
    if name in _BY_OTHERS:
        return _BY_OTHERS[name](*inputs)
    parts = tuple(x.node if isinstance(x, Noted) else float(x) for x in inputs)
    is_writable = all(isinstance(part, Node) or math.isfinite(part) for part in parts)
    is_known = name in OPERATORS or name in FUNCTIONS
    return Noted(Node(name, parts)) if is_known and is_writable else NotImplemented


def expression_of(name: str, options: Mapping[str, float], where: str) -> Node:
    """Return what an activation computes of each number.

    Parameters
    ----------
    name : str
        A key of ``ACTIVATIONS``, but softmax, whose outputs depend on a whole row.
    options : mapping of str to float
    where : str
        The layer, for messages.

    Raises
    ------
    OptionError
        If its forward does something else than applying functions of ``FUNCTIONS`` and ``OPERATORS``.

    Examples
    --------
    >>> python_of(expression_of("leaky_relu", {"slope": 0.5}, "dense_1"))
    'np.maximum(Z, Z * 0.5)'
    """
    try:
        noted: Any = get_activation(name, **options).forward(Noted(Z))[0]
        node: Node = noted.node
    except (AttributeError, TypeError) as error:
        raise OptionError(
            f"export: {where}: the forward of the activation {name!r} cannot be written down ({error}). Compute it "
            f"from Z by + - * / and {', '.join(f'np.{known}' for known in FUNCTIONS if known != 'ndtr')} alone."
        ) from None
    return node


def function_name(name: str, options: Mapping[str, float]) -> str:
    """Return what a file calls an activation with options.

    Examples
    --------
    >>> function_name("relu", {}), function_name("elu", {"alpha": 0.5})
    ('relu', 'elu_alpha_0_5')
    """
    return re.sub(r"\W", "_", "_".join([name, *(f"{key}_{value!r}" for key, value in options.items())]))


def python_of(node: Node, z: str = "Z", array: Callable[[str], str] = str) -> str:
    """Return an expression of z in Python; ``array`` gives that of an array by its name."""
    return _text(node, z, lambda name: {"absolute": "np.abs", "ndtr": "ndtr"}.get(name, f"np.{name}"), array)[
        0
    ]


def javascript_of(node: Node) -> str:
    """Return an expression of z in JavaScript: the ith number of a sample, of a layer with the arrays W.

    Examples
    --------
    >>> javascript_of(expression_of("softplus", {}, "dense_1"))
    'Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))'
    """
    own = ("ndtr", "where")  # in network.js
    return _text(
        node,
        "z",
        lambda name: name if name in own else f"Math.{FUNCTIONS[name]}",
        lambda name: f"W.{name}[i % W.{name}.length]",
    )[0]


def _text(node: Any, z: str, call: Callable[[str], str], array: Callable[[str], str]) -> tuple[str, int]:
    """Return an expression, and how strongly its parts are bound."""
    if isinstance(node, float):
        return f"{node:.0f}" if node.is_integer() else repr(node), _ATOM if node >= 0 else 4
    name, inputs = node
    if name in ("Z", "array"):
        return array(*inputs) if inputs else z, _ATOM
    parts = [_text(part, z, call, array) for part in inputs]
    if name not in OPERATORS:
        return f"{call(name)}({', '.join(text for text, _ in parts)})", _ATOM
    symbol, strength, _ = OPERATORS[name]
    texts = [
        f"({text})" if bound < strength + (i > 0 or len(parts) == 1) else text
        for i, (text, bound) in enumerate(parts)
    ]
    return (f" {symbol} ".join(texts) if len(parts) == 2 else symbol + texts[0]), strength
