"""The poses that every animal can take, in units where the animal about fills -1 to 1 both ways."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scripts.drawn_cats.animals import Animal
from scripts.drawn_cats.canvas import Points
from scripts.drawn_cats.chance import Colour, any_colour, darker, happens, lighter, pick

Pose: TypeAlias = Callable[[Animal], None]


def _paws(animal: Animal, places: Points, rx: float = 0.14) -> None:
    for x, y in places:
        animal.canvas.ellipse(x, y, rx, 0.09, animal.coat.paw, animal.ink)


def _leg(animal: Animal, points: Points, *, is_far: bool = False) -> None:
    coat = animal.coat
    animal.canvas.limb(points, 0.1, 0.08, coat.far_limb if is_far else coat.limb, animal.ink)
    x, y = points[-1]
    paw = darker(coat.paw, 0.2) if is_far else coat.paw
    animal.canvas.ellipse(x + 0.03, y, 0.12, 0.08, paw, animal.ink)


def sitting(animal: Animal) -> None:
    """Upright, facing us, the tail next to the body."""
    canvas, rng = animal.canvas, animal.rng
    lift = rng.uniform(-0.3, 0.3)
    animal.tail([(0.36, 0.8), (0.74, 0.82), (0.92, 0.5 + lift / 2), (0.78, 0.12 + lift), (0.9, -0.12 + lift)])
    half = [(0, -0.35), (0.3, -0.15), (0.44, 0.35), (0.52, 0.75), (0.3, 0.95)]
    body = [*half, *[(-x, y) for x, y in half[::-1][:-1]]]
    canvas.blob(body, animal.fur(np.pi / 2), animal.ink)
    canvas.ellipse(0, 0.22, 0.2, 0.34, animal.coat.belly)
    for side in (-1, 1):
        canvas.limb([(side * 0.15, 0.25), (side * 0.15, 0.86)], 0.11, 0.1, animal.coat.limb, animal.ink)
    _paws(animal, [(-0.42, 0.9), (0.42, 0.9), (-0.16, 0.92), (0.16, 0.92)])
    animal.head(rng.uniform(-0.06, 0.06), -0.42, rng.uniform(0.42, 0.5))


def begging(animal: Animal) -> None:
    """Half turned, one paw up, the tail high."""
    canvas, rng = animal.canvas, animal.rng
    animal.tail([(-0.5, 0.75), (-0.85, 0.55), (-0.9, 0.1), (-0.72, -0.2), (-0.88, -0.45)])
    body = [(0.1, -0.3), (0.42, 0.05), (0.45, 0.5), (0.4, 0.92), (-0.4, 0.95), (-0.62, 0.6), (-0.45, 0.1)]
    canvas.blob(body, animal.fur(np.pi / 2), animal.ink)
    canvas.ellipse(0.24, 0.2, 0.17, 0.3, animal.coat.belly)
    canvas.ellipse(-0.33, 0.7, 0.25, 0.25, animal.fur(np.pi / 2), animal.ink)
    _leg(animal, [(0.24, 0.3), (0.28, 0.9)])
    reach = rng.uniform(0.0, 0.35)
    canvas.limb([(0.3, 0.25), (0.55, 0.3), (0.72, 0.3 - reach)], 0.1, 0.09, animal.coat.limb, animal.ink)
    canvas.ellipse(0.74, 0.26 - reach, 0.12, 0.11, animal.coat.paw, animal.ink)
    _paws(animal, [(-0.2, 0.93)], 0.2)
    animal.head(0.12, -0.42, rng.uniform(0.42, 0.5))


def walking(animal: Animal) -> None:
    """From the side, on four legs, the face towards us."""
    canvas, rng = animal.canvas, animal.rng
    stride = rng.uniform(-0.14, 0.14)
    lift = rng.uniform(-0.35, 0.2)
    animal.tail([(-0.68, 0.0), (-0.92, -0.15), (-0.98, -0.45 + lift / 2), (-0.8, -0.7 + lift / 2)])
    _leg(animal, [(-0.42, 0.3), (-0.42 + stride, 0.74)], is_far=True)
    _leg(animal, [(0.3, 0.3), (0.3 - stride, 0.74)], is_far=True)
    body = [
        (-0.74, 0.0),
        (-0.4, -0.2),
        (0.2, -0.16),
        (0.55, -0.12),
        (0.62, 0.2),
        (0.3, 0.42),
        (-0.2, 0.36),
        (-0.62, 0.4),
    ]
    canvas.blob(body, animal.fur(), animal.ink)
    _leg(animal, [(-0.58, 0.25), (-0.58 - stride, 0.82)])
    _leg(animal, [(0.46, 0.25), (0.46 + stride, 0.82)])
    animal.turn = abs(animal.turn)
    animal.head(0.58, -0.3 + rng.uniform(-0.1, 0.12), rng.uniform(0.38, 0.44))


def lying(animal: Animal) -> None:
    """Flat on the belly, the tail along the side."""
    canvas, rng = animal.canvas, animal.rng
    body = [
        (-0.95, 0.5),
        (-0.8, 0.05),
        (-0.3, -0.12),
        (0.3, 0.02),
        (0.72, 0.3),
        (0.75, 0.6),
        (0, 0.72),
        (-0.75, 0.7),
    ]
    canvas.blob(body, animal.fur(), animal.ink)
    canvas.ellipse(-0.56, 0.42, 0.3, 0.27, animal.fur(), animal.ink)
    for y in (0.56, 0.64):
        canvas.limb([(0.3, y), (0.86, y)], 0.1, 0.09, animal.coat.limb, animal.ink)
        canvas.ellipse(0.9, y, 0.11, 0.09, animal.coat.paw, animal.ink)
    animal.tail([(-0.85, 0.55), (-0.6, 0.78), (-0.2, 0.78), (0.12, 0.7)])
    animal.head(0.42, -0.12, rng.uniform(0.42, 0.5), is_asleep=happens(rng, 0.25))


def curled(animal: Animal) -> None:
    """Rolled up, mostly asleep."""
    canvas, rng = animal.canvas, animal.rng
    canvas.ellipse(0.05, 0.2, 0.9, 0.62, animal.fur(), animal.ink)
    canvas.ellipse(0.48, 0.34, 0.36, 0.34, animal.fur(), animal.ink)
    animal.tail([(0.86, 0.45), (0.6, 0.8), (0.1, 0.86), (-0.2, 0.76)])
    animal.head(-0.42, 0.16, rng.uniform(0.44, 0.5), tilt=0.5, is_asleep=happens(rng, 0.65))
    _paws(animal, [(-0.1, 0.66), (-0.32, 0.72)])


def close_up(animal: Animal) -> None:
    """The face alone, large, on its shoulders."""
    canvas, rng = animal.canvas, animal.rng
    shoulders = [(0, 0.3), (0.55, 0.5), (0.85, 1.0), (0.9, 3.5), (-0.9, 3.5), (-0.85, 1.0), (-0.55, 0.5)]
    canvas.blob(shoulders, animal.fur(np.pi / 2), animal.ink)
    canvas.ellipse(0, 0.95, 0.35, 0.4, animal.coat.belly)
    if happens(rng, 0.35):
        collar = any_colour(rng, (0.5, 0.8))
        canvas.limb([(-0.5, 0.6), (0, 0.78), (0.5, 0.6)], 0.07, 0.07, collar, darker(collar))
        canvas.ellipse(0, 0.9, 0.1, 0.1, (236, 196, 80), (40, 30, 24))
    animal.head(0, 0.06, rng.uniform(0.66, 0.76), tilt=0.25, is_asleep=happens(rng, 0.1))


def from_behind(animal: Animal) -> None:
    """Sitting with its back to us."""
    canvas, rng = animal.canvas, animal.rng
    animal.back_of_head(rng.uniform(-0.1, 0.1), -0.42, rng.uniform(0.4, 0.46))
    half = [(0, -0.28), (0.3, -0.1), (0.46, 0.35), (0.56, 0.75), (0.34, 0.95)]
    body = [*half, *[(-x, y) for x, y in half[::-1][:-1]]]
    canvas.blob(body, animal.fur(np.pi / 2), animal.ink)
    lift = rng.uniform(-0.2, 0.3)
    animal.tail([(0.1, 0.82), (0.5, 0.9), (0.85, 0.7), (0.92, 0.3 - lift), (0.74, 0.05 - lift)])


def in_a_box(animal: Animal) -> None:
    """Looking out of a box or basket, paws on the edge."""
    canvas, rng = animal.canvas, animal.rng
    board: Colour = pick(rng, ((190, 146, 98), any_colour(rng), (170, 120, 80)))
    canvas.box(-0.8, 0.1, 0.8, 0.4, darker(board, 0.5))
    shoulders = [(0, -0.1), (0.42, 0.1), (0.55, 0.6), (-0.55, 0.6), (-0.42, 0.1)]
    canvas.blob(shoulders, animal.fur(np.pi / 2), animal.ink)
    animal.head(rng.uniform(-0.15, 0.15), -0.22, rng.uniform(0.5, 0.58), tilt=0.25)
    slope = rng.uniform(-0.05, 0.14)
    front = [(-0.85, 0.35), (0.85, 0.35), (0.85 - slope, 0.95), (-0.85 + slope, 0.95)]
    canvas.shape(front, board, darker(board, 0.6))
    if happens(rng, 0.5):
        for y in (0.52, 0.68, 0.82):
            canvas.stroke([(-0.8 + slope, y), (0.8 - slope, y)], 0.04, darker(board, 0.3))
    else:
        canvas.box(-0.16, 0.36, 0.16, 0.94, lighter(board, 0.25))
    _paws(animal, [(-0.45, 0.36), (0.45, 0.36)], 0.15)


POSES: tuple[tuple[Pose, float], ...] = (
    (sitting, 2.2),
    (begging, 1.4),
    (walking, 1.8),
    (lying, 1.6),
    (curled, 1.0),
    (close_up, 2.4),
    (from_behind, 0.4),
    (in_a_box, 1.0),
)
