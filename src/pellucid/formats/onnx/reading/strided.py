"""Views by strides: the numbers of all samples in one row, each taken from its place.

PyTorch's exporter writes so what changes nothing but the layout in memory, such as the mean over an image whose
channels are last.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pellucid.formats.onnx.reading.constants import FOLDED, MOST_VALUES, fold
from pellucid.formats.onnx.reading.pointwise import POINTWISE
from pellucid.formats.onnx.reading.source import Node
from pellucid.types import Array, Shape

TRIAL = 2  # samples, for which the places are computed


class View(NamedTuple):
    """A value in another shape of its samples."""

    root: str
    shape: Shape


def find_view(node: Node, producers: Mapping[str, Node], constants: Mapping[str, Array]) -> View | None:
    """Return what a Gather takes from a flattened value, where that is each number in its order; else None."""
    flat = producers.get(node.inputs[0]) if node.op == "Gather" and len(node.inputs) == 2 else None
    if flat is None or flat.op != "Reshape" or node.attributes.get("axis", 0) != 0 or len(flat.inputs) < 2:
        return None
    target = constants.get(flat.inputs[1])
    if target is None or target.reshape(-1).tolist() != [-1]:
        return None
    places = _places(node.inputs[1], producers, dict(constants))
    if places is None or places.ndim < 2 or len(places) != TRIAL or places.dtype.kind not in "iu":
        return None
    if not np.array_equal(places.reshape(-1), np.arange(places.size)):
        return None
    return View(flat.inputs[0], places.shape[1:])


def _places(name: str, producers: Mapping[str, Node], known: dict[str, Array]) -> Array | None:
    """Return what is computed of the number of samples alone, for ``TRIAL`` of them."""
    stack, left = [name], MOST_VALUES
    while stack:
        at = stack[-1]
        node = producers.get(at)
        if at in known:
            stack.pop()
            continue
        if node is None:
            return None
        if node.op == "Shape":
            if (node.attributes.get("start", 0), node.attributes.get("end")) != (0, 1):
                return None
            known[at] = np.array([TRIAL])
            continue
        if node.op not in FOLDED and node.op not in POINTWISE:
            return None
        if missing := [each for each in node.inputs if each and each not in known]:
            stack += missing
            continue
        found = fold(node, [known.get(each) for each in node.inputs], left)
        if found is None:
            return None
        left -= math.prod(found.shape)
        known[at] = found
    return known[name]
