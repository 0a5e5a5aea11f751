"""The built-in data sets: drawings of cats and of other subjects, and points in classes that no line parts.

The drawings have the shape of the published photos (209 pictures to train on, 50 to test on, 64x64 pixels, three
colours), need no download, and are not a toy: dogs, owls and mice share the cats' poses, coats and backgrounds, so
that no colour reveals the cat. Cats are more often near and centred, as people photograph them. The pictures ship
as one file, whose bits never change, with one new picture of a cat to try a trained network on. The program that
drew them, and can draw any number more, is in ``scripts/drawn_cats``.
"""

import hashlib
import io
import math
from collections.abc import Callable, Mapping
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from pellucid.data.dataset import Dataset, Split
from pellucid.errors import DataError
from pellucid.rng import stream
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
Draw = Callable[[int, np.random.Generator], tuple[Array, Array]]


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
    whole = Dataset(X, np.array([int(label) for label in labels], dtype=np.int64), CLASSES, "drawing")
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


def moons(m: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return points of two half circles that reach into each other, and the number of each point's half circle."""
    y = np.arange(m) % 2
    angle = rng.uniform(0, math.pi, m)
    X = np.where(
        y[:, None] == 0,
        np.stack([np.cos(angle), np.sin(angle)], axis=1),
        np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1),
    )
    return X + rng.normal(0, 0.15, X.shape), y


def circles(m: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return points of a circle around another, and the number of each point's circle."""
    y = np.arange(m) % 2
    angle, radius = rng.uniform(0, 2 * math.pi, m), np.where(y == 0, 1.0, 0.45)
    X = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return X + rng.normal(0, 0.1, X.shape), y


def spirals(m: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return points of three arms that wind around the middle, and the number of each point's arm."""
    y = np.arange(m) % 3
    radius = rng.uniform(0.1, 1, m)
    angle = 2 * math.pi * y / 3 + 1.6 * math.pi * radius + rng.normal(0, 0.15, m)
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), y


_SETS: dict[str, tuple[Draw, tuple[str, ...], str]] = {
    "moons": (moons, ("upper", "lower"), "two half circles that reach into each other"),
    "circles": (circles, ("outer", "inner"), "a circle around another"),
    "spirals": (spirals, ("first", "second", "third"), "three arms that wind around the middle"),
}
TOYS: Mapping[str, str] = {
    name: f"500 points of {words}, made by a seed" for name, (_, _, words) in _SETS.items()
}


def load_toy(name: str, seed: int = 1) -> Split:
    """Return a set of points: 300 to train on and 200 to test on, drawn independently.

    Parameters
    ----------
    name : {"moons", "circles", "spirals"}
    seed : int, optional
        Another number draws other points.

    Returns
    -------
    Split
        ``X`` float64 of shape (m, 2), ``y`` int64.

    Examples
    --------
    >>> data = load_toy("spirals")
    >>> data.train.X.shape, data.test.X.shape, data.train.counts
    ((300, 2), (200, 2), array([100, 100, 100]))
    """
    draw, classes, _ = _SETS[name]

    def part(m: int, purpose: str) -> Dataset:
        rng = stream(seed, f"{name} {purpose}")
        X, y = draw(m, rng)
        order = rng.permutation(m)
        return Dataset(X[order], y[order].astype(np.int64), classes, "point")

    return Split(part(300, "train"), part(200, "test"), name, (f"drawn by seed {seed}",))
