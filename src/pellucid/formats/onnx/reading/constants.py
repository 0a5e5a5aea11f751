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
MOVES = ("Flatten", "Gather", "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze")
FOLDED = frozenset((*MOVES, "Cast", "Concat", "Constant", "ConstantOfShape", "Range", "Shape"))
READ = {np.dtype(dtype).str for dtype, _ in DTYPES.values()}


def fold(
    node: Node, arrays: Sequence[Array | None], most: int = MOST_VALUES, *, output: int = 0
) -> Array | None:
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
        if size <= most:
            found = (
                OWN[node.op](node.attributes, *given) if node.op in OWN else evaluate(node, arrays, output)
            )
            if found.dtype.kind != "O" and found.dtype.str not in READ:
                raise ValueError(f"numbers of the type {found.dtype}")
            return found
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, ZeroDivisionError) as error:
        raise FormatError(f"{node.label}: its inputs do not fit it ({error}).") from None
    raise FormatError(f"{node.label}: an array of {size} numbers, more than the {most} that are read.")


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


# These have arrays as attributes.
OWN: dict[str, Callable[..., Array]] = {"Constant": _constant, "ConstantOfShape": _filled}
