"""One flat array for all parameters and one for all gradients, with a named view for each."""

import math
from collections.abc import Mapping

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
