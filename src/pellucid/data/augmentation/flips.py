"""Mirror images."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from pellucid.data.augmentation.affine import Geometric
from pellucid.data.augmentation.transform import identities
from pellucid.registry import option, register
from pellucid.types import Array, Shape


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
