"""Any photo that Pillow opens, as a (height, width, 3) array of bytes, as it looks on screen."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pellucid.data.readers.picture_modes import (
    CROP,
    SPARE,
    SQUEEZE,
    UNKNOWN,
    Box,
    White,
    at_size,
    opened,
    or_else,
    orientation,
    own_white,
    to_rgb,
    upright,
    upright_box,
    white_of_set,
)
from pellucid.data.readers.reading import ROOM, Rows, fill_rows, read_each
from pellucid.errors import OptionError, ShapeError
from pellucid.progress import CountCallback
from pellucid.types import Array, Shape, is_image_shape

if TYPE_CHECKING:
    from PIL import Image

LONGEST_SIDE = 4096  # pixels: anything above is a mistake, and would fill the memory


def read_image(source: str | Path | bytes, *, for_size: Sequence[int] | None = None) -> Array:
    """Return an image as it looks on screen.

    A camera's rotation mark (EXIF) is applied, transparency is composited over white, and grey, palette,
    CMYK, 1-bit, 16-bit and floating-point images become RGB. Only the first frame of an animation is read.

    Parameters
    ----------
    source : str, Path or bytes
        A file, or the content of one.
    for_size : (int, int), optional
        The (height, width) that it will be resized to. A JPEG that is at least 4 times as high and as wide comes
        at a half, a quarter or an eighth of its size, never below twice what was asked for: see Notes.

    Returns
    -------
    image : Array, shape (h, w, 3), dtype uint8

    Raises
    ------
    DataError
        If it is missing, empty, cut off, not an image, or larger than Pillow's safety limit.

    Notes
    -----
    A 16-bit grey value v becomes v / 257, rounded, so that 65535 becomes 255; one of 32 bits too, where some pixel
    is above 255. A floating-point image is taken as 0 to 1: of one alone, nothing else is known.

    JPEG stores blocks of 8 x 8 pixels as frequencies, so that a decoder can leave out the high ones and never needs
    the memory of the full picture (``Image.draft`` of Pillow). What that changes after resizing is a grey level
    here and there, measured in docs/limits.md. Training and prediction read alike: see :func:`read_sample`.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.new("RGBA", (3, 2), (255, 0, 0, 0)).save(file, "PNG")     # red, and wholly transparent
    >>> image = read_image(file.getvalue())
    >>> image.shape, image[0, 0].tolist()
    ((2, 3, 3), [255, 255, 255])
    """
    with _decoded(source, for_size) as (image, _, _):
        return np.array(image)


class InFile(NamedTuple):
    """What a picture is in its file: its height and width, and the value of white that its own values suggest."""

    size: tuple[int, int]
    white: White = UNKNOWN


def read_sample(source: str | Path | bytes, shape: Shape, white: White = UNKNOWN) -> Array:
    """Return a picture in the shape of one sample of a model, still uint8: the one way from a file to an input.

    Parameters
    ----------
    source : str, Path or bytes
    shape : tuple of int
        As for :func:`image_to_input`.
    white : White, optional
        That of the pictures that the model was trained on.

    Raises
    ------
    DataError
        As :func:`read_image`; and if values are above that of white.
    ShapeError
        If the model does not take images.
    """
    return read_sized_sample(source, shape, white, in_set=False)[0]


def read_original_and_sample(
    source: str | Path | bytes, shape: Shape, white: White = UNKNOWN
) -> tuple[Array, Array]:
    """Return what `read_image` and `read_sample` return for a picture, decoding it once.

    The former as :func:`shown_part` has it: in the shape of the latter, unless that is squeezed.
    """
    check_takes_images(shape)
    with _decoded(source, shape[:2], white) as (image, _, box):
        return np.array(_in_shape(image, shape, white.fit)), _as_input(image, shape, white.fit, box)


def shown_part(image: Array, shape: Shape, fit: str) -> Array:
    """Return what of an RGB image a model takes in, at its own scale: its middle, all of it with bars, or all."""
    from PIL import Image

    return image if fit == SQUEEZE else np.array(_in_shape(Image.fromarray(image), shape, fit))


def _in_shape(image: "Image.Image", shape: Shape, fit: str) -> "Image.Image":
    if fit == SQUEEZE:
        return image
    (across, down), wanted = image.size, shape[1] / shape[0]
    longer = min if fit == CROP else max
    size = longer(down, across / wanted), longer(across, down * wanted)
    return at_size(image, (max(1, round(size[0])), max(1, round(size[1]))), fit)


def read_sized_sample(
    source: str | Path | bytes, shape: Shape, white: White = UNKNOWN, *, in_set: bool = True
) -> tuple[Array, InFile]:
    """Return what `read_sample` returns, and what the picture is in its file.

    One of a set whose value of white is not known is read by its own, until :func:`fill_set` knows all of them.
    """
    check_takes_images(shape)
    with _decoded(source, shape[:2], white, in_set=in_set) as (image, in_file, box):
        return _as_input(image, shape, white.fit, box), in_file


def fill_set(
    X: Array, read: Callable[[int, White], tuple[Array, InFile]], known: White, progress: CountCallback
) -> tuple[Rows[InFile], White]:
    """Fill an array with a set of pictures, all by one value of white, and return what was read, and that value.

    Parameters
    ----------
    X : Array, shape (n, ...), dtype uint8
    read : callable
        ``read(i, white)`` returns what :func:`read_sized_sample` does.
    known : White
        Where it is not known, the set decides: those that were read by a smaller value of their own are read again.
    progress : callable
        As for :func:`pellucid.data.readers.reading.fill_rows`.
    """
    rows = fill_rows(X, lambda i: read(i, known), progress)
    white = white_of_set(known, (its.white for its in rows.found.values()))
    again = [
        (row, i)
        for row, (i, its) in enumerate(rows.found.items())
        if or_else(white_of_set(known, [its.white]), white) != white
    ]

    def fill(n: int) -> None:
        row, i = again[n]
        X[row], _ = read(i, white)

    for fault in read_each(len(again), fill).faults.values():
        raise fault
    return rows, white


def read_size(source: str | Path | bytes) -> tuple[int, int]:
    """Return the (height, width) that `read_image` would give, without decoding the pixels.

    Raises
    ------
    DataError
        As `read_image`, except that damaged pixels go unnoticed.
    """
    with opened(source) as (image, _):
        return _upright(image.size, image)


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
    channels = (Image.fromarray(np.ascontiguousarray(channel)) for channel in np.moveaxis(image, 2, 0))
    return np.stack([np.asarray(channel.resize(size)) for channel in channels], axis=2)


def image_to_input(image: Array, shape: Shape, fit: str = SQUEEZE) -> Array:
    """Return an RGB image in the shape of one sample of a model, still uint8.

    Parameters
    ----------
    image : Array, shape (h, w, 3), dtype uint8
    shape : tuple of int
        The model's input shape: (height, width, 3), or (height, width, 1) or (height, width) for grey.
    fit : {"squeeze", "crop", "pad"}, optional
        How it gets that shape: the whole image squeezed, its middle cut out, or the whole of it with black bars.

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

    check_takes_images(shape)
    if image.ndim != 3 or image.shape[2] != 3:
        raise ShapeError(f"image: expected shape (h, w, 3), got {image.shape}. Read it with read_image.")
    _check_bytes(image)
    return _as_input(Image.fromarray(np.ascontiguousarray(image)), shape, fit)


