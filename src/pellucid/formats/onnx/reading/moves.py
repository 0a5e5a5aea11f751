"""Operations that move numbers: to other shapes and layouts, or some of the channels alone.

onnx's own evaluator moves the places of a value's numbers. Where these are then those of an image, of a row or of
some channels, that is what follows. No layer cuts channels out; a convolution of one pixel does, or a Dense layer
of a row, with weights of 0 and 1.
"""

import math
from itertools import permutations

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.formats.onnx.reading.layers import dense
from pellucid.formats.onnx.reading.values import (
    TRIAL,
    Add,
    Moved,
    Value,
)
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Flatten
from pellucid.types import Array

MOST_WEIGHTS = 2**22  # of a layer that takes some channels, nearly all of which are 0
LAYOUTS = ((1, 2, 0), (0, 1, 2), *permutations(range(3)))  # of images, the usual ones first


def moved(value: Value, places: Array, label: str, add: Add) -> Value:
    """Return a value whose numbers lie elsewhere in the file, by the places of those of ``TRIAL`` samples."""
    own, n, c = value.own_shape, math.prod(value.own_shape), value.n_channels
    if not places.size:
        raise ShapeError(f"{label}: it takes channels that are not there, of {c}.")
    unknown = Value(value.step, places.shape[1:], (), moved=Moved(own, places, label))
    if len(places) != TRIAL or not np.array_equal(places[1], places[0] + n):
        return unknown
    row, shape = places[0].reshape(-1), places.shape[1:] or (1,)
    if value.is_image and len(shape) == 3:
        pixels = c * np.arange(n // c).reshape(*own[:2], 1)
        for axes in LAYOUTS:
            image = places[0].transpose(axes)
            chosen = image[0, 0]
            if image.shape[:2] == own[:2] and chosen.max() < c and (image == pixels + chosen).all():
                lengths = tuple(c if axis == axes[2] else length for axis, length in enumerate(shape))
                return _selected(Value(value.step, lengths, axes), chosen, label, add)
    axes = tuple(axis for axis, length in enumerate(shape) if length > 1) or (0,)
    if len(axes) > 1 or (value.is_image and not np.array_equal(np.sort(row), np.arange(n))):
        return unknown
    if value.is_image:
        order = None if np.array_equal(row, np.arange(n)) else np.argsort(row)
        return Value(add(Flatten(), [value.step], {}), shape, axes, order)
    if np.array_equal(row, value.places[0].reshape(-1)):
        return value._replace(shape=shape, axes=axes)
    return _selected(Value(value.step, (n,), (0,)), row, label, add)._replace(shape=shape, axes=axes)


def _selected(value: Value, chosen: Array, label: str, add: Add) -> Value:
    """Add the layer that gives these channels of a value, in this order."""
    c = value.n_channels
    if np.array_equal(chosen, np.arange(c)):
        return value
    if c * chosen.size > MOST_WEIGHTS:
        raise OptionError(f"{label}: it takes {chosen.size} of {c} channels, which is too many to select.")
    W = np.zeros((c, chosen.size))
    W[chosen, np.arange(chosen.size)] = 1
    if not value.is_image:
        return dense(value, W, None, add, label)
    layer = Conv2D(chosen.size, 1, padding="valid", use_bias=False)
    return value.with_channels(chosen.size, add(layer, [value.step], {"W": W[None, None]}))
