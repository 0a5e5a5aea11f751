"""Base classes of the geometric transforms: affine maps, some of which sample outside the image."""

from dataclasses import dataclass

import numpy as np

from pellucid.data.augmentation.transform import Transform
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


@dataclass(frozen=True, kw_only=True)
class Moving(Geometric):
    """A map that can sample outside the image."""

    edge: str = option("reflect", choices=lambda: EDGES)
    fill: float = option(0.0, at_least=0, at_most=1)

    @property
    def border(self) -> tuple[str, float]:
        """The edge and the fill."""
        return self.edge, self.fill

    def apply(self, X: Array, values: Array, rng: np.random.Generator, *, out: Array | None = None) -> Array:
        """Return X sampled through the maps given by the values."""
        return sample(X, self.inverse(values, X.shape[1:]), edge=self.edge, fill=self.fill, out=out)


def identities(m: int) -> Array:
    """Return m identity maps, shape (m, 3, 3).

    Examples
    --------
    >>> identities(2).shape
    (2, 3, 3)
    """
    return np.repeat(np.eye(3)[None], m, axis=0)


def translations(values: Array) -> Array:
    """Return the maps that move an image down and to the right by a number of pixels, (m, 2) to (m, 3, 3).

    Examples
    --------
    >>> translations(np.array([[1.0, 2.0]]))[0, :2, 2]  # output to input: the other way
    array([-2., -1.])
    """
    maps = identities(len(values))
    maps[:, 0, 2], maps[:, 1, 2] = -values[:, 1], -values[:, 0]
    return maps


def way(down: float, right: float) -> str:
    """Return a shift as arrows.

    Examples
    --------
    >>> way(4.0, -2.56)
    '↓ 4 ← 2.6 px'
    """
    steps = (f"{'↓' if down >= 0 else '↑'} {abs(down):.2g}", f"{'→' if right >= 0 else '←'} {abs(right):.2g}")
    return f"{' '.join(steps)} px"


def signed(value: float) -> str:
    """Return a number with its sign, and none for 0.

    Examples
    --------
    >>> signed(6.0), signed(-2.5), signed(0.0)
    ('+6', '−2.5', '0')
    """
    return f"{value:+.3g}".replace("-", "−") if value else "0"
