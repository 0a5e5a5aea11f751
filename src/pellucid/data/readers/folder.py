"""A folder of photos: listed, and read at one size."""

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.readers.images import InFile, check_size, fill_set, read_size, read_sized_sample
from pellucid.data.readers.listing import Listing, list_folder
from pellucid.data.readers.picture_modes import CROP, UNKNOWN, White, white_notes, white_of_set
from pellucid.data.readers.reading import check_fits, read_each
from pellucid.data.stored.base import choose_rows
from pellucid.data.stored.images import StoredPictures
from pellucid.data.validate import RawPart, RawSplit
from pellucid.errors import DataError
from pellucid.process_state import warnings_ignored
from pellucid.progress import ProgressCallback, no_progress, stage_of
from pellucid.text import join_some, percent, printable
from pellucid.types import Array

_DEFAULT_SIZE = (64, 64)
_LARGEST_KEPT = 256  # pixels a side; larger photos, from a camera, are resized even if they share one size
SQUEEZED = 0.05  # of the ratio of their sides, from which on it is said that images change their shape
HOW = {"squeeze": "squeezed", "crop": "cropped", "pad": "padded"}
MOST_REASONS = 6  # why files cannot be read


class Photo(NamedTuple):
    """A file of a folder, and the reason why it cannot be read, if any."""

    path: Path
    part: int  # 0: the first or only one
    label: int
    group: str = ""  # "cat/mittens", where the class has sub-folders
    size: tuple[int, int] = (0, 0)  # its original height and width
    white: White = UNKNOWN  # that its own values suggest
    fault: str = ""


