"""Activations as expressions, for files that run without pellucid: Python, JavaScript or the nodes of ONNX.

An activation is described once, by its forward. It is called with a stand-in for Z that notes which NumPy functions
are applied to it, and the files are written from these notes.
"""

import math
import re
from collections.abc import Callable, Mapping
from html import escape
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
A = Node("A", ())  # what an activation computed of it


class Noted(NDArrayOperatorsMixin):
    """Stands in for an array, and notes what is computed of it."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        found = self._noted(ufunc.__name__, inputs)
        if out is None or found is NotImplemented:
            return found
        out[0].node = found.node
        return out[0]

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        return NotImplemented if options else self._noted(function.__name__, inputs)

    def _noted(self, name: str, inputs: tuple[Any, ...]) -> Any:
        if name in _BY_OTHERS:
            return _BY_OTHERS[name](*inputs)
        parts = tuple(x.node if isinstance(x, Noted) else float(x) for x in inputs)
        is_writable = all(isinstance(part, Node) or math.isfinite(part) for part in parts)
        is_known = name in OPERATORS or name in FUNCTIONS
        return type(self)(Node(name, parts)) if is_known and is_writable else NotImplemented

    def _refuse(self, *options: Any, **more: Any) -> Any:
        raise TypeError("it asks for the numbers of Z")

    __array__ = __bool__ = _refuse


class NotedGradient(Noted):
    """Notes what a backward computes, too, which masks arrays and joins masks."""

    def __init__(self, node: Node) -> None:
        others = [part for part in node.inputs if part != 1.0]  # without a factor of 1
        is_simple = node.name == "multiply" and len(others) == 1 and isinstance(others[0], Node)
        super().__init__(others[0] if is_simple else node)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        if function is np.copyto and set(options) == {"where"}:
            target, source = inputs
            target.node = self._noted("where", (options["where"], source, target)).node
            return None
        return super().__array_function__(function, types, inputs, options)

    def _noted(self, name: str, inputs: tuple[Any, ...]) -> Any:
        if name == "bitwise_and":
            first, second = inputs
            inputs = first, self._noted("where", (second, 1.0, 0.0)), 0.0
            name = "where"
        return super()._noted(name, inputs)


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
        return noted.node
    except (AttributeError, TypeError) as error:
        raise OptionError(
            f"export: {where}: the forward of the activation {name!r} cannot be written down ({error}). Compute it "
            f"from Z by + - * / and {', '.join(f'np.{known}' for known in FUNCTIONS if known != 'ndtr')} alone."
        ) from None


def slope_of(name: str, options: Mapping[str, float]) -> Node | None:
    """Return the derivative of an activation by Z and A, as its backward computes it; None if that cannot be noted.

    It is called with 1 as dA, and notes what it computes of what its forward kept.

    Examples
    --------
    >>> javascript_of(slope_of("sigmoid", {})), javascript_of(slope_of("elu", {"alpha": 0.5}))
    ('(1 - a) * a', 'where(a > 0, 1, Math.min(a, 0) + 0.5)')
    """
    op = get_activation(name, **options)
    try:
        output, cache = op.forward(NotedGradient(Z))
        kept = [NotedGradient(A) if part is output else part for part in cache]
        slope: Any = op.backward(1.0, type(cache)(*kept))
        return None if not isinstance(slope, Noted) else slope.node
    except (AttributeError, TypeError):
        return None


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
    others = {"absolute": "np.abs", "ndtr": "ndtr"}
    return _text(node, z, lambda name: others.get(name, f"np.{name}"), array)[0]


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
    if name in ("Z", "A", "array"):
        return array(*inputs) if inputs else z if name == "Z" else "a", _ATOM
    parts = [_text(part, z, call, array) for part in inputs]
    if name not in OPERATORS:
        return f"{call(name)}({', '.join(text for text, _ in parts)})", _ATOM
    symbol, strength, _ = OPERATORS[name]
    texts = [
        f"({text})" if bound < strength + (i > 0 or len(parts) == 1) else text
        for i, (text, bound) in enumerate(parts)
    ]
    return (f" {symbol} ".join(texts) if len(parts) == 2 else symbol + texts[0]), strength


def mathml_of(node: Any) -> str:
    """Return an expression of z, and of a where it is in it, as MathML.

    Examples
    --------
    >>> mathml_of(expression_of("leaky_relu", {"slope": 0.5}, "dense_1"))
    '<mrow><mi>max</mi><mo>(</mo><mi>z</mi><mo>,</mo><mrow><mi>z</mi><mo>⋅</mo><mn>0.5</mn></mrow><mo>)</mo></mrow>'
    """
    return _mathml(node, is_whole=True)[0]


def _mathml(node: Any, *, is_whole: bool = False) -> tuple[str, int]:
    """Return an expression as MathML, and how strongly its parts are bound."""
    if isinstance(node, float):
        return _number(node), _ATOM if node >= 0 else 2
    name, inputs = node
    if name == "array":
        return f"<msub><mi>{escape(_GREEK.get(inputs[0], inputs[0]))}</mi><mi>c</mi></msub>", _ATOM
    if name in ("Z", "A"):
        return f"<mi>{name.lower()}</mi>", _ATOM
    if not is_whole and name == "divide" and (x := _of_sigmoid(node)) is not None:
        return f"<mrow><mi>σ</mi>{_in_brackets(_mathml(x)[0])}</mrow>", _ATOM
    if name == "where":
        return _cases(*inputs), _ATOM
    parts = [_mathml(part) for part in inputs]
    if name == "power":
        return f"<msup>{_bound(parts[0], _ATOM)}{parts[1][0]}</msup>", 5
    if name == "negative":
        return f"<mrow><mo>−</mo>{_bound(parts[0], 3)}</mrow>", 2
    if name in _MATHML:
        text, strength = _MATHML[name]
        return text.format(*(part for part, _ in parts)), strength
    if name in OPERATORS:
        _, strength, _ = OPERATORS[name]
        texts = [_bound(part, strength + (i > 0)) for i, part in enumerate(parts)]
        return f"<mrow>{texts[0]}<mo>{_SIGNS[name]}</mo>{texts[1]}</mrow>", strength
    called = {"ndtr": "Φ", "sign": "sgn", "maximum": "max", "minimum": "min"}.get(name, name)
    listed = "<mo>,</mo>".join(text for text, _ in parts)
    return f"<mrow><mi>{called}</mi>{_in_brackets(listed)}</mrow>", _ATOM


_MATHML = {  # how a function of some inputs is written, and how strongly its parts are bound
    "absolute": ("<mrow><mo>|</mo>{0}<mo>|</mo></mrow>", _ATOM),
    "divide": ("<mfrac>{0}{1}</mfrac>", _ATOM),
    "exp": ("<msup><mi>e</mi>{0}</msup>", 5),
    "expm1": ("<mrow><msup><mi>e</mi>{0}</msup><mo>−</mo><mn>1</mn></mrow>", 2),
    "log1p": ("<mrow><mi>log</mi><mo>(</mo><mn>1</mn><mo>+</mo>{0}<mo>)</mo></mrow>", _ATOM),
    "sqrt": ("<msqrt>{0}</msqrt>", _ATOM),
}
_SIGNS = {"add": "+", "greater": "&gt;", "less": "&lt;", "multiply": "⋅", "subtract": "−"}
_GREEK = {"gamma": "γ", "beta": "β"}


def _in_brackets(text: str) -> str:
    return f"<mo>(</mo>{text}<mo>)</mo>"


def _bound(part: tuple[str, int], strength: int) -> str:
    return f"<mrow>{_in_brackets(part[0])}</mrow>" if part[1] < strength else part[0]


def _of_sigmoid(node: Node) -> Any:
    """Return x of 1 / (exp(-x) + 1), or None of another expression."""
    match node:
        case (
            "divide",
            (1.0, ("add", (("exp", (("negative", (x,)),)), 1.0) | (1.0, ("exp", (("negative", (x,)),))))),
        ):
            return x
    return None


def _cases(condition: Node, chosen: Any, other: Any) -> str:
    """Return the choice between two expressions; one of two conditions for 1 as one line."""
    conditions = [condition]
    match chosen, other:
        case ("where", (second, 1.0, 0.0)), 0.0:
            conditions, chosen = [condition, second], 1.0
    where = "<mo>,</mo>".join(_mathml(each)[0] for each in conditions)
    rows = ((chosen, f"<mtext>if </mtext>{where}"), (other, "<mtext>otherwise</mtext>"))
    lines = "".join(f"<mtr><mtd>{_mathml(value)[0]}</mtd><mtd>{when}</mtd></mtr>" for value, when in rows)
    return f"<mrow><mo>{{</mo><mtable>{lines}</mtable></mrow>"


def _number(x: float) -> str:
    sign, x = ("<mo>−</mo>" if x < 0 else ""), abs(x)
    n = round(1 / x) if x else 0
    if 3 <= n <= 12 and n not in (4, 5, 8, 10) and abs(x * n - 1) < 1e-12:
        text = f"<mfrac><mn>1</mn><mn>{n}</mn></mfrac>"
    else:
        text = f"<mn>{x:.6g}</mn>"
    return f"<mrow>{sign}{text}</mrow>" if sign else text
