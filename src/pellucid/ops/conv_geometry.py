"""Window geometry of a convolution or a pooling: sizes, padding, and which pixel falls under which tap."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np

from pellucid.errors import ShapeError
from pellucid.types import Array, Shape

Pair: TypeAlias = tuple[int, int]
Padding: TypeAlias = tuple[Pair, Pair]  # (top, bottom), (left, right)
NO_PADDING: Padding = ((0, 0), (0, 0))


class Geometry(NamedTuple):
    """Every size of one convolution (or pooling, where c_in = c_out = groups)."""

    m: int
    h: int
    w: int
    c_in: int
    c_out: int
    kernel: Pair
    stride: Pair
    padding: Padding
    dilation: Pair
    groups: int
    h_out: int
    w_out: int

    @property
    def out_shape(self) -> Shape:
        """(m, h_out, w_out, c_out)."""
        return self.m, self.h_out, self.w_out, self.c_out

    @property
    def padded(self) -> Pair:
        """The height and width of a padded image."""
        (top, bottom), (left, right) = self.padding
        return self.h + top + bottom, self.w + left + right


def output_length(n: int, kernel: int, stride: int, padding: Pair, dilation: int) -> int:
    """Return how many windows fit along one axis: floor((n + padding - reach) / stride) + 1, or 0 if none.

    Examples
    --------
    >>> output_length(64, 3, 1, (1, 1), 1), output_length(5, 3, 2, (0, 0), 1), output_length(2, 3, 1, (0, 0), 1)
    (64, 2, 0)
    """
    reach = dilation * (kernel - 1) + 1
    return max(0, (n + sum(padding) - reach) // stride + 1)


@lru_cache(maxsize=512)  # a step asks for the same ones again and again
def window_geometry(
    where: str,
    X_shape: Shape,
    kernel: Pair,
    *,
    c_out: int,
    stride: Pair,
    padding: Padding,
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Geometry:
    """Return the sizes for inputs of shape (m, h, w, c_in); ShapeError if no window fits.

    Examples
    --------
    >>> g = window_geometry("pool", (1, 5, 6, 3), (2, 2), c_out=3, stride=(2, 2), padding=NO_PADDING)
    >>> g.out_shape
    (1, 2, 3, 3)
    """
    if len(X_shape) != 4:
        raise ShapeError(f"{where}: expected X of shape (m, h, w, channels), got {X_shape}.")
    if min(*kernel, *stride, *dilation) < 1 or min(*padding[0], *padding[1]) < 0:
        raise ShapeError(
            f"{where}: expected kernel, stride and dilation of 1 or more and padding of 0 or more, "
            f"got kernel {kernel}, stride {stride}, dilation {dilation}, padding {padding}."
        )
    m, h, w, c_in = X_shape
    h_out = output_length(h, kernel[0], stride[0], padding[0], dilation[0])
    w_out = output_length(w, kernel[1], stride[1], padding[1], dilation[1])
    if h_out < 1 or w_out < 1:
        raise ShapeError(
            f"{where}: a {kernel[0]}x{kernel[1]} window with dilation {dilation} does not fit into images of "
            f"{h}x{w} with padding {padding}. Use a smaller window or more padding."
        )
    return Geometry(m, h, w, c_in, c_out, kernel, stride, padding, dilation, groups, h_out, w_out)


@lru_cache(maxsize=512)
def pool_geometry(where: str, X_shape: Shape, size: Pair, stride: Pair, padding: Padding) -> Geometry:
    """Return the sizes of a pooling; ShapeError if no window fits or one could lie entirely in the padding.

    Examples
    --------
    >>> pool_geometry("pool", (1, 4, 4, 3), (2, 2), (2, 2), NO_PADDING).out_shape
    (1, 2, 2, 3)
    """
    c = X_shape[-1] if X_shape else 0
    geometry = window_geometry(where, X_shape, size, c_out=c, stride=stride, padding=padding, groups=c)
    if max(padding[0]) >= size[0] or max(padding[1]) >= size[1]:
        raise ShapeError(
            f"{where}: expected padding less than the {size[0]}x{size[1]} window, got {padding}. "
            "A window that lies entirely in the padding has no value."
        )
    return geometry


def taps(geometry: Geometry) -> Iterator[tuple[int, int, slice, slice]]:
    """Yield, for each place (i, j) in a window, the rows and columns of a padded image that all windows see there.

    Examples
    --------
    >>> g = window_geometry("", (1, 5, 5, 1), (1, 2), c_out=1, stride=(2, 2), padding=NO_PADDING)
    >>> list(taps(g))
    [(0, 0, slice(0, 5, 2), slice(0, 3, 2)), (0, 1, slice(0, 5, 2), slice(1, 4, 2))]
    """
    (sy, sx), (dy, dx) = geometry.stride, geometry.dilation
    for i, j in np.ndindex(geometry.kernel):
        rows = slice(i * dy, i * dy + (geometry.h_out - 1) * sy + 1, sy)
        columns = slice(j * dx, j * dx + (geometry.w_out - 1) * sx + 1, sx)
        yield i, j, rows, columns


def pad(X: Array, padding: Padding, value: float = 0.0) -> Array:
    """Return X (m, h, w, c) with that value around each image.

    Examples
    --------
    >>> pad(np.ones((1, 1, 1, 1)), ((0, 0), (1, 2))).ravel()
    array([0., 1., 0., 0.])
    """
    return np.pad(X, ((0, 0), *padding, (0, 0)), constant_values=value)


def crop(P: Array, padding: Padding) -> Array:
    """Return P (m, top + h + bottom, left + w + right, c) without its padding, as a view.

    Examples
    --------
    >>> crop(np.arange(4.0).reshape(1, 1, 4, 1), ((0, 0), (1, 2))).ravel()
    array([1.])
    """
    (top, bottom), (left, right) = padding
    return P[:, top : P.shape[1] - bottom, left : P.shape[2] - right]
