"""Pictures of any mode of Pillow's, turned upright and into RGB."""

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from pellucid.errors import DataError
from pellucid.types import Array

if TYPE_CHECKING:
    from PIL import Image

ADVICE = "Save it again as JPEG or PNG."


def orientation(image: "Image.Image") -> int:
    """Return a camera's rotation mark, 1 to 8; of 5 to 8 rows and columns are swapped."""
    try:
        return int(image.getexif().get(0x0112, 1))  # the tag "Orientation"
    except Exception:  # EXIF is a separate file format, with its own faults
        return 1


def upright(image: "Image.Image") -> "Image.Image":
    """Return a picture as its rotation mark says, in place; as it is where that cannot be read."""
    if orientation(image) == 1:
        return image
    from PIL import ImageOps

    with suppress(Exception):  # viewers, too, show a photo with damaged EXIF data as stored
        ImageOps.exif_transpose(image, in_place=True)  # in place: a copy of a large photo fills the memory
    return image


def to_rgb(image: "Image.Image", where: str) -> "Image.Image":
    """Return a picture of any mode in RGB, transparency laid over white.

    Raises
    ------
    DataError
        If grey values of more than 16 bits do not say what white is, or are beyond it.

    Notes
    -----
    The scale never depends on the picture's own values, which would make a dark one bright: bytes are 0 to 255,
    16-bit grey and 32-bit integers 0 to 65535, floating-point numbers 0 to 1.
    """
    from PIL import Image

    if image.mode == "F" or image.mode.startswith("I"):
        values = np.asarray(image)
        if image.mode == "F":
            grey = _grey_from_float(values, where)
        else:
            grey = _grey_from_int(values, where, is_16_bit=image.mode != "I")
        return Image.fromarray(grey).convert("RGB")
    if image.has_transparency_data:
        top = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", top.size, "white"), top)
    return image if image.mode == "RGB" else image.convert("RGB")


def _grey_from_int(values: Array, where: str, *, is_16_bit: bool) -> Array:
    """Return 16-bit values as 8-bit ones; Pillow's own conversion clips all above 255 to white."""
    if values.min() < 0 or values.max() > 65535:
        raise DataError(
            f"{where}: expected grey values from 0 to 65535, got {values.min()} to {values.max()}. {ADVICE}"
        )
    if not is_16_bit and 0 < values.max() <= 255:
        raise DataError(
            f"{where}: it is not clear whether 32-bit grey values up to {values.max()} are of 0 to 255, or a dark "
            "picture of 0 to 65535. Save it again as PNG, of 8 or of 16 bits."
        )
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _grey_from_float(values: Array, where: str) -> Array:
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        raise DataError(
            f"{where}: expected floating-point grey values from 0 to 1, got {values.min()} to {values.max()}. "
            "Divide by the value of white, or save it again as PNG."
        )
    return np.rint(values.astype(np.float64) * 255).astype(np.uint8)
