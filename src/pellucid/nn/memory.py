"""One flat array for all parameters and one for all gradients, with a view for each."""

import math
from collections.abc import Sequence

from pellucid.types import Array, Shape


def carve(slab: Array, shapes: Sequence[Shape]) -> list[Array]:
    """Return views of these shapes into one flat array, one behind the other; writing a view writes the slab.

    Parameters
    ----------
    slab : Array, shape (p,)
    shapes : sequence of tuple of int
        Their sizes add up to p.

    Examples
    --------
    >>> slab = np.zeros(3)
    >>> W, b = carve(slab, [(2, 1), (1,)])
    >>> b[0] = 5
    >>> slab
    array([0., 0., 5.])
    """
    views, start = [], 0
    for shape in shapes:
        stop = start + math.prod(shape)
        views.append(slab[start:stop].reshape(shape))
        start = stop
    return views
