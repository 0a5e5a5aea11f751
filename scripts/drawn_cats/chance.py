"""Small random choices: one of a few, a colour of a kind, a colour near another."""

import colorsys
from collections.abc import Sequence
from typing import TypeAlias, TypeVar

import numpy as np

Colour: TypeAlias = tuple[int, int, int]  # red, green, blue, each 0 to 255
T = TypeVar("T")


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """Return one of the options, each as likely as the others."""
    return options[int(rng.integers(len(options)))]


def pick_weighted(rng: np.random.Generator, table: Sequence[tuple[T, float]]) -> T:
    """Return one of the options of a table of (option, weight); the weights need not add up to 1."""
    point = rng.random() * sum(weight for _, weight in table)
    for option, weight in table:
        point -= weight
        if point < 0:
            return option
    return table[-1][0]


def happens(rng: np.random.Generator, probability: float) -> bool:
    """Return True with the given probability."""
    return bool(rng.random() < probability)


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Return the colour of a hue (a turn of the wheel is 1), a saturation and a value (0 to 1)."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, min(saturation, 1.0), min(value, 1.0))
    return round(255 * red), round(255 * green), round(255 * blue)


def any_colour(rng: np.random.Generator, saturation: tuple[float, float] = (0.15, 0.65)) -> Colour:
    """Return a colour of any hue, neither black nor glaring."""
    return hsv(rng.random(), rng.uniform(*saturation), rng.uniform(0.6, 0.97))


def mix(one: Colour, other: Colour, fraction: float) -> Colour:
    """Return a colour between the two: ``one`` at fraction 0, ``other`` at fraction 1."""
    red, green, blue = (round(a + (b - a) * fraction) for a, b in zip(one, other, strict=True))
    return red, green, blue


def near(rng: np.random.Generator, colour: Colour, spread: int = 14) -> Colour:
    """Return a colour near the given one: lighter or darker, with a slight shift of each channel."""
    light = rng.integers(-spread, spread + 1)
    red, green, blue = (
        int(min(255, max(0, c + light + shift)))
        for c, shift in zip(colour, rng.integers(-6, 7, 3), strict=True)
    )
    return red, green, blue


def darker(colour: Colour, fraction: float = 0.4) -> Colour:
    """Return the colour moved towards black."""
    return mix(colour, (12, 10, 14), fraction)


def lighter(colour: Colour, fraction: float = 0.4) -> Colour:
    """Return the colour moved towards a warm white."""
    return mix(colour, (255, 252, 244), fraction)


def luminance(colour: Colour) -> float:
    """Return how bright the colour looks, 0 to 255 (the weights of ITU-R BT.601)."""
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue
