"""Arrays that are written again and again."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pellucid.types import Array, Shape


class Workspace:
    """Arrays that a layer writes again and again, so that a step allocates nothing.

    Parameters
    ----------
    empty : callable, optional
        Makes an array of a shape and a dtype, as ``np.empty`` does.

    Examples
    --------
    >>> workspace = Workspace()
    >>> a = workspace.take("Z", (2, 3), np.float64)
    >>> workspace.take("Z", (2, 3), np.float64) is a
    True
    >>> workspace.take("Z", (1, 3), np.float64).base is a.base
    True
    """

    def __init__(self, empty: Callable[[Shape, Any], Array] = np.empty) -> None:
        self.empty = empty
        self._arrays: dict[str, Array] = {}
        self._flat: dict[str, Array] = {}
        self.kept: dict[Any, Any] = {}  # what goes with the arrays, such as views of them

    def take(self, name: str, shape: Shape, dtype: Any) -> Array:
        """Return the array of that name; its content is left over.

        Another shape is the beginning of the same memory while it fits: a smaller last block, or last batch, of
        each epoch must not make two arrays anew.
        """
        array = self._arrays.get(name)
        if array is not None and array.shape == shape and array.dtype == dtype:
            return array
        flat, size = self._flat.get(name), math.prod(shape)
        if flat is None or flat.size < size or flat.dtype != dtype:
            flat = self._flat[name] = self.empty((size,), dtype)
        array = self._arrays[name] = flat[:size].reshape(shape)
        return array
