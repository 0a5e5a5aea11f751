"""A canvas in its own units: the frame runs from -1 to 1 both ways, y points down, shapes can be tilted."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw
from scripts.drawn_cats.chance import Colour

from pellucid.types import Array

OVERSAMPLE = 3  # drawn this many times larger, then averaged down: that is what smooths the edges
Points: TypeAlias = Sequence[tuple[float, float]] | Array
Paint: TypeAlias = Colour | Image.Image  # one colour, or a picture of a whole coat to cut the shape from

_STEPS: Array = np.linspace(0, 1, 6, endpoint=False)
# Catmull-Rom spline (Catmull and Rom, 1974): the weights of four neighbouring points at each step between two.
_SPLINE: Array = 0.5 * np.stack(
    [
        -_STEPS + 2 * _STEPS**2 - _STEPS**3,
        2 - 5 * _STEPS**2 + 3 * _STEPS**3,
        _STEPS + 4 * _STEPS**2 - 3 * _STEPS**3,
        -(_STEPS**2) + _STEPS**3,
    ],
    axis=1,
)
_TURN = np.linspace(0, 2 * np.pi, 26, endpoint=False)
_CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)


def closed_curve(points: Points) -> Array:
    """Return a smooth closed curve through the points, shape (6 n, 2)."""
    P = np.asarray(points, dtype=float)
    P = np.concatenate([P[-1:], P, P[:2]])
    windows = np.stack([P[:-3], P[1:-2], P[2:-1], P[3:]], axis=1)  # (n, 4, 2)
    curve: Array = (_SPLINE @ windows).reshape(-1, 2)
    return curve


def open_curve(points: Points) -> Array:
    """Return a smooth curve from the first point to the last, shape (6 (n - 1) + 1, 2)."""
    P = np.asarray(points, dtype=float)
    P = np.concatenate([P[:1], P, P[-1:]])
    windows = np.stack([P[:-3], P[1:-2], P[2:-1], P[3:]], axis=1)
    return np.concatenate([(_SPLINE @ windows).reshape(-1, 2), P[-1:]])


def ellipse_points(x: float, y: float, rx: float, ry: float, angle: float = 0.0) -> Array:
    """Return the outline of an ellipse, shape (26, 2); the angle is in radians, clockwise on the page."""
    cos, sin = math.cos(angle), math.sin(angle)
    turned = np.array([[rx * cos, rx * sin], [-ry * sin, ry * cos]])
    outline: Array = _CIRCLE @ turned + (x, y)
    return outline


class Canvas:
    """A picture being drawn.

    Parameters
    ----------
    size : int
        Width and height of the finished picture in pixels.
    """

    def __init__(self, size: int) -> None:
        self.pixels = size * OVERSAMPLE
        self.image = Image.new("RGB", (self.pixels, self.pixels))
        self.pen = ImageDraw.Draw(self.image)
        self._half = self.pixels / 2
        self.axes = np.eye(2) * self._half  # rows: where the unit steps right and down lead, in pixels
        self.origin = np.array([self._half, self._half])

    @contextmanager
    def placed(
        self, x: float, y: float, scale: float = 1.0, angle: float = 0.0, *, is_flipped: bool = False
    ) -> Iterator[None]:
        """Move the units' origin to (x, y), scaled, turned clockwise by ``angle`` radians, perhaps mirrored."""
        axes, origin = self.axes, self.origin
        cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
        mirror = -1.0 if is_flipped else 1.0
        self.origin = np.array([x, y]) @ axes + origin
        self.axes = np.array([[cos * mirror, sin * mirror], [-sin, cos]]) @ axes
        try:
            yield
        finally:
            self.axes, self.origin = axes, origin

    def width(self, units: float) -> int:
        """Return a pen's width in pixels, at least 1."""
        return max(1, round(units * math.hypot(*self.axes[0])))

    def to_pixels(self, points: Points) -> list[tuple[float, float]]:
        """Return where the points lie on the large picture."""
        corners: list[tuple[float, float]] = list(
            map(tuple, (np.asarray(points, dtype=float) @ self.axes + self.origin).tolist())
        )
        return corners

    def shape(
        self, points: Points, paint: Paint, ink: Colour | None = None, *, is_open: bool = False
    ) -> None:
        """Fill a polygon with a colour or a coat, and outline it with ink, except where it is open at its end."""
        corners = self.to_pixels(points)
        if isinstance(paint, tuple):
            self.pen.polygon(corners, fill=paint)
        else:
            self._cut(corners, paint)
        if ink is not None:
            # One finished pixel wide whatever the scale, as a drawing pen is.
            edge = corners if is_open else [*corners, corners[0]]
            self.pen.line(edge, fill=ink, width=max(2, round(self.pixels * 0.013)))

    def _cut(self, corners: list[tuple[float, float]], coat: Image.Image) -> None:
        across, down = zip(*corners, strict=True)
        left, top = max(0, math.floor(min(across))), max(0, math.floor(min(down)))
        right = min(self.pixels, math.ceil(max(across)) + 1)
        bottom = min(self.pixels, math.ceil(max(down)) + 1)
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in corners], fill=255)
        self.image.paste(coat.crop((left, top, right, bottom)), (left, top), mask)

    def blob(self, points: Points, paint: Paint, ink: Colour | None = None) -> None:
        """Fill a smooth closed curve through the points."""
        self.shape(closed_curve(points), paint, ink)

    def ellipse(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        paint: Paint,
        ink: Colour | None = None,
        angle: float = 0.0,
    ) -> None:
        """Fill an ellipse."""
        self.shape(ellipse_points(x, y, rx, ry, angle), paint, ink)

    def limb(self, points: Points, start: float, end: float, paint: Paint, ink: Colour | None = None) -> None:
        """Fill a bent limb or tail: ``start`` and ``end`` are half widths; it grows out of what it starts on."""
        middle = open_curve(points)
        ahead = np.gradient(middle, axis=0)
        length = np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-9)
        side = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) / length[:, None]
        half = np.linspace(start, end, len(middle))[:, None]
        across, forward = side[-1], ahead[-1] / length[-1]
        bends = np.linspace(np.pi / 2, -np.pi / 2, 7)[1:-1, None]
        cap = middle[-1] + end * (np.sin(bends) * across + np.cos(bends) * forward)
        outline = np.concatenate([middle + half * side, cap, (middle - half * side)[::-1]])
        self.shape(outline, paint, ink, is_open=True)

    def stroke(self, points: Points, width: float, colour: Colour) -> None:
        """Draw a smooth line through the points, ``width`` units wide."""
        self.pen.line(self.to_pixels(open_curve(points)), fill=colour, width=self.width(width))

    def box(self, left: float, top: float, right: float, bottom: float, paint: Paint) -> None:
        """Fill a rectangle (turned with the placing)."""
        self.shape([(left, top), (right, top), (right, bottom), (left, bottom)], paint)

    def gradient(
        self, top_left: Colour, top_right: Colour, low_left: Colour, low_right: Colour
    ) -> Image.Image:
        """Return a picture of the canvas's size that passes from corner to corner."""
        corners = np.array([[top_left, top_right], [low_left, low_right]], dtype=np.uint8)
        return Image.fromarray(corners).resize(
            self.image.size, Image.Resampling.BILINEAR, box=(0.5, 0.5, 1.5, 1.5)
        )
