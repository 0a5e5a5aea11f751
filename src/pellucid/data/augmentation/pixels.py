"""Transforms of single pixels and of squares: noise and cutout."""

from dataclasses import dataclass
from typing import final

import numpy as np

from pellucid.data.augmentation.transform import Transform
from pellucid.registry import option, register
from pellucid.types import Array, Shape


@final
@register("noise")
@dataclass(frozen=True)
class Noise(Transform):
    """Add Gaussian noise to every value, clipped to 0..1.

    In formulas::

        X' = min(max(X + u e, 0), 1)    u uniform in 0 ... deviation, e of each value standard normal

    Parameters
    ----------
    deviation : float, optional
        The largest standard deviation, 0 or more; each image draws its own.
    """

    stays_in_range = False
    words = "± {:.2g}"
    deviation: float = option(0.05, at_least=0)

    def ends(self) -> tuple[float, float]:
        """Return standard deviations."""
        return 0.0, self.deviation

    def spread(self, n: int, shape: Shape) -> Array:
        """Return standard deviations from small to the largest."""
        return super().spread(n + 1, shape)[1:]

    def apply(self, X: Array, values: Array, rng: np.random.Generator, *, out: Array | None = None) -> Array:
        """Return X with noise drawn from ``rng``."""
        noise = rng.standard_normal(X.shape, dtype=X.dtype)
        noise *= values.astype(X.dtype)[:, :, None, None]
        noise += X
        return np.clip(noise, 0, 1, out=noise if out is None else out)


@final
@register("cutout")
@dataclass(frozen=True)
class Cutout(Transform):
    """Cover a square of the image, so that a network does not depend on a single part of it.

    In formulas::

        X'(x, y) = fill where |x - p| and |y - q| are at most size min(h, w) / 2, else X(x, y)
        p, q a place in the image

    Parameters
    ----------
    size : float, optional
        The square's side as a fraction of the image's shorter one, from 0 to 1. Its centre is anywhere in the
        image, so that part of it may be outside.
    fill : float, optional
        What it is covered with, from 0 to 1.

    Notes
    -----
    DeVries and Taylor, 2017, section 3.2.
    """

    words = "{2:.0f} px"
    size: float = option(0.25, at_least=0, at_most=1)
    fill: float = option(0.5, at_least=0, at_most=1)

    def draw(self, m: int, shape: Shape, rng: np.random.Generator) -> Array:
        """Return the centre's row and column and the side, in pixels."""
        centers = rng.random((m, 2)) * np.array(shape[:2])
        return np.hstack([centers, np.full((m, 1), self.size * min(shape[:2]))])

    def spread(self, n: int, shape: Shape) -> Array:
        """Return squares in the middle, from small to the full size."""
        sides = np.linspace(0, self.size * min(shape[:2]), n + 1)[1:, None]
        return np.hstack([np.tile(np.array(shape[:2]) / 2, (n, 1)), sides])

    def apply(self, X: Array, values: Array, rng: np.random.Generator, *, out: Array | None = None) -> Array:
        """Return X with the squares covered."""
        result = np.empty_like(X) if out is None else out
        if result is not X:
            result[...] = X
        starts = np.rint(values[:, :2] - values[:, 2:] / 2).astype(int)
        sides = np.rint(values[:, 2]).astype(int)
        for image, (top, left), side in zip(result, starts, sides, strict=True):
            image[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)] = self.fill
        return result
