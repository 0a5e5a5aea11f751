"""Corruptions: noise, blur, JPEG, occlusion."""

import io

import numpy as np

from pellucid.data.augmentation.pixels import Cutout, Noise
from pellucid.evaluation.robustness.perturbation import in_floats
from pellucid.types import Array


@in_floats
def add_noise(X: Array, deviation: float, rng: np.random.Generator) -> Array:
    """Add Gaussian noise; its pattern is the same at every strength."""
    return Noise().apply(X, np.full((len(X), 1), deviation), rng)


@in_floats
def blur(X: Array, deviation: float, rng: np.random.Generator) -> Array:
    """Blur by a Gaussian of that standard deviation in pixels."""
    return smooth(X, deviation)


def smooth(X: Array, deviation: float) -> Array:
    """Return images smoothed by a Gaussian of that standard deviation in pixels, mirrored at their borders.

    Examples
    --------
    >>> dot = np.eye(1, 9, 4).reshape(1, 1, 9, 1)
    >>> smooth(dot, 1.0).ravel().round(2).tolist()[4:]
    [0.4, 0.24, 0.05, 0.0, 0.0]
    """
    from scipy.ndimage import gaussian_filter

    smoothed: Array = gaussian_filter(X, deviation, mode="mirror", axes=(1, 2))
    return smoothed


def encode_jpeg(images: Array, lost: float, rng: np.random.Generator) -> Array:
    """Save each photo as JPEG of quality 100 minus ``lost``, and read it again."""
    from PIL import Image

    result = np.empty_like(images)
    for image, kept in zip(images, result, strict=True):
        file = io.BytesIO()
        Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(
            file, "JPEG", quality=round(100 - lost)
        )
        kept[...] = np.asarray(Image.open(file)).reshape(image.shape)
    return result


@in_floats
def cover(X: Array, fraction: float, rng: np.random.Generator) -> Array:
    """Cover a grey square, its side a fraction of the shorter one, at random inside each photo."""
    sides = np.array(X.shape[1:3])
    square = fraction * sides.min()
    centres = square / 2 + rng.random((len(X), 2)) * (sides - square)
    return Cutout().apply(X, np.hstack([centres, np.full((len(X), 1), square)]), rng)
