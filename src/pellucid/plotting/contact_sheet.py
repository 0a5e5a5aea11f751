"""What augmentation does to a photo: a row for each transform, from one end of its range to the other."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from pellucid.data.augmentation.augment import TRANSFORMS, Augment, Transform
from pellucid.data.augmentation.mixing import Blend
from pellucid.errors import OptionError, ShapeError
from pellucid.plotting.style import MUTED, WIDTH, check_images, look, new_figure, picture
from pellucid.text import by
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_COLUMNS = 6
MARGIN = 1.55  # inches on the left, for the names
GAP = 0.07  # inches between pictures
CAPTION = 0.2  # inches under each picture
HEAD = 0.36


def contact_sheet(
    photo: Array, augment: Augment | None = None, *, other: Array | None = None, seed: int = 0
) -> Figure:
    """Draw what each transform does to one photo, at several strengths.

    Parameters
    ----------
    photo : Array, shape (h, w) or (h, w, c)
        uint8, or floats from 0 to 1; c is 1 or 3.
    augment : Augment, optional
        Whose transforms are shown; two more rows then show all of them at work, drawn at random as in a
        training. Default: every transform there is, with its usual options.
    other : Array, shape of photo, optional
        What Mixup lays over it and CutMix puts in. Default: the photo upside down.
    seed : int, optional
        Of what is drawn at random.

    Returns
    -------
    matplotlib.figure.Figure
        The photo itself and its mirror images, then a row for each transform with its name and options.

    Raises
    ------
    ShapeError, OptionError
        If the photos are no images of one shape, or there is nothing to show.

    Examples
    --------
    >>> from pellucid.data.augmentation.augment import Rotation
    >>> figure = contact_sheet(np.zeros((8, 8, 3), np.uint8), Augment([Rotation(30)]))
    >>> [axes.get_xlabel() for axes in figure.axes][1:7]
    ['−30°', '−18°', '−6°', '+6°', '+18°', '+30°']
    """
    image = _as_floats("photo", photo)
    second = image[::-1] if other is None else _as_floats("other", other)
    if second.shape != image.shape:
        raise ShapeError(f"contact_sheet: the photo is {by(image.shape)} and the other {by(second.shape)}.")
    shown = [cls() for _, cls in TRANSFORMS.items()] if augment is None else list(augment.transforms)
    if not shown:
        raise OptionError("contact_sheet: expected at least one transform, got none.")
    rng = np.random.default_rng(seed)
    rows = [(_title(t), _options(t), _strengths(t, image, second, rng)) for t in shown]
    flips = [(pictures[0][0], name) for name, _, pictures in rows if len(pictures) == 1]
    rows = [row for row in rows if len(row[2]) > 1]
    rows.insert(0, ("The photo", by(photo.shape), [(image, "as it is"), *flips[: N_COLUMNS - 1]]))
    if augment is not None:
        draws = _draws(augment, image, second, 2 * N_COLUMNS, rng)
        rows.append(("All together", f"drawn at random,\nseed {seed}", draws[:N_COLUMNS]))
        rows.append(("", "", draws[N_COLUMNS:]))
    with look():
        return _sheet(rows, image.shape[0] / image.shape[1])


Pictures = list[tuple[Array, str]]  # each with its caption


def _as_floats(name: str, photo: Array) -> Array:
    image = photo[..., None] if photo.ndim == 2 else photo
    check_images(f"contact_sheet: {name}", image[None])
    return np.asarray(image / 255 if image.dtype == np.uint8 else image, np.float64)


def _strengths(transform: Transform, image: Array, other: Array, rng: np.random.Generator) -> Pictures:
    values = transform.spread(N_COLUMNS, image.shape)
    n = len(values)
    X = np.repeat(image[None], n, axis=0)
    if isinstance(transform, Blend):  # its values name the partner by its row, the last one: add that
        X, values = np.concatenate([X, other[None]]), np.vstack([values, np.zeros_like(values[0])])
    images = transform.apply(X, values, rng)
    return [(images[i], transform.label(values[i])) for i in range(n)]


def _draws(augment: Augment, image: Array, other: Array, n: int, rng: np.random.Generator) -> Pictures:
    X = np.repeat(image[None], n, axis=0)
    X[1::2] = other if any(isinstance(t, Blend) for t in augment.transforms) else image
    images, _ = augment.apply(X, np.zeros((n, 1)), rng)
    return [(drawn, "") for drawn in images]


def _title(transform: Transform) -> str:
    return transform.registered_as.replace("_", " ").capitalize()


def _options(transform: Transform) -> str:
    """Return the options in words, a line each; edge and fill last, and only where they are not the usual."""
    lines = []
    for field in sorted(fields(transform), key=lambda field: field.name in ("edge", "fill")):
        value = getattr(transform, field.name)
        if field.name in ("edge", "fill") and value == field.default:
            continue
        numbers = value if isinstance(value, tuple) else (value,)
        text = " to ".join(f"{v:.3g}" if isinstance(v, float) else f"{v}" for v in numbers)
        lines.append(f"{field.name} {text}")
    return "\n".join(lines)


def _sheet(rows: list[tuple[str, str, Pictures]], ratio: float) -> Figure:
    """Lay out the rows; ``ratio`` is a picture's height over its width."""
    across = (WIDTH - MARGIN - 0.08) / N_COLUMNS - GAP
    down = across * min(max(ratio, 0.3), 2.0)
    step = max(down, 0.62) + CAPTION + GAP
    height = HEAD + len(rows) * step + 0.05
    figure = new_figure(height, layout=None)
    title = "What each transform does to one photo"
    figure.text(0.08 / WIDTH, 1 - 0.1 / height, title, va="top", fontsize=11, fontweight="bold")
    for i, (name, options, pictures) in enumerate(rows):
        top = HEAD + i * step
        figure.text(0.08 / WIDTH, 1 - (top + 0.02) / height, name, va="top", fontsize=9, fontweight="bold")
        figure.text(
            0.08 / WIDTH,
            1 - (top + 0.2) / height,
            options,
            va="top",
            fontsize=8,
            color=MUTED,
            linespacing=1.3,
        )
        for j, (image, caption) in enumerate(pictures):
            left = MARGIN + j * (across + GAP)
            rect = (left / WIDTH, 1 - (top + down) / height, across / WIDTH, down / height)
            axes = figure.add_axes(rect, xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            picture(axes, image)
            axes.set_anchor("N")
            axes.set_xlabel(caption, fontsize=7.5, color=MUTED, labelpad=2)
    return figure
