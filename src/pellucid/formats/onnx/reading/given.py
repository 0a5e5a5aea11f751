"""The inputs of a node: values that depend on the network's input, and constants."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.formats.onnx.reading.source import Node
from pellucid.formats.onnx.reading.values import Value
from pellucid.types import Array

Given: TypeAlias = Sequence[Value | Array | None]
Add: TypeAlias = Callable[..., str]  # (layer or merge, sources, arrays) -> the step's name
Reader: TypeAlias = Callable[[Node, Given, Add], Value]


def value_at(node: Node, given: Given, i: int) -> Value:
    """Return an input that depends on the network's; OptionError if it is a constant or missing."""
    found = given[i] if i < len(given) else None
    if not isinstance(found, Value):
        raise OptionError(f"{node.label}: expected input {i + 1} to depend on the network's input.")
    return found


def array_at(node: Node, given: Given, i: int) -> Array | None:
    """Return an input that is a constant, None where it is left out; OptionError if it depends on the input."""
    found = given[i] if i < len(given) else None
    if isinstance(found, Value):
        raise OptionError(
            f"{node.label}: its input {i + 1} is computed from the network's input; expected weights."
        )
    return found


def weights_at(node: Node, given: Given, i: int, *lengths: int | None) -> Array:
    """Return weights in float64; ShapeError unless they have these lengths."""
    found = array_at(node, given, i)
    if found is None or found.dtype.kind not in "fiu":
        raise OptionError(f"{node.label}: expected weights as input {i + 1}, got none.")
    if found.ndim != len(lengths) or any(
        n is not None and n != m for n, m in zip(lengths, found.shape, strict=False)
    ):
        wanted = tuple("any" if n is None else n for n in lengths)
        raise ShapeError(f"{node.label}: expected weights of the shape {wanted}, got {found.shape}.")
    return found.astype(np.float64)


def row_at(node: Node, given: Given) -> Value:
    """Return the first input, which must be a row for each sample."""
    value = value_at(node, given, 0)
    if len(value.axes) != 1 or len(value.shape) != 1:
        raise OptionError(
            f"{node.label}: expected a row of numbers for each sample, got the shape {value.shape}. Attention and "
            "other layers on sequences are not read."
        )
    return value


_IN_WORDS = {
    "ConvTranspose": "a transposed convolution",
    "Expand": "repeating values",
    "Gather": "a part of a value",
    "GatherND": "a part of a value",
    "GroupNormalization": "group norm",
    "InstanceNormalization": "group or instance norm",
    **dict.fromkeys(("GRU", "LSTM", "RNN"), "a recurrent layer"),
    **dict.fromkeys(
        ("LinearClassifier", "LinearRegressor", "SVMClassifier", "SVMRegressor"), "no neural network"
    ),
}


def lacking(node: Node) -> OptionError:
    """Return the error for an operation that no layer computes."""
    words = f", {_IN_WORDS[node.op]}," if node.op in _IN_WORDS else ""
    return OptionError(f"{node.label}{words} is an operation that pellucid lacks, in this place at least.")
