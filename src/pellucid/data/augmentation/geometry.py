"""Geometric transforms: shifts, rotations, scales, shears.

Each is an affine map for each sample. Neighbours in an :class:`~pellucid.Augment` are multiplied into
one map, so that the image is interpolated only once.
"""

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from pellucid.data.augmentation.affine import Moving, Translation
from pellucid.data.augmentation.transform import identities, uniform
from pellucid.errors import OptionError
from pellucid.registry import option, register
from pellucid.types import Array, Shape


@final
@register("shift")
@dataclass(frozen=True)
class Shift(Translation):
    """Move the image by up to a fraction of its size, in any direction.

    In formulas::

        X'(x, y) = X(x - u w, y - v h)    u in -columns ... columns, v in -rows ... rows

    Parameters
    ----------
    rows, columns : float, optional
        The largest fraction of the height and of the width, from 0 to 1.
    edge, fill : optional
        What is outside the image: see :func:`pellucid.ops.sampling.sample`.
    """

    rows: float = option(0.1, at_least=0, at_most=1)
    columns: float = option(0.1, at_least=0, at_most=1)

    def draw(self, m: int, shape: Shape, rng: np.random.Generator) -> Array:
        """Return pixels down and to the right."""
        return uniform(rng, -1, 1, (m, 2)) * self._most(shape)

    def spread(self, n: int, shape: Shape) -> Array:
        """Return shifts along the diagonal."""
        return np.linspace(-1, 1, n)[:, None] * self._most(shape)

    def _most(self, shape: Shape) -> Array:
        return np.array([self.rows * shape[0], self.columns * shape[1]])


@dataclass(frozen=True)
class _Turn(Moving):
    words = "{:+.3g}°"
    degrees: float = option(15.0, at_least=0, at_most=180)

    def ends(self) -> tuple[float, float]:
        """Return angles in degrees."""
        return -self.degrees, self.degrees


@final
@register("rotation")
@dataclass(frozen=True)
class Rotation(_Turn):
    """Rotate the image about its centre.

    In formulas::

        X'(x, y) = X(x cos u - y sin u, x sin u + y cos u)    u in -degrees ... degrees

    Parameters
    ----------
    degrees : float, optional
        The largest angle, in either direction, from 0 to 180. Positive angles are counterclockwise.
    edge, fill : optional
        What is outside the image: see :func:`pellucid.ops.sampling.sample`.
    """

    def inverse(self, values: Array, shape: Shape) -> Array:
        """Return rotations: with y down, [[cos, -sin], [sin, cos]] is the inverse."""
        angle = np.deg2rad(values[:, 0])
        maps = identities(len(values))
        maps[:, 0, 0] = maps[:, 1, 1] = np.cos(angle)
        maps[:, 1, 0] = np.sin(angle)
        maps[:, 0, 1] = -maps[:, 1, 0]
        return maps


@final
@register("scale")
@dataclass(frozen=True)
class Scale(Moving):
    """Zoom in or out about the image's centre; the image keeps its size.

    In formulas::

        X'(x, y) = X(x / u, y / u)    log u uniform in log low ... log high

    Parameters
    ----------
    low, high : float, optional
        The smallest and the largest factor, above 0. Factors are log-uniform, so that
        twice as large is as likely as half as large.
    edge, fill : optional
        What is outside the image: see :func:`pellucid.ops.sampling.sample`.
    """

    words = "× {:.2f}"
    low: float = option(0.8, above=0)
    high: float = option(1.25, above=0)

    def __post_init__(self) -> None:
        self._check_options()
        if self.high < self.low:
            raise OptionError(f"scale: expected high to be at least low, {self.low:g}, got {self.high!r}.")

    def draw(self, m: int, shape: Shape, rng: np.random.Generator) -> Array:
        """Return factors."""
        return np.exp(uniform(rng, math.log(self.low), math.log(self.high), (m, 1)))

    def spread(self, n: int, shape: Shape) -> Array:
        """Return factors from the smallest to the largest."""
        return np.geomspace(self.low, self.high, n)[:, None]

    def inverse(self, values: Array, shape: Shape) -> Array:
        """Return maps with 1 / factor on the diagonal."""
        maps = identities(len(values))
        maps[:, 0, 0] = maps[:, 1, 1] = 1 / values[:, 0]
        return maps


@final
@register("shear")
@dataclass(frozen=True)
class Shear(_Turn):
    """Shear the image: rows shift sideways in proportion to their distance from the centre.

    In formulas::

        X'(x, y) = X(x + y tan u, y)    u in -degrees ... degrees

    Parameters
    ----------
    degrees : float, optional
        The largest angle by which vertical lines lean, in either direction, from 0 to below 90. Positive angles
        lean to the right.
    edge, fill : optional
        What is outside the image: see :func:`pellucid.ops.sampling.sample`.
    """

    degrees: float = option(10.0, at_least=0, below=90)

    def inverse(self, values: Array, shape: Shape) -> Array:
        """Return x + y tan(angle): y runs down, and what is high up comes from further left."""
        maps = identities(len(values))
        maps[:, 0, 1] = np.tan(np.deg2rad(values[:, 0]))
        return maps
