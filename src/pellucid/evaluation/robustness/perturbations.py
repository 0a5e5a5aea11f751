"""The perturbations, each declared with its strengths, in the order of the tutorial's reasons."""

import io
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeAlias

import numpy as np

from pellucid.data.augmentation.colour import Brightness, Contrast, Hue
from pellucid.data.augmentation.flips import HorizontalFlip, VerticalFlip
from pellucid.data.augmentation.geometry import Rotation, Scale, Shift
from pellucid.data.augmentation.pixels import Cutout, Noise
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


Rng = np.random.Generator

PERTURBATIONS: dict[str, Perturbation] = {}

# What comes in from outside: the border's pixels, repeated. Mirroring the photo there, as augmentation does, would
# show its subject several times, and black corners would be a change of their own.
AROUND = "edge"
CAMERA_DISTANCE = 1.5  # in longer sides of the photo: a lens of about 37 degrees, a usual portrait's
# The ellipse that stands in for the subject: its centre is the photo's, and its edge is soft. At INNER nothing
# is background yet, at OUTER all is; 1 is where the ellipse touches the photo's sides.
INNER, OUTER = 0.6, 1.0


def perturbation(reason: str, title: str, unit: str, **options: Any) -> Callable[[Change], Change]:
    """Declare a function as the perturbation of its name; its docstring is the description.

    Parameters
    ----------
    reason, title, unit : str
    **options
        The other fields of :class:`Perturbation`.

    Examples
    --------
    >>> PERTURBATIONS["upside-down"].description
    'Top and bottom are swapped.'
    """

    def declare(change: Change) -> Change:
        name, description = change.__name__.replace("_", "-"), " ".join((change.__doc__ or "").split())
        PERTURBATIONS[name] = Perturbation(name, title, reason, description, unit, change=change, **options)
        return change

    return declare


def _degrees(strength: float) -> str:
    return f"{strength:g}°"


def _percent(strength: float) -> str:
    return f"{100 * strength:g} %"


def _less(strength: float) -> str:
    return f"−{_percent(strength)}" if strength else "0"


def _flipped(strength: float) -> str:
    return "flipped" if strength else "as it is"


def _each(X: Array, value: Any) -> Array:
    """Return one value, or one for each photo, as a transform takes them: (m, 1)."""
    return np.full((len(X), 1), value)


def _signs(rng: Rng, m: int) -> Array:
    """Return -1 or 1 for each of m photos, float64 of shape (m, 1)."""
    return 2.0 * rng.integers(0, 2, (m, 1)) - 1


@perturbation(
    "position",
    "Rotation",
    "degrees",
    strengths=(5, 10, 20, 30, 60, 90),
    moderate=20,
    largest=360,
    label=_degrees,
)
@in_floats
def rotation(X: Array, degrees: float, rng: Rng) -> Array:
    """The photo is rotated about its centre, at random to the left or right. What comes in from outside repeats
    the border's pixels.
    """
    return Rotation(edge=AROUND).apply(X, degrees * _signs(rng, len(X)), rng)


@perturbation("position", "Horizontal flip", "0 no, 1 yes", label=_flipped)
def mirror(images: Array, strength: float, rng: Rng) -> Array:
    """Left and right are swapped."""
    return HorizontalFlip().apply(images, _each(images, 1.0), rng)


@perturbation("position", "Vertical flip", "0 no, 1 yes", label=_flipped)
def upside_down(images: Array, strength: float, rng: Rng) -> Array:
    """Top and bottom are swapped."""
    return VerticalFlip().apply(images, _each(images, 1.0), rng)


@perturbation(
    "background",
    "Blended background",
    "fraction of the way",
    strengths=(0.15, 0.3, 0.5, 0.7, 0.85, 1),
    moderate=0.5,
    label=_percent,
)
@in_floats
def background(X: Array, fraction: float, rng: Rng) -> Array:
    """The subject's position is unknown, so an ellipse about the middle stands in for it: all that lies outside is
    blended with the mean colour inside, with a soft edge between. At 100 % the corners are of that one colour.
    """
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


@perturbation(
    "colour",
    "Hue",
    "degrees",
    strengths=(15, 30, 60, 90, 120, 180),
    moderate=30,
    largest=360,
    label=_degrees,
    needs_colour=True,
)
@in_floats
def hue(X: Array, degrees: float, rng: Rng) -> Array:
    """All colours are rotated about the axis of greys, at random one way or the other; brightness stays. 120
    degrees turn red into green or blue.
    """
    return Hue().apply(X, degrees / 360 * _signs(rng, len(X)), rng)


@perturbation(
    "camera",
    "Perspective",
    "degrees",
    strengths=(10, 20, 30, 40, 50, 60),
    moderate=30,
    largest=60,
    label=_degrees,
)
@in_floats
def perspective(X: Array, degrees: float, rng: Rng) -> Array:
    """The photo is seen like a print on a wall from an angle, at random from any side. A camera that really moved
    would see other parts of the subject, too. What comes in from outside repeats the border's pixels.
    """
    # A pinhole camera at distance d sees the point (u, v) of a print turned by t about the axis u = 0 at
    # (d u cos t, d v) / (d + u sin t); here that is undone for every pixel.
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


