"""Pictures from outside: which kinds are opened, and how large they may be."""

import io
from contextlib import suppress
from functools import lru_cache

from fastapi import HTTPException

from pellucid.data.readers.images import read_sample
from pellucid.data.readers.picture_modes import UNKNOWN, White
from pellucid.data.readers.reading import reading
from pellucid.errors import DataError
from pellucid.types import Array, Shape

# Kinds that people have photos in. Pillow opens fifty, some by other programs (EPS by Ghostscript): too much for
# bytes of whoever sends some.
KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
_ADVICE = "It may be cut off or damaged. Send JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF."


def read_picture(
    content: bytes, shape: Shape, where: str, *, max_pixels: int, white: White = UNKNOWN
) -> Array:
    """Return a picture in the shape of one sample, uint8.

    Parameters
    ----------
    content : bytes
    shape : tuple of int
        Of a model that takes images.
    where : str
        Its name in messages.
    max_pixels : int
    white : White, optional
        Of the model's training pictures.

    Raises
    ------
    DataError
        If it is no image of a kind that is opened, or damaged.
    HTTPException
        413 if it has too many pixels; they are not decoded.
    """
    _check(content, where, max_pixels)
    try:
        return read_sample(content, shape, white)
    except DataError as error:
        raise DataError(str(error).replace("the bytes given", where, 1)) from None


def _check(content: bytes, where: str, max_pixels: int) -> None:
    """Look at the first bytes of a picture: its kind and its size."""
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise DataError(f"{where}: expected an image, got no bytes.")
    with reading(where, "an image", _ADVICE):
        try:
            with Image.open(io.BytesIO(content), formats=known_kinds()) as image:
                n_pixels = image.width * image.height
        except UnidentifiedImageError:
            raise DataError(
                f"{where}: expected an image, found none of {', '.join(known_kinds())}."
            ) from None
        except Image.DecompressionBombError:
            n_pixels = max_pixels + 1
    if n_pixels > max_pixels:
        raise HTTPException(413, f"{where}: larger than {max_pixels:,} pixels. Send it at a smaller size.")


@lru_cache
def known_kinds() -> tuple[str, ...]:
    """Return the kinds that are opened and that Pillow has here; HEIF where pillow-heif is installed."""
    from PIL import Image

    with suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()
    Image.init()
    return tuple(kind for kind in KINDS if kind in Image.OPEN)
