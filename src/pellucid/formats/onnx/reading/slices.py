"""Channels of a value that are cut out or put in another order: what Split, Slice and Gather take of it.

There is no layer that does so; a convolution of one pixel does, or a Dense layer of a row, with weights of 0 and 1.
"""

from typing import Any

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.formats.onnx.reading.given import Add, Given, Reader, array_at, lacking, value_at
from pellucid.formats.onnx.reading.layers import dense
from pellucid.formats.onnx.reading.source import Node
from pellucid.formats.onnx.reading.values import Value
from pellucid.nn.conv import Conv2D
from pellucid.types import Array

MOST_WEIGHTS = 2**22  # of one of these layers, nearly all of which are 0
PART = "part"  # the attribute that says which output of a Split is meant


def selected(node: Node, value: Value, places: Array, add: Add) -> Value:
    """Add the layer that gives these channels of a value, in this order."""
    c = value.n_channels
    if np.array_equal(places, np.arange(c)):
        return value
    if not places.size or places.min() < 0 or places.max() >= c:
        raise ShapeError(f"{node.label}: it takes channels that are not there, of {c}.")
    if c * places.size > MOST_WEIGHTS:
        raise OptionError(
            f"{node.label}: it takes {places.size} of {c} channels, which is too many to select."
        )
    W = np.zeros((c, places.size))
    W[places, np.arange(places.size)] = 1
    if not value.is_image:
        return dense(value, W, None, add, node.label)
    layer = Conv2D(places.size, 1, padding="valid", use_bias=False)
    return value.with_channels(places.size, add(layer, [value.step], {"W": W[None, None]}))


def _channel_axis(node: Node, value: Value, axis: int) -> None:
    """Refuse another axis than that of the channels."""
    if axis % (len(value.shape) + 1) != value.axes[-1] + 1:
        raise OptionError(
            f"{node.label}: it cuts samples of the shape {value.shape} at axis {axis}. Channels alone are cut."
        )


def _split(node: Node, given: Given, add: Add) -> Value:
    value, of = value_at(node, given, 0), node.attributes
    _channel_axis(node, value, int(of.get("axis", 0)))
    c, sizes, n = value.n_channels, array_at(node, given, 1), int(of.get("num_outputs", len(node.outputs)))
    lengths: list[int] = [int(each) for each in (of.get("split", ()) if sizes is None else sizes.reshape(-1))]
    if not lengths and n > 0:
        each = -(-c // n)
        lengths = [each] * (n - 1) + [c - each * (n - 1)]
    part = int(of[PART])
    if sum(lengths) != c or min(lengths, default=-1) < 0 or part >= len(lengths):
        raise ShapeError(f"{node.label}: it splits {c} channels into {lengths}, which does not fit.")
    start = sum(lengths[:part])
    return selected(node, value, np.arange(start, start + lengths[part]), add)


def _slice(node: Node, given: Given, add: Add) -> Value:
    value = value_at(node, given, 0)
    named: dict[str, Any] = dict(node.attributes)
    for i, key in enumerate(("starts", "ends", "axes", "steps"), 1):
        if (array := array_at(node, given, i)) is not None:
            named[key] = array.reshape(-1).tolist()
    starts, ends = named.get("starts", ()), named.get("ends", ())
    axes, steps = named.get("axes", range(len(starts))), named.get("steps", [1] * len(starts))
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise ShapeError(f"{node.label}: its starts, ends, axes and steps do not fit each other.")
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        at = int(axis) % (len(value.shape) + 1)
        if at > 0 and range(*slice(start, end, step).indices(value.shape[at - 1])) == range(
            value.shape[at - 1]
        ):
            continue  # all of it
        _channel_axis(node, value, int(axis))
        places = np.arange(value.n_channels)[slice(start, end, step)]
        value = selected(node, value, places, add)
    return value


def _gather(node: Node, given: Given, add: Add) -> Value:
    value, places = value_at(node, given, 0), array_at(node, given, 1)
    if places is None or places.ndim != 1 or places.dtype.kind not in "iu":
        raise lacking(node)
    _channel_axis(node, value, int(node.attributes.get("axis", 0)))
    places = places.astype(np.int64)
    return selected(node, value, np.where(places < 0, places + value.n_channels, places), add)


PART_READERS: dict[str, Reader] = {"Gather": _gather, "Slice": _slice, "Split": _split}
