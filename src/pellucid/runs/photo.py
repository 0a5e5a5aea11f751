"""The new photo of a run: in neither part of its data, predicted at the end as the tutorial does."""

from pathlib import Path

from pellucid.data.dataset import Dataset
from pellucid.data.download import fetch
from pellucid.data.readers.images import read_sample
from pellucid.errors import DataError
from pellucid.runs.config import RunConfig
from pellucid.textbook.published import NEW_PHOTO
from pellucid.types import Array

NewImage = tuple[str, Array | bytes]  # its name, and its pixels (h, w, 3) uint8 or the content of its file


def new_image(config: RunConfig, train: Dataset) -> NewImage | None:
    """Return the photo that was named, else the one that goes with built-in data; None where there is none.

    Parameters
    ----------
    config : RunConfig
    train : Dataset
        The training part: a model of other data than photos is shown none.

    Raises
    ------
    DataError
        If the photo that was named cannot be read, or the samples are not photos.
    """
    if train.X.ndim != 4:
        if config.photo is not None:
            raise DataError(f"--photo: the samples of {config.source.name} are not photos. Leave it out.")
        return None
    if config.photo is not None:
        return _content(Path(config.photo), train)
    if config.source.name == "catvnoncat":
        published = fetch("catvnoncat", mirror=config.source.mirror) / NEW_PHOTO
        return _content(published, train) if published.is_file() else None
    if config.source.name == "drawn-cats":
        from pellucid.data.built_in import load_new_picture

        return "a new drawing of a cat", load_new_picture()
    return None


def _content(path: Path, train: Dataset) -> NewImage:
    """Return a file's name and content, once it is known that it can be read."""
    read_sample(path, train.X.shape[1:], train.white)
    return path.name, path.read_bytes()
