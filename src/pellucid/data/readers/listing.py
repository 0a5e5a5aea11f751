"""What is in folders of photos, and the images that are named: files, folders, patterns, and lists of names.

A folder of photos has a sub-folder a class, below train/ and test/ where the split is given. Sub-folders of a class
are groups, pictures that belong together: pets/cat/mittens/1.jpg.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pellucid.data.readers.picture_modes import HEIC_ENDINGS
from pellucid.errors import DataError
from pellucid.text import first_line, join_some

_TEST_NAMES = ("test", "val", "valid", "validation")
_NOT_SAMPLES = {"thumbs.db", "desktop.ini", "__macosx"}  # left behind by other systems, not hidden here
TABLES = (".csv", ".tsv", ".parquet")  # endings of tables, which are read as rows
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
_MAGIC = re.compile("[*?[]")  # of a pattern
_CHUNK = 2**16  # bytes that are asked for at once


class Listing(NamedTuple):
    """The files of one part, class by class."""

    folder: Path
    classes: tuple[str, ...]
    files: list[Path]
    y: list[int]
    groups: list[str]  # the sub-folder of each file's class, "cat/mittens"; "" where it is in none
    others: list[Path]  # files that are no images by their ending: notes.txt


def list_folder(root: Path) -> tuple[list[Listing], tuple[str, ...]]:
    """Return the files of a folder, as one part or as train and test, and notes; none of them is opened.

    Parameters
    ----------
    root : Path
        As for :func:`pellucid.data.readers.folder.open_folder`.

    Raises
    ------
    DataError
        If there are fewer than two classes, a class is empty, or train/ and test/ have different classes.
    """
    folders, unused = _parts(root)
    listings = [_list_images(folder) for folder in folders]
    if len(listings) == 2 and listings[0].classes != listings[1].classes:
        only = [sorted(set(a.classes) - set(b.classes)) for a, b in (listings, listings[::-1])]
        raise DataError(
            f"{root}: the class folders differ: only in {folders[0].name}/: {join_some(only[0])}; "
            f"only in {folders[1].name}/: {join_some(only[1])}. Give both the same sub-folders."
        )
    unused += [path.relative_to(root).as_posix() for listing in listings for path in listing.others]
    return listings, (f"not used: {join_some(unused, most=3)}",) if unused else ()


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


def _parts(root: Path) -> tuple[list[Path], list[str]]:
    """Return the folder, or the two folders, that hold the class folders, and the names of what else is there."""
    folders, files = visible(root)
    by_name = {folder.name.lower(): folder for folder in folders}
    test = next((by_name[name] for name in _TEST_NAMES if name in by_name), None)
    if "train" not in by_name or test is None:
        return [root], [file.name for file in files] if folders else []
    chosen = [by_name["train"], test]
    return chosen, [path.name for path in (*folders, *files) if path not in chosen]


def _list_images(folder: Path) -> Listing:
    """Return the files of every class; raise unless there is one sub-folder per class."""
    folders, files = visible(folder)
    if len(folders) < 2:
        found = (
            f"one, {folders[0].name!r}" if folders else f"none, but {len(files)} files" if files else "none"
        )
        beside = folder.absolute().parent
        is_class = not folders and files and len(visible(beside)[0]) > 1 and beside != Path.cwd()
        advice = f"Sort the images into folders such as {folder.name}/cat and {folder.name}/non-cat."
        if is_class:
            advice = (
                f"It looks like one class of {folder.parent if folder.name else beside}: name that folder."
            )
        wanted = "at least two sub-folders, one per class"
        raise DataError(f"{folder}: expected {wanted}, found {found}. {advice}")
    classes = order_classes([path.name for path in folders])
    listing = Listing(folder, classes, [], [], [], [])
    for label, name in enumerate(classes):
        nested, loose = visible(folder / name)
        inside = [("", file) for file in loose]
        inside += [
            (f"{name}/{inner.name}", file) for inner in nested for file in _files_of_group(inner, name)
        ]
        listing.others.extend(file for _, file in inside if _is_other(file))
        images = [(group, file) for group, file in inside if not _is_other(file)]
        if not images:
            raise DataError(
                f"{folder / name}: expected the images of class {name!r}, found nothing. "
                "Put images into the folder, or remove it."
            )
        listing.files.extend(file for _, file in images)
        listing.groups.extend(group for group, _ in images)
        listing.y.extend([label] * len(images))
    return listing


def _is_other(file: Path) -> bool:
    """Return whether a file is no image by its ending.

    Examples
    --------
    >>> [_is_other(Path(name)) for name in ("notes.txt", "clip.mp4", "tom.JPG", "tom.heic", "tom")]
    [True, True, False, False, False]
    """
    import mimetypes

    kind = mimetypes.types_map.get(file.suffix.lower())
    return kind is not None and not kind.startswith("image/")


def _files_of_group(folder: Path, name: str) -> list[Path]:
    """Return the files of a sub-folder of a class: pictures that belong together, such as those of one cat."""
    nested, images = visible(folder)
    if nested:
        raise DataError(
            f"{folder}: expected images of class {name!r} that belong together, found the folder "
            f"{nested[0].name!r}. Put images into the folder of their class, or one folder below."
        )
    return images


def visible(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the sub-folders and the files that are not hidden, each sorted by name."""
    folders, files = visible_names(folder)
    return [folder / name for name in folders], [folder / name for name in files]


