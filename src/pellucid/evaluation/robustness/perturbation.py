"""A perturbation: a change of photos at a chosen strength, for one of the reasons why photos are misclassified."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeAlias

import numpy as np

from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.types import Array, is_image_shape

# The tutorial's six reasons why photos are misclassified, in our words, and what is measured in addition.
REASONS = {
    "position": "unusual position",
    "background": "background of a similar colour",
    "colour": "unusual colour",
    "camera": "unusual camera angle",
    "brightness": "brightness and contrast",
    "scale": "size and place in the frame",
    "beyond": "noise, blur, parts hidden",
}

# uint8 (m, h, w, c), a strength above 0, and a generator, to new uint8 of that shape
Change: TypeAlias = Callable[[Array, float, np.random.Generator], Array]


@dataclass(frozen=True)
class Perturbation:
    """A change of photos that leaves what they show, and that can be made stronger step by step.

    Attributes
    ----------
    name : str
        As on the command line.
    title : str
        As in the title of a figure.
    reason : str
        A key of ``REASONS``.
    description : str
        What is done: what is drawn at random, and what stands in for what is not known.
    unit : str
        Of the strength.
    change : callable
        What is done at a strength above 0.
    label : callable
        A strength in a few letters, for an axis.
    strengths : tuple of float
        The usual ones, ascending, without 0.
    moderate : float
        One of them: about as much as two photos of the same object may differ. Rankings compare these.
    largest : float
        The largest meaningful strength.
    needs_colour : bool
        Whether it leaves grey photos as they are.
    """

    name: str
    title: str
    reason: str
    description: str
    unit: str
    change: Change
    label: Callable[[float], str]
    strengths: tuple[float, ...] = (1,)
    moderate: float = 1
    largest: float = 1
    needs_colour: bool = False

    @property
    def usual(self) -> str:
        """The usual strengths, for a message."""
        return f"Usual ones: {', '.join(f'{value:g}' for value in self.strengths)}."

    def __call__(self, images: Array, strength: float, rng: np.random.Generator) -> Array:
        """Return a changed copy of photos.

        Parameters
        ----------
        images : Array, shape (m, h, w, c) or (m, h, w), uint8
            c is 1 or 3. Not modified.
        strength : float
            From 0 to ``largest``, in the perturbation's unit; at 0 the copy holds the same bytes.
        rng : numpy.random.Generator
            For what is drawn at random for each photo. What is drawn does not depend on the strength: the same
            stream rotates a photo the same way by 20 degrees as by 10.

        Returns
        -------
        Array, shape of images, uint8

        Raises
        ------
        ShapeError, DataError
            If these are not photos of bytes.
        OptionError
            If the strength is out of range, or the photos are grey and the perturbation needs colour.
        """
        check_photos(self.name, images)
        self.check_strength(strength)
        if strength == 0:
            return images.copy()
        X = images[..., None] if images.ndim == 3 else images
        if self.needs_colour and X.shape[3] == 1:
            raise OptionError(f"{self.name}: expected photos in colour, got grey ones. Leave it out.")
        return self.change(X, float(strength), rng).reshape(images.shape)

    def check_strength(self, strength: float) -> None:
        """Raise OptionError unless the strength is a finite number from 0 to ``largest``."""
        is_number = isinstance(strength, int | float | np.number) and not isinstance(strength, bool)
        if not (is_number and math.isfinite(strength) and 0 <= strength <= self.largest):
            raise OptionError(
                f"{self.name}: expected a strength from 0 to {self.largest:g} ({self.unit}), got {strength!r}. "
                f"{self.usual}"
            )


def check_photos(where: str, images: Array) -> None:
    """Raise ShapeError or DataError unless these are photos of bytes.

    Examples
    --------
    >>> check_photos("here", np.zeros((2, 8, 8, 3), np.uint8))
    """
    if not is_image_shape(images.shape[1:]) or images.shape[3:] == (4,):
        raise ShapeError(
            f"{where}: expected photos of shape (m, height, width, 3), or grey ones of (m, height, width, 1) or "
            f"(m, height, width), got {images.shape}. Only photos can be rotated, darkened or covered."
        )
    if images.dtype != np.uint8:
        raise DataError(
            f"{where}: expected photos of bytes (uint8, 0 to 255), got {images.dtype}. "
            "Values from 0 to 1 become bytes by (255 * X).round().astype('uint8')."
        )


def in_floats(change: Change) -> Change:
    """Let a change of float32 photos from 0 to 1 take and return bytes.

    Examples
    --------
    >>> darker = in_floats(lambda X, strength, rng: X * np.float32(1 - strength))
    >>> darker(np.full((1, 1, 1, 1), 200, np.uint8), 0.5, np.random.default_rng(0)).ravel()
    array([100], dtype=uint8)
    """

    @wraps(change)
    def on_bytes(images: Array, strength: float, rng: np.random.Generator) -> Array:
        X = images.astype(np.float32)
        X /= 255
        X = change(X, strength, rng)
        X = X * np.float32(255)
        return np.rint(X, out=X).astype(np.uint8)

    return on_bytes
