"""Operations on each number alone, and the activation functions that several of them compute together.

Exporters spell activation functions out, each in its own way: x sigmoid(x); x (1 + erf(x / sqrt 2)) / 2. So what a
group of nodes computes is found by its values on a grid, whatever they are.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import OptionError
from pellucid.formats.onnx.reading.source import Node
from pellucid.ops.activations import ACTIVATIONS, get_activation
from pellucid.text import first_line
from pellucid.types import Array

MOST_ANCESTORS = 40  # how far back a group of nodes may reach
TOLERANCE = 1e-6  # of float32 constants in it
_FAR = np.array([20.0, 35.0, 60.0, 100.0, 500.0])
GRID = np.concatenate([-_FAR[::-1], np.linspace(-12, 12, 1921), _FAR])


POINTWISE = frozenset(
    (  # noqa: SIM905 - a line for each otherwise
        "Abs Add Clip Div Elu Erf Exp Gelu Greater HardSigmoid HardSwish Identity LeakyRelu Log Max Min Mul Neg "
        "PRelu Pow Reciprocal Relu Selu Sigmoid Softplus Sqrt Sub Sum Swish Tanh Where"
    ).split()
)


def evaluate(node: Node, arrays: Sequence[Any], output: int = 0) -> Array:
    """Return what onnx's own evaluator gives for a node and arrays; None stands for an input that is left out.

    Raises
    ------
    ValueError
        If its inputs or attributes do not fit it.

    Examples
    --------
    >>> evaluate(Node("Mul", "", ("a", "b"), ("c",), {}), [np.ones(2), np.full(2, 3.0)])
    array([3., 3.])
    """
    given = {str(i): array for i, array in enumerate(arrays) if array is not None}
    try:
        given_as = node.attributes.items()  # hashable, for the cache
        attributes = tuple((name, tuple(its) if isinstance(its, list) else its) for name, its in given_as)
        with np.errstate(all="ignore"):
            run = _evaluator(node.op, len(arrays), len(node.outputs), tuple(given), attributes, node.opset)
            return np.asarray(run(None, given)[output])
    except Exception as error:  # of many kinds, for files that are damaged
        raise ValueError(first_line(error)) from None


@lru_cache(maxsize=512)
def _evaluator(
    op: str,
    n_inputs: int,
    n_outputs: int,
    given: tuple[str, ...],
    attributes: tuple[tuple[str, Any], ...],
    opset: int,
) -> Callable[..., Any]:
    onnx, reference = importlib.import_module("onnx"), importlib.import_module("onnx.reference")
    names = [str(i) if str(i) in given else "" for i in range(n_inputs)]
    outputs = [f"found{i}" for i in range(n_outputs)]
    made = onnx.helper.make_node(op, names, outputs, **dict(attributes))
    values = [[*map(onnx.helper.make_empty_tensor_value_info, each)] for each in (given, outputs)]
    graph = onnx.helper.make_graph([made], "one", *values)
    return reference.ReferenceEvaluator(graph, opsets={"": opset}).run


class Group(NamedTuple):
    """Nodes that are a function of one value, each number alone."""

    root: str
    activation: str  # "" where it is a factor and a shift
    options: dict[str, float]
    factor: float = 1.0
    shift: float = 0.0


class Groups:
    """Finds what a value is a known function of.

    Parameters
    ----------
    producers : mapping of str to Node
        The node that gives a value.
    constants : mapping of str to Array
    """

    def __init__(self, producers: Mapping[str, Node], constants: Mapping[str, Array]) -> None:
        self.producers, self.constants = producers, constants
        self.order = {name: i for i, name in enumerate(producers)}
        self._ancestors: dict[str, set[str]] = {}
        self._found: dict[str, Group | None] = {}

    def ancestors(self, name: str) -> set[str]:
        """Return the values that this one is a function of, each alone and number by number: itself too."""
        known = self._ancestors
        if name in known:
            return known[name]
        found = {name}
        node = self.producers.get(name)
        if node is not None and node.op in POINTWISE:
            inputs = [each for each in node.inputs if each and not self._is_number(each)]
            if inputs and all(each not in self.constants for each in inputs):
                sets = [known.get(each, {each}) for each in inputs]
                shared = sorted(set.intersection(*sets), key=lambda each: self.order.get(each, -1))
                found |= set(shared[-MOST_ANCESTORS:])
        known[name] = found
        return found

    def _is_number(self, name: str) -> bool:
        return name in self.constants and self.constants[name].size == 1

    def find(self, name: str) -> Group | None:
        """Return the largest group of nodes that gives a value and is known; None where there is none.

        A factor and a shift begin behind an activation function, not within one.
        """
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: str) -> Group | None:
        candidates = sorted(self.ancestors(name) - {name}, key=lambda each: self.order.get(each, -1))
        lines = []
        for root in candidates:
            values = self.values(name, root)
            if values is None:
                continue
            if found := known_function(values):
                return Group(root, *found)
            if line := _line(values):
                lines.append(Group(root, "", {}, *line))
        behind = (line for line in lines if (inner := self.find(line.root)) and inner.activation)
        return next(behind, lines[0] if lines else None)

    def values(self, name: str, root: str) -> Array | None:
        """Return what a value is on the grid, as a function of another."""
        done: dict[str, Array] = {root: GRID}
        stack = [name]
        while stack:
            at = stack[-1]
            if at in done:
                stack.pop()
                continue
            node = self.producers.get(at)
            if node is None or node.op not in POINTWISE:
                return None
            numbers = {each: self.constants[each] for each in node.inputs if self._is_number(each)}
            done |= {each: array.reshape(()).astype(np.float64) for each, array in numbers.items()}
            missing = [each for each in node.inputs if each and each not in done]
            if missing:
                stack += missing
                continue
            done[at] = evaluate(node, [done[each] if each else None for each in node.inputs])
            stack.pop()
        return done[name]


def known_function(values: Array) -> tuple[str, dict[str, float]] | None:
    """Return the activation function, with its options, that has these values on the grid; None if none has.

    Examples
    --------
    >>> known_function(GRID / (1 + np.exp(-GRID)))
    ('silu', {})
    >>> known_function(np.maximum(GRID, 0.25 * GRID))
    ('leaky_relu', {'slope': 0.25})
    """
    if not np.isfinite(values).all():
        return None
    for name, activation in ACTIVATIONS.items():  # with their usual options
        if name not in ("linear", "softmax") and _is_near(values, activation.forward(GRID)[0]):
            return name, {}
    tries: list[tuple[str, str, float]] = [
        ("leaky_relu", "slope", -_at(values, -1.0)),
        ("relu6", "high", _at(values, 500.0)),
        ("hard_sigmoid", "slope", (_at(values, 0.125) - _at(values, 0.0)) * 8),
        ("elu", "alpha", -_at(values, -500.0)),
    ]
    for name, option, value in tries:
        value = float(np.float32(value)) if abs(value) < 1e30 else value
        near = round(value, 6)
        value = near if abs(near - value) <= 1e-7 else value
        try:
            activation = get_activation(name, **{option: value})
        except OptionError:
            continue
        if _is_near(values, activation.forward(GRID)[0]):
            return name, {option: value}
    return None


def _at(values: Array, x: float) -> float:
    return float(np.interp(x, GRID, values))


def _is_near(values: Array, wanted: Array) -> bool:
    return bool((np.abs(values - wanted) <= TOLERANCE * np.maximum(1, np.abs(wanted))).all())


def _line(values: Array) -> tuple[float, float] | None:
    """Return factor and shift where values are those of a line on the grid."""
    if not np.isfinite(values).all():
        return None
    shift = _at(values, 0.0)
    factor = _at(values, 1.0) - shift
    scale = np.maximum(1e-30, np.abs(factor * GRID) + abs(shift))
    return (factor, shift) if (np.abs(values - factor * GRID - shift) <= 1e-9 * scale).all() else None
