"""An owl on its branch: tufts like ears, a face like a mask, and no cat."""

import numpy as np
from scripts.drawn_cats.canvas import Canvas, Paint
from scripts.drawn_cats.chance import Colour, darker, happens, lighter, pick
from scripts.drawn_cats.coats import any_coat, coat_picture
from scripts.drawn_cats.faces import NIGHT, SIDES, lid, mirrored

_BEAK: Colour = (226, 164, 66)


def owl(canvas: Canvas, rng: np.random.Generator) -> None:
    """Draw the bird about filling -1 to 1, or its face alone."""
    coat = any_coat(rng)
    if happens(rng, 0.3):  # the face alone
        with canvas.placed(0, 0.75, 1.5):
            _bird(canvas, rng, coat_picture(canvas, coat, rng), coat.base, coat.mark)
        return
    wood = pick(rng, ((120, 86, 60), (92, 74, 66), (150, 120, 90)))
    canvas.limb([(-1.3, 0.86), (0, 0.8), (1.3, 0.9)], 0.08, 0.06, wood, darker(wood))
    _bird(canvas, rng, coat_picture(canvas, coat, rng), coat.base, coat.mark)
    for side in SIDES:
        for n in (-1, 0, 1):
            canvas.ellipse(side * 0.2 + n * 0.08, 0.8, 0.045, 0.09, _BEAK, darker(_BEAK))


def _bird(canvas: Canvas, rng: np.random.Generator, fur: Paint, base: Colour, mark: Colour) -> None:
    ink = darker(base, 0.7)
    if happens(rng, 0.6):
        for side in SIDES:
            canvas.shape(mirrored([(0.14, -0.68), (0.5, -0.98), (0.56, -0.5)], side), darker(base, 0.15), ink)
    half = [(0, -0.78), (0.38, -0.7), (0.6, -0.35), (0.58, 0.3), (0.36, 0.74)]
    canvas.blob([*half, (0, 0.82), *mirrored(half[::-1], -1)[:-1]], fur, ink)
    canvas.ellipse(0, 0.38, 0.36, 0.38, lighter(base, 0.4))
    for y, count in ((0.22, 3), (0.38, 4), (0.54, 3)):
        for x in np.linspace(-0.2, 0.2, count):
            canvas.stroke([(x - 0.05, y), (x, y + 0.06), (x + 0.05, y)], 0.04, darker(base, 0.35))
    for side in SIDES:
        wing = [(0.5, -0.15), (0.7, 0.15), (0.62, 0.55), (0.4, 0.7), (0.44, 0.2)]
        canvas.blob(mirrored(wing, side), darker(base, 0.22), ink)
    _face(canvas, rng, base)


def _face(canvas: Canvas, rng: np.random.Generator, base: Colour) -> None:
    iris = pick(rng, ((240, 190, 60), (232, 140, 50), (110, 70, 40)))
    r, is_asleep = rng.uniform(0.15, 0.2), happens(rng, 0.12)
    for side in SIDES:
        canvas.ellipse(side * 0.25, -0.34, 0.29, 0.3, lighter(base, 0.5), darker(base, 0.3))
    for side in SIDES:
        if is_asleep:
            lid(canvas, side * 0.24, -0.34, 0.15, darker(base, 0.8))
            continue
        canvas.ellipse(side * 0.24, -0.34, r, r, iris, NIGHT)
        canvas.ellipse(side * 0.24, -0.34, r * 0.55, r * 0.55, NIGHT)
        canvas.ellipse(side * 0.24 - 0.05, -0.4, 0.045, 0.045, (255, 255, 255))
    canvas.shape([(-0.08, -0.28), (0.08, -0.28), (0, -0.06)], _BEAK, darker(_BEAK))
