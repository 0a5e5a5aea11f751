"""What one method computes for each pixel of a photo."""

from dataclasses import dataclass

from pellucid.types import Array


@dataclass(frozen=True, eq=False)
class Attribution:
    """What one method computes for each pixel.

    Attributes
    ----------
    values : Array, shape (h, w, c), or None
        Signed: above 0 speaks for the class, below 0 against it. c is 1 where a method does not distinguish
        colours. None where the method does not apply to the network.
    heat : Array, shape (h, w), or None
        One number a pixel, for a picture.
    is_signed : bool
        Whether ``heat`` is; else it is 0 or more.
    note : str
        How to read the map, and what was measured while it was made.
    completeness_error : float or None
        Of integrated gradients: how far the sum of the values is from what it must be, relative to that.
    """

    values: Array | None
    heat: Array | None
    is_signed: bool
    note: str
    completeness_error: float | None = None


def as_cube(values: Array) -> Array:
    """Return (h, w) or (h, w, c) as (h, w, c)."""
    return values[..., None] if values.ndim == 2 else values
