"""Operations with weights, and those that join values, as layers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.formats.onnx.reading.source import Node
from pellucid.formats.onnx.reading.tensors import DTYPES
from pellucid.formats.onnx.reading.values import (
    Add,
    Given,
    Reader,
    Value,
    array_at,
    checked,
    in_order,
    lacking,
    per_channel,
    row_at,
    value_at,
    weights_at,
)
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense
from pellucid.nn.norm import Affine, BatchNorm, LayerNorm
from pellucid.types import Array

MERGED = {"Add": "add", "Sum": "add", "Mean": "mean", "Mul": "multiply"}


def dense(value: Value, W: Array, b: Array | None, add: Add, where: str) -> Value:
    """Add a Dense layer, W of shape (n_in, units) in the file's order."""
    units = W.shape[1]
    arrays = {"W": in_order(W, value), "b": np.zeros(units) if b is None else b}
    made = checked(value.with_channels(units, ""), where)
    return made._replace(step=add(Dense(units), [value.step], arrays))


def _gemm(node: Node, given: Given, add: Add) -> Value:
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


def _matmul(node: Node, given: Given, add: Add) -> Value:
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


def _batch_norm(node: Node, given: Given, add: Add) -> Value:
    value = value_at(node, given, 0)
    if node.attributes.get("training_mode", 0):
        raise OptionError(f"{node.label}: it is in training mode. Export the network with model.eval().")
    if value.axes[-1] != 0:
        raise OptionError(
            f"{node.label}: its channels are axis 1, which is not what the layers around it take for channels."
        )
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


def _layer_norm(node: Node, given: Given, add: Add) -> Value:
    value = value_at(node, given, 0)
    last = len(value.shape) - 1
    if node.attributes.get("axis", -1) not in (-1, last + 1) or value.axes[-1] != last:
        raise OptionError(f"{node.label}: it normalizes over other axes than the channels.")
    c = value.n_channels
    gamma = in_order(weights_at(node, given, 1, c), value)
    has_shift = len(given) > 2 and given[2] is not None
    beta = in_order(weights_at(node, given, 2, c), value) if has_shift else np.zeros(c)
    layer = LayerNorm(epsilon=_short(node.attributes.get("epsilon", 1e-5)))
    return value._replace(step=add(layer, [value.step], {"gamma": gamma, "beta": beta}))


class Norm(NamedTuple):
    """Layer norm spelled out, without its factors and shifts: D / sqrt(mean(D^2) + epsilon), D = X - mean(X)."""

    root: str
    axes: tuple[int, ...]
    epsilon: float


def find_norm(node: Node, producers: Mapping[str, Node], constants: Mapping[str, Array]) -> Norm | None:
    """Return the layer norm that a division ends, as exporters spell it out below opset 17; else None."""

    def made_by(name: str, op: str) -> tuple[str, ...]:
        maker = producers.get(name)
        return maker.inputs if maker is not None and maker.op == op else ()

    def number(names: Sequence[str]) -> float | None:
        found = [constants[name] for name in names if name in constants]
        return float(found[0].reshape(())) if len(found) == 1 and found[0].size == 1 else None

    def mean_over(name: str) -> tuple[str, tuple[int, ...]] | None:
        inputs = made_by(name, "ReduceMean")
        of = producers[name].attributes if inputs else {}
        axes = constants.get(inputs[1]) if len(inputs) > 1 else of.get("axes")
        return None if axes is None or not of.get("keepdims", 1) else (inputs[0], tuple(map(int, axes)))

    if node.op != "Div":
        return None
    D, deviation = node.inputs
    difference, sums = made_by(D, "Sub"), made_by("".join(made_by(deviation, "Sqrt")), "Add")
    epsilon, mean = number(sums), mean_over(difference[1]) if difference else None
    variance = next((found for name in sums if (found := mean_over(name))), None)
    if epsilon is None or mean is None or variance is None or mean != (difference[0], variance[1]):
        return None
    power = made_by(variance[0], "Pow")
    is_square = made_by(variance[0], "Mul") == (D, D) or (power[:1] == (D,) and number(power[1:]) == 2)
    return Norm(*mean, epsilon) if is_square else None


