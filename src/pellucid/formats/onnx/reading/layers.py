"""Each operation of a file as a layer: what has weights, what joins values, what changes shapes."""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.formats.onnx.reading.constants import cast_dtype
from pellucid.formats.onnx.reading.source import Node
from pellucid.formats.onnx.reading.values import Value, checked, flattened, in_order, per_channel
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.affine import Affine
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.layer import Layer
from pellucid.nn.norm import BatchNorm, LayerNorm
from pellucid.types import Array

Given: TypeAlias = Sequence[Value | Array | None]
Add: TypeAlias = Callable[..., str]  # (layer or merge, sources, arrays) -> the step's name
Reader: TypeAlias = Callable[[Node, Given, Add, int], Value]


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


def dense(value: Value, W: Array, b: Array | None, add: Add, where: str) -> Value:
    """Add a Dense layer, W of shape (n_in, units) in the file's order."""
    units = W.shape[1]
    arrays = {"W": in_order(W, value), "b": np.zeros(units) if b is None else b}
    made = checked(value.with_channels(units, ""), where)
    return made._replace(step=add(Dense(units), [value.step], arrays))


def _gemm(node: Node, given: Given, add: Add, opset: int) -> Value:
    value, of = row_at(node, given), node.attributes
    if of.get("transA", 0):
        raise OptionError(f"{node.label}: transA is not read.")
    W = weights_at(node, given, 1, None, None)
    W = (W.T if of.get("transB", 0) else W) * of.get("alpha", 1.0)
    _check_rows(node, W, value)
    b = array_at(node, given, 2)
    if b is not None:
        if b.size not in (1, W.shape[1]):
            raise ShapeError(f"{node.label}: expected {W.shape[1]} biases, got {b.size}.")
        b = np.broadcast_to(b.reshape(-1).astype(np.float64), W.shape[1]) * of.get("beta", 1.0)
    return dense(value, W, b, add, node.label)


def _matmul(node: Node, given: Given, add: Add, opset: int) -> Value:
    value = value_at(node, given, 0)
    W = weights_at(node, given, 1, None, None)
    if value.is_image and value.axes[-1] == 2 and len(W) == value.n_channels and W.shape[1]:  # of every pixel
        made = checked(value.with_channels(W.shape[1], ""), node.label)
        layer = Conv2D(W.shape[1], 1, padding="valid", use_bias=False)
        return made._replace(step=add(layer, [value.step], {"W": W[None, None]}))
    value = row_at(node, given)
    _check_rows(node, W, value)
    return dense(value, W, None, add, node.label)


def _check_rows(node: Node, W: Array, value: Value) -> None:
    if len(W) != value.shape[0] or not W.shape[1]:
        raise ShapeError(
            f"{node.label}: weights of the shape {W.shape} meet rows of {value.shape[0]} numbers."
        )


def _batch_norm(node: Node, given: Given, add: Add, opset: int) -> Value:
    value = value_at(node, given, 0)
    if node.attributes.get("training_mode", 0):
        raise OptionError(f"{node.label}: it is in training mode. Export the network with model.eval().")
    _check_channels_first(node, value)
    c = value.n_channels
    gamma, beta, mean, var = (in_order(weights_at(node, given, i, c), value) for i in range(1, 5))
    if var.min() < 0:
        raise OptionError(f"{node.label}: a variance is below 0.")
    arrays = {"gamma": gamma, "beta": beta, "running_mean": mean, "running_var": var}
    epsilon = _short(node.attributes.get("epsilon", 1e-5))
    return value._replace(step=add(BatchNorm(epsilon=epsilon), [value.step], arrays))


def _short(number: float) -> float:
    """Return a float32 of the file as it was written in decimals."""
    return float(f"{number:.6g}")


def _check_channels_first(node: Node, value: Value) -> None:
    if value.axes[-1] != 0:
        raise OptionError(
            f"{node.label}: its channels are axis 1, which is not what the layers around it take for channels."
        )


def _layer_norm(node: Node, given: Given, add: Add, opset: int) -> Value:
    value = value_at(node, given, 0)
    last = len(value.shape) - 1
    axis = node.attributes.get("axis", -1)
    if axis not in (-1, last + 1) or value.axes[-1] != last:
        raise OptionError(f"{node.label}: it normalizes over other axes than the channels.")
    c = value.n_channels
    gamma = in_order(weights_at(node, given, 1, c), value)
    has_shift = len(given) > 2 and given[2] is not None
    beta = in_order(weights_at(node, given, 2, c), value) if has_shift else np.zeros(c)
    layer = LayerNorm(epsilon=_short(node.attributes.get("epsilon", 1e-5)))
    return value._replace(step=add(layer, [value.step], {"gamma": gamma, "beta": beta}))


