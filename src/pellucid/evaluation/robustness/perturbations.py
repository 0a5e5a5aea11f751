"""The perturbations, each declared with its strengths, in the order of the published tutorial's reasons."""

import io
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from pellucid.data.augmentation.colour import Brightness, Contrast, Hue
from pellucid.data.augmentation.geometry import HorizontalFlip, Rotation, Scale, Shift, VerticalFlip
from pellucid.data.augmentation.pixels import Cutout, Noise
from pellucid.data.augmentation.transform import Transform
from pellucid.errors import DataError, OptionError, ShapeError, unknown_name
from pellucid.ops.sampling import sample_at
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
    """A change after which photos still show the same object, in several strengths.

    Attributes
    ----------
    name : str
        As on the command line.
    title : str
        As in the title of a figure.
    reason : str
        A key of ``REASONS``.
    description : str
        What is done: what is drawn at random, and what fills places beyond the photo.
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
        Whether it would change nothing of grey photos, which are therefore refused.
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


Rng = np.random.Generator
# Takes floats (m, h, w, c), a strength and a generator; returns what is changed, in the same shape.
Values: TypeAlias = Callable[[Array, float, Rng], Any]

# What comes in from outside: the border's pixels, repeated. Mirroring the photo there, as augmentation does, would
# show its subject several times, and black corners would be a change of their own.
AROUND = "edge"
CAMERA_DISTANCE = 1.5  # in longer sides of the photo: a lens of about 37 degrees, a usual portrait's
# The ellipse that stands in for the subject: its centre is the photo's, and its edge is soft. At INNER nothing
# is background yet, at OUTER all is; 1 is where the ellipse touches the photo's sides.
INNER, OUTER = 0.6, 1.0


def in_floats(change: Change) -> Change:
    """Let a change of float32 photos from 0 to 1 take and return bytes.

    Examples
    --------
    >>> darker = in_floats(lambda X, strength, rng: X * np.float32(1 - strength))
    >>> darker(np.full((1, 1, 1, 1), 200, np.uint8), 0.5, np.random.default_rng(0)).ravel()
    array([100], dtype=uint8)
    """

    def on_bytes(images: Array, strength: float, rng: Rng) -> Array:
        X = images.astype(np.float32)
        X /= 255
        X = change(X, strength, rng)
        X = X * np.float32(255)
        return np.rint(X, out=X).astype(np.uint8)

    return on_bytes


def by(transform: Transform, values: Values) -> Change:
    """Return what a transform of augmentation does by its values for each photo, or by one for all."""

    def change(X: Array, strength: float, rng: Rng) -> Array:
        found = values(X, strength, rng)
        return transform.apply(X, found if np.ndim(found) else np.full((len(X), 1), found), rng)

    return in_floats(change)


def flipped(transform: Transform) -> Change:
    """Return what a flip does to every photo, which stays in bytes."""
    return lambda images, strength, rng: transform.apply(images, np.ones((len(images), 1)), rng)


def either_way(X: Array, strength: float, rng: Rng) -> Array:
    """Return the strength with a sign drawn for each photo, (m, 1)."""
    return strength * (2.0 * rng.integers(0, 2, (len(X), 1)) - 1)


def four_ways(X: Array, fraction: float, rng: Rng) -> Array:
    """Return a shift for each photo, down, up, to the right or to the left, in pixels, (m, 2)."""
    ways = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])[rng.integers(0, 4, len(X))]
    return fraction * ways * np.array(X.shape[1:3])


def covers(X: Array, fraction: float, rng: Rng) -> Array:
    """Return centre and side of a square in each photo, in pixels, (m, 3)."""
    sides = np.array(X.shape[1:3])
    square = fraction * sides.min()
    centres = square / 2 + rng.random((len(X), 2)) * (sides - square)
    return np.hstack([centres, np.full((len(X), 1), square)])


@in_floats
def blended(X: Array, fraction: float, rng: Rng) -> Array:
    """Blend what lies outside an ellipse about the middle with the mean colour inside."""
    outside = background_of(*X.shape[1:3]).astype(X.dtype)[..., None]
    inside = 1 - outside
    subject = (X * inside).sum(axis=(1, 2), keepdims=True) / inside.sum()
    return X + np.float32(fraction) * outside * (subject - X)


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
    return t * t * (3 - 2 * t)


@in_floats
def perspective(X: Array, degrees: float, rng: Rng) -> Array:
    """Turn each photo like a print on a wall, about an axis drawn at random.

    A pinhole camera at distance d sees the point (u, v) of a print turned by t about the axis u = 0 at
    (d u cos t, d v) / (d + u sin t); here that is undone for every pixel.
    """
    m, h, w, _ = X.shape
    angle, distance = np.deg2rad(degrees), CAMERA_DISTANCE * max(h, w)
    side = 2 * np.pi * rng.random((m, 1, 1))
    x, y = np.arange(w) - (w - 1) / 2, (np.arange(h) - (h - 1) / 2)[:, None]
    u, v = x * np.cos(side) + y * np.sin(side), y * np.cos(side) - x * np.sin(side)
    u = distance * u / (distance * np.cos(angle) - u * np.sin(angle))
    v = v * (distance + u * np.sin(angle)) / distance
    x, y = u * np.cos(side) - v * np.sin(side), u * np.sin(side) + v * np.cos(side)
    columns, rows = x + (w - 1) / 2, y + (h - 1) / 2
    return sample_at(X, columns.astype(X.dtype), rows.astype(X.dtype), edge=AROUND)


@in_floats
def reduced(X: Array, strength: float, rng: Rng) -> Array:
    """Reduce each photo about its centre, smoothed first as a lens would."""
    values = np.full((len(X), 1), 1 / (1 + strength))
    return Scale(edge=AROUND).apply(smooth(X, strength / 2), values, rng)


def smooth(X: Array, deviation: float) -> Array:
    """Return images smoothed by a Gaussian of that standard deviation in pixels, mirrored at their borders.

    Examples
    --------
    >>> dot = np.eye(1, 9, 4).reshape(1, 1, 9, 1)
    >>> smooth(dot, 1.0).ravel().round(2).tolist()[4:]
    [0.4, 0.24, 0.05, 0.0, 0.0]
    """
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(X, deviation, mode="mirror", axes=(1, 2))


def jpeg(images: Array, lost: float, rng: Rng) -> Array:
    """Save each photo as JPEG and read it again."""
    from PIL import Image

    result = np.empty_like(images)
    for image, kept in zip(images, result, strict=True):
        file = io.BytesIO()
        grey_or_rgb = image.squeeze(axis=2) if image.shape[2] == 1 else image
        Image.fromarray(grey_or_rgb).save(file, "JPEG", quality=round(100 - lost))
        kept[...] = np.asarray(Image.open(file)).reshape(image.shape)
    return result


def _degrees(strength: float) -> str:
    return f"{strength:g}°"


def _percent(strength: float) -> str:
    return f"{100 * strength:g} %"


def _less(strength: float) -> str:
    return f"−{_percent(strength)}" if strength else "0"


def _more(strength: float) -> str:
    return f"+{_percent(strength)}" if strength else "0"


def _yes_or_no(strength: float) -> str:
    return "flipped" if strength else "as it is"


OUTSIDE = "What comes in from outside repeats the border's pixels."
# Each with its name, title, reason, description, unit, change and label; its strengths, moderate and largest one.
ALL = (
    Perturbation(
        "rotation", "Rotation", "position",
        f"The photo is rotated about its centre, at random to the left or right. {OUTSIDE}",
        "degrees", by(Rotation(edge=AROUND), either_way), _degrees, (5, 10, 20, 30, 60, 90), 20, 360,
    ),
    Perturbation(
        "mirror", "Horizontal flip", "position", "Left and right are swapped.",
        "0 no, 1 yes", flipped(HorizontalFlip()), _yes_or_no,
    ),
    Perturbation(
        "upside-down", "Vertical flip", "position", "Top and bottom are swapped.",
        "0 no, 1 yes", flipped(VerticalFlip()), _yes_or_no,
    ),
    Perturbation(
        "background", "Blended background", "background",
        "The subject's position is unknown, so an ellipse about the middle stands in for it: all that lies outside "
        "is blended with the mean colour inside, with a soft edge between. At 100 % the corners are of that one "
        "colour.",
        "fraction of the way", blended, _percent, (0.15, 0.3, 0.5, 0.7, 0.85, 1), 0.5,
    ),
    Perturbation(
        "hue", "Hue", "colour",
        "All colours are rotated about the axis of greys, at random one way or the other; brightness stays. 120 "
        "degrees turn red into green or blue.",
        "degrees", by(Hue(), lambda X, degrees, rng: either_way(X, degrees / 360, rng)), _degrees,
        (15, 30, 60, 90, 120, 180), 30, 360, needs_colour=True,
    ),
    Perturbation(
        "perspective", "Perspective", "camera",
        "The photo is seen like a print on a wall from an angle, at random from any side. A camera that really "
        f"moved would see other parts of the subject, too. {OUTSIDE}",
        "degrees", perspective, _degrees, (10, 20, 30, 40, 50, 60), 30, 60,
    ),
    Perturbation(
        "darker", "Darker", "brightness", "Every value is reduced by this fraction.",
        "fraction of the light", by(Brightness(), lambda X, fraction, rng: 1 - fraction), _less,
        (0.1, 0.2, 0.3, 0.5, 0.7, 0.9), 0.3,
    ),
    Perturbation(
        "brighter", "Brighter", "brightness",
        "Every value is increased by this fraction; what passes white stays white.",
        "fraction of the light", by(Brightness(), lambda X, fraction, rng: 1 + fraction), _more,
        (0.1, 0.2, 0.4, 0.7, 1, 2), 0.4, 10,
    ),
    Perturbation(
        "contrast", "Contrast", "brightness",
        "Every value is moved towards the photo's mean brightness, as in fog.",
        "fraction of the contrast", by(Contrast(), lambda X, fraction, rng: 1 - fraction), _less,
        (0.1, 0.25, 0.5, 0.7, 0.85, 0.95), 0.5,
    ),
    Perturbation(
        "larger", "Zoom in", "scale",
        "The photo is enlarged about its centre, and the border is lost. 1 is twice as large.",
        "enlargement minus 1", by(Scale(edge=AROUND), lambda X, strength, rng: 1 + strength),
        lambda s: f"× {1 + s:.3g}", (0.1, 0.25, 0.5, 1, 1.5, 2), 0.25, 20,
    ),
    Perturbation(
        "smaller", "Zoom out", "scale",
        f"The photo is reduced about its centre, smoothed first as a lens would. {OUTSIDE} 1 is half as large.",
        "reduction minus 1", reduced, lambda s: f"× {1 / (1 + s):.2g}", (0.1, 0.25, 0.5, 1, 1.5, 2), 0.25, 20,
    ),
    Perturbation(
        "shift", "Shift", "scale", f"The photo is shifted, at random up, down, left or right. {OUTSIDE}",
        "fraction of the side", by(Shift(edge=AROUND), four_ways), _percent, (0.05, 0.1, 0.15, 0.2, 0.3, 0.4), 0.1,
    ),
    Perturbation(
        "noise", "Noise", "beyond",
        "Gaussian noise of this standard deviation is added to every value; 100 %: black to white.",
        "standard deviation, 1 from black to white", by(Noise(), lambda X, deviation, rng: deviation), _percent,
        (0.02, 0.05, 0.1, 0.15, 0.2, 0.3), 0.05,
    ),
    Perturbation(
        "blur", "Blur", "beyond",
        "The photo is smoothed by a Gaussian of this standard deviation in pixels of the input.",
        "pixels", in_floats(lambda X, deviation, rng: smooth(X, deviation)), lambda s: f"{s:g} px" if s else "0",
        (0.5, 1, 1.5, 2, 3, 4), 1, 100,
    ),
    Perturbation(
        "jpeg", "JPEG", "beyond",
        "The photo, in the size of the input, is saved as JPEG of this quality and read again.",
        "100 minus the quality", jpeg, lambda s: f"q {100 - s:g}" if s else "as it is",
        (20, 50, 70, 80, 90, 95), 70, 99,
    ),
    Perturbation(
        "occlusion", "Occlusion", "beyond",
        "A grey square, its side this fraction of the shorter one, covers the photo at random.",
        "fraction of the side", by(Cutout(), covers), _percent, (0.1, 0.2, 0.3, 0.4, 0.5, 0.7), 0.3,
    ),
)  # fmt: skip
PERTURBATIONS = {each.name: each for each in ALL}


def choose_perturbations(
    names: Iterable[str] | None = None, strengths: Mapping[str, Iterable[float]] | None = None
) -> dict[Perturbation, tuple[float, ...]]:
    """Return perturbations by name, each once, each with its strengths above 0 in ascending order.

    Parameters
    ----------
    names : iterable of str, optional
        Default: all.
    strengths : mapping of str to numbers, optional
        By a perturbation's name; default: the usual ones.

    Raises
    ------
    OptionError
        If a name is not known or there is none, or a strength is out of range or none is above 0.

    Examples
    --------
    >>> {p.name: strengths for p, strengths in choose_perturbations(["blur"], {"blur": [2, 0.5]}).items()}
    {'blur': (0.5, 2.0)}
    """
    wanted = PERTURBATIONS if names is None else [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if name not in PERTURBATIONS:
            raise OptionError(f"robustness: {unknown_name('perturbation', name, PERTURBATIONS)}")
    if not wanted:
        raise OptionError(
            f"robustness: expected at least one perturbation, got none. Known: {', '.join(PERTURBATIONS)}."
        )
    given = dict(strengths or {})
    for name in given:
        if name not in wanted:
            raise OptionError(f"robustness: strengths of {unknown_name('perturbation', name, list(wanted))}")
    chosen = {}
    for p in (PERTURBATIONS[name] for name in wanted):
        measured = tuple(given.get(p.name, p.strengths))
        for strength in measured:
            p.check_strength(strength)
        if not any(measured):
            raise OptionError(
                f"{p.name}: expected at least one strength above 0, got {list(measured)}. {p.usual}"
            )
        chosen[p] = tuple(sorted({float(strength) for strength in measured} - {0.0}))
    return chosen
