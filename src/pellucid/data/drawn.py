"""The built-in data set: small drawings of cats and of other subjects.

It has the shape of the published photos (209 pictures to train on, 50 to test on, 64x64 pixels, three colours),
needs no download, and is not a toy: dogs, owls and mice share the cats' poses, coats and backgrounds, so that no
colour reveals the cat. Cats are more often near and centred, as people photograph them. The pictures ship
as one file, whose bits never change, with one new picture of a cat to try a trained network on. The program that
drew them, and can draw any number more, is in ``scripts/drawn_cats``.
"""

import hashlib
import io
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from pellucid.data.dataset import Dataset, Split
from pellucid.errors import DataError
from pellucid.types import Array

if TYPE_CHECKING:
    from PIL import Image

CLASSES = ("non-cat", "cat")
FILE_NAME, NEW_NAME = "drawn-cats.png", "drawn-cat-new.png"
SHA256 = {
    FILE_NAME: "90bbcdb8e26b9888e45b4fb3dfa57c2d36586a6c8e0150462130f3c50efdc528",
    NEW_NAME: "4b0329aa6421c062bf6b59ec200a7b78f5e1833381775d2f16d6c2b0e5b2e236",
}
SIZE = 64
N_TRAIN, N_TEST = 209, 50
COLUMNS = 19  # of the shipped sheet: 11 full rows of training pictures, then the test pictures


def load_drawn_cats() -> Split:
    """Return the shipped pictures: 209 to train on and 50 to test on.

    Returns
    -------
    Split
        Named ``drawn-cats``; ``train.X (209, 64, 64, 3)`` and ``test.X (50, 64, 64, 3)`` uint8, ``y`` int64 with
        1 = cat: 105 of 209 and 25 of 50. New arrays at each call.

    Raises
    ------
    DataError
        If the shipped file is missing or damaged.

    Examples
    --------
    >>> cats = load_drawn_cats()
    >>> cats.train.X.shape, cats.train.counts, cats.test.counts
    ((209, 64, 64, 3), array([104, 105]), array([25, 25]))
    """
    with _shipped(FILE_NAME) as sheet:
        labels = sheet.info["labels"]
        rows = np.asarray(sheet).reshape(-1, SIZE, COLUMNS, SIZE, 3)
    X = rows.swapaxes(1, 2).reshape(-1, SIZE, SIZE, 3)[: N_TRAIN + N_TEST]
    y = np.array([int(label) for label in labels], dtype=np.int64)
    whole = Dataset(X, y, CLASSES, "drawing")
    return Split(whole.take(slice(N_TRAIN)), whole.take(slice(N_TRAIN, None)), "drawn-cats")


def load_new_picture() -> Array:
    """Return a drawing of a cat that is in neither part: uint8 of shape (256, 256, 3).

    Raises
    ------
    DataError
        If the shipped file is missing or damaged.

    Examples
    --------
    >>> load_new_picture().shape
    (256, 256, 3)
    """
    with _shipped(NEW_NAME) as picture:
        return np.array(picture)


def _shipped(name: str) -> "Image.Image":
    """Return a shipped picture, the hash of whose file is checked."""
    from PIL import Image

    try:
        content = resources.files("pellucid.data").joinpath(name).read_bytes()
    except OSError as error:
        raise DataError(
            f"drawn-cats: expected {name} among pellucid's own files, got {error}. Reinstall pellucid."
        ) from error
    if (found := hashlib.sha256(content).hexdigest()) != SHA256[name]:
        raise DataError(
            f"drawn-cats: {name} is damaged: {len(content)} bytes, sha256 {found[:12]}.... Reinstall pellucid."
        )
    return Image.open(io.BytesIO(content))
