"""Base classes of the geometric transforms: affine maps, some of which sample outside the image."""

from dataclasses import dataclass

import numpy as np

from pellucid.data.augmentation.transform import Transform, identities
from pellucid.ops.sampling import EDGES, sample
from pellucid.registry import option
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
