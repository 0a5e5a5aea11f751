"""Heads, drawn from the front in units of their own: the head's radius is 1 and its middle (0, 0)."""

from dataclasses import dataclass

import numpy as np
from scripts.drawn_cats.canvas import Canvas, Paint, Points
from scripts.drawn_cats.chance import Colour, darker, happens, lighter, luminance, pick
from scripts.drawn_cats.coats import Coat

PINK: Colour = (232, 150, 150)
NIGHT: Colour = (26, 22, 26)
_IRISES: tuple[Colour, ...] = (
    (150, 196, 84),
    (232, 196, 70),
    (112, 178, 214),
    (214, 148, 60),
    (110, 180, 140),
)
SIDES = (-1, 1)


@dataclass(frozen=True)
class Look:
    """How one animal looks out of the picture."""

    turn: float  # -1 to 1: towards the left or right
    is_asleep: bool
    has_stripes: bool  # on the forehead
    fur: Paint  # the coat that the head is cut from
    is_from_behind: bool = False


def mirrored(points: Points, side: int) -> list[tuple[float, float]]:
    """Return the points, left and right swapped where the side is -1."""
    return [(side * x, y) for x, y in points]


def lid(canvas: Canvas, x: float, y: float, r: float, colour: Colour) -> None:
    """Draw a closed eye."""
    canvas.stroke([(x - r, y - 0.3 * r), (x, y + 0.4 * r), (x + r, y - 0.3 * r)], 0.09, colour)


def button_eyes(canvas: Canvas, coat: Coat, look: Look, x: float, y: float, r: float) -> None:
    """Draw small dark eyes with a light in them."""
    for side in SIDES:
        at = side * x + 0.2 * look.turn
        if look.is_asleep:
            lid(canvas, at, y, r * 1.3, coat.line)
            continue
        if luminance(coat.base) < 100:
            canvas.ellipse(at, y, r * 1.35, r * 1.4, lighter(coat.base, 0.45))
        canvas.ellipse(at, y, r, r * 1.15, NIGHT)
        canvas.ellipse(at - 0.3 * r, y - 0.4 * r, 0.36 * r, 0.36 * r, (255, 255, 255))


def whiskers(canvas: Canvas, colour: Colour, shift: float, reach: float, rng: np.random.Generator) -> None:
    """Draw three whiskers on each side."""
    droop = rng.uniform(-0.1, 0.22)
    for side in SIDES:
        for n in (-1, 0, 1):
            start = (side * 0.3 + shift, 0.36 + 0.07 * n)
            end = (side * reach + shift, 0.3 + 0.24 * n + droop)
            middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 - 0.05)
            canvas.stroke([start, middle, end], 0.055, colour)


def inside_of_ear(coat: Coat, look: Look) -> Colour:
    """Return pink, or from behind a shadow on the fur."""
    if look.is_from_behind:
        return darker(coat.ear, 0.16)
    return PINK if luminance(coat.ear) > 75 else darker(PINK, 0.3)


def cat_ears(canvas: Canvas, coat: Coat, look: Look, rng: np.random.Generator) -> None:
    """Draw two pointed triangles, pink inside."""
    height, spread = rng.uniform(0.5, 0.78), rng.uniform(-0.1, 0.14)
    for side in SIDES:
        lean = 0.12 * look.turn * side
        tip = (0.72 + spread + lean, -0.75 - height)
        outer = [(0.98, -0.12), (0.98 + spread / 2, -0.6), tip, (0.5, -0.98), (0.12, -0.72), (0.4, -0.1)]
        inner = [(0.86, -0.5), (tip[0] - 0.02, tip[1] + 0.26), (0.36, -0.78)]
        canvas.shape(mirrored(outer, side), coat.ear, coat.ink)
        canvas.shape(mirrored(inner, side), inside_of_ear(coat, look))


def cat_face(canvas: Canvas, coat: Coat, look: Look, rng: np.random.Generator) -> None:
    """Draw eyes with slit or round pupils, a small nose, a mouth like a w, and whiskers."""
    shift = 0.22 * look.turn
    if coat.kind == "points":
        canvas.ellipse(shift, 0.26, 0.52, 0.5, coat.mark)
    elif coat.kind == "tuxedo":
        canvas.blob(
            [(shift, -0.55), (shift + 0.2, 0.1), (0.5, 0.6), (0, 0.84), (-0.5, 0.6), (shift - 0.2, 0.1)],
            coat.pale,
        )
    _cat_eyes(canvas, coat, look, shift, rng)
    for side in SIDES:
        canvas.ellipse(side * 0.19 + shift, 0.42, 0.25, 0.2, coat.muzzle)
    nose = PINK if luminance(coat.muzzle) > 80 else darker(PINK, 0.2)
    line = darker(coat.muzzle, 0.7) if luminance(coat.muzzle) > 90 else lighter(coat.muzzle, 0.5)
    canvas.stroke([(shift - 0.28, 0.5), (shift - 0.12, 0.56), (shift, 0.42)], 0.06, line)
    canvas.stroke([(shift + 0.28, 0.5), (shift + 0.12, 0.56), (shift, 0.42)], 0.06, line)
    canvas.shape([(shift - 0.15, 0.2), (shift + 0.15, 0.2), (shift, 0.4)], nose, darker(nose, 0.3))
    if look.has_stripes:
        for n in (-1, 0, 1):
            canvas.stroke([(n * 0.24 + shift / 2, -0.82), (n * 0.2 + shift, -0.4)], 0.12, coat.mark)
        for side in SIDES:
            for y in (0.08, 0.32):
                canvas.stroke([(side * 1.0, y - 0.06), (side * 0.72, y + 0.02)], 0.1, coat.mark)
    hair = (250, 250, 246) if happens(rng, 0.6) or luminance(coat.base) < 100 else NIGHT
    whiskers(canvas, hair, shift, rng.uniform(1.2, 1.5), rng)


def _cat_eyes(canvas: Canvas, coat: Coat, look: Look, shift: float, rng: np.random.Generator) -> None:
    iris, slit = pick(rng, _IRISES), pick(rng, (0.06, 0.09, 0.15))
    rx, ry, tilt = rng.uniform(0.23, 0.29), rng.uniform(0.2, 0.27), rng.uniform(0, 0.35)
    for side in SIDES:
        x, y = side * 0.43 + shift, -0.08
        if look.is_asleep:
            lid(canvas, x, y, 0.26, coat.line)
            continue
        canvas.ellipse(x, y, rx, ry, iris, NIGHT, -side * tilt)
        canvas.ellipse(x, y, slit, ry * 0.92, NIGHT)
        canvas.ellipse(x - 0.08, y - 0.09, 0.07, 0.07, (255, 255, 255))


def cat_head(canvas: Canvas, coat: Coat, look: Look) -> None:
    """Draw a head wider than high, with cheeks."""
    half = [(0, -0.84), (0.5, -0.76), (0.94, -0.3), (1.06, 0.2), (0.76, 0.68), (0.3, 0.87)]
    canvas.blob([*half, *mirrored(half[::-1], -1)[:-1]], look.fur, coat.ink)
