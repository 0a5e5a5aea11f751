"""The heads of animals that are no cats: dogs, rabbits, bears and mice, in the units of faces.py."""

import numpy as np
from scripts.drawn_cats.canvas import Canvas
from scripts.drawn_cats.chance import Colour, darker, happens, lighter
from scripts.drawn_cats.coats import Coat
from scripts.drawn_cats.faces import (
    NIGHT,
    PINK,
    SIDES,
    Look,
    button_eyes,
    inside_of_ear,
    mirrored,
    whiskers,
)

_TONGUE: Colour = (226, 104, 116)


def _forehead(canvas: Canvas, coat: Coat, look: Look) -> None:
    if look.has_stripes:
        for n in (-1, 0, 1):
            canvas.stroke([(n * 0.2, -0.85), (n * 0.17 + 0.15 * look.turn, -0.45)], 0.1, coat.mark)


def _blaze(canvas: Canvas, coat: Coat, shift: float) -> None:
    if coat.kind == "points":
        canvas.ellipse(shift, 0.25, 0.58, 0.52, coat.mark)
    elif coat.kind == "tuxedo":
        canvas.blob(
            [(shift - 0.14, -0.8), (shift + 0.14, -0.8), (shift + 0.3, 0.4), (shift - 0.3, 0.4)], coat.pale
        )


def _snout(canvas: Canvas, coat: Coat, x: float, y: float, rx: float, ry: float) -> None:
    """Draw a protruding muzzle, with a big dark nose."""
    canvas.ellipse(x, y, rx, ry, coat.muzzle, darker(coat.muzzle, 0.35))
    canvas.stroke([(x, y - 0.3 * ry), (x, y + 0.35 * ry)], 0.07, darker(coat.muzzle, 0.7))
    canvas.stroke(
        [(x - 0.55 * rx, y + 0.3 * ry), (x, y + 0.5 * ry), (x + 0.55 * rx, y + 0.3 * ry)], 0.07, NIGHT
    )
    canvas.ellipse(x, y - 0.5 * ry, 0.44 * rx, 0.36 * ry, NIGHT, lighter(NIGHT, 0.15))
    canvas.ellipse(x - 0.1 * rx, y - 0.62 * ry, 0.13 * rx, 0.09 * ry, (200, 200, 205))


def floppy_ears(canvas: Canvas, coat: Coat, look: Look, rng: np.random.Generator) -> None:
    """Draw ears that hang next to the head."""
    drop, out = rng.uniform(0.35, 0.95), rng.uniform(1.12, 1.38)
    for side in SIDES:
        ear = [
            (0.42, -0.86),
            (0.95, -0.78),
            (out, -0.1),
            (out - 0.08, drop),
            (0.9, drop - 0.08),
            (0.74, -0.2),
        ]
        canvas.blob(mirrored(ear, side), darker(coat.ear, 0.22), coat.ink)


def pricked_ears(canvas: Canvas, coat: Coat, look: Look, rng: np.random.Generator) -> None:
    """Draw a dog's upright ears: narrow leaves on the top of the head."""
    height = rng.uniform(0.55, 0.9)
    for side in SIDES:
        ear = [(0.78, -0.45), (0.84, -0.8), (0.62, -0.8 - height), (0.36, -0.95), (0.28, -0.6)]
        canvas.blob(mirrored(ear, side), coat.ear, coat.ink)
        canvas.blob(
            mirrored([(0.68, -0.7), (0.61, -0.62 - height), (0.44, -0.8)], side), inside_of_ear(coat, look)
        )


def dog_head(canvas: Canvas, coat: Coat, look: Look) -> None:
    """Draw a head higher than wide."""
    half = [(0, -0.94), (0.48, -0.88), (0.8, -0.45), (0.78, 0.1), (0.62, 0.66), (0.28, 0.98)]
    canvas.blob([*half, *mirrored(half[::-1], -1)[:-1]], look.fur, coat.ink)


def dog_face(canvas: Canvas, coat: Coat, look: Look, rng: np.random.Generator) -> None:
    """Draw dark eyes, a long muzzle, sometimes a tongue and a patch over one eye."""
    shift = 0.24 * look.turn
    _blaze(canvas, coat, shift)
    if coat.kind == "patches":
        canvas.ellipse(0.36 + shift, -0.2, 0.28, 0.34, coat.mark)
    _forehead(canvas, coat, look)
    button_eyes(canvas, coat, look, 0.38, -0.2, rng.uniform(0.13, 0.17))
    if not look.is_asleep and happens(rng, 0.45):
        canvas.ellipse(shift * 1.3, 0.86, 0.15, 0.26, _TONGUE, darker(_TONGUE, 0.3))
    _snout(canvas, coat, shift * 1.3, 0.42, rng.uniform(0.44, 0.54), rng.uniform(0.4, 0.48))


