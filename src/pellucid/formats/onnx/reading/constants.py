"""Values of a file that are known without an input: shapes, and weights that are changed before they are used."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.errors import FormatError
from pellucid.formats.onnx.reading.pointwise import POINTWISE, evaluate
from pellucid.formats.onnx.reading.source import Node
from pellucid.formats.onnx.reading.tensors import DTYPES
from pellucid.types import Array

MOST_VALUES = 2**24  # that are computed beyond those of the file


def fold(node: Node, arrays: Sequence[Array | None], most: int = MOST_VALUES) -> Array | None:
    """Return what a node gives for arrays that are known, None where that is not computed here.

    FormatError if its inputs do not fit, or the result would have more than ``most`` numbers.

    Examples
    --------
    >>> fold(Node("Concat", "", ("a", "b"), ("c",), {"axis": 0}), [np.array([2]), np.array([-1])])
    array([ 2, -1])
    """
    if node.op not in FOLDED and node.op not in POINTWISE:
        return None
    given = [array for array in arrays if array is not None]
    if node.op in POINTWISE and any(array.dtype == object for array in given):
        return None
    try:
        size = _size(node, given)
        if size > most:
            raise FormatError(
                f"{node.label}: an array of {size} numbers, more than the {most} that are read."
            )
        if node.op in FOLDED:
            return FOLDED[node.op](node.attributes, *arrays)
        if node.op == "Div" and all(array.dtype.kind in "iu" for array in given):
            first, second = given
            whole: Array = first // np.where(second == 0, 1, second)
            return whole
        like = given[-1] if node.op == "Where" else given[0]  # whose first input is a condition
        return np.asarray(evaluate(node, arrays)).astype(like.dtype)
    except (
        ValueError,
        TypeError,
        IndexError,
        KeyError,
        AttributeError,
        OverflowError,
        ZeroDivisionError,
    ) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{node.label}: its inputs do not fit it ({error}).") from None


def _size(node: Node, given: Sequence[Array]) -> int:
    """Return how many numbers a node gives at most."""
    if node.op in POINTWISE:
        return math.prod(np.broadcast_shapes(*(array.shape for array in given)))
    if node.op == "ConstantOfShape":
        lengths = [int(n) for n in given[0].reshape(-1)]
        if min(lengths, default=0) < 0:
            raise ValueError(f"the shape {lengths}")
        return math.prod(lengths)
    if node.op == "Range":
        start, limit, delta = (float(array.reshape(())) for array in given)
        return max(0, math.ceil((limit - start) / delta))
    if node.op == "Gather":
        array, at = given
        return int(array.size // max(1, array.shape[node.attributes.get("axis", 0)]) * at.size)
    return sum(array.size for array in given)


def _constant(attributes: Mapping[str, Any]) -> Array:
    for key in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        if key in attributes:
            dtype = None if key == "value" else np.float32 if "float" in key else np.int64
            return np.asarray(attributes[key], dtype)
    raise KeyError("value")


def _filled(attributes: Mapping[str, Any], shape: Array) -> Array:
    return np.full([int(n) for n in shape], attributes.get("value", np.zeros(1, np.float32)).reshape(-1)[0])


def _axes(attributes: Mapping[str, Any], axes: Array | None) -> tuple[int, ...] | None:
    given = attributes.get("axes") if axes is None else axes
    return None if given is None else tuple(int(n) for n in given)


def _unsqueezed(attributes: Mapping[str, Any], X: Array, axes: Array | None = None) -> Array:
    return np.expand_dims(X, _axes(attributes, axes) or ())


def _squeezed(attributes: Mapping[str, Any], X: Array, axes: Array | None = None) -> Array:
    return np.squeeze(X, _axes(attributes, axes))


def _sliced(attributes: Mapping[str, Any], X: Array, *given: Array | None) -> Array:
    named: dict[str, Any] = dict(attributes)
    named |= {
        key: array
        for key, array in zip(("starts", "ends", "axes", "steps"), given, strict=False)
        if array is not None
    }
    starts, ends = named["starts"], named["ends"]
    axes, steps = named.get("axes", range(len(starts))), named.get("steps", [1] * len(starts))
    where = [slice(None)] * X.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        where[int(axis)] = slice(int(start), int(end), int(step))
    return X[tuple(where)]


def cast_dtype(attributes: Mapping[str, Any]) -> Any:
    """Return the dtype that a Cast asks for."""
    return np.dtype(DTYPES[int(attributes["to"])][0])


FOLDED: dict[str, Callable[..., Array]] = {
    "Cast": lambda attributes, X: X.astype(cast_dtype(attributes)),
    "Concat": lambda attributes, *arrays: np.concatenate(arrays, attributes["axis"]),
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Gather": lambda attributes, X, at: np.take(X, at.astype(np.int64), attributes.get("axis", 0)),
    "Range": lambda attributes, *given: np.arange(*(array.reshape(()) for array in given)),
    "Reshape": lambda attributes, X, shape: X.reshape([int(n) for n in shape]),
    "Shape": lambda attributes, X: np.array(X.shape[attributes.get("start", 0) : attributes.get("end")]),
    "Slice": _sliced,
    "Squeeze": _squeezed,
    "Transpose": lambda attributes, X: X.transpose(attributes.get("perm")),
    "Unsqueeze": _unsqueezed,
}
