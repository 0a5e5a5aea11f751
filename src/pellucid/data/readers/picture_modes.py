"""Files of pictures, opened by Pillow, turned upright and into RGB; each fault becomes an explained DataError."""

import io
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from pellucid.data.readers.reading import check_file, reading
from pellucid.errors import DataError
from pellucid.types import Array, Shape

if TYPE_CHECKING:
    from PIL import Image


Box: TypeAlias = tuple[float, float, float, float]  # what of a picture, decoded at reduced size, is picture
SPARE = 2  # a JPEG is decoded at no less than this many times the size that it is resized to
FITS = SQUEEZE, CROP, _ = "squeeze", "crop", "pad"  # how a picture gets another shape
ADVICE = "Save it again as JPEG or PNG."
_DIVIDE = "Divide by the value of white, or save it again as PNG."
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")  # brands, ISO/IEC 23008-12
HEIC_ENDINGS = (".heic", ".heif")


class White(NamedTuple):
    """What pictures do not say themselves, the same for a whole set: the value of white of grey ones, 0: not known.

    And how they are brought to the shape of a sample.
    """

    floats: float = 0.0  # of floating-point numbers: 1 or 255
    integers: float = 0.0  # of integers of 32 bits: 255 or 65535
    fit: str = "squeeze"


UNKNOWN = White()


def or_else(white: White, other: White) -> White:
    """Return values of white; where one is not known, the other's.

    Examples
    --------
    >>> or_else(White(floats=255), White(1, 65535))
    White(floats=255, integers=65535, fit='squeeze')
    """
    fit = other.fit if white.fit == SQUEEZE else white.fit
    return White(white.floats or other.floats, white.integers or other.integers, fit)


def white_of_set(known: White, own: Iterable[White]) -> White:
    """Return the value of white of each kind in a set of pictures: what is known, else the largest of their own.

    Examples
    --------
    >>> white_of_set(White(integers=65535), [White(1), White(255), White(integers=255)])
    White(floats=255, integers=65535, fit='squeeze')
    """
    largest = map(max, zip(UNKNOWN[:2], *(one[:2] for one in own), strict=True))
    floats, integers = (there and (given or there) for given, there in zip(known[:2], largest, strict=True))
    return White(floats, integers, known.fit)


def own_white(image: "Image.Image") -> White:
    """Return the least value of white that is none of a picture's values above: of a set, the largest is right."""
    if image.mode == "F":
        return White(floats=1 if np.asarray(image).max() <= 1 else 255)
    if image.mode == "I":
        return White(integers=255 if np.asarray(image).max() <= 255 else 65535)
    return UNKNOWN


def white_notes(white: White) -> tuple[str, ...]:
    """Return how floating-point and 32-bit pictures of a set were read, a note for each kind that is there."""
    kinds = zip(("floating-point", "32-bit grey"), white[:2], strict=True)
    return tuple(f"{kind} pictures read as 0 to {most:g}" for kind, most in kinds if most)


def at_size(image: "Image.Image", size: Shape, fit: str = "squeeze", box: Box | None = None) -> "Image.Image":
    """Return an RGB picture, or the part in a box, at a height and width.

    Squeezed; its middle in the shape of that size ("crop", as Pillow's ``ImageOps.fit``); or all of it with black
    bars ("pad", as ``ImageOps.pad``).
    """
    from PIL import Image

    (height, width), (left, top, right, bottom) = size, box or (0.0, 0.0, *map(float, image.size))
    across, down, wanted = right - left, bottom - top, width / height
    if fit == "crop" and across / down != wanted:
        w, h = (wanted * down, down) if across / down > wanted else (across, across / wanted)
        left, top = left + (across - w) * 0.5, top + (down - h) * 0.5
        box = (left, top, left + w, top + h)
    if fit != "pad" or across / down == wanted:
        return image.resize((width, height), box=box)
    if across / down > wanted:
        inner = width, max(1, round(down / across * width))
    else:
        inner = max(1, round(across / down * height)), height
    canvas = Image.new("RGB", (width, height))
    canvas.paste(
        image.resize(inner, box=box), (round((width - inner[0]) * 0.5), round((height - inner[1]) * 0.5))
    )
    return canvas


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


def upright_box(extent: tuple[float, float], size: tuple[int, int], mark: int) -> Box:
    """Return where the picture lies once it is upright: of 257 columns at a half, the last is half a column."""
    (across, down), (width, height) = (extent, size) if mark < 5 else (extent[::-1], size[::-1])
    left = width - across if mark in (2, 3, 6, 7) else 0.0
    top = height - down if mark in (3, 4, 7, 8) else 0.0
    return (left, top, left + across, top + down)


