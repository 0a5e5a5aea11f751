"""Changes of colour: hue, brightness, contrast, and a background in the subject's colour."""

import numpy as np

from pellucid.data.augmentation.colour import Brightness, Contrast, Hue
from pellucid.evaluation.robustness.perturbation import in_floats, random_signs
from pellucid.types import Array

# The ellipse that stands in for the subject: its centre is the photo's, and its edge is soft. At INNER nothing
# is background yet, at OUTER all is; 1 is where the ellipse touches the photo's sides.
INNER, OUTER = 0.6, 1.0


@in_floats
def turn_hue(X: Array, degrees: float, rng: np.random.Generator) -> Array:
    """Rotate all colours about the axis of greys, at random one way or the other."""
    return Hue().apply(X, degrees / 360 * random_signs(rng, len(X)), rng)


@in_floats
def darken(X: Array, fraction: float, rng: np.random.Generator) -> Array:
    """Remove a fraction of the light."""
    return Brightness().apply(X, np.full((len(X), 1), 1 - fraction), rng)


@in_floats
def brighten(X: Array, fraction: float, rng: np.random.Generator) -> Array:
    """Add a fraction of the light; what passes white is white."""
    return Brightness().apply(X, np.full((len(X), 1), 1 + fraction), rng)


@in_floats
def flatten(X: Array, fraction: float, rng: np.random.Generator) -> Array:
    """Remove a fraction of the contrast: move every value towards the photo's mean brightness."""
    return Contrast().apply(X, np.full((len(X), 1), 1 - fraction), rng)


@in_floats
def blend_background(X: Array, fraction: float, rng: np.random.Generator) -> Array:
    """Blend what lies outside a soft ellipse with the mean colour inside it."""
    outside = background_of(*X.shape[1:3]).astype(X.dtype)[..., None]
    inside = 1 - outside
    subject = (X * inside).sum(axis=(1, 2), keepdims=True) / inside.sum()
    blended: Array = X + np.float32(fraction) * outside * (subject - X)
    return blended


def background_of(h: int, w: int) -> Array:
    """Return how far each pixel counts as background, from 0 in the middle to 1 at the corners, shape (h, w).

    The subject's place is not marked. It is taken to fill the middle, as in most photos of one object; where
    it does not, a part of it counts as background.

    Examples
    --------
    >>> background_of(5, 5)[2].round(2)
    array([0.5, 0. , 0. , 0. , 0.5])
    """
    y, x = (np.arange(h) - (h - 1) / 2) / (h / 2), (np.arange(w) - (w - 1) / 2) / (w / 2)
    t = np.clip((np.hypot(y[:, None], x) - INNER) / (OUTER - INNER), 0, 1)
    soft: Array = t * t * (3 - 2 * t)
    return soft
