"""Operations that change shapes, layouts and types, not numbers."""

import math

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.formats.onnx.reading.given import Add, Given, Reader, array_at, value_at
from pellucid.formats.onnx.reading.slices import selected
from pellucid.formats.onnx.reading.source import Node
from pellucid.formats.onnx.reading.tensors import DTYPES
from pellucid.formats.onnx.reading.values import Value, flattened
from pellucid.nn.dense import Flatten

BATCH = 1_000_003  # stands for the number of samples where a file computes with shapes


def _same(node: Node, given: Given, add: Add) -> Value:
    return value_at(node, given, 0)


def _cast(node: Node, given: Given, add: Add) -> Value:
    if int(node.attributes.get("to", 1)) not in (1, 11):
        dtype = np.dtype(DTYPES[int(node.attributes["to"])][0])
        raise OptionError(f"{node.label}: it rounds to {dtype}, which no layer does.")
    return value_at(node, given, 0)


def _transpose(node: Node, given: Given, add: Add) -> Value:
    value = value_at(node, given, 0)
    n = len(value.shape) + 1
    perm = [int(i) for i in node.attributes.get("perm", range(n - 1, -1, -1))]
    if sorted(perm) != list(range(n)) or perm[0] != 0:
        raise OptionError(f"{node.label}: it moves the axis of the samples.")
    axes = tuple(perm.index(axis + 1) - 1 for axis in value.axes)
    return value._replace(shape=tuple(value.shape[i - 1] for i in perm[1:]), axes=axes)


def reshaped(node: Node, value: Value, shape: tuple[int, ...], add: Add) -> Value:
    """Return a value in another shape of its samples: as a row, or with axes of length 1 more or less."""
    if shape == value.shape:
        return value
    if math.prod(shape) != math.prod(value.shape):
        raise ShapeError(f"{node.label}: samples of the shape {value.shape} cannot become {shape}.")
    large = [axis for axis, n in enumerate(shape) if n > 1]
    if len(large) > 1 or not shape:
        raise OptionError(
            f"{node.label}: it makes samples of the shape {shape} from {value.shape}. Only reshaping to a row, or "
            "with axes of length 1 more or less, is read."
        )
    row = value
    if len(value.axes) > 1:
        row = flattened(value, add(Flatten(), [value.step], {}))
    return row._replace(shape=shape, axes=(large[0] if large else 0,))


def _reshape(node: Node, given: Given, add: Add) -> Value:
    value, target = value_at(node, given, 0), array_at(node, given, 1)
    lengths = node.attributes.get("shape") if target is None else target.reshape(-1)
    if lengths is None:
        raise OptionError(f"{node.label}: expected a shape, got none.")
    wanted = [int(n) for n in lengths]
    whole, n_values = (BATCH, *value.shape), math.prod(value.shape)
    if not node.attributes.get("allowzero", 0):
        wanted = [whole[i] if n == 0 and i < len(whole) else n for i, n in enumerate(wanted)]
    rest = wanted[1:]  # the first is the number of samples: free, computed, or that of the export
    n_known = math.prod(n for n in rest if n != -1)
    if rest.count(-1) == 1 and n_known > 0 and wanted[0] != -1:
        rest[rest.index(-1)] = n_values // n_known
    if not wanted or math.prod(rest) != n_values or min(rest, default=1) < 1:
        raise OptionError(f"{node.label}: it puts numbers of several samples together.")
    return _regrouped(node, value, tuple(rest), add) or reshaped(node, value, tuple(rest) or (1,), add)


def _regrouped(node: Node, value: Value, shape: tuple[int, ...], add: Add) -> Value | None:
    """Return an image whose channels become groups of channels, or groups that become channels again; else None.

    A transposition in between changes their order: ShuffleNet's channel shuffle.
    """
    if value.axes == (1, 2, 0) and len(shape) == 4 and shape[2:] == value.shape[1:]:
        return Value(value.step, shape, (2, 3, 0, 1))
    if value.axes[:2] != (2, 3) or len(value.axes) != 4 or shape[1:] != value.shape[2:] or len(shape) != 3:
        return None
    joined = Value(value.step, shape, (1, 2, 0))
    if value.axes[2:] == (0, 1):
        return joined
    n, n_groups = value.shape[:2]
    return selected(node, joined, np.arange(n * n_groups).reshape(n_groups, n).T.reshape(-1), add)


def _flatten(node: Node, given: Given, add: Add) -> Value:
    value = value_at(node, given, 0)
    axis = node.attributes.get("axis", 1)
    if axis not in (1, -len(value.shape)):
        raise OptionError(f"{node.label}: it flattens from axis {axis} on, not each sample as a whole.")
    return reshaped(node, value, (math.prod(value.shape),), add)


def _squeeze(node: Node, given: Given, add: Add) -> Value:
    value, axes = value_at(node, given, 0), array_at(node, given, 1)
    chosen = node.attributes.get("axes") if axes is None else [int(n) for n in axes.reshape(-1)]
    n = len(value.shape) + 1
    at = [i for i, m in enumerate(value.shape, 1) if m == 1] if chosen is None else [i % n for i in chosen]
    if 0 in at or any(value.shape[i - 1] != 1 for i in at):
        raise ShapeError(f"{node.label}: axes {at} of samples of the shape {value.shape} cannot be left out.")
    shape = tuple(m for i, m in enumerate(value.shape, 1) if i not in at)
    return reshaped(node, value, shape or (1,), add) if shape else value


def _unsqueeze(node: Node, given: Given, add: Add) -> Value:
    value, axes = value_at(node, given, 0), array_at(node, given, 1)
    chosen = node.attributes.get("axes", []) if axes is None else [int(n) for n in axes.reshape(-1)]
    n = len(value.shape) + 1 + len(chosen)
    at = sorted(i % n for i in chosen)
    if 0 in at or n > 8:
        raise ShapeError(f"{node.label}: it adds the axes {at} to samples of the shape {value.shape}.")
    shape = list(value.shape)
    for i in at:
        shape.insert(i - 1, 1)
    return reshaped(node, value, tuple(shape), add)


SHAPE_READERS: dict[str, Reader] = {
    "Cast": _cast,
    "Flatten": _flatten,
    "Identity": _same,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
