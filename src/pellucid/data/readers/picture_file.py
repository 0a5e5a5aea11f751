"""Files of pictures, opened by Pillow: every fault becomes a DataError that explains it."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.data.readers.picture_modes import ADVICE
from pellucid.data.readers.reading import check_file, reading
from pellucid.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")  # brands, ISO/IEC 23008-12
HEIC_ENDINGS = (".heic", ".heif")

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
        raise DataError(
            f"{where}: expected an image, found no format that can be read (SVG cannot). {ADVICE}"
        ) from None
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
