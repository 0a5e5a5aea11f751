"""One whole picture: a background, what is in front of it, and the light that falls on both."""

from contextlib import AbstractContextManager

import numpy as np
from PIL import Image
from scripts.drawn_cats.animals import CAT, LOOKALIKES, Animal, Species
from scripts.drawn_cats.canvas import OVERSAMPLE, Canvas
from scripts.drawn_cats.chance import any_colour, darker, happens, pick, pick_weighted
from scripts.drawn_cats.objects import OBJECTS, PROPS
from scripts.drawn_cats.owls import owl
from scripts.drawn_cats.poses import POSES, close_up
from scripts.drawn_cats.scenes import SCENES

from pellucid.types import Array

_NO_CATS = (("animal", 0.56), ("owl", 0.1), ("object", 0.24), ("scene", 0.1))
# How often the subject is near and in the middle. People photograph their cats so. Were all else so just as
# often, a linear classifier would see nothing; were it much rarer, size alone would do (here: 0.72 at most).
_NEAR = {"cat": 0.85, "animal": 0.45, "owl": 0.45, "object": 0.5, "scene": 0.0}


def picture(rng: np.random.Generator, size: int, *, is_cat: bool) -> Array:
    """Draw one picture.

    Parameters
    ----------
    rng : numpy.random.Generator
        Every choice comes from it; none depends on ``size``, so that a larger picture shows the same scene.
    size : int
        Width and height in pixels.
    is_cat : bool
        Whether a cat is in it.

    Returns
    -------
    Array, shape (size, size, 3), dtype uint8
    """
    canvas = Canvas(size)
    kind = "cat" if is_cat else pick_weighted(rng, _NO_CATS)
    is_near = happens(rng, _NEAR[kind])
    pick_weighted(rng, SCENES)(canvas, rng)
    _props(canvas, rng, 0.1 if is_near else 0.35)
    if kind == "scene":
        return _lit(canvas.image, rng)
    with _placed(canvas, rng, is_near=is_near):
        if kind in ("cat", "animal"):
            _animal(canvas, CAT if is_cat else pick(rng, LOOKALIKES), rng, is_near=is_near)
        else:
            (owl if kind == "owl" else pick(rng, OBJECTS))(canvas, rng)
    return _lit(canvas.image, rng)


def _placed(canvas: Canvas, rng: np.random.Generator, *, is_near: bool) -> AbstractContextManager[None]:
    """Put the subject somewhere: a little aside, larger or smaller, tilted, perhaps mirrored."""
    if is_near:
        scale, room, tilt = float(rng.uniform(0.88, 0.98)), 0.06, 0.1
    else:
        scale = float(rng.uniform(0.5, 0.8))
        room, tilt = 0.9 - scale * 0.75, 0.17
    x, y = float(rng.uniform(-room, room)), float(rng.uniform(-room, room)) * 0.8
    angle = float(rng.uniform(-tilt, tilt))
    return canvas.placed(x, y, scale, angle, is_flipped=happens(rng, 0.5))


def _animal(canvas: Canvas, species: Species, rng: np.random.Generator, *, is_near: bool) -> None:
    pose = close_up if is_near and happens(rng, 0.4) else pick_weighted(rng, POSES)
    # Long ears need room above the head: the animal is drawn lower and a little smaller.
    extra = max(0.0, species.headroom - 1.4) * 0.3
    with canvas.placed(0, extra * 0.6, 1 - 0.35 * extra):
        if pose is not close_up and happens(rng, 0.35):
            cushion = any_colour(rng)
            canvas.ellipse(0, 0.86, 1.05, 0.26, cushion, darker(cushion, 0.5))
        pose(Animal(canvas, species, rng))


def _props(canvas: Canvas, rng: np.random.Generator, probability: float) -> None:
    """Stand something small to the left, to the right, or to both sides."""
    for side in (-1, 1):
        if happens(rng, probability):
            x, y = side * float(rng.uniform(0.6, 0.8)), float(rng.uniform(0.3, 0.75))
            with canvas.placed(x, y, float(rng.uniform(0.2, 0.32))):
                pick(rng, PROPS)(canvas, rng)


def _lit(image: Image.Image, rng: np.random.Generator) -> Array:
    """Average the picture down, then light it: a gradient, a brightness, a tint, a grain."""
    small: Array = np.array(image.reduce(OVERSAMPLE), dtype=np.float32)
    size = small.shape[0]
    across = np.linspace(-1, 1, size, dtype=np.float32)
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.24)
    right, down = np.float32(depth * np.cos(angle)), np.float32(depth * np.sin(angle))
    tint = (rng.uniform(0.8, 1.1) * (1 + rng.uniform(-0.05, 0.05, 3))).astype(np.float32)
    small *= (1 + right * across[None, :, None] + down * across[:, None, None]) * tint
    contrast = np.float32(rng.uniform(0.75, 1.05))
    small = 128 + (small - 128) * contrast
    grain = np.float32(pick(rng, (0.0, 0.0, 2.0, 4.0)))
    if grain:
        small += grain * rng.standard_normal((size, size, 1), dtype=np.float32)
    return np.clip(np.rint(small), 0, 255).astype(np.uint8)
