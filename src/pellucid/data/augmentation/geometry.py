"""Geometric transforms: affine maps of the image's plane, such as flips, shifts, rotations and crops.

Each is an affine map for each sample. Neighbours in an :class:`~pellucid.Augment` are multiplied into
one map, so that the image is interpolated only once.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from pellucid.data.augmentation.transform import Transform, ascending, identities, uniform
from pellucid.errors import OptionError
from pellucid.ops.sampling import EDGES, sample
from pellucid.registry import option, register
from pellucid.types import Array, Shape


@dataclass(frozen=True)
class Geometric(Transform):
    """A transform that is an affine map of the image's plane."""

    def inverse(self, values: Array, shape: Shape) -> Array:
        """Return the maps from output to input of the values, shape (m, 3, 3).

        Positions are (x, y, 1) in pixels from the image's centre, x to the right and y down.
        """
        raise NotImplementedError

    @property
    def border(self) -> tuple[str, float] | None:
        """The edge and the fill; None where the map never samples outside the image."""
        return None

    def apply(self, X: Array, values: Array, rng: np.random.Generator, *, out: Array | None = None) -> Array:
        """Return X sampled through the maps given by the values."""
        edge, fill = self.border or ("reflect", 0.0)
        return sample(X, self.inverse(values, X.shape[1:]), edge=edge, fill=fill, out=out)


@dataclass(frozen=True, kw_only=True)
class Moving(Geometric):
    """A map that can sample outside the image."""

    edge: str = option("reflect", choices=lambda: EDGES)
    fill: float = option(0.0, at_least=0, at_most=1)

    @property
    def border(self) -> tuple[str, float]:
        """The edge and the fill."""
        return self.edge, self.fill


@dataclass(frozen=True)
class Translation(Moving):
    """A move by a number of pixels, (m, 2): down and to the right."""

    words = "↓ {:+.2g}, → {:+.2g} px"

    def inverse(self, values: Array, shape: Shape) -> Array:
        """Return moves the other way: from output to input.

        Examples
        --------
        >>> Translation().inverse(np.array([[1.0, 2.0]]), (8, 8, 3))[0, :2, 2]
        array([-2., -1.])
        """
        maps = identities(len(values))
        maps[:, 0, 2], maps[:, 1, 2] = -values[:, 1], -values[:, 0]
        return maps


@dataclass(frozen=True)
class _Flip(Geometric):
    words = "flipped"
    probability: float = option(0.5, at_least=0, at_most=1)
    axis: ClassVar[int] = 0  # of one image: 0 reverses rows, 1 columns

    def draw(self, m: int, shape: Shape, rng: np.random.Generator) -> Array:
        """Return 1 where the image is flipped, else 0."""
        return (rng.random((m, 1)) < self.probability).astype(float)

    def spread(self, n: int, shape: Shape) -> Array:
        """Return the only value that makes a change."""
        return np.ones((1, 1))

    def inverse(self, values: Array, shape: Shape) -> Array:
        """Return maps with the sign of x or y changed."""
        maps = identities(len(values))
        diagonal = 1 - self.axis
        maps[:, diagonal, diagonal] = 1 - 2 * values[:, 0]
        return maps


@final
@register("horizontal_flip")
@dataclass(frozen=True)
class HorizontalFlip(_Flip):
    """Swap left and right.

    In formulas::

        X'(x, y) = X(-x, y)    with probability p, else X

    Parameters
    ----------
    probability : float, optional
        From 0 to 1.

    Examples
    --------
    >>> HorizontalFlip(1.0)(np.array([0.1, 0.2]).reshape(1, 1, 2, 1), np.random.default_rng(0)).ravel()
    array([0.2, 0.1])
    """

    axis = 1


@final
@register("vertical_flip")
@dataclass(frozen=True)
class VerticalFlip(_Flip):
    """Swap top and bottom.

    In formulas::

        X'(x, y) = X(x, -y)    with probability p, else X

    Parameters
    ----------
    probability : float, optional
        From 0 to 1.

    Examples
    --------
    >>> VerticalFlip(1.0)(np.array([0.1, 0.2]).reshape(1, 2, 1, 1), np.random.default_rng(0)).ravel()
    array([0.2, 0.1])
    """

    axis = 0


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


@final
@register("crop")
@dataclass(frozen=True)
class Crop(Translation):
    """Pad the image on every side, then crop a window of the old size: a shift by whole pixels.

    In formulas::

        X'(x, y) = X(x - right, y - down)    right, down whole numbers in -padding ... padding

    Parameters
    ----------
    padding : int, optional
        Number of pixels, 0 or more.
    edge, fill : optional
        What the image is padded with: see :func:`pellucid.ops.sampling.sample`.

    Notes
    -----
    He et al., 2016, section 4.2.
    """

    padding: int = option(4, at_least=0)

    def draw(self, m: int, shape: Shape, rng: np.random.Generator) -> Array:
        """Return whole pixels down and to the right."""
        return np.floor(uniform(rng, -self.padding, self.padding + 1, (m, 2)))

    def spread(self, n: int, shape: Shape) -> Array:
        """Return shifts along the diagonal."""
        return np.rint(np.linspace(-self.padding, self.padding, n))[:, None] * np.ones(2)


@final
@register("resized_crop")
@dataclass(frozen=True)
class ResizedCrop(Moving):
    """Crop a random window of the image and resize it to the image's size.

    In formulas::

        X'(x, y) = X(u x + p, v y + q)    u, v the window's width and height, p, q its centre's place
        u v = area, u / v = aspect

    Parameters
    ----------
    area : (float, float), optional
        The smallest and the largest fraction of the image's area, above 0 up to 1.
    aspect : (float, float), optional
        The smallest and the largest ratio of the window's width to its height, relative to the image's; drawn
        log-uniformly. A side that would be longer than the image's is cut to it.
    edge, fill : optional
        What is outside, for the half pixel at the border: see
        :func:`pellucid.ops.sampling.sample`.

    Notes
    -----
    Szegedy et al., 2015, section 6. As part of an Augment the window is one more factor of the map: what it
    leaves out can reappear at a corner that is rotated in.
    """

    words = "{3:.0%} x {2:.0%} of it"
    area: tuple[float, float] = option((0.6, 1.0), above=0, at_most=1, check=ascending)
    aspect: tuple[float, float] = option((0.75, 4 / 3), above=0, check=ascending)

    def draw(self, m: int, shape: Shape, rng: np.random.Generator) -> Array:
        """Return the window's top, left, height and width as fractions of the image's sides."""
        area = uniform(rng, *self.area, (m,))
        aspect = np.exp(uniform(rng, math.log(self.aspect[0]), math.log(self.aspect[1]), (m,)))
        position = rng.random((m, 2))
        sides = np.minimum(np.sqrt(np.stack([area / aspect, area * aspect], axis=1)), 1)
        return np.hstack([position * (1 - sides), sides])

    def spread(self, n: int, shape: Shape) -> Array:
        """Return windows about the centre, from the largest to the smallest."""
        sides = np.sqrt(np.linspace(self.area[1], self.area[0], n))[:, None] * np.ones(2)
        return np.hstack([(1 - sides) / 2, sides])

    def inverse(self, values: Array, shape: Shape) -> Array:
        """Return maps from the image's edges to the window's edges."""
        maps = identities(len(values))
        for axis, n in enumerate((shape[1], shape[0])):  # x, then y
            start, side = values[:, 1 - axis], values[:, 3 - axis]
            maps[:, axis, axis] = side
            maps[:, axis, 2] = (start + side / 2 - 0.5) * n
        return maps
