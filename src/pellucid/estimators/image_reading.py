"""From paths, folders, bytes and arrays to images of one size: each is read, resized, and released."""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.readers.folder import choose_size
from pellucid.data.readers.images import InFile, fill_set, image_to_input, read_size, read_sized_sample
from pellucid.data.readers.listing import image_endings, list_folder, visible_names
from pellucid.data.readers.picture_modes import UNKNOWN, White
from pellucid.errors import DataError
from pellucid.process_state import warnings_ignored
from pellucid.progress import ProgressBar, ProgressCallback, no_progress, stage_of
from pellucid.text import join_some
from pellucid.types import Array, Shape

FILE = str | Path | bytes


class Readings(NamedTuple):
    """Images that were read.

    Attributes
    ----------
    images : Array, shape (m, height, width, 3), dtype uint8
    rows : Array, shape (m,)
        Which of the sources they are.
    faults : dict of int to DataError
        Why each of the others could not be read.
    white : White
        The value of white of the floating-point and of the 32-bit grey pictures among them.
    """

    images: Array
    rows: Array
    faults: dict[int, DataError]
    white: White = UNKNOWN


def image_paths(folder: str | Path) -> tuple[Array, Array | None]:
    """Return the images of a folder and the class of each: as an ImageClassifier reads the folder.

    Arrays of paths can be split, as searches and cross-validation do.

    Parameters
    ----------
    folder : str or Path
        With one sub-folder per class, named after it; or with images only, whose classes are unknown.

    Returns
    -------
    paths : Array of str, shape (m,)
        Class by class, each in the order of the names.
    labels : Array of str, shape (m,), or None

    Raises
    ------
    DataError
        If there is no such folder, it is empty, has one class or an empty one, or is divided into train and test.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> for name in ("cat/1.png", "dog/1.png", "dog/2.png"):
    ...     (root / name).parent.mkdir(exist_ok=True)
    ...     (root / name).touch()
    >>> paths, labels = image_paths(root)
    >>> len(paths), labels.tolist()
    (3, ['cat', 'dog', 'dog'])
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise DataError(f"{root}: expected a folder of images, found none of that name. Check the path.")
    folders, names = visible_names(root)
    files = [str(root / name) for name in names if Path(name).suffix.lower() in image_endings()]
    if files and not folders:
        return np.array(files), None
    listings, _ = list_folder(root)
    if len(listings) > 1:
        parts = [listing.folder.name for listing in listings]
        raise DataError(
            f"{root}: expected one sub-folder per class, found the parts {parts[0]} and {parts[1]}. Fit on "
            f"{listings[0].folder} and score on {listings[1].folder}."
        )
    (listing,) = listings
    labels = np.array(listing.classes)[listing.y]
    return np.array([str(file) for file in listing.files]), labels


def as_sources(X: Any) -> Any:
    """Return images as they were given, one per item: paths, bytes, or arrays.

    Raises
    ------
    DataError
        If X is not a path, a folder, bytes, a list or column of those, or an array of images, or holds none.

    Examples
    --------
    >>> as_sources("one.jpg")
    ['one.jpg']
    >>> len(as_sources(np.zeros((5, 8, 8, 3), np.uint8)))
    5
    """
    if isinstance(X, str | Path) and Path(X).expanduser().is_dir():
        X = image_paths(X)[0]
    elif isinstance(X, str | Path | bytes | bytearray):
        return [X]
    if hasattr(X, "columns") and len(X.columns) == 1:
        X = X[X.columns[0]]
    kind = getattr(getattr(X, "dtype", None), "kind", "O")
    if isinstance(X, np.ndarray):
        X = X[:, 0] if X.ndim == 2 and X.shape[1] == 1 else X
        _check_array(X)
    elif kind in "buif" or hasattr(X, "columns") or not isinstance(X, Iterable):
        raise DataError(f"X: expected {_WANTED}, got {type(X).__name__}.")
    sources = X if isinstance(X, np.ndarray) else list(X)
    if len(sources) == 0:
        raise DataError("X: expected at least one image, found no images.")
    return sources


_WANTED = "a list of paths, a folder, bytes, or images of shape (m, height, width, 3)"


def _check_array(X: Array) -> None:
    if X.dtype.kind == "S":
        raise DataError(
            "X: an array of bytes, from which NumPy drops zeros at the end. Give a list, or an array of objects."
        )
    is_words = X.dtype.kind in "OU"
    if X.ndim != (1 if is_words else 4):
        hint = "Give X[None] for one image, X[..., None] for grey ones." if X.ndim == 3 else ""
        raise DataError(f"X: expected {_WANTED}, got an array of shape {X.shape}. {hint}".strip())


def choose_shape(sources: Sequence[Any], image_size: tuple[int, int] | None) -> Shape:
    """Return the (height, width, 3) to resize images to, by the rule for folders.

    Parameters
    ----------
    sources : sequence
        See :func:`as_sources`.
    image_size : (int, int) or None
        None: their own size if all share one of at most 256 pixels a side, else 64 x 64.

    Examples
    --------
    >>> choose_shape(np.zeros((5, 8, 9, 3), np.uint8), None), choose_shape(["a.jpg"], (32, 32))
    ((8, 9, 3), (32, 32, 3))
    """
    with warnings_ignored():
        return (*choose_size(_sizes(sources), image_size), 3)


def _sizes(sources: Sequence[Any]) -> Iterator[tuple[int, int]]:
    for i, source in enumerate(sources):
        with suppress(DataError):  # reported when it is read
            file = _as_file(source)
            height, width = read_size(file) if file is not None else _pixels(source, i).shape[:2]
            yield height, width


def read_sources(
    sources: Any, shape: Shape, *, white: White = UNKNOWN, in_set: bool = False, has_bar: bool = False
) -> Readings:
    """Return all images that can be read, each resized as soon as it is decoded.

    Parameters
    ----------
    sources : sequence
        See :func:`as_sources`.
    shape : tuple of int
        (height, width, 3); for grey (height, width, 1) or (height, width).
    white : White, optional
        The value of white, where it is known: that of a model's training pictures.
    in_set : bool, optional
        Whether it is that of the set where it is not known, as in a training.
    has_bar : bool, optional
        Show a progress bar, on a terminal.
    """
    if isinstance(sources, np.ndarray) and sources.dtype == np.uint8 and sources.shape[1:] == shape:
        return Readings(sources, np.arange(len(sources)), {})
    images = np.empty((len(sources), *shape), np.uint8)
    progress: ProgressCallback
    with ProgressBar() if has_bar else nullcontext(no_progress) as progress:
        rows, white = fill_set(
            images,
            lambda i, white: _sample(sources[i], i, shape, white, in_set=in_set),
            white,
            stage_of(progress, "reading images"),
        )
    return Readings(images[: len(rows.found)], np.array([*rows.found], np.intp), rows.faults, white)


def _sample(source: Any, i: int, shape: Shape, white: White, *, in_set: bool) -> tuple[Array, InFile]:
    file = _as_file(source)
    if file is None:
        pixels = _pixels(source, i)
        return image_to_input(pixels, shape, white.fit), InFile(pixels.shape[:2])
    try:
        return read_sized_sample(file, shape, white, in_set=in_set)
    except DataError as error:
        if not isinstance(file, bytes):
            raise
        raise DataError(f"image {i} (counted from 0): {error}") from None


def _as_file(source: Any) -> FILE | None:
    """Return a path or bytes to read; None for an array."""
    if isinstance(source, str | Path):
        return Path(source).expanduser()
    return bytes(source) if isinstance(source, bytes | bytearray | memoryview) else None


def _pixels(source: Any, i: int) -> Array:
    """Return an image that was given as an array, (height, width, 3) of bytes."""
    where = f"image {i} (counted from 0)"
    if not isinstance(source, np.ndarray | list | tuple):
        raise DataError(f"{where}: expected a path, bytes or an array, got {type(source).__name__}.")
    image = np.asarray(source)
    if image.ndim == 2:
        image = image[..., np.newaxis]
    if image.ndim != 3 or image.shape[2] not in (1, 3) or not math.prod(image.shape):
        hint = " Drop the transparency: image[..., :3]." if image.shape[2:] == (4,) else ""
        raise DataError(
            f"{where}: expected an image of shape (height, width, 3) or (height, width), got {image.shape}.{hint}"
        )
    image = _as_bytes(image, where)
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image


def _as_bytes(image: Array, where: str) -> Array:
    """Return whole numbers from 0 to 255, or floats from 0 to 1, as bytes."""
    if image.dtype == np.uint8:
        return image
    most = {"f": 1, "u": 255, "i": 255}.get(image.dtype.kind, -1)
    if not (image.min() >= 0 and image.max() <= most):  # NaN is neither
        raise DataError(
            f"{where}: expected whole numbers from 0 to 255, or floats from 0 to 1, got {image.dtype} from "
            f"{image.min()} to {image.max()}. Give X.astype('uint8'), or X / 255."
        )
    return (np.rint(image * 255.0) if most == 1 else image).astype(np.uint8)


def fault_in_words(readings: Readings, sources: Sequence[Any]) -> str:
    """Return one line on the images that could not be read.

    Examples
    --------
    >>> readings = read_sources(["a.jpg"], (8, 8, 3))
    >>> fault_in_words(readings, ["a.jpg"])
    'a.jpg: expected an image, found no such file. Check the path.'
    """
    first = next(iter(readings.faults.values()))
    if len(readings.faults) == 1:
        return str(first)
    names = join_some(named(sources, readings.faults), most=3)
    return f"{len(readings.faults)} of {len(sources)} images cannot be read: {names}. The first: {first}"


def named(sources: Sequence[Any], numbers: Iterable[int]) -> list[str]:
    """Return the names of some of the sources for a message.

    Examples
    --------
    >>> named(["a.jpg", b"", "b.jpg"], [0, 1])
    ['a.jpg', 'image 1']
    """
    return [str(sources[i]) if isinstance(sources[i], str | Path) else f"image {i}" for i in numbers]
