"""One photo on one page: what the network sees, what it is near to, how the verdict moves."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.evaluation.photo.examine import OwnPhoto
from pellucid.plotting.grid import new_page, place_picture, place_text
from pellucid.plotting.style import GREEN, INK, MUTED, RED, WIDTH, class_name, look, reduced
from pellucid.text import by, percent
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LARGE = 2.6  # inches, the photo and what is seen of it
SMALL = 0.93  # neighbours and variants
STEP = 1.1
N_ACROSS = 7
LEFT = 0.12
LINE_HEIGHT = 0.185
MOST_PIXELS = 800  # of the photo that are drawn


def own_photo_figure(photo: OwnPhoto, train: Dataset | None = None) -> Figure:
    """Draw a photo beside the pixels that the network sees, its nearest training photos, and its variants.

    Parameters
    ----------
    photo : OwnPhoto
        From :func:`pellucid.evaluation.photo.examine.examine_photo`.
    train : Dataset, optional
        The training part, to show the neighbours; without it they are left out.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> from pellucid.evaluation.photo.examine import examine_photo
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> photo = examine_photo(model, np.zeros((20, 30, 3), np.uint8))
    >>> len(own_photo_figure(photo).axes[0].images)        # the photo, what is seen of it, 14 variants
    16
    """
    lines = _sentences(photo)
    near = train is not None and bool(photo.by_pixels)
    n_rows = -(-(len(photo.variants) - 1) // N_ACROSS)
    top_of_near = 0.62 + LINE_HEIGHT * len(lines) + 0.32 + LARGE + 0.2
    top_of_variants = top_of_near + (2 * (SMALL + 0.62) + 0.08 if near else 0)
    height = top_of_variants + 0.3 + n_rows * (SMALL + 0.46) + 0.02
    with look():
        figure, page = new_page(height)
        title = f"{class_name((photo.label,), 0, 40)} ({percent(photo.probability)})"
        place_text(page, LEFT, 0.1, title, size=14, weight="bold")
        is_unlike = photo.novelty is not None and photo.novelty.is_alarm
        place_text(page, LEFT, 0.47, "\n".join(lines), color=RED if is_unlike else INK)
        _both(page, photo, 0.62 + LINE_HEIGHT * len(lines) + 0.1)
        if near and train is not None:
            _neighbours(page, photo, train, top_of_near)
        _variants(page, photo, top_of_variants)
    return figure


def _sentences(photo: OwnPhoto) -> list[str]:
    said = [line for line in (photo.novelty.words if photo.novelty else "", photo.steadiness) if line]
    return [part for line in said for part in textwrap.wrap(line, 112)]


def _both(page: Axes, photo: OwnPhoto, top: float) -> None:
    height, width = photo.original.shape[:2]
    captions = (f"The photo: {width} × {height} pixels", f"All that the network sees: {by(photo.seen.shape)}")
    for i, (image, words) in enumerate(
        zip((reduced(photo.original, MOST_PIXELS), photo.seen), captions, strict=True)
    ):
        left = LEFT + i * (WIDTH / 2)
        place_text(page, left, top, words, size=9, color=MUTED)
        place_picture(page, image, left, top + 0.22, LARGE + 0.9 if i == 0 else LARGE, LARGE)


def _neighbours(page: Axes, photo: OwnPhoto, train: Dataset, top: float) -> None:
    unit = ", of 255" if photo.seen.dtype == np.uint8 else ""
    rows = (
        (f"Nearest training photos, pixel by pixel (how far{unit})", photo.by_pixels),
        (
            "Nearest as the network's last hidden layer sees them (how far, in standard deviations)",
            photo.by_features,
        ),
    )
    for title, found in rows:
        place_text(page, LEFT, top, title, size=9.5, weight="bold")
        for i, near in enumerate(found[:N_ACROSS]):
            lines = [f"{class_name((near.label,), 0, 14)}", f"no. {near.index}: {near.distance:.3g}"]
            color = GREEN if near.label == photo.label else RED
            _small(page, train.X[near.index], i, top + 0.22, lines, color)
        top += SMALL + 0.62


def _variants(page: Axes, photo: OwnPhoto, top: float) -> None:
    title = f"The same photo, a little changed: the probability of “{class_name((photo.label,), 0, 30)}”"
    place_text(page, LEFT, top, title, size=9.5, weight="bold")
    for i, variant in enumerate(photo.variants[1:]):
        row, column = divmod(i, N_ACROSS)
        lines = [variant.name, percent(variant.probability)]
        if variant.label != photo.label:
            lines[1] += f": {class_name((variant.label,), 0, 9)}"
        color = INK if variant.label == photo.label else RED
        _small(page, variant.seen, column, top + 0.25 + row * (SMALL + 0.46), lines, color)


def _small(page: Axes, image: Array, column: int, top: float, lines: Sequence[str], color: str) -> None:
    left = LEFT + column * STEP
    place_picture(page, image, left, top, SMALL, SMALL)
    place_text(page, left, top + SMALL + 0.03, lines[0], size=7.5, color=MUTED)
    place_text(page, left, top + SMALL + 0.17, lines[1], size=7.5, color=color)
