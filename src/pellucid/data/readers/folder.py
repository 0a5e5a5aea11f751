"""A folder of photos: listed, and read one by one at one size."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pellucid.data.readers.images import check_size, read_sample, read_size
from pellucid.data.readers.listing import Listing, list_folder
from pellucid.data.validate import RawPart, RawSplit
from pellucid.errors import DataError
from pellucid.progress import ProgressCallback, no_progress
from pellucid.text import join_some
from pellucid.types import Array

_DEFAULT_SIZE = (64, 64)
_LARGEST_KEPT = (
    256  # pixels a side; larger photos, straight from a camera, are resized even if they share one size
)


class Photo(NamedTuple):
    """A file of a folder, and its picture or the reason why it cannot be read."""

    path: Path
    part: int  # 0: the first or only one
    label: int
    image: Array | None = None  # (height, width, 3) uint8, at the common size
    size: tuple[int, int] = (0, 0)  # its original height and width
    fault: str = ""


@dataclass(frozen=True)
class Photos:
    """The photos of a folder: listed, and read one by one when it is iterated over.

    A file that cannot be read raises nothing: it is a :class:`Photo` with a fault, and the caller decides.

    Attributes
    ----------
    root : Path
    listings : list of Listing
        One part, or train and test.
    size : (int, int)
        Height and width to which all are resized.
    notes : tuple of str
        What was not used, and how the size was chosen.
    progress : callable
        ``progress(stage, done, total)`` is called after every file.
    """

    root: Path
    listings: list[Listing]
    size: tuple[int, int]
    notes: tuple[str, ...]
    progress: ProgressCallback = no_progress

    def __len__(self) -> int:
        return sum(len(listing.files) for listing in self.listings)

    def __iter__(self) -> Iterator[Photo]:
        for i, photo in enumerate(files_of(self.listings), start=1):
            try:
                size = read_size(photo.path)
                yield photo._replace(image=read_sample(photo.path, (*self.size, 3)), size=size)
            except DataError as error:
                yield photo._replace(fault=str(error))
            self.progress("reading photos", i, len(self))

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their labels."""
        return self.listings[0].classes

    def read(self) -> tuple[Array, list[Photo], list[Photo]]:
        """Return the pictures, (m, height, width, 3) uint8, their files, and the files that cannot be read."""
        try:
            X = np.empty((len(self), *self.size, 3), np.uint8)
        except MemoryError:
            raise DataError(
                f"{self.root}: {len(self)} images at {self.size[0]} x {self.size[1]} do not fit in memory. "
                "Ask for a smaller image size (--image-size)."
            ) from None
        good: list[Photo] = []
        bad: list[Photo] = []
        for photo in self:
            if photo.image is None:
                bad.append(photo)
            else:
                X[len(good)] = photo.image
                good.append(photo._replace(image=None))
        return X[: len(good)], good, bad


def open_folder(
    root: Path, *, image_size: tuple[int, int] | None = None, progress: ProgressCallback = no_progress
) -> Photos:
    """List the photos of a folder and choose the size to read them at.

    Parameters
    ----------
    root : Path
        With one sub-folder per class, or with train/ and test/ (or val/, valid/, validation/) that hold them.
        Hidden files are ignored.
    image_size : (int, int), optional
        (height, width) in pixels to which all are resized. By default the common size if all images share
        one of at most 256 pixels a side, and 64 x 64 otherwise.
    progress : callable, optional

    Raises
    ------
    DataError
        If there are fewer than two classes, a class is empty, or train/ and test/ have different classes.
    OptionError
        If the size is not two whole numbers of at least 1.
    """
    wanted = None if image_size is None else check_size(image_size)
    listings, notes = list_folder(root)
    sizes: Counter[tuple[int, int]] = Counter()
    files = [] if wanted else [photo.path for photo in files_of(listings)]
    for i, file in enumerate(files, start=1):
        with suppress(DataError):  # the fault is found again when the file is read
            sizes[read_size(file)] += 1
        progress("looking at files", i, len(files))
    size, note = common_size(sizes, wanted)
    return Photos(root, listings, size, (*notes, note), progress)


def files_of(listings: list[Listing]) -> Iterator[Photo]:
    """Yield every file with its part and label, not yet read."""
    for part, listing in enumerate(listings):
        for path, label in zip(listing.files, listing.y, strict=True):
            yield Photo(path, part, label)


def read_folder(root: Path, *, image_size: tuple[int, int] | None = None, skip_bad: bool = False) -> RawSplit:
    """Read every image below a folder.

    Parameters
    ----------
    root, image_size
        As for :func:`open_folder`.
    skip_bad : bool, optional
        Leave unreadable images out, with a note, instead of raising.

    Returns
    -------
    RawSplit
        X is uint8 of shape (m, height, width, 3). Classes are sorted by name, except that of two classes
        called X and non-X the negative one comes first.

    Raises
    ------
    DataError
        As :func:`open_folder`; and if an image cannot be read.
    OptionError
        If the size is not two whole numbers of at least 1.
    """
    photos = open_folder(root, image_size=image_size)
    X, good, bad = photos.read()
    notes = (*photos.notes[:-1], *_skipped(photos, bad, skip_bad), photos.notes[-1])
    labels = np.array([photo.label for photo in good], dtype=np.int64)
    parts = []
    for i, listing in enumerate(photos.listings):
        rows = np.array([photo.part == i for photo in good], dtype=bool)
        parts.append(RawPart(X[rows] if len(photos.listings) > 1 else X, labels[rows], str(listing.folder)))
        if bad:
            _check_not_emptied(listing, parts[-1])
    return RawSplit(parts[0], parts[1] if len(parts) == 2 else None, photos.classes, notes)


def common_size(
    sizes: Counter[tuple[int, int]], wanted: tuple[int, int] | None
) -> tuple[tuple[int, int], str]:
    """Return the size to read images at, given those that they have or the one asked for, and a note on it.

    Examples
    --------
    >>> common_size(Counter({(80, 60): 3, (90, 60): 1}), None)
    ((64, 64), 'images resized to 64 x 64 (they were of 2 sizes)')
    """
    if wanted is not None:
        return wanted, "images resized to {} x {} as asked".format(*wanted)
    if len(sizes) == 1:
        (common,) = sizes
        if max(common) <= _LARGEST_KEPT:
            return common, "images kept at {} x {}".format(*common)
    found = "all {} x {}".format(*next(iter(sizes))) if len(sizes) == 1 else f"of {len(sizes)} sizes"
    return _DEFAULT_SIZE, "images resized to {} x {} (they were {})".format(*_DEFAULT_SIZE, found)


def _skipped(photos: Photos, bad: list[Photo], skip_bad: bool) -> tuple[str, ...]:
    """Return the note on the images left out, if any, or raise."""
    if not bad:
        return ()
    names = join_some([str(photo.path.relative_to(photos.root)) for photo in bad], most=3)
    if skip_bad:
        return (f"skipped {len(bad)} of {len(photos)} images that cannot be read: {names}",)
    raise DataError(
        f"{photos.root}: {len(bad)} of {len(photos)} images cannot be read: {names}. Repair or remove them, or "
        f"pass skip_bad=True (--skip-bad) to leave them out. The first: {bad[0].fault}"
    )


def _check_not_emptied(listing: Listing, part: RawPart) -> None:
    for label, name in enumerate(listing.classes):
        if label not in part.y:
            raise DataError(
                f"{listing.folder / name}: no image of class {name!r} can be read. "
                "Save them again as JPEG or PNG."
            )
