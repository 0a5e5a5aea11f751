"""One photo on one page: what the network sees, its nearest training photos, and how stable its prediction is."""

from pathlib import Path

import numpy as np

from pellucid.evaluation.explain.image_context import ImageContext
from pellucid.plotting.grid import Page, Tile
from pellucid.plotting.lines import Line
from pellucid.plotting.photo import photo_and_input
from pellucid.plotting.style import GREEN, INK, RED, class_name
from pellucid.plotting.types import Figure
from pellucid.shares import chance
from pellucid.text import shorten

N_ACROSS = 7  # neighbours and variants in a row
LONGEST_NAME = 18  # of a file, below its picture


def image_figure(photo: ImageContext) -> Figure:
    """Draw a photo next to the pixels that the network sees, its nearest training photos, and its variants.

    Parameters
    ----------
    photo : ImageContext
        Of a model that gives probabilities.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> photo = ImageContext.of(model, np.zeros((20, 30, 3), np.uint8))
    >>> sum(len(axes.images) for axes in image_figure(photo).axes)     # the photo, its input, 14 variants
    16
    """
    page = Page()
    is_unlike = photo.novelty is not None and photo.novelty.is_alarm
    page.text(Line(photo.headline, RED if is_unlike else INK, True), size=11, gap=0.08)
    page.row(photo_and_input(photo.original, photo.seen, noun=photo.noun), most_across=3.0, size=9)
    if photo.by_pixels:
        unit = ", of 255" if photo.seen.dtype == np.uint8 else ""
        for title, found in (
            (f"Nearest training {photo.noun}s, pixel by pixel (distance{unit})", photo.by_pixels),
            (
                "Nearest as the last hidden layer sees them (distance in standard deviations)",
                photo.by_features,
            ),
        ):
            tiles = []
            for near in found[:N_ACROSS]:
                color = GREEN if near.label == photo.label else RED
                file = [Line(shorten(Path(near.name).name, LONGEST_NAME), color)] if near.name else []
                place = Line(f"no. {near.index}: {near.distance:.3g}", color)
                tiles.append(Tile(near.image, [Line(near.label, color), *file, place]))
            page.row(tiles, n_columns=N_ACROSS, heading=title)
    title = f"The same {photo.noun}, changed: the probability of '{class_name((photo.label,), 0, 30)}'"
    tiles = []
    for one in photo.variants[1:]:
        sure, is_same = chance(one.probability), one.label == photo.label
        line = Line(sure, INK) if is_same else Line(f"{sure}, now {{}}", RED, name=one.label)
        tiles.append(Tile(one.seen, [one.name, line]))
    page.grid(tiles, N_ACROSS, heading=title)
    return page.figure()
