"""Mixing two samples and their targets: mixup and cutmix."""

from dataclasses import dataclass
from typing import final

import numpy as np

from pellucid.data.augmentation.transform import Transform
from pellucid.errors import OptionError, ShapeError
from pellucid.ops.paste import paste
from pellucid.registry import option, register
from pellucid.types import Array, Shape


@dataclass(frozen=True)
class Blend(Transform):
    """A transform that mixes another sample of the batch into each, and their targets likewise.

    It needs targets that can be mixed, and so only works in an :class:`~pellucid.Augment`. The first
    two of its ``values`` are the other sample's fraction, and its row in the batch.

    Parameters
    ----------
    alpha : float, optional
        Above 0: fractions are drawn from Beta(alpha, alpha). Small values keep most images nearly intact; 1 makes
        all fractions equally likely.
    """

    words = "{:.0%} other"
    alpha: float = option(1.0, above=0)

    def __call__(self, X: Array, rng: np.random.Generator, *, out: Array | None = None) -> Array:
        """Raise OptionError: targets have to be mixed too."""
        name = type(self).__name__
        raise OptionError(f"{name}: it mixes targets too. Use Augment([{name}()]).apply(X, Y, rng).")

    def draw(self, m: int, shape: Shape, rng: np.random.Generator) -> Array:
        """Return the fraction of the other sample and its row in the batch."""
        return np.stack([rng.beta(self.alpha, self.alpha, m), rng.permutation(m)], axis=1)

    def spread(self, n: int, shape: Shape) -> Array:
        """Return fractions up to a half, of the last row."""
        return np.stack([np.linspace(0, 0.5, n + 1)[1:], np.full(n, -1)], axis=1)

    def mix_targets(self, Y: Array | None, values: Array) -> Array:
        """Return targets mixed in the same way as the images.

        Parameters
        ----------
        Y : Array, shape (m, k), floats
        values : Array, shape (m, 2) or more columns
            As drawn for the images.

        Raises
        ------
        OptionError, ShapeError
            If there are no targets, or they are not rows of numbers that can be mixed.
        """
        name = type(self).__name__
        if Y is None:
            raise OptionError(f"{name}: it mixes targets too, and Y is None. Give targets of shape (m, k).")
        if Y.ndim != 2 or not np.issubdtype(Y.dtype, np.floating):
            raise ShapeError(
                f"{name}: expected targets of floats, shape (m, k) or (m, 1), got {Y.dtype} of shape {Y.shape}. "
                "Turn labels into rows of 0 and 1 first."
            )
        return _mix(Y, values, None)


@final
@register("mixup")
@dataclass(frozen=True)
class Mixup(Blend):
    """Blend another sample of the batch with each, and mix their targets in the same proportions.

    In formulas::

        X' = (1 - u) X + u X_other    u from Beta(alpha, alpha)
        Y' = (1 - u) Y + u Y_other

    Parameters
    ----------
    alpha : float, optional
        See :class:`Blend`.

    Notes
    -----
    Zhang et al., 2018, equation 1; each sample draws its own fraction and partner.
    """

    alpha: float = option(0.2, above=0)

    def apply(self, X: Array, values: Array, rng: np.random.Generator, *, out: Array | None = None) -> Array:
        """Return X blended with the other samples."""
        return _mix(X, values, out)


@final
@register("cutmix")
@dataclass(frozen=True)
class CutMix(Blend):
    """Paste a piece of another sample of the batch into each, and mix their targets by area.

    In formulas::

        X' = X_other inside a rectangle of sqrt(u) h by sqrt(u) w pixels, else X    u from Beta(alpha, alpha)
        Y' = (1 - v) Y + v Y_other    v the rectangle's part of the pixels

    A network cannot rely on the one detail that reveals the class of most photos, since it may be covered.

    Parameters
    ----------
    alpha : float, optional
        See :class:`Blend`.

    Notes
    -----
    Yun et al., 2019, equations 1 and 2. The piece has the proportions of the image, and its position is drawn so
    that all of it is inside (theirs may extend outside, and is then smaller). Its fraction is that of its pixels.
    As in their code, size and position are drawn once per batch, and partners for each sample.
    """

    def draw(self, m: int, shape: Shape, rng: np.random.Generator) -> Array:
        """Return the piece's fraction of the pixels, the row it is from, and its top, left, height and width."""
        drawn, place = super().draw(m, shape, rng), rng.random(2)
        drawn[:, 0] = drawn[:1, 0]
        return _pieces(drawn, np.tile(place, (m, 1)), shape)

    def spread(self, n: int, shape: Shape) -> Array:
        """Return pieces in the middle, of the last row, up to half of the image."""
        return _pieces(super().spread(n, shape), np.full((n, 2), 0.5), shape)

    def apply(self, X: Array, values: Array, rng: np.random.Generator, *, out: Array | None = None) -> Array:
        """Return X with the pieces pasted in."""
        places = values[:, 1:].astype(np.intp)
        return paste(X, places[:, 0].copy(), places[:, 1:].copy(), out=out)


def _pieces(drawn: Array, places: Array, shape: Shape) -> Array:
    """Return fraction, row, top, left, height and width of pieces of about the fractions that were drawn."""
    whole = np.array(shape[:2])
    sides = np.rint(np.sqrt(drawn[:, :1]) * whole)
    corners = np.floor(places * (whole - sides + 1))
    return np.hstack([sides.prod(axis=1, keepdims=True) / whole.prod(), drawn[:, 1:], corners, sides])


def _mix(A: Array, values: Array, out: Array | None) -> Array:
    fraction = values[:, 0].astype(A.dtype).reshape(-1, *[1] * (A.ndim - 1))
    others = A[values[:, 1].astype(np.intp)]
    others -= A
    others *= fraction
    return np.add(A, others, out=out)
