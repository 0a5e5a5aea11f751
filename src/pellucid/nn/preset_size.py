"""The size of the pictures that a preset takes, said where it does not take those it was given."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pellucid.errors import OptionError, ShapeError
from pellucid.nn.presets import PRESETS, PRETRAINED, preset
from pellucid.text import join
from pellucid.types import Shape

LARGEST = 256  # pixels of a side up to which a preset is tried


# They take any size, and see no picture in it: named where nothing else is left.
FLAT = ("logistic", "linear", "two-layer", "mlp", "mlp-small", "mlp-wide", "realmlp", "realmlp-mean")


@contextmanager
def naming_size(name: str | None, shape: Any) -> Iterator[None]:
    """Say what a preset needs, where an error in this block is that it does not take pictures of this shape.

    Parameters
    ----------
    name : str or None
        The preset that the model of the block was made from; None lets any error pass.
    shape : tuple of int
        Of one sample.

    Examples
    --------
    >>> model = preset("cnn")
    >>> with naming_size("cnn", (8, 8, 3)):
    ...     model.initialize((8, 8, 3))
    Traceback (most recent call last):
        ...
    pellucid.errors.ShapeError: cnn: expected pictures of at least 16x16 pixels, got 8x8. Try model ...
    """
    try:
        yield
    except ShapeError:
        side = (
            smallest_side(name, shape[2]) if name and isinstance(shape, tuple) and len(shape) == 3 else None
        )
        if side is None or min(shape[:2]) >= side:
            raise
        raise ShapeError(
            f"{name}: expected pictures of at least {side}x{side} pixels, got {shape[0]}x{shape[1]}. Try "
            f"{_instead(shape)}. A folder of photos can be read larger: --image-size {max(side, 64)}."
        ) from None


def _instead(shape: Shape) -> str:
    """Return which presets take pictures of this shape, first one that looks at them as pictures."""
    others = [name for name in PRESETS if name != PRETRAINED and takes(name, shape)]
    first, *rest = sorted(others, key=lambda name: (name in FLAT, smallest_side(name, shape[2]) == 1))
    more = [name for name in rest if name not in FLAT]
    return f"model {first!r}" + (f", or {join(more, last='or')}" if more else "")


def smallest_side(name: str, n_channels: int) -> int | None:
    """Return the pixels of the smallest square picture that a preset takes; None if it takes none.

    Examples
    --------
    >>> smallest_side("cnn", 3), smallest_side("mlp", 1)
    (16, 1)
    """
    sides = range(1, LARGEST + 1)
    return next((side for side in sides if takes(name, (side, side, n_channels))), None)


def takes(name: str, shape: Shape) -> bool:
    """Return whether a preset takes samples of this shape."""
    try:
        preset(name)._lay_out(shape)
    except (ShapeError, OptionError):
        return False
    return True