def affine(value: Value, gamma: Any, beta: Any, add: Add) -> Value:
    """Add a factor and a shift for each channel."""
    c = value.n_channels
    arrays = {"gamma": np.broadcast_to(gamma, (c,)) * 1.0, "beta": np.broadcast_to(beta, (c,)) * 1.0}
    return value._replace(step=add(Affine(), [value.step], arrays))


def _scaler(node: Node, given: Given, add: Add, opset: int) -> Value:
    value = row_at(node, given)
    scale, offset = (
        np.asarray(node.attributes.get(key, of), float) for key, of in (("scale", 1), ("offset", 0))
    )
    if scale.size not in (1, value.shape[0]) or offset.size not in (1, value.shape[0]):
        raise ShapeError(f"{node.label}: expected {value.shape[0]} factors and shifts.")
    gamma, beta = np.broadcast_arrays(scale, -offset * scale)
    if gamma.size > 1:
        gamma, beta = in_order(gamma, value), in_order(beta, value)
    return affine(value, gamma, beta, add)


def _arithmetic(node: Node, given: Given, add: Add, opset: int) -> Value:
    """Add, subtract, multiply or divide: two values, or a value and a number for each channel."""
    values = [each for each in given if isinstance(each, Value)]
    if len(values) == len(given) and node.op in MERGED:
        return _merge(node, values, add)
    if len(given) != 2 or len(values) != 1 or node.op not in ("Add", "Sub", "Mul", "Div"):
        raise lacking(node)
    (value,), is_second = values, isinstance(given[1], Value)
    constant = given[0] if is_second else given[1]
    if not isinstance(constant, np.ndarray) or (is_second and node.op == "Div"):
        raise lacking(node)
    k = per_channel(constant, value, node.label)
    if node.op in ("Add", "Sub"):
        sign = -1.0 if node.op == "Sub" else 1.0
        return affine(value, sign if is_second else 1.0, k if is_second else sign * k, add)
    with np.errstate(divide="ignore"):
        gamma = k if node.op == "Mul" else 1 / k
    if not np.isfinite(gamma).all():
        raise OptionError(f"{node.label}: it divides by 0.")
    return affine(value, gamma, 0.0, add)


MERGED = {"Add": "add", "Sum": "add", "Mul": "multiply"}


def _merge(node: Node, values: Sequence[Value], add: Add) -> Value:
    how = MERGED[node.op]
    largest = max(values, key=lambda value: (len(value.axes), math.prod(value.shape)))
    for value in values:
        fits = value.axes == largest.axes or value.axes == largest.axes[-1:]
        lengths = zip(value.shape, largest.shape, strict=False)
        is_repeated = len(value.shape) == len(largest.shape) and all(n in (1, whole) for n, whole in lengths)
        rows = len(largest.axes) > 1 or value.shape == largest.shape
        if not (fits and is_repeated and rows):
            shapes = " and ".join(str(each.shape) for each in values)
            raise OptionError(f"{node.label}: values of the shapes {shapes} are not joined so in pellucid.")
    orders = {None if value.order is None else value.order().tobytes() for value in values}
    if len(orders) > 1:
        raise OptionError(f"{node.label}: it joins rows that were flattened from different layouts.")
    repeats = len({value.own_shape for value in values}) > 1
    return largest._replace(step=add(how, [value.step for value in values], {}, repeats=repeats))


def _concat(node: Node, given: Given, add: Add, opset: int) -> Value:
    values = [value_at(node, given, i) for i in range(len(given))]
    first = values[0]
    axis = node.attributes.get("axis", 1)
    axis = axis - 1 if axis >= 0 else axis + len(first.shape)
    if axis != first.axes[-1] or any(value.axes != first.axes for value in values):
        raise OptionError(f"{node.label}: it joins values at another axis than that of the channels.")
    for value in values:
        others = list(value.shape)
        others[axis] = first.shape[axis]
        if tuple(others) != first.shape:
            raise ShapeError(
                f"{node.label}: values of the shapes {first.shape} and {value.shape} do not fit."
            )
    made = checked(first.with_channels(sum(value.n_channels for value in values), ""), node.label)
    if any(value.order is not None for value in values):
        made = made._replace(order=lambda: _joined_order(values))
    if len(values) == 1:
        return made._replace(step=first.step)
    return made._replace(step=add("concat", [value.step for value in values], {}))


