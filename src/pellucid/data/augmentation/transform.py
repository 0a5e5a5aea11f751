"""The base class of transforms, and the checks of their options and of batches.

A transform draws ``values``, one row per sample, and applies them: so the same change can be drawn at random for
training, or shown in order on a contact sheet.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pellucid.errors import DataError, ShapeError
from pellucid.registry import Configurable, Registry
from pellucid.types import Array, Shape

TOLERANCE = 1e-3  # how far outside 0..1 a value may be: interpolation rounds


TRANSFORMS: Registry["Transform"] = Registry("transform", "pellucid.data.augmentation")


@dataclass(frozen=True)
class Transform(Configurable):
    """A random change of images that keeps what they show.

    Subclasses are dataclasses whose fields are their options, registered by name. Images are batches
    (m, h, w, c) of float32 or float64, c 1 or 3, with values from 0 to 1.

    Attributes
    ----------
    stays_in_range : bool
        False where results are clipped to 0..1, so that the input must be in that range too.
    """

    _registry: ClassVar[Registry[Any] | None] = TRANSFORMS
    stays_in_range: ClassVar[bool] = True
    words: ClassVar[str]  # a row of values, in a few words

    def __call__(self, X: Array, rng: np.random.Generator, *, out: Array | None = None) -> Array:
        """Return a changed copy of a batch; each sample draws its own values.

        Parameters
        ----------
        X : Array, shape (m, h, w, c), float32 or float64, 0 to 1
            Not modified, unless ``out`` is X.
        rng : numpy.random.Generator
            How many numbers are drawn depends on the batch's shape alone.
        out : Array, shape and dtype of X, optional
            Written and returned; may be X itself.

        Returns
        -------
        Array, shape and dtype of X
        """
        check_batch(type(self).__name__, X, must_be_in_range=not self.stays_in_range)
        return self.apply(X, self.draw(len(X), X.shape[1:], rng), rng, out=out)

    def ends(self) -> tuple[float, float]:
        """Return the range of a transform that draws one number for an image, every one as likely."""
        raise NotImplementedError

    def draw(self, m: int, shape: Shape, rng: np.random.Generator) -> Array:
        """Return random values for m images of shape (h, w, c): float64, one row per image."""
        return uniform(rng, *self.ends(), (m, 1))

    def spread(self, n: int, shape: Shape) -> Array:
        """Return values that run through the transform's range in even steps: n rows, or fewer."""
        return np.linspace(*self.ends(), n)[:, None]

    def apply(self, X: Array, values: Array, rng: np.random.Generator, *, out: Array | None = None) -> Array:
        """Return X changed according to ``values``; ``rng`` draws what differs by pixel."""
        raise NotImplementedError

    def label(self, values: Array) -> str:
        """Return one row of values in a few words."""
        return self.words.format(*values).replace("-", "−")


def identities(m: int, n: int = 3) -> Array:
    """Return m identity maps, shape (m, n, n).

    Examples
    --------
    >>> identities(2).shape
    (2, 3, 3)
    """
    return np.repeat(np.eye(n)[None], m, axis=0)


def uniform(rng: np.random.Generator, low: float, high: float, shape: Shape) -> Array:
    """Return float64 numbers from low to high, one draw each even where low equals high.

    Examples
    --------
    >>> uniform(np.random.default_rng(0), 2.0, 2.0, (3,))
    array([2., 2., 2.])
    """
    return low + (high - low) * rng.random(shape)


def ascending(pair: tuple[float, float]) -> tuple[float, float]:
    """Return a pair of numbers, checked; ValueError unless the smaller is first."""
    if pair[0] > pair[1]:
        raise ValueError("two numbers, the smaller first")
    return pair


def check_batch(where: str, X: Array, *, must_be_in_range: bool) -> None:
    """Raise ShapeError or DataError unless X is a batch of images that transforms can take.

    Examples
    --------
    >>> check_batch("here", np.zeros((2, 4, 4, 3)), must_be_in_range=True)
    """
    if X.ndim != 4 or X.shape[3] not in (1, 3) or 0 in X.shape[1:]:
        raise ShapeError(
            f"{where}: expected images of shape (m, height, width, channels) with 1 or 3 channels, got {X.shape}. "
            "Only photos can be augmented this way."
        )
    if X.dtype not in (np.float32, np.float64):
        raise DataError(
            f"{where}: expected float32 or float64 values from 0 to 1, got {X.dtype}. Divide pixels by 255 first."
        )
    if must_be_in_range and X.size:
        low, high = float(X.min()), float(X.max())
        if not (low >= -TOLERANCE and high <= 1 + TOLERANCE):
            raise DataError(
                f"{where}: expected values from 0 to 1, to which results are clipped, got {low:.3g} to {high:.3g}. "
                "Divide pixels by 255, and standardize after augmenting."
            )
