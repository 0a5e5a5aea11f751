"""Many small photos in one picture: embedded in a page once, shown wherever one of them is wanted."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pellucid.plotting.saving import data_uri
from pellucid.types import Array

if TYPE_CHECKING:
    from PIL import Image

SMALL = 64  # pixels: longer sides are reduced to it where there are many photos
LARGE = 96  # and to it where there are few
FEW = 150
ENOUGH = 250_000  # bytes: a lossless sheet that is larger becomes a JPEG


@dataclass(frozen=True, eq=False)
class PhotoSheet:
    """Photos side by side in one picture.

    Attributes
    ----------
    data : bytes
        A PNG file, or a JPEG file where that would be large.
    n : int
        How many photos.
    n_columns : int
    height, width : int
        Pixels of each photo's place.
    """

    data: bytes
    n: int
    n_columns: int
    height: int
    width: int

    def place(self, i: int) -> tuple[int, int]:
        """Return the column and the row of photo i."""
        return i % self.n_columns, i // self.n_columns

    @property
    def n_rows(self) -> int:
        """How many rows of photos there are."""
        return -(-self.n // self.n_columns)

    @property
    def uri(self) -> str:
        """The picture as an address that holds it."""
        return data_uri(self.data, "png" if self.data.startswith(b"\x89PNG") else "jpeg")

    def shown(self, longest: int) -> tuple[int, int]:
        """Return (width, height) in CSS pixels for a longer side of at most ``longest``.

        A whole multiple of the photo's pixels where it is enlarged, so that a pixel is a square.
        """
        side = max(self.height, self.width)
        scale = max(1, longest // side) if side <= longest else longest / side
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))


def photo_sheet(X: Array) -> PhotoSheet:
    """Return photos as one sheet, small enough to be part of a page.

    Parameters
    ----------
    X : Array, shape (m, h, w) or (m, h, w, c), c 1, 3 or 4
        uint8, booleans, or floats from 0 to 1 (cut off beyond). Transparent pixels show white.

    Returns
    -------
    PhotoSheet
        Photos of more than 96 pixels (64 where there are more than 150 photos) are reduced to that.

    Examples
    --------
    >>> sheet = photo_sheet(np.zeros((5, 8, 8, 3), np.uint8))
    >>> sheet.place(4), sheet.shown(128)
    ((0, 2), (128, 128))
    """
    from PIL import Image

    photos, longest = [Image.fromarray(_pixels(x)) for x in X], SMALL if len(X) > FEW else LARGE
    for photo in photos:
        photo.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    width, height = photos[0].size
    n_columns = min(len(X), max(1, math.isqrt(max(1, len(X) * height // width))))
    # Places begin at whole multiples of 8, the block that JPEG works in: no photo bleeds into the next.
    across, down = -(-width // 8) * 8, -(-height // 8) * 8
    is_grey = all(photo.mode == "L" for photo in photos)

    def paste(across: int, down: int) -> Image.Image:
        size = (n_columns * across, -(-len(X) // n_columns) * down)
        sheet = Image.new("L" if is_grey else "RGB", size, "white")
        for i, photo in enumerate(photos):
            sheet.paste(photo, (i % n_columns * across, i // n_columns * down))
        return sheet

    data = _encoded(paste(width, height), "PNG")
    if len(data) > ENOUGH:
        photos = [photo.resize((across, down), Image.Resampling.BICUBIC) for photo in photos]
        smaller = _encoded(paste(across, down), "JPEG", quality=88, subsampling=0)
        if len(smaller) < len(data):
            data, width, height = smaller, across, down
    return PhotoSheet(data, len(X), n_columns, height, width)


def _pixels(image: Array) -> Array:
    """Return an image as uint8, (h, w) or (h, w, 3)."""
    if np.issubdtype(image.dtype, np.floating):
        image = np.rint(np.clip(np.nan_to_num(image), 0, 1) * 255)
    elif image.dtype == bool:
        image = image * 255
    pixels = np.clip(image, 0, 255).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        alpha = pixels[..., 3:] / 255
        pixels = np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels


def _encoded(picture: Image.Image, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