def _check_bytes(image: Array) -> None:
    if image.ndim != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ShapeError(
            f"image: expected shape (h, w, c) and dtype uint8, got {image.shape} and {image.dtype}. "
            "A grey image has c = 1; multiply values from 0 to 1 by 255."
        )


def check_takes_images(shape: Any) -> None:
    """Raise ShapeError unless samples of this shape are images; those of several inputs are not."""
    if not is_image_shape(shape) or shape[2:] == (4,):
        raise ShapeError(
            f"the model takes samples of shape {shape}, which are not images: expected (height, width, 3), "
            "(height, width, 1) or (height, width). Give it rows of numbers instead."
        )


def _as_input(image: "Image.Image", shape: Shape, fit: str, box: Box | None = None) -> Array:
    """Return an RGB picture, or the part in a box, at a model's size, in grey where the model takes grey ones."""
    resized = at_size(image, check_size(shape[:2]), fit, box)
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
def _decoded(
    source: str | Path | bytes,
    for_size: Sequence[int] | None,
    white: White = UNKNOWN,
    *,
    in_set: bool = False,
) -> "Iterator[tuple[Image.Image, InFile, Box | None]]":
    """Yield a picture; a JPEG comes at reduced size where it will be resized to ``for_size``."""
    with opened(source) as (image, where):
        stored, extent = image.size, None
        n_pixels = image.width * image.height
        # of other formats, asking for EXIF may decode all
        if for_size is not None and image.format in ("JPEG", "MPO"):
            height, width = for_size if orientation(image) < 5 else for_size[::-1]
            reduced = image.draft(None, (SPARE * width, SPARE * height))
            extent = None if reduced is None else reduced[1]
            if not image.info.get("progressive"):  # a progressive one is held whole until its last scan
                n_pixels = image.width * image.height
        with ROOM.taken(n_pixels):
            image.load()  # before the rotation, whose failures are ignored: those of the pixels are not
            size = _upright(stored, image)
            box = None if extent is None else upright_box(extent[2:], image.size, orientation(image))
            own = own_white(image)
            rgb = to_rgb(upright(image), where, or_else(white, own) if in_set else white)
            yield rgb, InFile(size, own), box


def _upright(size: tuple[int, int], image: "Image.Image") -> tuple[int, int]:
    """Return the height and width of what is stored as (width, height)."""
    return size if orientation(image) >= 5 else size[::-1]
