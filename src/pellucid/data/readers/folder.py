"""A folder of photos, one sub-folder a class, with train/ and test/ above them if the split is given."""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pellucid.data.readers.images import check_size, read_image, read_size, resize_image
from pellucid.data.validate import Part, RawSplit
from pellucid.errors import DataError
from pellucid.text import first_line, join_some

_TEST_NAMES = ("test", "val", "valid", "validation")
_DEFAULT_SIZE = (64, 64)
_LARGEST_KEPT = 256  # pixels a side; photos of one size, but straight from a camera, are still made small
_NOT_SAMPLES = {"thumbs.db", "desktop.ini", "__macosx"}  # what other systems leave behind, unhidden here


class Listing(NamedTuple):
    """The files of one part, class by class."""

    folder: Path
    classes: tuple[str, ...]
    files: list[Path]
    y: list[int]


def read_folder(root: Path, *, image_size: tuple[int, int] | None = None, skip_bad: bool = False) -> RawSplit:
    """Read every image below a folder.

    Parameters
    ----------
    root : Path
        With one sub-folder a class, or with train/ and test/ (or val/, valid/, validation/) that hold them.
        Hidden files are ignored.
    image_size : (int, int), optional
        (height, width) in pixels to which all are resized. By default the common size if all images share
        one of at most 256 pixels a side, and 64 x 64 otherwise.
    skip_bad : bool, optional
        Leave unreadable images out, with a note, instead of raising.

    Returns
    -------
    Raw
        X is uint8 of shape (m, height, width, 3). Classes are sorted by name, except that of two classes
        called X and non-X the negative one comes first.

    Raises
    ------
    DataError
        If there are fewer than two classes, a class is empty, train/ and test/ have different classes, or an
        image cannot be read.
    OptionError
        If the size is not two whole numbers from 1 up.
    """
    wanted = None if image_size is None else check_size(image_size)
    listings, notes = list_folder(root)
    bad: dict[Path, str] = {}
    size, size_note = _choose_size(listings, wanted, bad)
    parts = [_read_images(listing, size, bad) for listing in listings]
    if bad:
        notes += (_report(root, bad, sum(len(listing.files) for listing in listings), skip_bad),)
        for listing, part in zip(listings, parts, strict=True):
            _check_not_emptied(listing, part)
    test = parts[1] if len(parts) == 2 else None
    return RawSplit(parts[0], test, listings[0].classes, (*notes, size_note))


def list_folder(root: Path) -> tuple[list[Listing], tuple[str, ...]]:
    """Return the files of a folder, as one part or as train and test, and notes; none of them is opened.

    Parameters
    ----------
    root : Path
        As for :func:`read_folder`.

    Raises
    ------
    DataError
        If there are fewer than two classes, a class is empty, or train/ and test/ have different classes.
    """
    folders, notes = _parts(root)
    listings = [_list_images(folder) for folder in folders]
    if len(listings) == 2 and listings[0].classes != listings[1].classes:
        only = [sorted(set(a.classes) - set(b.classes)) for a, b in (listings, listings[::-1])]
        raise DataError(
            f"{root}: the class folders differ: only in {folders[0].name}/: {join_some(only[0])}; "
            f"only in {folders[1].name}/: {join_some(only[1])}. Give both the same sub-folders."
        )
    return listings, notes


def common_size(
    sizes: Counter[tuple[int, int]], wanted: tuple[int, int] | None
) -> tuple[tuple[int, int], str]:
    """Return the size to read images at, given those that they have or the one asked for, and the note on it.

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
    came = "all {} x {}".format(*next(iter(sizes))) if len(sizes) == 1 else f"of {len(sizes)} sizes"
    return _DEFAULT_SIZE, "images resized to {} x {} (they were {})".format(*_DEFAULT_SIZE, came)


def order_classes(names: list[str]) -> tuple[str, ...]:
    """Return class names in the order of their labels.

    Examples
    --------
    >>> order_classes(["dog", "cat"])
    ('cat', 'dog')
    >>> order_classes(["cat", "non-cat"])       # so that 1 means cat
    ('non-cat', 'cat')
    """
    names = sorted(names)
    if len(names) == 2:
        for positive, negative in (names, names[::-1]):
            if re.fullmatch(rf"(non|not|no)[-_ ]?{re.escape(positive)}", negative, re.IGNORECASE):
                return (negative, positive)
    return tuple(names)


def _parts(root: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Return the folder, or the two folders, that hold the class folders."""
    folders, files = _visible(root)
    by_name = {folder.name.lower(): folder for folder in folders}
    test = next((by_name[name] for name in _TEST_NAMES if name in by_name), None)
    if "train" not in by_name or test is None:
        ignored = [file.name for file in files] if folders else []
        chosen = [root]
    else:
        chosen = [by_name["train"], test]
        ignored = [path.name for path in (*folders, *files) if path not in chosen]
    return chosen, (f"not used: {join_some(ignored, most=3)}",) if ignored else ()


