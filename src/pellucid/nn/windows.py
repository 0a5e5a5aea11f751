"""Base class and options of the layers for images: sizes as one or two numbers, padding in its various forms."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar, Literal, TypeAlias

from pellucid.errors import ShapeError
from pellucid.nn.layer import Layer
from pellucid.ops.conv_geometry import NO_PADDING, Padding, Pair
from pellucid.registry import option
from pellucid.types import Array, Shape

Size: TypeAlias = int | tuple[int, int]
Frame: TypeAlias = int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]
PaddingOption: TypeAlias = Literal["same", "valid"] | Frame


def pair(size: Size) -> Pair:
    """Return one number twice, or two numbers as they are.

    Examples
    --------
    >>> pair(2), pair((2, 1))
    ((2, 2), (2, 1))
    """
    return (size, size) if isinstance(size, int) else size


size_option = partial(option, at_least=1, check=pair)
padding_option = partial(option, at_least=0)


def as_padding(padding: PaddingOption, size: Pair, kernel: Pair, stride: Pair, dilation: Pair) -> Padding:
    """Return the padding as ((top, bottom), (left, right)).

    Parameters
    ----------
    padding : "same", "valid", int, (int, int) or ((int, int), (int, int))
    size : (int, int)
        Height and width of the images.
    kernel, stride, dilation : (int, int)

    Examples
    --------
    >>> as_padding("same", (6, 6), (3, 3), (2, 1), (1, 1))
    ((0, 1), (1, 1))
    """
    if padding == "valid":
        return NO_PADDING
    if padding == "same":
        vertical, horizontal = map(_same, size, kernel, stride, dilation)
        return vertical, horizontal
    return frame(padding)


def frame(padding: Frame) -> Padding:
    """Return one number for all sides, two for the two directions or four as ((top, bottom), (left, right)).

    Examples
    --------
    >>> frame(1), frame((1, 2)), frame(((1, 0), (0, 2)))
    (((1, 1), (1, 1)), ((1, 1), (2, 2)), ((1, 0), (0, 2)))
    """
    vertical, horizontal = (padding, padding) if isinstance(padding, int) else padding
    return pair(vertical), pair(horizontal)


def _same(n: int, kernel: int, stride: int, dilation: int) -> Pair:
    """Return the zeros before and after that give ceil(n / stride) windows; the odd one after."""
    reach = dilation * (kernel - 1) + 1
    total = max(0, (-(-n // stride) - 1) * stride + reach - n)
    return total // 2, total - total // 2


class ImageLayer(Layer):
    """A layer whose samples are images, (h, w, c).

    One without parameters names its op, ``_op``, and tells ``_set_shapes`` what the op's forward takes besides X.
    """

    _op: ClassVar[tuple[Callable[..., Any], Callable[..., Array]]]  # forward and backward
    _scratch: Mapping[str, Any] = MappingProxyType({})  # what the backward takes besides the cache
    _cache: Any

    def image_shape(self, input_shape: Shape) -> tuple[int, int, int]:
        """Return the height, width and channels of the samples; ShapeError if they are not images."""
        if len(input_shape) != 3:
            raise ShapeError(
                f"{self._label}: expected images of shape (height, width, channels), got samples of shape "
                f"{input_shape}. Put it before Flatten() and Dense."
            )
        h, w, c = input_shape
        return h, w, c

    def _set_shapes(self, input_shape: Shape, output_shape: Shape, **options: Any) -> None:
        """Keep the shapes, and the options of the op's forward."""
        self.input_shape, self.output_shape, self._options = input_shape, output_shape, options

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return what the op makes of X, shape (m, *output_shape)."""
        out = self._workspace.take("Z", (len(X), *self.output_shape), X.dtype)
        Z: Array
        Z, self._cache = self._op[0](X, **self._options, out=out)
        return Z

    def backward(self, dY: Array) -> Array | None:
        """Return dX, or None where it is not needed."""
        if not self._needs_input_gradient:
            return None
        dX = self._workspace.take("dX", (len(dY), *self.input_shape), dY.dtype)
        return self._op[1](dY, self._cache, dX=dX, **self._scratch)
