"""Points in the plane, in classes that no straight line parts: moons, circles and spirals, made by a seed."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from pellucid.data.dataset import Dataset, Split
from pellucid.rng import stream
from pellucid.types import Array

N_TRAIN, N_TEST = 300, 200
Draw = Callable[[int, np.random.Generator], tuple[Array, Array]]


def moons(m: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return points of two half circles that reach into each other, and the number of each point's half circle."""
    y = np.arange(m) % 2
    angle = rng.uniform(0, math.pi, m)
    X = np.where(
        y[:, None] == 0,
        np.stack([np.cos(angle), np.sin(angle)], axis=1),
        np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1),
    )
    return X + rng.normal(0, 0.15, X.shape), y


def circles(m: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return points of a circle around another, and the number of each point's circle."""
    y = np.arange(m) % 2
    angle, radius = rng.uniform(0, 2 * math.pi, m), np.where(y == 0, 1.0, 0.45)
    X = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return X + rng.normal(0, 0.1, X.shape), y


def spirals(m: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return points of three arms that wind around the middle, and the number of each point's arm."""
    y = np.arange(m) % 3
    radius = rng.uniform(0.1, 1, m)
    angle = 2 * math.pi * y / 3 + 1.6 * math.pi * radius + rng.normal(0, 0.15, m)
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), y


_SETS: dict[str, tuple[Draw, tuple[str, ...], str]] = {
    "moons": (moons, ("upper", "lower"), "two half circles that reach into each other"),
    "circles": (circles, ("outer", "inner"), "a circle around another"),
    "spirals": (spirals, ("first", "second", "third"), "three arms that wind around the middle"),
}
TOYS: Mapping[str, str] = {
    name: f"500 points of {words}, made by a seed" for name, (_, _, words) in _SETS.items()
}


def load_toy(name: str, seed: int = 1) -> Split:
    """Return a set of points: 300 to train on and 200 to test on, drawn independently.

    Parameters
    ----------
    name : {"moons", "circles", "spirals"}
    seed : int, optional
        Another number draws other points.

    Returns
    -------
    Split
        ``X`` float64 of shape (m, 2), ``y`` int64.

    Examples
    --------
    >>> data = load_toy("spirals")
    >>> data.train.X.shape, data.test.X.shape, data.train.counts
    ((300, 2), (200, 2), array([100, 100, 100]))
    """
    draw, classes, _ = _SETS[name]

    def part(m: int, purpose: str) -> Dataset:
        rng = stream(seed, f"{name} {purpose}")
        X, y = draw(m, rng)
        order = rng.permutation(m)
        return Dataset(X[order], y[order].astype(np.int64), classes, "point")

    return Split(part(N_TRAIN, "train"), part(N_TEST, "test"), name, (f"drawn by seed {seed}",))
