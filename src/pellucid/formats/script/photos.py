"""Reading photos as pellucid reads them, bit for bit: a script of a network of images gets a copy of this."""

import os
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from pellucid.data.readers.picture_modes import (
    SPARE,
    UNKNOWN,
    White,
    at_size,
    orientation,
    to_rgb,
    upright,
    upright_box,
)
from pellucid.errors import DataError
from pellucid.types import Array, Shape


def read_photo(source: Any, shape: Shape, white: White = UNKNOWN) -> Array:
    """Return a photo as the network takes it: upright, transparency over white, and resized.

    ``source`` is the path of a file, or the pixels, (height, width, 3) bytes of any size.
    """
    if isinstance(source, np.ndarray):
        if source.dtype == np.uint8 and source.shape == shape:
            return source
        if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] != 3 or 0 in source.shape:
            raise DataError(
                f"expected pixels of shape (height, width, 3), uint8, got {source.shape}, {source.dtype}."
            )
        return resized(Image.fromarray(np.ascontiguousarray(source)), shape, white, None)
    where = str(source)
    if not os.path.isfile(source) or not os.path.getsize(source):
        found = "a folder" if os.path.isdir(source) else "no such file"
        if os.path.isfile(source):
            found = "an empty file"
        raise DataError(f"{where}: expected an image, found {found}.")
    try:
        with Image.open(source) as image:
            if image.width * image.height > (Image.MAX_IMAGE_PIXELS or float("inf")):
                raise Image.DecompressionBombError
            return decoded(image, shape, where, white)
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(
            f"{where}: larger than {Image.MAX_IMAGE_PIXELS:,} pixels. Save it at a smaller size."
        ) from None
    except UnidentifiedImageError:
        raise DataError(f"{where}: expected an image, found no format that Pillow reads.") from None
    except Exception as error:  # Pillow raises whatever the damage leads to
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{where}: cannot read this image ({reason}). It may be cut off.") from None


def decoded(image: Image.Image, shape: Shape, where: str, white: White) -> Array:
    """Return an opened picture as a sample; a JPEG much larger than that is decoded at a part of its size."""
    extent = None
    if image.format in ("JPEG", "MPO"):  # of others, asking for EXIF may decode all
        height, width = shape[:2] if orientation(image) < 5 else shape[1::-1]
        reduced = image.draft(None, (SPARE * width, SPARE * height))
        extent = None if reduced is None else reduced[1]
    image.load()  # first, for what is done by EXIF ignores failures
    mark = orientation(image)
    box = None if extent is None else upright_box(extent[2:], image.size, mark)
    return resized(to_rgb(image if mark == 1 else upright(image), where, white), shape, white, box)


def resized(image: Image.Image, shape: Shape, white: White, box: Any) -> Array:
    """Return an RGB picture, or the part in a box, at the network's size, in grey where it takes grey ones."""
    small = at_size(image, shape[:2], white.fit, box)
    return np.array(small if shape[2:] == (3,) else small.convert("L")).reshape(shape)
