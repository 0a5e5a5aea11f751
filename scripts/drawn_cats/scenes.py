"""Backgrounds, drawn alike behind cats and all else: rooms, gardens, skies, carpets, patterns, textures."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from PIL import Image
from scripts.drawn_cats.canvas import Canvas
from scripts.drawn_cats.chance import Colour, any_colour, darker, happens, hsv, lighter, mix, near, pick

Scene: TypeAlias = Callable[[Canvas, np.random.Generator], None]


def _fade(canvas: Canvas, top: Colour, low: Colour) -> None:
    canvas.image.paste(canvas.gradient(top, top, low, low))


def plain(canvas: Canvas, rng: np.random.Generator) -> None:
    """One colour that passes softly into another."""
    a, b = any_colour(rng), any_colour(rng)
    canvas.image.paste(canvas.gradient(a, mix(a, b, 0.2), mix(a, b, 0.25), mix(a, b, 0.5)))


def room(canvas: Canvas, rng: np.random.Generator) -> None:
    """A wall and a floor, with a window, a picture or a lamp."""
    wall, floor = (
        any_colour(rng, (0.1, 0.45)),
        near(rng, pick(rng, ((176, 128, 86), (130, 96, 74), (198, 182, 160)))),
    )
    edge = rng.uniform(0.25, 0.6)
    _fade(canvas, wall, darker(wall, 0.15))
    if happens(rng, 0.35):
        step = rng.uniform(0.16, 0.3)
        for x in np.arange(-1, 1, step):
            canvas.box(x, -1, x + step / 2, edge, mix(wall, (255, 255, 255), 0.16))
    x = rng.uniform(-0.65, 0.65)
    pick(rng, (_window, _framed, _lamp, _nothing))(canvas, rng, float(x))
    canvas.box(-1, edge, 1, 1, floor)
    for y in np.arange(edge + 0.12, 1, 0.17):
        canvas.stroke([(-1, y), (1, y)], 0.025, darker(floor, 0.25))
    canvas.box(-1, edge - 0.06, 1, edge, lighter(wall, 0.5))


def _window(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    sky = pick(rng, ((170, 206, 232), (52, 62, 104), (240, 190, 150)))
    canvas.box(x - 0.37, -0.87, x + 0.37, -0.03, (236, 230, 220))
    for left in (x - 0.31, x + 0.03):
        canvas.box(left, -0.81, left + 0.28, -0.48, sky)
        canvas.box(left, -0.42, left + 0.28, -0.09, sky)


def _framed(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    canvas.box(x - 0.3, -0.8, x + 0.3, -0.25, (120, 86, 58))
    canvas.box(x - 0.24, -0.74, x + 0.24, -0.31, any_colour(rng))
    canvas.shape([(x - 0.24, -0.31), (x - 0.04, -0.58), (x + 0.24, -0.31)], any_colour(rng))


def _lamp(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    canvas.stroke([(x, -1), (x, -0.6)], 0.03, (70, 60, 56))
    canvas.shape(
        [(x - 0.12, -0.72), (x + 0.12, -0.72), (x + 0.28, -0.42), (x - 0.28, -0.42)], any_colour(rng)
    )


def _nothing(canvas: Canvas, rng: np.random.Generator, x: float) -> None:
    del canvas, rng, x


def garden(canvas: Canvas, rng: np.random.Generator) -> None:
    """Sky, hills and grass; or sand, or snow."""
    _sky(canvas, rng)
    ground = near(
        rng, pick(rng, ((126, 168, 84), (96, 142, 86), (214, 190, 140), (226, 230, 236), (160, 150, 92)))
    )
    far = mix(ground, (140, 164, 190), 0.4)
    horizon = rng.uniform(0.0, 0.4)
    hills = [
        (-1.2, horizon),
        (-0.5, horizon - rng.uniform(0.05, 0.4)),
        (0.1, horizon),
        (0.6, horizon - rng.uniform(0.05, 0.3)),
        (1.2, horizon),
    ]
    canvas.blob([*hills, (1.2, 1.2), (-1.2, 1.2)], far)
    canvas.blob(
        [(-1.5, horizon + 0.1), (0, horizon + 0.05), (1.5, horizon + 0.12), (1.5, 1.5), (-1.5, 1.5)], ground
    )
    for _ in range(26):
        x, y = rng.uniform(-1, 1), rng.uniform(horizon + 0.15, 1)
        canvas.stroke([(x, y), (x + rng.uniform(-0.04, 0.04), y - 0.12)], 0.025, darker(ground, 0.2))


def sky(canvas: Canvas, rng: np.random.Generator) -> None:
    """Nothing but sky."""
    _sky(canvas, rng)


def _sky(canvas: Canvas, rng: np.random.Generator) -> None:
    top, low = pick(
        rng,
        (
            ((104, 164, 220), (200, 226, 240)),
            ((34, 40, 84), (92, 88, 140)),
            ((232, 150, 120), (248, 216, 160)),
            ((150, 160, 172), (206, 210, 212)),
        ),
    )
    _fade(canvas, near(rng, top), near(rng, low))
    if luminous := happens(rng, 0.5):
        canvas.ellipse(rng.uniform(-0.9, 0.9), rng.uniform(-0.9, -0.5), 0.16, 0.16, (252, 238, 190))
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.uniform(-1, 1), rng.uniform(-0.95, -0.2)
        cloud = lighter(low, 0.6 if luminous else 0.4)
        for shift, r in ((-0.2, 0.12), (0, 0.17), (0.2, 0.12)):
            canvas.ellipse(x + shift, y, r * 1.3, r, cloud)


def carpet(canvas: Canvas, rng: np.random.Generator) -> None:
    """A floor seen from above, with a rug."""
    floor, rug, trim = any_colour(rng, (0.15, 0.45)), any_colour(rng), any_colour(rng)
    _fade(canvas, floor, darker(floor, 0.2))
    for x in np.arange(-1, 1, 0.25):
        canvas.stroke([(x, -1), (x, 1)], 0.02, darker(floor, 0.25))
    x, y = rng.uniform(-0.2, 0.2, 2)
    is_round = happens(rng, 0.5)
    with canvas.placed(float(x), float(y), 1.0, float(rng.uniform(-0.3, 0.3))):
        for r, colour in ((0.95, trim), (0.85, rug), (0.6, mix(rug, trim, 0.5)), (0.52, rug)):
            if is_round:
                canvas.ellipse(0, 0, r, r, colour)
            else:
                canvas.box(-r, -r * 0.8, r, r * 0.8, colour)


def pattern(canvas: Canvas, rng: np.random.Generator) -> None:
    """Dots, stripes or diamonds, like wrapping paper."""
    paper = any_colour(rng)
    print_ = mix(paper, pick(rng, (any_colour(rng), lighter(paper, 0.8), darker(paper))), 0.6)
    _fade(canvas, paper, darker(paper, 0.1))
    step, kind = rng.uniform(0.28, 0.5), int(rng.integers(4))
    with canvas.placed(0, 0, 1.0, float(rng.uniform(-0.5, 0.5))):
        for n, x in enumerate(np.arange(-1.6, 1.6, step)):
            if kind == 0:
                canvas.box(x, -1.6, x + step / 2, 1.6, print_)
                continue
            for y in np.arange(-1.6, 1.6, step) + (n % 2) * step / 2:
                if kind == 1:
                    canvas.ellipse(x, y, step * 0.24, step * 0.24, print_)
                elif kind == 2:
                    r = step * 0.34
                    canvas.shape([(x - r, y), (x, y - r), (x + r, y), (x, y + r)], print_)
                else:
                    canvas.box(x, y, x + step, y + step / 2, print_)


def texture(canvas: Canvas, rng: np.random.Generator) -> None:
    """Stone, cloth or moss: noise, coarse and fine."""
    one, two = any_colour(rng), any_colour(rng)
    cells = int(pick(rng, (5, 9, 16)))
    stretch = int(pick(rng, (1, 1, 4)))
    noise = rng.integers(0, 256, (cells * stretch, cells), dtype=np.uint8)
    fine = rng.integers(0, 256, (40, 40), dtype=np.uint8)
    size = canvas.image.size
    mask = Image.blend(
        Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC),
        Image.fromarray(fine).resize(size, Image.Resampling.BILINEAR),
        0.25,
    )
    _fade(canvas, one, darker(one, 0.15))
    canvas.image.paste(mix(one, two, rng.uniform(0.35, 0.8)), (0, 0, *size), mask)


def night(canvas: Canvas, rng: np.random.Generator) -> None:
    """Stars over a dark street of roofs."""
    dark = hsv(rng.uniform(0.58, 0.78), 0.45, rng.uniform(0.22, 0.4))
    _fade(canvas, darker(dark, 0.3), lighter(dark, 0.15))
    for x, y in rng.uniform(-1, 1, (14, 2)):
        canvas.ellipse(x, y, 0.025, 0.025, (250, 244, 210))
    canvas.ellipse(rng.uniform(-0.9, 0.9), rng.uniform(-0.9, -0.5), 0.2, 0.2, (246, 236, 196))
    x = -1.2
    while x < 1.1:
        wide, top = rng.uniform(0.3, 0.6), rng.uniform(0.3, 0.6)
        roof = [(x, 1.1), (x, top), (x + wide / 2, top - 0.16), (x + wide, top), (x + wide, 1.1)]
        canvas.shape(roof, darker(dark, rng.uniform(0.35, 0.6)))
        canvas.box(x + wide / 2 - 0.05, top + 0.12, x + wide / 2 + 0.05, top + 0.24, (240, 206, 120))
        x += wide


SCENES: tuple[tuple[Scene, float], ...] = (
    (plain, 1.2),
    (room, 2.0),
    (garden, 2.0),
    (sky, 0.8),
    (carpet, 1.0),
    (pattern, 1.0),
    (texture, 1.2),
    (night, 0.6),
)
