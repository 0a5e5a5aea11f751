"""What is known of a value of the file, and how pellucid has it: images with their channels last."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.formats.onnx.reading.source import Node
from pellucid.text import join
from pellucid.types import Array, Shape

MOST_VALUES = 2**28  # of one sample, at one place and in all of a network together
TRIAL = 2  # samples, of which the file's operations on shapes and places are computed
Add: TypeAlias = Callable[..., str]  # (layer or merge, sources, arrays) -> the step's name
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


class Moved(NamedTuple):
    """Numbers of a value whose places are those of no layer.

    Attributes
    ----------
    own_shape : tuple of int
        Of one sample in pellucid.
    places : Array, shape (TRIAL, ...) or any other
        As the file has them: where each lies among those of ``TRIAL`` samples of pellucid.
    label : str
        The node that moved them.
    """

    own_shape: Shape
    places: Array
    label: str


class Value(NamedTuple):
    """A value that depends on the input.

    Attributes
    ----------
    step : str
        What gives it.
    shape : tuple of int
        Of one sample, as the file has it: (c, h, w) for most images.
    axes : tuple of int
        The axes of ``shape`` in the order in which pellucid has them; others have the length 1.
    order : Array or None
        Of a row: the places in the file's row of the numbers in ours. None where they are the same.
    moved : Moved or None
        Where no axes and no order describe it.
    """

    step: str
    shape: Shape
    axes: tuple[int, ...]
    order: Array | None = None
    moved: Moved | None = None

    @property
    def own_shape(self) -> Shape:
        """The shape of one sample in pellucid."""
        return self.moved.own_shape if self.moved else tuple(self.shape[axis] for axis in self.axes)

    @property
    def places(self) -> Array:
        """Where each number of ``TRIAL`` samples of the file lies among those of pellucid, (TRIAL, *shape)."""
        if self.moved:
            return self.moved.places
        n = math.prod(self.own_shape)
        sample = np.arange(n) if self.order is None else np.argsort(self.order)
        sample = sample.reshape(self.own_shape).transpose(np.argsort(self.axes)).reshape(self.shape)
        return np.stack([sample + i * n for i in range(TRIAL)])

    @property
    def is_image(self) -> bool:
        """Whether it is (h, w, c) in pellucid."""
        return len(self.own_shape) == 3

    @property
    def n_channels(self) -> int:
        """The length of the last axis in pellucid."""
        return self.own_shape[-1]

    def with_channels(self, c: int, step: str) -> "Value":
        """Return the value of a step that changes the channels only."""
        lengths = list(self.shape)
        lengths[self.axes[-1]] = c
        return Value(step, tuple(lengths), self.axes)

    def with_size(self, h: int, w: int, step: str, c: int | None = None) -> "Value":
        """Return the image of a step that changes its height and width."""
        lengths = list(self.shape)
        lengths[self.axes[0]], lengths[self.axes[1]] = h, w
        if c is not None:
            lengths[self.axes[2]] = c
        return Value(step, tuple(lengths), self.axes)


def checked(value: Value, where: str) -> Value:
    """Return a value; an error if it is empty or larger than any that is computed."""
    if not value.shape or min(value.shape) < 1:
        raise ShapeError(f"{where}: a value of the shape {value.shape} for each sample, which is empty.")
    if math.prod(value.shape) > MOST_VALUES:
        raise OptionError(f"{where}: a value of the shape {value.shape} for each sample, which is too large.")
    return value


def per_channel(array: Array, value: Value, where: str) -> Array:
    """Return a constant that is combined with a value as one number for each channel, in pellucid's order.

    OptionError where it is another number for each pixel.
    """
    n_axes = len(value.shape) + 1
    lengths = (1,) * (n_axes - array.ndim) + array.shape
    lengths = lengths if len(lengths) == n_axes or math.prod(lengths) > 1 else (1,) * n_axes
    axis = value.axes[-1] + 1
    c = value.n_channels
    if len(lengths) != n_axes or any(n != 1 for i, n in enumerate(lengths) if i != axis):
        raise OptionError(
            f"{where}: a constant of the shape {array.shape} meets a value of the shape "
            f"(m, {join([str(n) for n in value.shape], 'and')}). One number for each channel is read."
        )
    if lengths[axis] not in (1, c):
        raise OptionError(f"{where}: a constant of {lengths[axis]} numbers meets {c} channels.")
    return in_order(np.broadcast_to(array.reshape(-1).astype(np.float64), (c,)), value)


def in_order(array: Array, value: Value) -> Array:
    """Return what a file has for each entry of a row, along the first axis, in pellucid's order."""
    return array if value.order is None else array[value.order]


Given: TypeAlias = Sequence[Value | Array | None]
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


def lacking(node: Node) -> OptionError:
    """Return the error for an operation that no layer computes."""
    words = f", {_IN_WORDS[node.op]}," if node.op in _IN_WORDS else ""
    return OptionError(f"{node.label}{words} is an operation that pellucid lacks, in this place at least.")