@perturbation(
    "brightness",
    "Darker",
    "fraction of the light",
    strengths=(0.1, 0.2, 0.3, 0.5, 0.7, 0.9),
    moderate=0.3,
    label=_less,
)
@in_floats
def darker(X: Array, fraction: float, rng: Rng) -> Array:
    """Every value is reduced by this fraction."""
    return Brightness().apply(X, _each(X, 1 - fraction), rng)


@perturbation(
    "brightness",
    "Brighter",
    "fraction of the light",
    strengths=(0.1, 0.2, 0.4, 0.7, 1, 2),
    moderate=0.4,
    largest=10,
    label=lambda s: f"+{_percent(s)}" if s else "0",
)
@in_floats
def brighter(X: Array, fraction: float, rng: Rng) -> Array:
    """Every value is increased by this fraction; what passes white stays white."""
    return Brightness().apply(X, _each(X, 1 + fraction), rng)


@perturbation(
    "brightness",
    "Contrast",
    "fraction of the contrast",
    strengths=(0.1, 0.25, 0.5, 0.7, 0.85, 0.95),
    moderate=0.5,
    label=_less,
)
@in_floats
def contrast(X: Array, fraction: float, rng: Rng) -> Array:
    """Every value is moved towards the photo's mean brightness, as in fog."""
    return Contrast().apply(X, _each(X, 1 - fraction), rng)


@perturbation(
    "scale",
    "Zoom in",
    "enlargement minus 1",
    strengths=(0.1, 0.25, 0.5, 1, 1.5, 2),
    moderate=0.25,
    largest=20,
    label=lambda s: f"× {1 + s:.3g}",
)
@in_floats
def larger(X: Array, strength: float, rng: Rng) -> Array:
    """The photo is enlarged about its centre, and the border is lost. 1 is twice as large."""
    return Scale(edge=AROUND).apply(X, _each(X, 1 + strength), rng)


@perturbation(
    "scale",
    "Zoom out",
    "reduction minus 1",
    strengths=(0.1, 0.25, 0.5, 1, 1.5, 2),
    moderate=0.25,
    largest=20,
    label=lambda s: f"× {1 / (1 + s):.2g}",
)
@in_floats
def smaller(X: Array, strength: float, rng: Rng) -> Array:
    """The photo is reduced about its centre, smoothed first as a lens would. What comes in from outside repeats
    the border's pixels. 1 is half as large.
    """
    return Scale(edge=AROUND).apply(smooth(X, strength / 2), _each(X, 1 / (1 + strength)), rng)


@perturbation(
    "scale",
    "Shift",
    "fraction of the side",
    strengths=(0.05, 0.1, 0.15, 0.2, 0.3, 0.4),
    moderate=0.1,
    label=_percent,
)
@in_floats
def shift(X: Array, fraction: float, rng: Rng) -> Array:
    """The photo is shifted, at random up, down, left or right. What comes in from outside repeats the border's
    pixels.
    """
    ways = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])[rng.integers(0, 4, len(X))]
    return Shift(edge=AROUND).apply(X, fraction * ways * np.array(X.shape[1:3]), rng)


@perturbation(
    "beyond",
    "Noise",
    "standard deviation, 1 from black to white",
    strengths=(0.02, 0.05, 0.1, 0.15, 0.2, 0.3),
    moderate=0.05,
    label=_percent,
)
@in_floats
def noise(X: Array, deviation: float, rng: Rng) -> Array:
    """Gaussian noise of this standard deviation is added to every value; 100 %: black to white."""
    return Noise().apply(X, _each(X, deviation), rng)


@perturbation(
    "beyond",
    "Blur",
    "pixels",
    strengths=(0.5, 1, 1.5, 2, 3, 4),
    moderate=1,
    largest=100,
    label=lambda s: f"{s:g} px" if s else "0",
)
@in_floats
def blur(X: Array, deviation: float, rng: Rng) -> Array:
    """The photo is smoothed by a Gaussian of this standard deviation in pixels of the input."""
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


@perturbation(
    "beyond",
    "JPEG",
    "100 minus the quality",
    strengths=(20, 50, 70, 80, 90, 95),
    moderate=70,
    largest=99,
    label=lambda s: f"q {100 - s:g}" if s else "as it is",
)
def jpeg(images: Array, lost: float, rng: Rng) -> Array:
    """The photo, in the size of the input, is saved as JPEG of this quality and read again."""
    from PIL import Image

    result = np.empty_like(images)
    for image, kept in zip(images, result, strict=True):
        file = io.BytesIO()
        Image.fromarray(image.squeeze(axis=2) if image.shape[2] == 1 else image).save(
            file, "JPEG", quality=round(100 - lost)
        )
        kept[...] = np.asarray(Image.open(file)).reshape(image.shape)
    return result


@perturbation(
    "beyond",
    "Occlusion",
    "fraction of the side",
    strengths=(0.1, 0.2, 0.3, 0.4, 0.5, 0.7),
    moderate=0.3,
    label=_percent,
)
@in_floats
def occlusion(X: Array, fraction: float, rng: Rng) -> Array:
    """A grey square, its side this fraction of the shorter one, covers the photo at random."""
    sides = np.array(X.shape[1:3])
    square = fraction * sides.min()
    centres = square / 2 + rng.random((len(X), 2)) * (sides - square)
    return Cutout().apply(X, np.hstack([centres, _each(X, square)]), rng)


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
