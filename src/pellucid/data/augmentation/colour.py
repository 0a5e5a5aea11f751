"""Colour transforms: brightness, contrast, saturation, hue.

Each is an affine map of a pixel's colour, the same for all pixels of one image. Neighbours in an
:class:`~pellucid.Augment` are multiplied into one map, and only its results are clipped to 0..1.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from pellucid.data.augmentation.transform import Transform, identities
from pellucid.ops.colour import mean_colours, recolour
from pellucid.registry import option, register
from pellucid.types import Array

# How bright red, green and blue are to the eye: ITU-R BT.601, section 2.5.1, as in Pillow and PyTorch.
LUMA = np.array([0.299, 0.587, 0.114])
# Brightness and two axes of colour, so that greys are on the first axis only: the YIQ space of NTSC television.
RGB_TO_YIQ = np.array([LUMA, [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


@dataclass(frozen=True)
class Colour(Transform):
    """A transform that is an affine map of colours; results are clipped to 0..1."""

    stays_in_range = False

    def maps(self, values: Array, mean: Array) -> Array:
        """Return the maps given by the values.

        Parameters
        ----------
        values : Array, shape (m, 1)
        mean : Array, shape (m, c)
            The mean colour of each image.

        Returns
        -------
        Array, shape (m, c + 1, c + 1), float64
            The row (r, g, b, 1) times its map is the new colour.
        """
        raise NotImplementedError

    def apply(self, X: Array, values: Array, rng: np.random.Generator, *, out: Array | None = None) -> Array:
        """Return X with changed colours."""
        return recolour(X, self.maps(values, mean_colours(X)), out=out)


@dataclass(frozen=True)
class _Factor(Colour):
    words = "× {:.2f}"
    amount: float = option(0.2, at_least=0, at_most=1)

    def ends(self) -> tuple[float, float]:
        """Return factors."""
        return 1 - self.amount, 1 + self.amount


@register("brightness")
@dataclass(frozen=True)
class Brightness(_Factor):
    """Multiply every value by a factor.

    In formulas::

        X' = min(max(u X, 0), 1)    u uniform in 1 - amount ... 1 + amount

    Parameters
    ----------
    amount : float, optional
        From 0 to 1: factors are between 1 - amount and 1 + amount.

    Examples
    --------
    >>> brighter = Brightness().apply(np.full((1, 1, 1, 3), 0.5), np.array([[1.5]]), np.random.default_rng(0))
    >>> brighter.ravel()
    array([0.75, 0.75, 0.75])
    """

    def maps(self, values: Array, mean: Array) -> Array:
        """Return factor times X."""
        maps = identities(len(values), mean.shape[1] + 1)
        maps[:, :-1, :-1] *= values[..., None]
        return maps


@final
@register("contrast")
@dataclass(frozen=True)
class Contrast(Brightness):
    """Move every value away from the image's mean brightness, or towards it.

    In formulas::

        X' = u X + (1 - u) mean(L)    L = 0.299 R + 0.587 G + 0.114 B, then clipped to 0 ... 1

    Parameters
    ----------
    amount : float, optional
        From 0 to 1: factors are between 1 - amount and 1 + amount; factor 0 gives a uniform grey.

    Examples
    --------
    >>> photo = np.array([0.4, 0.6]).reshape(1, 1, 2, 1)
    >>> Contrast().apply(photo, np.array([[1.5]]), np.random.default_rng(0)).ravel().round(3)
    array([0.35, 0.65])
    """

    def maps(self, values: Array, mean: Array) -> Array:
        """Return factor times X + (1 - factor) times the mean brightness."""
        maps = super().maps(values, mean)
        maps[:, -1, :-1] = (1 - values) * (mean @ _luma(mean))[:, None]
        return maps


@final
@register("saturation")
@dataclass(frozen=True)
class Saturation(_Factor):
    """Move every pixel away from the grey of its brightness, or towards it; grey images do not change.

    In formulas::

        X' = u X + (1 - u) L    L = 0.299 R + 0.587 G + 0.114 B, then clipped to 0 ... 1

    Parameters
    ----------
    amount : float, optional
        From 0 to 1: factors are between 1 - amount and 1 + amount; factor 0 gives a grey image.
    """

    def maps(self, values: Array, mean: Array) -> Array:
        """Return factor times X + (1 - factor) times the pixel's brightness."""
        maps = identities(len(values), mean.shape[1] + 1)
        factor, luma = values[..., None], _luma(mean)
        maps[:, :-1, :-1] = factor * np.eye(len(luma)) + (1 - factor) * np.outer(luma, np.ones(len(luma)))
        return maps


@final
@register("hue")
@dataclass(frozen=True)
class Hue(Colour):
    """Rotate all colours about the axis of greys; brightness and grey images do not change.

    In formulas::

        I' = I cos(2 pi u) + Q sin(2 pi u)
        Q' = Q cos(2 pi u) - I sin(2 pi u)    I, Q the two axes of colour of YIQ, whose brightness Y stays

    Parameters
    ----------
    amount : float, optional
        The largest fraction of a full turn, in either direction, from 0 to 1. A third turns red towards green.

    Notes
    -----
    A rotation of the plane of I and Q of the YIQ space: linear, hence one matrix with the other colour
    transforms. Pillow and torchvision shift the hue of HSV instead, which is not linear: same idea, other colours.
    """

    words = "{:+.2g} turns"
    amount: float = option(0.05, at_least=0, at_most=1)

    def ends(self) -> tuple[float, float]:
        """Return fractions of a turn."""
        return -self.amount, self.amount

    def maps(self, values: Array, mean: Array) -> Array:
        """Return the rotations, in red, green and blue."""
        maps = identities(len(values), mean.shape[1] + 1)
        if mean.shape[1] == 3:
            angle = -2 * np.pi * values[:, 0]  # red is about 90 degrees ahead of green in YIQ
            turn = identities(len(values))
            turn[:, 1, 1] = turn[:, 2, 2] = np.cos(angle)
            turn[:, 1, 2] = -np.sin(angle)
            turn[:, 2, 1] = np.sin(angle)
            there_and_back = np.linalg.inv(RGB_TO_YIQ) @ turn @ RGB_TO_YIQ
            maps[:, :3, :3] = there_and_back.transpose(0, 2, 1)  # colours are rows here
        return maps


def _luma(mean: Array) -> Array:
    return LUMA if mean.shape[1] == 3 else np.ones(1)