def to_rgb(image: "Image.Image", where: str, white: White = UNKNOWN) -> "Image.Image":
    """Return a picture of any mode in RGB, transparency laid over white.

    Raises
    ------
    DataError
        If grey values of more than 16 bits are beyond the value of white, or do not say it where it is not known.

    Notes
    -----
    The scale never depends on the picture's own values, which would make a dark one bright: bytes are 0 to 255,
    16-bit grey 0 to 65535. Floating-point numbers and 32-bit integers are 0 to the value of white of their set;
    where that is not known, 0 to 1 and 0 to 65535.
    """
    from PIL import Image

    if image.mode == "F" or image.mode.startswith("I"):
        return Image.fromarray(_bytes_of_grey(image, where, white)).convert("RGB")
    if image.has_transparency_data:
        top = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", top.size, "white"), top)
    return image if image.mode == "RGB" else image.convert("RGB")


def _bytes_of_grey(image: "Image.Image", where: str, white: White) -> Array:
    """Return grey values as bytes; Pillow's own conversion clips all above 255 to white."""
    values, is_float = np.asarray(image), image.mode == "F"
    low, high, beyond = values.min(), values.max(), 255 if is_float else 65535
    known = white.floats if is_float else white.integers if image.mode == "I" else 65535
    if image.mode == "I" and not known and 0 < high <= 255:
        raise DataError(
            f"{where}: it is not clear whether 32-bit grey values up to {high} are of 0 to 255, or a dark "
            "picture of 0 to 65535. Save it again as PNG, of 8 or of 16 bits."
        )
    most = known or (1 if is_float else 65535)
    if not (low >= 0 and high <= most):  # NaN is neither
        kind, advice = ("floating-point ", _DIVIDE) if is_float else ("", ADVICE)
        as_trained = " as in training," if 0 < known < high <= beyond else ","
        raise DataError(
            f"{where}: expected {kind}grey values from 0 to {most:g}{as_trained} got {low} to {high}. {advice}"
        )
    grey = values.astype(np.float64)
    grey *= 255 / most
    return np.rint(grey, out=grey).astype(np.uint8)


# Pillow logs some faults, and Python prints a log without a handler on standard error.
logging.getLogger("PIL").addHandler(logging.NullHandler())


@contextmanager
def opened(source: str | Path | bytes) -> Iterator[tuple["Image.Image", str]]:
    """Open a picture, not yet decoded, and yield it with its name; any exception in the body becomes a DataError.

    HEIC is opened where pillow-heif is installed.
    """
    file: Path | io.BytesIO
    if isinstance(source, str | Path):
        where, file = str(source), Path(source)
        check_file(file, "an image")
    elif isinstance(source, bytes):
        where, file = "the bytes given", io.BytesIO(source)
        if not source:
            raise DataError(f"{where}: expected an image, found nothing. Give the whole content of a file.")
    else:
        raise DataError(
            f"image: expected a path or bytes, got {type(source).__name__}. Save it to a file first."
        )
    advice = f"It may be cut off or damaged. {ADVICE}"
    with reading(where, "an image", advice), _identified(file, where) as image:
        yield image, where


def _identified(file: Path | io.BytesIO, where: str) -> "Image.Image":
    """Return a picture whose format is known, and whose size is within Pillow's safety limit."""
    from PIL import Image, UnidentifiedImageError

    image: Image.Image | None = None
    try:
        with suppress(UnidentifiedImageError):
            image = Image.open(file)
        if image is None:  # HEIC, or of a format that another thread was registering
            _register_all(file, where)
            image = Image.open(file)
    except UnidentifiedImageError:
        raise DataError(f"{where}: not in an image format that can be read. {ADVICE}") from None
    except Image.DecompressionBombError:
        raise _too_large(where) from None
    if image.width * image.height > (Image.MAX_IMAGE_PIXELS or float("inf")):
        image.close()
        raise _too_large(where)
    return image


def _register_all(file: Path | io.BytesIO, where: str) -> None:
    """Have Pillow know every format, HEIC too where a picture is of it."""
    from PIL import Image

    start = _start(file)
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC:
        try:
            from pillow_heif import register_heif_opener
        except ImportError:
            raise DataError(
                f"{where}: HEIC pictures take an extra: pip install 'pellucid[heic]'. Or save it as JPEG."
            ) from None
        register_heif_opener()
    Image.init()


def _start(file: Path | io.BytesIO) -> bytes:
    if isinstance(file, io.BytesIO):
        return file.getvalue()[:12]
    with open(file, "rb") as stream:
        return stream.read(12)


def _too_large(where: str) -> DataError:
    from PIL import Image

    return DataError(
        f"{where}: larger than {Image.MAX_IMAGE_PIXELS:,} pixels, which Pillow refuses because a "
        "small file can unpack to fill the memory. Save it at a smaller size."
    )
