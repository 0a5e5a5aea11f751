"""Pictures from outside: which kinds are opened, and how large they may be."""

import io
from contextlib import suppress
from functools import lru_cache

from fastapi import HTTPException

from pellucid.data.input_spec import white_seen
from pellucid.data.readers.images import read_sample
from pellucid.data.readers.reading import reading
from pellucid.errors import DataError
from pellucid.server.models import Served
from pellucid.server.options import ServerOptions
from pellucid.types import Array

# Kinds that people have photos in. Pillow opens fifty, some by other programs (EPS by Ghostscript): too much for
# bytes of whoever sends some.
KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
_ADVICE = "It may be cut off or damaged. Send JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF."


def read_picture(content: bytes, served: Served, where: str, options: ServerOptions) -> Array:
    """Return a picture in the shape of one sample of a model that takes images, uint8.

    Parameters
    ----------
    content : bytes
    served : Served
    where : str
        Its name in messages.
    options : ServerOptions

    Raises
    ------
    DataError
        If it is no image of a kind that is opened, or damaged.
    HTTPException
        413 if it has too many pixels; they are not decoded.
    """
    from PIL import Image, UnidentifiedImageError

    most = int(options.max_pixels * 1e6)
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
            n_pixels = most + 1
    if n_pixels > most:
        raise HTTPException(413, f"{where}: larger than {most:,} pixels. Send it at a smaller size.")
    try:
        return read_sample(content, served.shape, white_seen(served.seen))
    except DataError as error:
        raise DataError(str(error).replace("the bytes given", where, 1)) from None


@lru_cache
def known_kinds() -> tuple[str, ...]:
    """Return the kinds that are opened and that Pillow has here; HEIF where pillow-heif is installed."""
    from PIL import Image

    with suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()
    Image.init()
    return tuple(kind for kind in KINDS if kind in Image.OPEN)
