"""Coats: the colours and patterns that cats and their look-alikes share, so that no colour distinguishes them."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scripts.drawn_cats.canvas import Canvas, ellipse_points, open_curve
from scripts.drawn_cats.chance import (
    Colour,
    darker,
    happens,
    lighter,
    luminance,
    mix,
    near,
    pick,
    pick_weighted,
)

_KINDS = (("plain", 3), ("tabby", 3.5), ("patches", 2), ("tuxedo", 2), ("points", 1.5), ("spots", 0.7))
_CREAM: Colour = (243, 236, 222)
_FURS: tuple[Colour, ...] = (
    (222, 140, 66),  # ginger
    (236, 178, 112),  # apricot
    (142, 142, 150),  # grey
    (104, 112, 128),  # blue
    (58, 54, 58),  # black
    (240, 234, 224),  # white
    (150, 106, 72),  # brown
    (98, 70, 56),  # chocolate
    (205, 176, 136),  # sand
    (186, 164, 150),  # mushroom
)


@dataclass(frozen=True)
class Coat:
    """The colours of one animal."""

    kind: str  # plain, tabby, patches, tuxedo, points or spots
    base: Colour
    mark: Colour  # stripes, patches, spots or points
    second: Colour  # a second colour of patches
    pale: Colour  # chest, paws and muzzle of a coat that has them pale
    has_pale_muzzle: bool

    @property
    def ink(self) -> Colour:
        """The outline: dark, of the coat's own hue."""
        return mix(self.base, (24, 18, 22), 0.78)

    @property
    def line(self) -> Colour:
        """A fine line that shows on the coat: whiskers, a mouth."""
        return darker(self.base, 0.75) if luminance(self.base) > 105 else lighter(self.base, 0.75)

    @property
    def limb(self) -> Colour:
        """Legs and tail."""
        return self.mark if self.kind == "points" else self.base

    @property
    def far_limb(self) -> Colour:
        """A leg on the far side, in shadow."""
        return darker(self.limb, 0.25)

    @property
    def paw(self) -> Colour:
        """The ends of the legs."""
        return self.pale if self.kind == "tuxedo" else self.limb

    @property
    def ear(self) -> Colour:
        """The outside of the ears."""
        return self.mark if self.kind in ("points", "patches") else self.base

    @property
    def belly(self) -> Colour:
        """The chest."""
        return self.pale if self.kind in ("tuxedo", "patches") else lighter(self.base, 0.28)

    @property
    def muzzle(self) -> Colour:
        """The fur round the nose."""
        if self.kind == "points":
            return self.mark
        return self.pale if self.kind == "tuxedo" or self.has_pale_muzzle else lighter(self.base, 0.3)


def any_coat(rng: np.random.Generator) -> Coat:
    """Return a coat of any kind and fur."""
    kind = pick_weighted(rng, _KINDS)
    base = near(rng, pick(rng, _FURS))
    if kind == "points":
        base = near(rng, pick(rng, (_CREAM, (232, 214, 186), (214, 200, 190))))
    mark = (
        darker(base, rng.uniform(0.4, 0.6)) if luminance(base) > 80 else lighter(base, rng.uniform(0.2, 0.35))
    )
    if kind in ("patches", "spots") and happens(rng, 0.6):
        base, mark = near(rng, _CREAM, 8), near(rng, pick(rng, _FURS[:5]))
    if kind == "points":
        mark = near(rng, pick(rng, ((92, 66, 54), (110, 104, 112), (164, 104, 66))))
    second = near(rng, pick(rng, (_FURS[0], _FURS[4], _FURS[2])))
    return Coat(kind, base, mark, second, near(rng, (240, 236, 230), 8), happens(rng, 0.4))


def coat_picture(canvas: Canvas, coat: Coat, rng: np.random.Generator, across: float = 0.0) -> Image.Image:
    """Return a picture of fur to cut the body from: lit from above, with the coat's pattern.

    ``across`` turns the stripes: 0 runs them down a flank, pi / 2 runs them across an upright back.
    """
    top, low = lighter(coat.base, 0.12), darker(coat.base, 0.22)
    fur = canvas.gradient(top, mix(top, low, 0.35), mix(top, low, 0.65), low)
    pen = ImageDraw.Draw(fur)
    if coat.kind == "tabby":
        _stripe(canvas, pen, coat, rng, across)
    elif coat.kind == "patches":
        for n in range(6):
            _spot(canvas, pen, rng, (0.18, 0.42), coat.second if n % 3 == 2 else coat.mark)
    elif coat.kind == "spots":
        for _ in range(34):
            _spot(canvas, pen, rng, (0.05, 0.1), coat.mark)
    return fur


def _spot(
    canvas: Canvas,
    pen: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    radius: tuple[float, float],
    fill: Colour,
) -> None:
    x, y = rng.uniform(-1, 1, 2)
    rx, ry = rng.uniform(*radius, 2)
    pen.polygon(canvas.to_pixels(ellipse_points(x, y, rx, ry, rng.uniform(0, 3))), fill=fill)


def _stripe(
    canvas: Canvas, pen: ImageDraw.ImageDraw, coat: Coat, rng: np.random.Generator, across: float
) -> None:
    spacing = rng.uniform(0.19, 0.27)
    turn = np.array([[np.cos(across), np.sin(across)], [-np.sin(across), np.cos(across)]])
    for x in np.arange(-1.3, 1.3, spacing):
        curve = rng.uniform(-0.08, 0.08, 5)
        points = np.stack([x + curve, np.linspace(-1.3, 1.3, 5)], axis=1) @ turn
        pen.line(
            canvas.to_pixels(open_curve(points)),
            fill=coat.mark,
            width=canvas.width(spacing * rng.uniform(0.3, 0.5)),
        )