@dataclass(frozen=True)
class Photos:
    """The photos of a folder, listed; ``read`` reads them.

    A file that cannot be read raises nothing: it is a :class:`Photo` with a fault, and the caller decides.

    Attributes
    ----------
    root : Path
    listings : list of Listing
        One part, or train and test.
    size : (int, int)
        Height and width to which all are resized.
    notes : tuple of str
        What was not used.
    progress : callable
        ``progress(stage, done, total)`` is called after every file.
    known : White
        The value of white, where it is known before the pictures are read.
    """

    root: Path
    listings: list[Listing]
    size: tuple[int, int]
    notes: tuple[str, ...]
    progress: ProgressCallback = no_progress
    known: White = UNKNOWN

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their labels."""
        return self.listings[0].classes

    def white(self, good: list[Photo]) -> White:
        """Return the value of white that the photos that were read have as a set."""
        return white_of_set(self.known, (photo.white for photo in good))

    def reading_notes(self, good: list[Photo]) -> tuple[str, ...]:
        """Return notes on how the size and the value of white were chosen, given the photos that were read.

        Examples
        --------
        >>> photos = [Photo(Path(f"{side}.jpg"), 0, 0, size=(side, 60)) for side in (80, 90)]
        >>> Photos(Path(), [], (64, 64), ()).reading_notes(photos)
        ('images squeezed to 64 × 64 (they were of 2 sizes)',)
        """
        sizes, notes = {photo.size for photo in good}, white_notes(self.white(good))
        if sizes == {self.size}:
            return "images kept at {} × {}".format(*self.size), *notes
        found = "all {} × {}".format(*next(iter(sizes))) if len(sizes) == 1 else f"of {len(sizes)} sizes"
        (height, width) = self.size
        is_other = any(abs(h * width / (w * height) - 1) > SQUEEZED for h, w in sizes)
        how = HOW[self.known.fit] if is_other else "resized"
        cut = self._cut(good) if is_other and self.known.fit == CROP else ""
        return f"images {how} to {height} × {width} (they were {found}){cut}", *notes

    def _cut(self, good: list[Photo]) -> str:
        """Return how much of the photo that loses most is cut off."""
        height, width = self.size
        ratios = [photo.size[0] * width / (photo.size[1] * height) for photo in good]
        kept, photo = min((min(ratio, 1 / ratio), i) for i, ratio in enumerate(ratios))
        name = printable(good[photo].path.relative_to(self.root).as_posix())
        return f", which cuts off up to {percent(1 - kept)} of a photo ({name})"

    def read(self, *, on_disk: bool = False) -> tuple[Any, list[Photo], list[Photo]]:
        """Return the pictures, (m, height, width, 3) uint8, their files, and the files that cannot be read.

        With ``on_disk`` the pictures stay in their files; each was decoded once, and forgotten.
        """
        photos, shape = list(files_of(self.listings)), (*self.size, 3)
        show = stage_of(self.progress, "reading photos")

        def read_one(i: int, white: White) -> tuple[Array, InFile]:
            return read_sized_sample(photos[i].path, shape, white)

        if on_disk:
            rows = read_each(len(photos), lambda i: read_one(i, self.known)[1], show)
        else:
            where = f"{self.root}, {len(photos)} images at {self.size[0]} × {self.size[1]}"
            check_fits(where, len(photos) * math.prod(shape))
            X = np.empty((len(photos), *shape), np.uint8)
            rows, _ = fill_set(X, read_one, self.known, show)
        good = [photos[i]._replace(**its._asdict()) for i, its in rows.found.items()]
        bad = [photos[i]._replace(fault=str(error)) for i, error in rows.faults.items()]
        if on_disk:
            files = [photo.path for photo in good]
            return StoredPictures(str(self.root), files, self.size, self.white(good)), good, bad
        return X[: len(good)], good, bad

    def parts(self, X: Any, good: list[Photo], notes: tuple[str, ...] = ()) -> RawSplit:
        """Return the pictures that were read as one part or two, given them and their files."""
        files = np.array([photo.path.relative_to(self.root).as_posix() for photo in good], dtype=str)
        labels, of_part = np.array([(photo.label, photo.part) for photo in good], np.int64).reshape(-1, 2).T
        numbers: dict[str, int] = {}  # of the sub-folders of classes
        groups = [numbers.setdefault(photo.group or str(photo.path), len(numbers)) for photo in good]
        has_groups, found = any(photo.group for photo in good), []
        for i, listing in enumerate(self.listings):
            rows = of_part == i
            its = np.array(groups)[rows] if has_groups else None
            pixels = choose_rows(X, rows) if len(self.listings) > 1 else X
            found.append(RawPart(pixels, labels[rows], str(listing.folder), its, files[rows]))
        notes = (*self.notes, *notes, *self.reading_notes(good))
        return RawSplit(found[0], (*found, None)[1], self.classes, notes, white=self.white(good))


def open_folder(
    root: Path,
    *,
    image_size: tuple[int, int] | None = None,
    progress: ProgressCallback = no_progress,
    white: White = UNKNOWN,
) -> Photos:
    """List the photos of a folder and choose the size to read them at.

    Parameters
    ----------
    root : Path
        With one sub-folder per class, or with train/ and test/ (or val/, valid/, validation/) that hold them.
        Sub-folders of a class are groups: photos that stay together in every division. Hidden files are ignored.
    image_size : (int, int), optional
        (height, width) in pixels to which all are resized. By default the common size if all images share
        one of at most 256 pixels a side, and 64 x 64 otherwise.
    progress : callable, optional
    white : White, optional
        That of floating-point and of 32-bit grey pictures, where it is known: a model's.

    Raises
    ------
    DataError
        If there are fewer than two classes, a class is empty, or train/ and test/ have different classes.
    OptionError
        If the size is not two whole numbers of at least 1.
    """
    wanted = None if image_size is None else check_size(image_size)
    listings, notes = list_folder(root)
    with warnings_ignored():
        size = choose_size(_sizes([photo.path for photo in files_of(listings)], progress), wanted)
    return Photos(root, listings, size, notes, progress, white)


def _sizes(files: list[Path], progress: ProgressCallback) -> Iterator[tuple[int, int]]:
    for i, file in enumerate(files, start=1):
        with suppress(DataError):  # the fault is found again when the file is read
            yield read_size(file)
        progress("looking at files", i, len(files))


def files_of(listings: list[Listing]) -> Iterator[Photo]:
    """Yield every file with its part and label, not yet read."""
    for part, listing in enumerate(listings):
        for path, label, group in zip(listing.files, listing.y, listing.groups, strict=True):
            yield Photo(path, part, label, group)


def read_folder(root: Path, *, skip_bad: bool = False, on_disk: bool = False, **options: Any) -> RawSplit:
    """Read every image below a folder.

    Parameters
    ----------
    root, **options
        As for :func:`open_folder`.
    skip_bad : bool, optional
        Leave unreadable images out, with a note, instead of raising.
    on_disk : bool, optional
        Leave the images in their files: each is decoded once here, to find those that cannot be read, and again
        whenever it is needed.

    Returns
    -------
    RawSplit
        X is uint8 of shape (m, height, width, 3). Classes are sorted by name, except that of two classes
        called X and non-X the negative one comes first. Floating-point and 32-bit grey pictures have one value of
        white, see :class:`pellucid.data.readers.picture_modes.White`, and a note says which.

    Raises
    ------
    DataError
        As :func:`open_folder`; and if an image cannot be read.
    OptionError
        If the size is not two whole numbers of at least 1.
    """
    photos = open_folder(root, **options)
    X, good, bad = photos.read(on_disk=on_disk)
    raw = photos.parts(X, good, _skipped(photos, bad, skip_bad))
    for listing, part in zip(photos.listings, (raw.train, raw.test), strict=False):
        for label, name in enumerate(listing.classes):
            if part is not None and label not in part.y:
                raise DataError(
                    f"{listing.folder / name}: no image of class {name!r} can be read. "
                    "Save them again as JPEG or PNG."
                )
    return raw


def choose_size(sizes: Iterable[tuple[int, int]], wanted: tuple[int, int] | None = None) -> tuple[int, int]:
    """Return the size to read images at, given those that they have, or the one asked for.

    No more sizes are looked at than it takes.

    Examples
    --------
    >>> choose_size([(80, 60), (80, 60)]), choose_size([(80, 60), (90, 60)]), choose_size([(3000, 4000)])
    ((80, 60), (64, 64), (64, 64))
    """
    if wanted is not None:
        return wanted
    common = None
    for size in sizes:
        if max(size) > _LARGEST_KEPT or common not in (None, size):
            return _DEFAULT_SIZE
        common = size
    return common or _DEFAULT_SIZE


def _skipped(photos: Photos, bad: list[Photo], skip_bad: bool) -> tuple[str, ...]:
    """Return the note on the images left out, if any, or raise."""
    if not bad:
        return ()
    names = [photo.path.relative_to(photos.root).as_posix() for photo in bad]
    n = sum(len(listing.files) for listing in photos.listings)
    if skip_bad:
        return (f"skipped {len(bad)} of {n} images that cannot be read: {join_some(names, most=3)}",)
    faults: dict[str, list[str]] = {}  # of which files, by reason
    for name, photo in zip(names, bad, strict=True):
        faults.setdefault(photo.fault.removeprefix(f"{photo.path}: "), []).append(name)
    reasons = " ".join(f"{join_some(faults[why], most=3)}: {why}" for why in [*faults][:MOST_REASONS])
    raise DataError(
        f"{photos.root}: {len(bad)} of {n} images cannot be read. {reasons} Repair or remove them, or "
        "leave them out: --skip-bad (skip_bad=True in Python)."
    )
