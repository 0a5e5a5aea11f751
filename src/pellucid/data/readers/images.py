"""Any photo that Pillow opens, as a (height, width, 3) array of bytes, as it looks on screen."""

import io
import logging
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.data.readers.reading import check_file, reading
from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.types import Array, Shape

if TYPE_CHECKING:
    from PIL import Image

_ADVICE = "Save it again as JPEG or PNG."
LONGEST_SIDE = 4096  # pixels: anything above is a mistake, and would fill the memory
SPARE = 8  # a JPEG is decoded at no less than this many times the size that it is resized to

# Pillow logs some faults, and Python prints a log without a handler on standard error.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def read_image(source: str | Path | bytes, *, for_size: Sequence[int] | None = None) -> Array:
    """Return an image as it looks on screen.

    A camera's rotation mark (EXIF) is applied, transparency is composited over white, and grey, palette,
    CMYK, 1-bit, 16-bit and floating-point images become RGB. Only the first frame of an animation is read.

    Parameters
    ----------
    source : str, Path or bytes
        A file, or the content of one.
    for_size : (int, int), optional
        The (height, width) that it will be resized to. A JPEG that is at least 16 times as high and as wide comes
        at a half, a quarter or an eighth of its size, never below 8 times what was asked for: see Notes.

    Returns
    -------
    image : Array, shape (h, w, 3), dtype uint8

    Raises
    ------
    DataError
        If it is missing, empty, cut off, not an image, or larger than Pillow's safety limit.

    Notes
    -----
    A 16-bit grey value v becomes v / 257, rounded, so that 65535 becomes 255. A floating-point image is taken
    as 0 to 1 if no value is above 1, and as 0 to 255 otherwise.

    JPEG stores blocks of 8 x 8 pixels as frequencies, so that a decoder can leave out the high ones and never needs
    the memory of the full picture (``Image.draft`` of Pillow). What that changes after resizing is a grey level
    here and there, measured in docs/limits.md. Training and prediction read alike: see :func:`read_sample`.

    Examples
    --------
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.new("RGBA", (3, 2), (255, 0, 0, 0)).save(file, "PNG")     # red, and wholly transparent
    >>> image = read_image(file.getvalue())
    >>> image.shape, image[0, 0].tolist()
    ((2, 3, 3), [255, 255, 255])
    """
    with _decoded(source, for_size) as image:
        return np.array(image)


def read_sample(source: str | Path | bytes, shape: Shape) -> Array:
    """Return a picture in the shape of one sample of a model, still uint8: the one way from a file to an input.

    Parameters
    ----------
    source : str, Path or bytes
    shape : tuple of int
        As for :func:`image_to_input`.

    Raises
    ------
    DataError
        As :func:`read_image`.
    ShapeError
        If the model does not take images.
    """
    _check_takes_images(shape)
    with _decoded(source, shape[:2]) as image:
        return _as_input(image, shape)


def read_size(source: str | Path | bytes) -> tuple[int, int]:
    """Return the (height, width) that `read_image` would give, without decoding the pixels.

    Raises
    ------
    DataError
        As `read_image`, except that damaged pixels go unnoticed.
    """
    with _opened(source) as (image, _):
        width, height = image.size
        return (width, height) if _orientation(image) >= 5 else (height, width)


def resize_image(image: Array, height: int, width: int) -> Array:
    """Return the image at another size, by Pillow's default filter (bicubic).

    Parameters
    ----------
    image : Array, shape (h, w, c), dtype uint8
    height, width : int, at least 1
        In pixels. The proportions are not kept: the whole image is stretched to fit.

    Returns
    -------
    resized : Array, shape (height, width, c), dtype uint8

    Raises
    ------
    ShapeError
        If the image is not uint8 of three axes, none of them empty.
    OptionError
        If the size is not two whole numbers of at least 1.

    Examples
    --------
    >>> resize_image(np.full((5, 7, 3), 9, np.uint8), 2, 2)[0, 0]
    array([9, 9, 9], dtype=uint8)
    """
    from PIL import Image

    _check_bytes(image)
    size = check_size((height, width))[::-1]
    if image.shape[2] == 3:
        return np.array(Image.fromarray(image).resize(size))
    channels = (Image.fromarray(np.ascontiguousarray(channel)) for channel in np.moveaxis(image, 2, 0))
    return np.stack([np.asarray(channel.resize(size)) for channel in channels], axis=2)


def image_to_input(image: Array, shape: Shape) -> Array:
    """Return an RGB image in the shape of one sample of a model, still uint8.

    Parameters
    ----------
    image : Array, shape (h, w, 3), dtype uint8
    shape : tuple of int
        The model's input shape: (height, width, 3), or (height, width, 1) or (height, width) for grey.

    Returns
    -------
    sample : Array of that shape, dtype uint8

    Raises
    ------
    ShapeError
        If the model does not take images, or the image is not RGB.

    Examples
    --------
    >>> image_to_input(np.full((8, 8, 3), 100, np.uint8), (2, 2, 1)).ravel()
    array([100, 100, 100, 100], dtype=uint8)
    """
    from PIL import Image

    _check_takes_images(shape)
    if image.ndim != 3 or image.shape[2] != 3:
        raise ShapeError(f"image: expected shape (h, w, 3), got {image.shape}. Read it with read_image.")
    _check_bytes(image)
    return _as_input(Image.fromarray(np.ascontiguousarray(image)), shape)


