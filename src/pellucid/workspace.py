"""Arrays that are written again and again."""

from typing import Any

import numpy as np

from pellucid.types import Array, Shape


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
