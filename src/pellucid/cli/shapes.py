"""A sample's shape as flags have it."""


def shape_of(text: str | None) -> tuple[int, ...] | None:
    """Return the shape of a flag such as 64x64x3; None for none.

    Examples
    --------
    >>> shape_of("64x64x3")
    (64, 64, 3)
    """
    from pellucid.errors import OptionError

    if text is None:
        return None
    sides = text.lower().split("x")
    if not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise OptionError(f"--input-shape: expected numbers joined by x, such as 64x64x3, got {text!r}.")
    return tuple(int(side) for side in sides)
