"""Objects that are no animals, each about filling -1 to 1 both ways."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scripts.drawn_cats.canvas import Canvas, ellipse_points
from scripts.drawn_cats.chance import Colour, any_colour, darker, happens, lighter, pick
from scripts.drawn_cats.coats import any_coat, coat_picture

Object: TypeAlias = Callable[[Canvas, np.random.Generator], None]
_LEAVES: tuple[Colour, ...] = ((86, 138, 72), (112, 150, 64), (66, 116, 84), (150, 150, 70))
_GLASS: Colour = (188, 214, 226)


def _paint(rng: np.random.Generator) -> Colour:
    """Return a fur's colour as often as any other: objects must not be brighter than animals."""
    return any_coat(rng).base if happens(rng, 0.5) else any_colour(rng)


def flowers(canvas: Canvas, rng: np.random.Generator) -> None:
    """One large flower, or three in a row."""
    stem = pick(rng, _LEAVES)
    places = pick(rng, ([(0.0, -0.3, 0.62)], [(-0.6, -0.1, 0.38), (0.02, -0.5, 0.42), (0.62, -0.05, 0.36)]))
    petal, heart, n_petals = _paint(rng), pick(rng, ((236, 190, 70), (110, 74, 50))), int(rng.integers(5, 10))
    for x, y, _ in places:
        canvas.limb([(x, y), (x * 0.8 + 0.05, 0.4), (x * 0.6, 1.0)], 0.05, 0.05, stem, darker(stem))
        canvas.ellipse(x * 0.7 + 0.2, 0.62, 0.22, 0.09, stem, darker(stem), -0.6)
    for x, y, r in places:
        for angle in np.linspace(0, 2 * np.pi, n_petals, endpoint=False):
            px, py = x + 0.62 * r * np.cos(angle), y + 0.62 * r * np.sin(angle)
            canvas.ellipse(px, py, r * 0.42, r * 0.26, petal, darker(petal), angle)
        canvas.ellipse(x, y, r * 0.32, r * 0.32, heart, darker(heart))


def house(canvas: Canvas, rng: np.random.Generator) -> None:
    """A house with a pointed roof, a door and windows."""
    wall, roof, door = _paint(rng), _paint(rng), any_colour(rng)
    half, eaves = rng.uniform(0.55, 0.75), rng.uniform(-0.3, 0.0)
    canvas.box(0.25, -0.8, 0.42, eaves, darker(roof, 0.3))
    canvas.shape([(-half, eaves), (half, eaves), (half, 0.9), (-half, 0.9)], wall, darker(wall, 0.6))
    canvas.shape(
        [(-half - 0.15, eaves), (0, rng.uniform(-1.0, -0.75)), (half + 0.15, eaves)], roof, darker(roof, 0.6)
    )
    canvas.shape([(-0.14, 0.4), (0.14, 0.4), (0.14, 0.9), (-0.14, 0.9)], door, darker(door, 0.6))
    for x in (-half * 0.62, half * 0.62):
        pane = [(x - 0.13, 0.1), (x + 0.13, 0.1), (x + 0.13, 0.36), (x - 0.13, 0.36)]
        canvas.shape(pane, pick(rng, (_GLASS, (244, 216, 128))), darker(wall, 0.6))


def tree(canvas: Canvas, rng: np.random.Generator) -> None:
    """A leafy tree or a fir."""
    bark, leaf = pick(rng, ((112, 82, 60), (140, 112, 88))), pick(rng, (*_LEAVES, _paint(rng), _paint(rng)))
    canvas.limb([(0, 0.95), (0.03, 0.3)], 0.14, 0.09, bark, darker(bark))
    if happens(rng, 0.5):
        for y, half in ((0.55, 0.75), (0.1, 0.58), (-0.3, 0.4)):
            canvas.shape([(-half, y), (0, y - 0.7), (half, y)], leaf, darker(leaf, 0.5))
        return
    for _ in range(6):
        x, y = rng.uniform(-0.45, 0.45), rng.uniform(-0.6, 0.1)
        canvas.ellipse(x, y, rng.uniform(0.3, 0.45), rng.uniform(0.28, 0.4), leaf, darker(leaf, 0.35))
    for _ in range(int(rng.integers(0, 6))):
        canvas.ellipse(rng.uniform(-0.5, 0.5), rng.uniform(-0.6, 0.2), 0.09, 0.09, (206, 70, 60))


def car(canvas: Canvas, rng: np.random.Generator) -> None:
    """A car from the side."""
    body = _paint(rng)
    cabin = [(-0.6, 0.1), (-0.4, -0.4), (0.2, -0.42), (0.52, 0.1)]
    canvas.shape(cabin, body, darker(body, 0.6))
    canvas.shape([(-0.46, 0.06), (-0.32, -0.28), (-0.12, -0.28), (-0.12, 0.06)], _GLASS)
    canvas.shape([(0.0, 0.06), (0.0, -0.28), (0.16, -0.28), (0.36, 0.06)], _GLASS)
    shell = [(-0.95, 0.1), (0.0, 0.06), (0.75, 0.12), (0.97, 0.3), (0.95, 0.55), (-0.95, 0.55)]
    canvas.blob(shell, body, darker(body, 0.6))
    canvas.ellipse(0.86, 0.3, 0.07, 0.07, (246, 226, 150))
    for x in (-0.55, 0.55):
        canvas.ellipse(x, 0.55, 0.24, 0.24, (44, 42, 46))
        canvas.ellipse(x, 0.55, 0.11, 0.11, (190, 190, 194))


