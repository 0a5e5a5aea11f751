"""Images seen through affine maps, each in one pass over its pixels; plain: :mod:`pellucid.ops.sampling`."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from pellucid.kernels.compiled import compiled_in_order
from pellucid.ops.sampling import check_edge, coordinates
from pellucid.types import Array


def sample(
    X: Array, inverse: Array, *, edge: str = "reflect", fill: float = 0.0, out: Array | None = None
) -> Array:
    """Return each image of a batch as seen through an affine map, bit for bit as the plain twin."""
    check_edge(edge)
    m, h, w, c = X.shape
    along, across = coordinates(inverse, h, w, X.dtype)
    result = np.empty(X.shape, X.dtype) if out is None else out
    margin = X.dtype.type(edge == "constant")  # how far outside a position may be: there, all is fill
    flat = result if result.flags.c_contiguous else np.empty(X.shape, X.dtype)
    X = np.ascontiguousarray(X).reshape(m, h, w * c)
    _sample(c)(X, along, across, edge == "reflect", margin, X.dtype.type(fill), flat.reshape(m, h, w * c))
    if flat is not result:
        result[...] = flat
    return result


@lru_cache
def _sample(c: int) -> Callable[..., None]:
    """Return the kernel for images of c channels."""

    @compiled_in_order
    def sample(
        X: Array, along: Array, across: Array, mirrored: bool, margin: Any, fill: Any, out: Array
    ) -> None:
        """out = (1 - v) ((1 - u) P[y, x] + u P[y, x + 1]) + v ((1 - u) P[y + 1, x] + u P[y + 1, x + 1])."""
        m, h, w = X.shape[0], X.shape[1], X.shape[2] // c
        row = (w + 2) * c
        P = np.full((h + 3) * row + c, fill)  # an image in a border of fill; the end is read with weight 0
        corner, u, v = np.empty(w, np.int64), np.empty(w, X.dtype), np.empty(w, X.dtype)
        last_x, last_y = X.dtype.type(w - 1), X.dtype.type(h - 1)
        for k in range(m):
            for i in range(h):
                start = (i + 1) * row + c
                for j in range(w * c):
                    P[start + j] = X[k, i, j]
            for i in range(h):
                between = False
                for j in range(w):
                    x = _folded(along[k, 0, j] + across[k, 0, i], last_x, margin, mirrored)
                    y = _folded(along[k, 1, j] + across[k, 1, i], last_y, margin, mirrored)
                    left, top = np.floor(x), np.floor(y)
                    u[j], v[j] = x - left, y - top
                    corner[j] = (int(top) + 1) * row + (int(left) + 1) * c
                    between |= (x != left) | (y != top)
                if not between:  # flips and moves by whole pixels
                    for j in range(w):
                        pixel, seen = P[corner[j] :], out[k, i, j * c :]
                        for channel in range(c):
                            seen[channel] = pixel[channel]
                    continue
                for j in range(w):
                    upper, lower, seen = P[corner[j] :], P[corner[j] + row :], out[k, i, j * c :]
                    for channel in range(c):
                        above = upper[channel] + u[j] * (upper[channel + c] - upper[channel])
                        below = lower[channel] + u[j] * (lower[channel + c] - lower[channel])
                        seen[channel] = above + v[j] * (below - above)

    return sample


@compiled_in_order
def _folded(x: Any, last: Any, margin: Any, mirrored: bool) -> Any:
    """Return a position mirrored at 0 and at the last pixel until it is inside, or moved to the nearest inside."""
    if mirrored:
        x = abs(x)
        x -= (last + last) * np.floor(x / (last + last))
        x = last - abs(last - x)
    x = x if x > -margin else -margin  # NaN too, where an image is one pixel wide
    return x if x < last + margin else last + margin