def _list_images(folder: Path) -> Listing:
    """Return the files of every class, refusing what is not one sub-folder a class."""
    folders, files = _visible(folder)
    if len(folders) < 2:
        found = (
            f"one, {folders[0].name!r}" if folders else f"none, but {len(files)} files" if files else "none"
        )
        raise DataError(
            f"{folder}: expected at least two sub-folders, one a class, found {found}. "
            f"Sort the images into folders such as {folder.name}/cat and {folder.name}/non-cat."
        )
    classes = order_classes([path.name for path in folders])
    listing = Listing(folder, classes, [], [])
    for label, name in enumerate(classes):
        nested, images = _visible(folder / name)
        if nested or not images:
            found = f"the folder {nested[0].name!r}" if nested else "nothing"
            raise DataError(
                f"{folder / name}: expected the images of class {name!r}, found {found}. "
                "Put the images right into the folder of their class, or remove it."
            )
        listing.files.extend(images)
        listing.y.extend([label] * len(images))
    return listing


def _visible(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the sub-folders and the files that are not hidden, each sorted by name."""
    try:
        entries = sorted(path for path in folder.iterdir() if not _is_hidden(path.name))
        return [path for path in entries if path.is_dir()], [path for path in entries if not path.is_dir()]
    except OSError as error:
        raise DataError(
            f"{folder}: cannot list this folder ({first_line(error)}). Check its permissions."
        ) from None


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _NOT_SAMPLES


def _choose_size(
    listings: list[Listing], wanted: tuple[int, int] | None, bad: dict[Path, str]
) -> tuple[tuple[int, int], str]:
    """Return the size to read at and the note on it; files that cannot be opened are added to ``bad``."""
    sizes: Counter[tuple[int, int]] = Counter()
    for file in (file for listing in listings if wanted is None for file in listing.files):
        try:
            sizes[read_size(file)] += 1
        except DataError as error:
            bad[file] = str(error)
    return common_size(sizes, wanted)


def _read_images(listing: Listing, size: tuple[int, int], bad: dict[Path, str]) -> Part:
    images, y = [], []
    for file, label in zip(listing.files, listing.y, strict=True):
        if file in bad:
            continue
        try:
            images.append(resize_image(read_image(file), *size))
            y.append(label)
        except DataError as error:
            bad[file] = str(error)
    X = np.stack(images) if images else np.empty((0, *size, 3), np.uint8)
    return Part(X, np.array(y, dtype=np.int64), str(listing.folder))


def _report(root: Path, bad: dict[Path, str], n_files: int, skip_bad: bool) -> str:
    """Return the note on the images left out, or raise."""
    names = join_some([str(file.relative_to(root)) for file in sorted(bad)], most=3)
    if skip_bad:
        return f"skipped {len(bad)} of {n_files} images that cannot be read: {names}"
    reason = next(iter(bad.values()))
    raise DataError(
        f"{root}: {len(bad)} of {n_files} images cannot be read: {names}. Repair or remove them, or pass "
        f"skip_bad=True (--skip-bad) to leave them out. The first: {reason}"
    )


def _check_not_emptied(listing: Listing, part: Part) -> None:
    for label, name in enumerate(listing.classes):
        if label not in part.y:
            raise DataError(
                f"{listing.folder / name}: not one image of class {name!r} can be read. "
                "Save them again as JPEG or PNG."
            )