def fruit(canvas: Canvas, rng: np.random.Generator) -> None:
    """An apple, a pear or three plums."""
    skin, leaf, kind = _paint(rng), pick(rng, _LEAVES), int(rng.integers(3))
    if kind == 2:
        for x, y in ((-0.42, 0.35), (0.42, 0.35), (0.0, -0.2)):
            canvas.ellipse(x, y, 0.42, 0.4, skin, darker(skin, 0.5))
            canvas.ellipse(x - 0.14, y - 0.14, 0.09, 0.06, lighter(skin, 0.6))
        return
    half = [(0, -0.5), (0.5, -0.6), (0.78, -0.1), (0.6, 0.6), (0.2, 0.8)]
    if kind == 1:
        half = [(0, -0.8), (0.25, -0.65), (0.32, -0.2), (0.66, 0.3), (0.45, 0.78)]
    top = half[0][1]
    canvas.blob([*half, (0, 0.74), *[(-x, y) for x, y in half[:0:-1]]], skin, darker(skin, 0.5))
    canvas.ellipse(-0.3, 0.05, 0.1, 0.2, lighter(skin, 0.5), None, 0.4)
    canvas.limb([(0, top + 0.06), (0.06, top - 0.25)], 0.04, 0.05, (96, 70, 50))
    canvas.ellipse(0.26, top - 0.16, 0.22, 0.1, leaf, darker(leaf), -0.4)


def ball(canvas: Canvas, rng: np.random.Generator) -> None:
    """A beach ball, or a ball of the fur's pattern."""
    one, two = _paint(rng), _paint(rng)
    if happens(rng, 0.5):
        canvas.ellipse(0, 0, 0.85, 0.85, coat_picture(canvas, any_coat(rng), rng), darker(one, 0.7))
    else:
        canvas.ellipse(0, 0, 0.85, 0.85, one, darker(one, 0.6))
        for start in np.arange(0, 6, 2) * np.pi / 3 + rng.uniform(0, 1):
            arc = np.linspace(start, start + np.pi / 3, 6)
            wedge = np.concatenate([[(0.1, -0.1)], 0.85 * np.stack([np.cos(arc), np.sin(arc)], axis=1)])
            canvas.shape(wedge, two, darker(two, 0.5))
    canvas.ellipse(-0.35, -0.4, 0.16, 0.1, (250, 250, 246), None, -0.7)


def mug(canvas: Canvas, rng: np.random.Generator) -> None:
    """A mug with a handle, sometimes steaming."""
    glaze = _paint(rng)
    canvas.ellipse(0.62, 0.15, 0.34, 0.36, glaze, darker(glaze, 0.6))
    canvas.ellipse(0.62, 0.15, 0.17, 0.2, darker(glaze, 0.5))
    canvas.shape([(-0.65, -0.4), (0.6, -0.4), (0.5, 0.8), (-0.55, 0.8)], glaze, darker(glaze, 0.6))
    canvas.ellipse(-0.02, -0.4, 0.63, 0.17, (86, 58, 44), darker(glaze, 0.6))
    if happens(rng, 0.5):
        canvas.box(-0.61, 0.05, 0.55, 0.3, _paint(rng))
    for x in (-0.25, 0.1):
        canvas.stroke(
            [(x, -0.55), (x + 0.1, -0.7), (x - 0.05, -0.85), (x + 0.05, -1.0)], 0.06, (236, 236, 236)
        )


def mushroom(canvas: Canvas, rng: np.random.Generator) -> None:
    """A mushroom with a spotted cap."""
    cap = _paint(rng)
    canvas.limb([(0, -0.1), (0.02, 0.85)], 0.2, 0.28, (232, 222, 200), (120, 104, 90))
    dome = [(-0.9, 0.15), (-0.7, -0.45), (0, -0.85), (0.7, -0.45), (0.9, 0.15), (0, 0.28)]
    canvas.blob(dome, cap, darker(cap, 0.6))
    for x, y, r in ((-0.4, -0.25, 0.15), (0.12, -0.52, 0.14), (0.48, -0.12, 0.13), (0.0, -0.05, 0.1)):
        canvas.shape(ellipse_points(x, y, r, r * 0.8), lighter(cap, 0.75))


def boat(canvas: Canvas, rng: np.random.Generator) -> None:
    """A boat under two sails."""
    hull, sail = _paint(rng), lighter(_paint(rng), 0.4)
    canvas.limb([(0, 0.5), (0, -0.95)], 0.04, 0.03, (96, 74, 58))
    canvas.shape([(0.08, -0.9), (0.75, 0.3), (0.08, 0.3)], sail, darker(sail, 0.5))
    canvas.shape([(-0.08, -0.7), (-0.6, 0.3), (-0.08, 0.3)], _paint(rng), darker(sail, 0.5))
    canvas.shape([(-0.9, 0.42), (0.9, 0.42), (0.6, 0.85), (-0.6, 0.85)], hull, darker(hull, 0.6))


OBJECTS: tuple[Object, ...] = (flowers, house, tree, car, fruit, ball, mug, mushroom, boat)
PROPS: tuple[Object, ...] = (ball, flowers, mushroom, mug, tree)  # small, next to the subject
