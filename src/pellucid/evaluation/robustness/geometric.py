"""Changes of position: rotation, flips, perspective, zoom, shift."""

import numpy as np

from pellucid.data.augmentation.flips import HorizontalFlip, VerticalFlip
from pellucid.data.augmentation.geometry import Rotation, Scale, Shift
from pellucid.evaluation.robustness.corruptions import smooth
from pellucid.evaluation.robustness.perturbation import in_floats, random_signs
from pellucid.ops.sampling import sample_at
from pellucid.types import Array

# What comes in from outside: the border's pixels, repeated. Mirroring the photo there, as augmentation does, would
# show its subject several times, and black corners would be a change of their own.
AROUND = "edge"
CAMERA_DISTANCE = 1.5  # in longer sides of the photo: a lens of about 37 degrees, a usual portrait's

mirrored = HorizontalFlip()
upside_down = VerticalFlip()


def mirror(images: Array, strength: float, rng: np.random.Generator) -> Array:
    """Swap left and right, exactly; any strength is all of it."""
    return mirrored.apply(images, np.ones((len(images), 1)), rng)


def flip(images: Array, strength: float, rng: np.random.Generator) -> Array:
    """Swap top and bottom, exactly; any strength is all of it."""
    return upside_down.apply(images, np.ones((len(images), 1)), rng)


@in_floats
def rotate(X: Array, degrees: float, rng: np.random.Generator) -> Array:
    """Rotate each photo about its centre, at random to the left or right."""
    return Rotation(edge=AROUND).apply(X, degrees * random_signs(rng, len(X)), rng)


@in_floats
def shift(X: Array, fraction: float, rng: np.random.Generator) -> Array:
    """Shift each photo by a fraction of its side, at random up, down, left or right."""
    ways = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])[rng.integers(0, 4, len(X))]
    return Shift(edge=AROUND).apply(X, fraction * ways * np.array(X.shape[1:3]), rng)


@in_floats
def enlarge(X: Array, strength: float, rng: np.random.Generator) -> Array:
    """Enlarge each photo 1 + strength times about its centre."""
    return Scale(edge=AROUND).apply(X, np.full((len(X), 1), 1 + strength), rng)


@in_floats
def shrink(X: Array, strength: float, rng: np.random.Generator) -> Array:
    """Reduce each photo 1 + strength times about its centre.

    The photo is smoothed first, as a lens would: skipping pixels would add patterns that are not there.
    """
    X = smooth(X, strength / 2)
    return Scale(edge=AROUND).apply(X, np.full((len(X), 1), 1 / (1 + strength)), rng)


@in_floats
def view_at_angle(X: Array, degrees: float, rng: np.random.Generator) -> Array:
    """View each photo at an angle, as a print on a wall, at random from any side.

    Notes
    -----
    A pinhole camera at distance d sees the point (u, v) of a print turned by t about the axis u = 0 at
    (d u cos t, d v) / (d + u sin t); here that is undone for every pixel.
    """
    m, h, w, _ = X.shape
    angle, distance = np.deg2rad(degrees), CAMERA_DISTANCE * max(h, w)
    side = 2 * np.pi * rng.random((m, 1, 1))
    x, y = np.arange(w) - (w - 1) / 2, (np.arange(h) - (h - 1) / 2)[:, None]
    u, v = x * np.cos(side) + y * np.sin(side), y * np.cos(side) - x * np.sin(side)
    u = distance * u / (distance * np.cos(angle) - u * np.sin(angle))
    v = v * (distance + u * np.sin(angle)) / distance
    x, y = u * np.cos(side) - v * np.sin(side), u * np.sin(side) + v * np.cos(side)
    columns, rows = x + (w - 1) / 2, y + (h - 1) / 2
    return sample_at(X, columns.astype(X.dtype), rows.astype(X.dtype), edge=AROUND)
