"""The images that somebody names: files, folders with all below them, and patterns."""

import glob
from collections.abc import Sequence
from pathlib import Path

from pellucid.data.readers.listing import visible
from pellucid.data.readers.picture_file import HEIC_ENDINGS
from pellucid.errors import DataError


def named_images(names: Sequence[str | Path]) -> tuple[list[Path], int]:
    """Return the files that names stand for, in order, and how many files in folders are no images by their name.

    Parameters
    ----------
    names : sequence of str or Path
        A file as it is; a folder stands for the images in it and in its sub-folders, each sorted by name; a pattern
        such as ``photos/*.jpg`` for the files that match it, where there is no file of that name.

    Raises
    ------
    DataError
        If a folder holds no image, or nothing matches a pattern.
    """
    found: list[Path] = []
    n_others = 0
    for name in names:
        path = Path(name)
        if path.is_dir():
            images, n = _images_below(path)
            if not images:
                raise DataError(
                    f"{path}: found no image in this folder or below it. Name images such as {path / '*.jpg'}."
                )
            found += images
            n_others += n
        elif glob.has_magic(str(name)) and not path.exists():
            matches = sorted(Path(match) for match in glob.glob(str(name), recursive=True))
            if not matches:
                raise DataError(f"{name}: no file matches this pattern. Check the folder and the ending.")
            found += [match for match in matches if not match.is_dir()]
        else:
            found.append(path)
    return found, n_others


def _images_below(folder: Path) -> tuple[list[Path], int]:
    """Return the files with an image's ending, those of sub-folders last, and the number of other files."""
    from PIL import Image

    kinds = Image.registered_extensions()  # fills Image.OPEN, the kinds that can be read
    endings = {ending for ending, kind in kinds.items() if kind in Image.OPEN} | set(HEIC_ENDINGS)
    folders, files = visible(folder)
    images = [path for path in files if path.suffix.lower() in endings]
    n_others = len(files) - len(images)
    for below in folders:
        more, n = _images_below(below)
        images += more
        n_others += n
    return images, n_others