def _joined_order(values: Sequence[Value]) -> Array:
    starts = np.cumsum([0, *(value.n_channels for value in values)])
    parts = [np.arange(value.n_channels) if value.order is None else value.order() for value in values]
    return np.concatenate([start + part for start, part in zip(starts, parts, strict=False)])


def _softmax(node: Node, given: Given, add: Add, opset: int) -> Value:
    value = value_at(node, given, 0)
    axis = node.attributes.get("axis", -1 if opset >= 13 else 1)
    axis = axis - 1 if axis > 0 else axis + len(value.shape)
    if axis != value.axes[-1]:
        raise OptionError(f"{node.label}: it is over another axis than the channels.")
    return value._replace(step=add(Activation("softmax"), [value.step], {}))


def _dropout(node: Node, given: Given, add: Add, opset: int) -> Value:
    value, ratio = value_at(node, given, 0), array_at(node, given, 1)
    rate = float(node.attributes.get("ratio", 0.5) if ratio is None else ratio.reshape(-1)[0])
    if not 0 <= rate < 1:
        raise OptionError(f"{node.label}: expected a ratio from 0 to below 1, got {rate}.")
    return value._replace(step=add(Dropout(_short(rate)), [value.step], {}))


def _same(node: Node, given: Given, add: Add, opset: int) -> Value:
    return value_at(node, given, 0)


def _cast(node: Node, given: Given, add: Add, opset: int) -> Value:
    if int(node.attributes.get("to", 1)) not in (1, 11):
        raise OptionError(f"{node.label}: it rounds to {cast_dtype(node.attributes)}, which no layer does.")
    return value_at(node, given, 0)


def _transpose(node: Node, given: Given, add: Add, opset: int) -> Value:
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


def _reshape(node: Node, given: Given, add: Add, opset: int) -> Value:
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
    return reshaped(node, value, tuple(rest) or (1,), add)


BATCH = 1_000_003  # stands for the number of samples where a file computes with shapes


def _flatten(node: Node, given: Given, add: Add, opset: int) -> Value:
    value = value_at(node, given, 0)
    axis = node.attributes.get("axis", 1)
    if axis not in (1, -len(value.shape)):
        raise OptionError(f"{node.label}: it flattens from axis {axis} on, not each sample as a whole.")
    return reshaped(node, value, (math.prod(value.shape),), add)


def _squeeze(node: Node, given: Given, add: Add, opset: int) -> Value:
    value, axes = value_at(node, given, 0), array_at(node, given, 1)
    chosen = node.attributes.get("axes") if axes is None else [int(n) for n in axes.reshape(-1)]
    n = len(value.shape) + 1
    at = [i for i, m in enumerate(value.shape, 1) if m == 1] if chosen is None else [i % n for i in chosen]
    if 0 in at or any(value.shape[i - 1] != 1 for i in at):
        raise ShapeError(f"{node.label}: axes {at} of samples of the shape {value.shape} cannot be left out.")
    shape = tuple(m for i, m in enumerate(value.shape, 1) if i not in at)
    return reshaped(node, value, shape or (1,), add) if shape else value


def _unsqueeze(node: Node, given: Given, add: Add, opset: int) -> Value:
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


def lacking(node: Node) -> OptionError:
    """Return the error for an operation that no layer computes."""
    return OptionError(f"{node.label} is an operation that pellucid lacks, in this place at least.")


READERS: dict[str, Reader] = {
    "Add": _arithmetic,
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Concat": _concat,
    "Div": _arithmetic,
    "Dropout": _dropout,
    "Flatten": _flatten,
    "Gemm": _gemm,
    "Identity": _same,
    "LayerNormalization": _layer_norm,
    "MatMul": _matmul,
    "Mul": _arithmetic,
    "Reshape": _reshape,
    "Scaler": _scaler,
    "Softmax": _softmax,
    "Squeeze": _squeeze,
    "Sub": _arithmetic,
    "Sum": _arithmetic,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}


def as_layer(layer: Layer, value: Value, add: Add) -> Value:
    """Add a layer without weights that keeps the shape."""
    return value._replace(step=add(layer, [value.step], {}))