def rabbit_ears(canvas: Canvas, coat: Coat, look: Look, rng: np.random.Generator) -> None:
    """Draw ears longer than the head, one of them sometimes bent over."""
    lean, reach = rng.uniform(0.02, 0.5), rng.uniform(0.62, 0.85)
    bent = int(rng.integers(-1, 4))
    for side in SIDES:
        angle = lean if side != bent else 1.25
        x, y = 0.36 + np.sin(angle) * reach, -0.7 - np.cos(angle) * reach
        canvas.ellipse(side * x, y, 0.25, reach, coat.ear, coat.ink, side * angle)
        canvas.ellipse(side * x, y, 0.12, reach * 0.75, inside_of_ear(coat, look), None, side * angle)


def rabbit_head(canvas: Canvas, coat: Coat, look: Look) -> None:
    """Draw an egg with soft cheeks."""
    half = [(0, -0.86), (0.46, -0.74), (0.74, -0.2), (0.86, 0.32), (0.6, 0.76), (0.2, 0.88)]
    canvas.blob([*half, *mirrored(half[::-1], -1)[:-1]], look.fur, coat.ink)


def rabbit_face(canvas: Canvas, coat: Coat, look: Look, rng: np.random.Generator) -> None:
    """Draw wide-set dark eyes, a small nose, two teeth."""
    shift = 0.22 * look.turn
    _blaze(canvas, coat, shift)
    _forehead(canvas, coat, look)
    button_eyes(canvas, coat, look, 0.46, -0.1, rng.uniform(0.15, 0.19))
    for side in SIDES:
        canvas.ellipse(side * 0.2 + shift, 0.46, 0.25, 0.2, coat.muzzle)
    canvas.box(shift - 0.13, 0.56, shift + 0.13, 0.82, (252, 250, 244))
    canvas.stroke([(shift, 0.34), (shift, 0.8)], 0.05, darker(coat.muzzle, 0.6))
    canvas.ellipse(shift, 0.32, 0.13, 0.09, darker(PINK, 0.12))


def bear_ears(canvas: Canvas, coat: Coat, look: Look, rng: np.random.Generator) -> None:
    """Draw small round ears."""
    r = rng.uniform(0.28, 0.4)
    for side in SIDES:
        canvas.ellipse(side * 0.72, -0.72, r, r, coat.ear, coat.ink)
        canvas.ellipse(
            side * 0.72,
            -0.7,
            r * 0.55,
            r * 0.55,
            coat.ear if look.is_from_behind else lighter(coat.ear, 0.35),
        )


def bear_head(canvas: Canvas, coat: Coat, look: Look) -> None:
    """Draw a round head."""
    canvas.ellipse(0, 0, 1.0, 0.93, look.fur, coat.ink)


def bear_face(canvas: Canvas, coat: Coat, look: Look, rng: np.random.Generator) -> None:
    """Draw small eyes close together and a round muzzle; patched coats make pandas."""
    shift = 0.22 * look.turn
    if coat.kind in ("patches", "points"):
        for side in SIDES:
            canvas.ellipse(side * 0.4 + shift, -0.12, 0.22, 0.28, coat.mark, None, side * 0.5)
    _forehead(canvas, coat, look)
    button_eyes(canvas, coat, look, 0.36, -0.14, rng.uniform(0.1, 0.14))
    _snout(canvas, coat, shift * 1.2, 0.38, rng.uniform(0.4, 0.5), rng.uniform(0.32, 0.4))


def mouse_ears(canvas: Canvas, coat: Coat, look: Look, rng: np.random.Generator) -> None:
    """Draw ears like plates."""
    r = rng.uniform(0.5, 0.64)
    for side in SIDES:
        canvas.ellipse(side * 0.88, -0.7, r, r, coat.ear, coat.ink)
        canvas.ellipse(side * 0.88, -0.68, r * 0.68, r * 0.68, inside_of_ear(coat, look))


def mouse_head(canvas: Canvas, coat: Coat, look: Look) -> None:
    """Draw a head that narrows to the nose."""
    half = [(0, -0.82), (0.56, -0.7), (0.84, -0.18), (0.6, 0.42), (0.24, 0.84)]
    canvas.blob([*half, (0, 0.92), *mirrored(half[::-1], -1)[:-1]], look.fur, coat.ink)


def mouse_face(canvas: Canvas, coat: Coat, look: Look, rng: np.random.Generator) -> None:
    """Draw bead eyes, a nose at the very tip, and sometimes whiskers."""
    shift = 0.22 * look.turn
    _forehead(canvas, coat, look)
    button_eyes(canvas, coat, look, 0.38, -0.08, rng.uniform(0.14, 0.18))
    if happens(rng, 0.5):
        whiskers(canvas, coat.line, shift, 0.95, rng)
    canvas.ellipse(shift, 0.74, 0.19, 0.16, PINK, darker(PINK, 0.3))