def visible_names(folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the sub-folders and of the files that are not hidden, each sorted."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(
                (entry.name, entry.is_dir())
                for entry in entries
                if not entry.name.startswith(".") and entry.name.lower() not in _NOT_SAMPLES
            )
    except OSError as error:
        raise DataError(
            f"{folder}: cannot list this folder ({first_line(error)}). Check its permissions."
        ) from None
    folders, files = ([name for name, is_folder in found if is_folder == which] for which in (True, False))
    return folders, files


class NamedImages:
    """The files that names stand for, in order, each folder listed when its turn comes; an iterable.

    Parameters
    ----------
    names : sequence of str or Path
        A file as it is; a folder stands for the images in it and in its sub-folders, each sorted by name; a pattern
        such as ``photos/*.jpg`` for the files that match it, where there is no file of that name.

    Attributes
    ----------
    n_others : int
        Files in folders that are no images by their name, among those that have been gone through.

    Raises
    ------
    DataError
        Where its turn comes: if a folder holds no image, or nothing matches a pattern.
    """

    def __init__(self, names: Sequence[str | Path]) -> None:
        self.names, self.n_others = names, 0

    def __iter__(self) -> Iterator[str]:
        self.n_others = 0
        for name in self.names:
            path = Path(name)
            if path.is_dir():
                yield from self._of_folder(path)
            elif _MAGIC.search(str(name)) and not path.exists():
                import glob

                matches = sorted(Path(match) for match in glob.glob(str(name), recursive=True))
                if not matches:
                    raise DataError(f"{name}: no file matches this pattern. Check the folder and the ending.")
                yield from (str(match) for match in matches if not match.is_dir())
            else:
                yield str(path)

    def _of_folder(self, folder: Path) -> Iterator[str]:
        """Yield the files with an image's ending, those of sub-folders last."""
        endings, waiting, is_empty = image_endings(), [folder], True
        while waiting:
            place = waiting.pop()
            folders, files = visible_names(place)
            waiting += [place / name for name in reversed(folders)]
            for name in files:
                if os.path.splitext(name)[1].lower() in endings:
                    is_empty = False
                    yield str(place / name)
                else:
                    self.n_others += 1
        if is_empty:
            raise DataError(
                f"{folder}: found no image in this folder or below it. Name images such as {folder / '*.jpg'}."
            )


def image_endings() -> set[str]:
    """Return the endings of files that can be read."""
    from PIL import Image

    kinds = Image.registered_extensions()  # fills Image.OPEN, the kinds that can be read
    return {ending for ending, kind in kinds.items() if kind in Image.OPEN} | set(HEIC_ENDINGS)


def listed_images(stream: BinaryIO, separator: bytes = b"\n") -> Iterator[str | bytes]:
    """Yield the images that a list names, one after another as they come; the content of one that comes itself.

    Parameters
    ----------
    stream : binary file
        Names with a separator between them, as ``find`` prints them, or one picture (JPEG, PNG, GIF, TIFF, WebP).
        Empty names are left out.
    separator : bytes, optional
        With a line break, a carriage return before it is no part of a name.

    Raises
    ------
    DataError
        If there is no name at all.

    Examples
    --------
    >>> import io
    >>> list(listed_images(io.BytesIO(b"a.jpg\\n\\nold photos/b.jpg\\n")))
    ['a.jpg', 'old photos/b.jpg']
    >>> list(listed_images(io.BytesIO(b"two\\nlines.jpg\\0c.jpg\\0"), b"\\0"))
    ['two\\nlines.jpg', 'c.jpg']
    """
    rest = stream.read(12)
    if rest.startswith(_SIGNATURES) or (rest[:4], rest[8:]) == (b"RIFF", b"WEBP"):
        yield rest + stream.read()
        return
    names = _names(stream, rest, separator)
    first = next(names, None)
    if first is None:
        raise DataError("standard input: expected names of images, one a line, or an image, found nothing.")
    yield first
    yield from names


def _names(stream: BinaryIO, rest: bytes, separator: bytes) -> Iterator[str]:
    """Yield the names in what has been read and in what follows, those of a slow list as they come."""
    read = getattr(stream, "read1", stream.read)
    chunk = rest
    while chunk:
        chunk = read(_CHUNK)
        *whole, rest = (rest + chunk).split(separator)
        for name in whole if chunk else [*whole, rest]:
            if name := name.removesuffix(b"\r") if separator == b"\n" else name:
                yield os.fsdecode(name)
