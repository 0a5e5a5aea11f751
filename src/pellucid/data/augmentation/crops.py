"""Parts of the image: a shifted window of the same size, or a smaller window enlarged."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from pellucid.data.augmentation.affine import Moving, Translation
from pellucid.data.augmentation.transform import ascending, identities, uniform
from pellucid.registry import option, register
from pellucid.types import Array, Shape


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
