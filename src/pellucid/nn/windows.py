"""The options that every layer with windows has: sizes as one or two numbers, and padding in its several ways."""

from collections.abc import Sequence
from typing import TypeAlias

from pellucid.errors import OptionError, ShapeError
from pellucid.ops.conv_geometry import NO_PADDING, Padding, Pair
from pellucid.types import Shape

Size: TypeAlias = int | Sequence[int]
PaddingOption: TypeAlias = str | int | Sequence[int] | Sequence[Sequence[int]]


def as_pair(kind: str, option: str, value: Size) -> Pair:
    """Return one number twice, or two numbers as they are; each 1 or more.

    Examples
    --------
    >>> as_pair("Conv2D", "stride", 2), as_pair("Conv2D", "stride", [2, 1])
    ((2, 2), (2, 1))
    """
    pair = _pair(value)
    if pair is None or min(pair) < 1:
        raise OptionError(
            f"{kind}: expected {option} as a whole number of 1 or more, or two of them, got {value!r}."
        )
    return pair


def as_padding(
    kind: str, padding: PaddingOption, size: Pair, kernel: Pair, stride: Pair, dilation: Pair
) -> Padding:
    """Return the padding as ((top, bottom), (left, right)).

    Parameters
    ----------
    kind : str
        The layer's name, for the error.
    padding : "same", "valid", int, (int, int) or ((int, int), (int, int))
    size : (int, int)
        Height and width of the images.
    kernel, stride, dilation : (int, int)

    Examples
    --------
    >>> as_padding("Conv2D", "same", (6, 6), (3, 3), (2, 1), (1, 1))
    ((0, 1), (1, 1))
    >>> as_padding("Conv2D", (1, 2), (6, 6), (3, 3), (1, 1), (1, 1))
    ((1, 1), (2, 2))
    """
    if padding == "valid":
        return NO_PADDING
    if padding == "same":
        vertical, horizontal = (
            _same(n, k, s, d) for n, k, s, d in zip(size, kernel, stride, dilation, strict=True)
        )
        return vertical, horizontal
    given = _paddings(padding)
    if given is None or min(*given[0], *given[1]) < 0:
        raise OptionError(
            f"{kind}: expected padding 'same', 'valid', a whole number, (height, width) or ((top, bottom), "
            f"(left, right)), 0 or more each, got {padding!r}."
        )
    return given


def image_shape(name: str, input_shape: Shape) -> tuple[int, int, int]:
    """Return the shape of images, (h, w, channels); ShapeError if samples are something else.

    Examples
    --------
    >>> image_shape("conv2d_1", (64, 64, 3))
    (64, 64, 3)
    """
    if len(input_shape) != 3:
        raise ShapeError(
            f"{name}: expected images of shape (height, width, channels), got samples of shape {input_shape}. "
            "Put it before Flatten() and Dense."
        )
    h, w, c = input_shape
    return h, w, c


def _same(n: int, kernel: int, stride: int, dilation: int) -> Pair:
    """Return the zeros before and after that give ceil(n / stride) windows; the odd one after."""
    reach = dilation * (kernel - 1) + 1
    total = max(0, (-(-n // stride) - 1) * stride + reach - n)
    return total // 2, total - total // 2


def _pair(value: object) -> Pair | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value, value
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        first, second = value
        if type(first) is int and type(second) is int:
            return first, second
    return None


def _paddings(value: object) -> Padding | None:
    pair = _pair(value)
    if pair is not None:
        return (pair[0], pair[0]), (pair[1], pair[1])
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        vertical, horizontal = (_pair(v) if isinstance(v, Sequence) else None for v in value)
        if vertical is not None and horizontal is not None:
            return vertical, horizontal
    return None
