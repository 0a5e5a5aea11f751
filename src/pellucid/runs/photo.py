"""The new photo of a run: in neither part of its data, predicted at the end as the tutorial does."""

from pathlib import Path

from pellucid.data.download import fetch
from pellucid.data.readers.images import read_sample
from pellucid.errors import PellucidError
from pellucid.runs.config import RunConfig
from pellucid.textbook.published import NEW_PHOTO
from pellucid.types import Array, Shape

NewImage = tuple[str, Array | bytes]  # its name, and its pixels (h, w, 3) uint8 or the content of its file


def new_image(config: RunConfig, shape: Shape) -> NewImage | None:
    """Return the photo that was named, else the one that goes with built-in data; None where there is none.

    Parameters
    ----------
    config : RunConfig
    shape : tuple of int
        Of a sample: a model of other data than photos is shown none.

    Raises
    ------
    DataError
        If the photo that was named cannot be read.
    """
    if len(shape) != 3:
        return None
    if config.photo is not None:
        return _content(Path(config.photo), shape)
    if config.source.name == "catvnoncat":
        published = fetch("catvnoncat", mirror=config.source.mirror) / NEW_PHOTO
        return _content(published, shape) if published.is_file() else None
    if config.source.name == "drawn-cats":
        from pellucid.data.drawn import load_new_picture

        return "a new drawing of a cat", load_new_picture()
    return None


def _content(path: Path, shape: Shape) -> NewImage:
    """Return a file's name and content, once it is known that it can be read."""
    read_sample(path, shape)
    return path.name, path.read_bytes()


def new_image_again(config: RunConfig, shape: Shape) -> tuple[NewImage | None, tuple[str, ...]]:
    """Return the new photo of a run that is over, and a note where it is gone."""
    try:
        return new_image(config, shape), ()
    except PellucidError:
        name = Path(config.photo or "").name
        return None, (f"The new photo of the run, {name}, is not there any more; it is left out.",)