def normalized(node: Node, value: Value, norm: Norm, add: Add) -> Value:
    """Add a layer norm without factors and shifts of its own, which follow as products and sums."""
    n = len(value.shape) + 1
    if {axis % n for axis in norm.axes} != {value.axes[-1] + 1}:
        raise OptionError(f"{node.label}: it normalizes over other axes than the channels.")
    arrays = {"gamma": np.ones(value.n_channels), "beta": np.zeros(value.n_channels)}
    return value._replace(step=add(LayerNorm(epsilon=_short(norm.epsilon)), [value.step], arrays))


def affine(value: Value, gamma: Any, beta: Any, add: Add) -> Value:
    """Add a factor and a shift for each channel."""
    c = value.n_channels
    arrays = {"gamma": np.broadcast_to(gamma, (c,)) * 1.0, "beta": np.broadcast_to(beta, (c,)) * 1.0}
    return value._replace(step=add(Affine(), [value.step], arrays))


def _scaler(node: Node, given: Given, add: Add) -> Value:
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


def _arithmetic(node: Node, given: Given, add: Add) -> Value:
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
    if len({None if value.order is None else value.order.tobytes() for value in values}) > 1:
        raise OptionError(f"{node.label}: it joins rows that were flattened from different layouts.")
    repeats = len({value.own_shape for value in values}) > 1
    return largest._replace(step=add(how, [value.step for value in values], {}, repeats=repeats))


def _concat(node: Node, given: Given, add: Add) -> Value:
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
        starts = np.cumsum([0, *(value.n_channels for value in values)])
        orders = [np.arange(value.n_channels) if value.order is None else value.order for value in values]
        joined = [start + order for start, order in zip(starts, orders, strict=False)]
        made = made._replace(order=np.concatenate(joined))
    if len(values) == 1:
        return made._replace(step=first.step)
    return made._replace(step=add("concat", [value.step for value in values], {}))


def _softmax(node: Node, given: Given, add: Add) -> Value:
    value = value_at(node, given, 0)
    axis = node.attributes.get("axis", -1 if node.opset >= 13 else 1)
    axis = axis - 1 if axis > 0 else axis + len(value.shape)
    if axis != value.axes[-1]:
        raise OptionError(f"{node.label}: it is over another axis than the channels.")
    return value._replace(step=add(Activation("softmax"), [value.step], {}))


def _dropout(node: Node, given: Given, add: Add) -> Value:
    value, ratio = value_at(node, given, 0), array_at(node, given, 1)
    rate = float(node.attributes.get("ratio", 0.5) if ratio is None else ratio.reshape(-1)[0])
    if not 0 <= rate < 1:
        raise OptionError(f"{node.label}: expected a ratio from 0 to below 1, got {rate}.")
    return value._replace(step=add(Dropout(_short(rate)), [value.step], {}))


def _same(node: Node, given: Given, add: Add) -> Value:
    if node.attributes.get("to", 1) not in (1, 11):
        dtype = np.dtype(DTYPES[node.attributes["to"]][0])
        raise OptionError(f"{node.label}: it rounds to {dtype}, which no layer does.")
    return value_at(node, given, 0)


READERS: dict[str, Reader] = {
    **dict.fromkeys(("Add", "Div", "Mean", "Mul", "Sub", "Sum"), _arithmetic),
    "BatchNormalization": _batch_norm,
    "Cast": _same,
    "Concat": _concat,
    "Dropout": _dropout,
    "Gemm": _gemm,
    "Identity": _same,
    "LayerNormalization": _layer_norm,
    "MatMul": _matmul,
    "Scaler": _scaler,
    "Softmax": _softmax,
}
