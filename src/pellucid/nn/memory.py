"""One flat array for all parameters and one for all gradients, with a named view for each; and workspaces."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.types import Array, Shape


def carve(slab: Array, shapes: Mapping[str, Shape]) -> dict[str, Array]:
    """Return named views into one flat array; writing a view writes the slab.

    Parameters
    ----------
    slab : Array, shape (p,)
    shapes : mapping of str to tuple of int
        Their sizes add up to p.

    Returns
    -------
    dict of str to Array
        In the order of ``shapes``.

    Examples
    --------
    >>> slab = np.zeros(3)
    >>> views = carve(slab, {"W": (2, 1), "b": (1,)})
    >>> views["b"][0] = 5
    >>> slab
    array([0., 0., 5.])
    """
    views, start = {}, 0
    for name, shape in shapes.items():
        stop = start + math.prod(shape)
        views[name] = slab[start:stop].reshape(shape)
        start = stop
    return views


class Workspace:
    """Arrays that a layer writes again and again, so that a step allocates nothing.

    Examples
    --------
    >>> workspace = Workspace()
    >>> a = workspace.take("Z", (2, 3), np.float64)
    >>> workspace.take("Z", (2, 3), np.float64) is a
    True
    """

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}

    def take(self, name: str, shape: Shape, dtype: Any) -> Array:
        """Return the array of that name, made anew where shape or dtype changed; its content is left over."""
        array = self._arrays.get(name)
        if array is None or array.shape != shape or array.dtype != dtype:
            array = self._arrays[name] = np.empty(shape, dtype)
        return array