def _check_bytes(image: Array) -> None:
    if image.ndim != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ShapeError(
            f"image: expected shape (h, w, c) and dtype uint8, got {image.shape} and {image.dtype}. "
            "A grey image has c = 1; multiply values from 0 to 1 by 255."
        )


def _check_takes_images(shape: Shape) -> None:
    if len(shape) not in (2, 3) or shape[2:] not in ((), (1,), (3,)):
        raise ShapeError(
            f"the model takes samples of shape {shape}, which are not images: expected (height, width, 3), "
            "(height, width, 1) or (height, width). Give it rows of numbers instead."
        )


def _as_input(image: "Image.Image", shape: Shape) -> Array:
    """Return an RGB picture at a model's size, in grey where the model takes grey ones."""
    resized = image.resize(check_size(shape[:2])[::-1])
    return np.array(resized if shape[2:] == (3,) else resized.convert("L")).reshape(shape)


def check_size(size: Iterable[Any]) -> tuple[int, int]:
    """Return (height, width) as plain ints, or raise OptionError."""
    values = tuple(size)
    if len(values) != 2 or not all(
        isinstance(side, int | np.integer) and 1 <= side <= LONGEST_SIDE for side in values
    ):
        raise OptionError(
            f"image size: expected two whole numbers from 1 up to {LONGEST_SIDE} (height, width), got {size}."
        )
    return int(values[0]), int(values[1])


@contextmanager
def _decoded(source: str | Path | bytes, for_size: Sequence[int] | None) -> Iterator["Image.Image"]:
    """Yield a picture upright and in RGB, a JPEG at reduced size where it will be resized to ``for_size``."""
    with _opened(source) as (image, where):
        if for_size is not None:
            height, width = for_size if _orientation(image) < 5 else for_size[::-1]
            image.draft(None, (SPARE * width, SPARE * height))  # does nothing to other formats
        image.load()  # before the rotation, whose failures are ignored: those of the pixels are not
        yield _to_rgb(_upright(image), where)


@contextmanager
def _opened(source: str | Path | bytes) -> Iterator[tuple["Image.Image", str]]:
    """Open an image with Pillow; any exception in the body becomes a DataError."""
    from PIL import Image, UnidentifiedImageError

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
    with reading(where, "an image", f"It may be cut off or damaged. {_ADVICE}"):
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(file) as image:
                yield image, where
        except UnidentifiedImageError:
            raise DataError(
                f"{where}: expected an image, found no format that can be read "
                f"(HEIC and SVG cannot). {_ADVICE}"
            ) from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise DataError(
                f"{where}: larger than {Image.MAX_IMAGE_PIXELS:,} pixels, which Pillow refuses because a "
                "small file can unpack to fill the memory. Save it at a smaller size."
            ) from None


def _orientation(image: "Image.Image") -> int:
    try:
        return int(image.getexif().get(0x0112, 1))  # the tag "Orientation": 5 to 8 swap rows and columns
    except Exception:  # EXIF is a separate file format, with its own faults
        return 1


def _upright(image: "Image.Image") -> "Image.Image":
    from PIL import ImageOps

    with suppress(Exception):  # viewers, too, show a photo with damaged EXIF data as stored
        ImageOps.exif_transpose(image, in_place=True)  # in place: a copy of a large photo fills the memory
    return image


def _to_rgb(image: "Image.Image", where: str) -> "Image.Image":
    """Return a picture of any mode of Pillow's in RGB."""
    from PIL import Image

    if image.mode == "F" or image.mode.startswith("I"):
        values = np.asarray(image)
        grey = _grey_from_float(values, where) if image.mode == "F" else _grey_from_int(values, where)
        return Image.fromarray(grey).convert("RGB")
    if image.has_transparency_data:
        top = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", top.size, "white"), top)
    return image if image.mode == "RGB" else image.convert("RGB")


def _grey_from_int(values: Array, where: str) -> Array:
    """Return 16-bit values as 8-bit ones; Pillow's own conversion clips all above 255 to white."""
    if values.min() < 0 or values.max() > 65535:
        raise DataError(
            f"{where}: expected grey values from 0 to 65535, got {values.min()} to {values.max()}. {_ADVICE}"
        )
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _grey_from_float(values: Array, where: str) -> Array:
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 255:
        raise DataError(
            f"{where}: expected floating-point grey values from 0 to 1 or from 0 to 255, "
            f"got {values.min()} to {values.max()}. {_ADVICE}"
        )
    scale = 255 if values.max() <= 1 else 1
    return np.rint(values.astype(np.float64) * scale).astype(np.uint8)
