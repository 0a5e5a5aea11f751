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
        c_, row_ = np.uint64(c), np.uint64(row)  # as an index, a number with a sign might count from the end
        P = np.full((h + 3) * row + c, fill)  # an image in a border of fill; the end is read with weight 0
        column, line = np.empty(w, np.uint64), np.empty(w, np.uint64)
        u, v = np.empty(w, X.dtype), np.empty(w, X.dtype)
        last_x, last_y = X.dtype.type(w - 1), X.dtype.type(h - 1)
        for k in range(m):
            for i in range(h):
                start = (i + 1) * row + c
                for j in range(w * c):
                    P[start + j] = X[k, i, j]
            turned, between_columns = _is_turned(along[k, 1], across[k, 0]), False
            for i in range(h):
                if turned or i == 0:
                    between_columns = False
                    for j in range(w):
                        x = _folded(along[k, 0, j] + across[k, 0, i], last_x, margin, mirrored)
                        left = np.floor(x)
                        u[j], column[j] = x - left, (int(left) + 1) * c
                        between_columns |= x != left
                between = between_columns
                for j in range(w if turned else 1):
                    y = _folded(along[k, 1, j] + across[k, 1, i], last_y, margin, mirrored)
                    top = np.floor(y)
                    v[j], line[j] = y - top, (int(top) + 1) * row
                    between |= y != top
                if not turned:
                    v[:], line[:] = v[0], line[0]
                seen = out[k, i]
                if not between:  # flips and moves by whole pixels
                    for j in range(np.uint64(w)):
                        upper = line[j] + column[j]
                        for channel in range(c_):
                            seen[j * c_ + channel] = P[upper + channel]
                    continue
                for j in range(np.uint64(w)):
                    upper = line[j] + column[j]
                    lower = upper + row_
                    for channel in range(c_):
                        a, b = upper + channel, lower + channel
                        above = P[a] + u[j] * (P[a + c_] - P[a])
                        below = P[b] + u[j] * (P[b + c_] - P[b])
                        seen[j * c_ + channel] = above + v[j] * (below - above)

    return sample


@compiled_in_order
def _is_turned(along_y: Array, across_x: Array) -> bool:
    """Return whether rows change along a row, or columns from row to row; NaN counts as a change."""
    turned = False
    for j in range(along_y.size):
        turned |= along_y[j] != along_y[0]
    for i in range(across_x.size):
        turned |= across_x[i] != across_x[0]
    return turned


@compiled_in_order
def _folded(x: Any, last: Any, margin: Any, mirrored: bool) -> Any:
    """Return a position mirrored at 0 and at the last pixel until it is inside, or moved to the nearest inside."""
    if mirrored:
        x = abs(x)
        x -= (last + last) * np.floor(x / (last + last))
        x = last - abs(last - x)
    x = x if x > -margin else -margin  # NaN too, where an image is one pixel wide
    return x if x < last + margin else last + margin
