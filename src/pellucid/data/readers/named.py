"""The images that are named: files, folders with all below them, patterns, and lists of names."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from pellucid.data.readers.listing import visible_names
from pellucid.data.readers.picture_file import HEIC_ENDINGS
from pellucid.errors import DataError

TABLES = (".csv", ".tsv", ".parquet")  # endings of tables, which are read as rows
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
_MAGIC = re.compile("[*?[]")  # of a pattern
_CHUNK = 2**16  # bytes that are asked for at once


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
