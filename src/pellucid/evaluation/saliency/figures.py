"""Pictures of where a network looks: every map beside its check, and the first layer's weights."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pellucid.errors import DataError
from pellucid.evaluation.saliency.first_layer import first_layer
from pellucid.evaluation.saliency.measure import SaliencyMap
from pellucid.nn.model import Model
from pellucid.plotting.grid import new_page, place_picture, place_text
from pellucid.plotting.style import (
    MUTED,
    RED,
    WIDTH,
    check_images,
    class_name,
    look,
)
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE = 1.32  # inches
GAP = 0.1
HEAD = 0.98
TEXT = 0.1 + 3 * (SIDE + GAP) + 0.08  # where the words begin
CUT = 99.5  # percent of the pixels that are drawn in true proportion: a few extreme ones would hide the rest
MOST_UNITS = 64
CAVEAT = (
    "The check can fail a map, not prove it: that a map changes when the weights do is necessary for it to show "
    "what was learned, and not enough; mere noise passes it too."
)


def saliency_figure(image: Array, maps: Mapping[str, SaliencyMap]) -> Figure:
    """Draw every map of a photo: alone, over the photo, and what an untrained network gives instead.

    Parameters
    ----------
    image : Array, shape (h, w, c) or (h, w)
        As the network sees it.
    maps : mapping of str to SaliencyMap
        From :func:`pellucid.evaluation.saliency.measure.saliency_maps`.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each method. Each map has a scale of its own: what it shows is where, not how much.

    Raises
    ------
    ShapeError
        If it is not an image.
    DataError
        If there is no map.

    Examples
    --------
    >>> from pellucid.evaluation.saliency.measure import saliency_maps
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> photo = np.full((8, 8, 3), 0.5)
    >>> figure = saliency_figure(photo, saliency_maps(model, photo, methods=["gradient"]))
    >>> len(figure.axes[0].images)
    3
    """
    check_images("saliency_figure", image[None])
    if not maps:
        raise DataError("saliency_figure: expected at least one map, got none.")
    rows = [(found, _words(found)) for found in maps.values()]
    heights = [
        max((SIDE if found.heat is not None else 0) + 0.12, 0.34 + 0.158 * len(lines))
        for found, lines in rows
    ]
    foot = 0.42
    height = HEAD + sum(heights) + foot
    with look():
        figure, page = new_page(height)
        target = class_name((rows[0][0].target,), 0, 40)
        place_text(page, 0.1, 0.1, f"What speaks for “{target}”, and where", size=11, weight="bold")
        place_text(
            page,
            0.1,
            0.36,
            "Red: for it; blue: against it. Maps in yellow and violet say how much, not in which direction.",
            color=MUTED,
        )
        for i, title in enumerate(("The map", "Over the photo", "Untrained network")):
            place_text(page, 0.1 + i * (SIDE + GAP), HEAD - 0.24, title, size=8.5, color=MUTED)
        top = HEAD
        for (found, lines), down in zip(rows, heights, strict=True):
            _row(page, image, found, lines, top)
            top += down
        place_text(page, 0.1, top + 0.02, "\n".join(textwrap.wrap(CAVEAT, 125)), size=7.5, color=MUTED)
    return figure


def _words(found: SaliencyMap) -> list[str]:
    lines = _note(found)
    if found.sanity is not None:
        lines += ["", *textwrap.wrap(found.sanity.words, _wide(found))]
    return lines


def _note(found: SaliencyMap) -> list[str]:
    """Return the note in lines, no number apart from its percent sign."""
    return textwrap.wrap(found.note.replace(" %", "\N{NO-BREAK SPACE}%"), _wide(found))


def _wide(found: SaliencyMap) -> int:
    """Return how many letters of a note fit in a line: beside the pictures, or all across where there are none."""
    return 54 if found.heat is not None else 125


def _row(page: Axes, image: Array, found: SaliencyMap, lines: list[str], top: float) -> None:
    left = TEXT if found.heat is not None else 0.1
    place_text(page, left, top, found.title, size=9.5, weight="bold")
    n_note = len(_note(found))
    place_text(page, left, top + 0.22, "\n".join(lines[:n_note]), size=8)
    if found.sanity is not None:
        color = RED if found.sanity.verdict == "hardly" else MUTED
        place_text(
            page,
            left,
            top + 0.22 + 0.158 * (n_note + 0.6),
            "\n".join(lines[n_note + 1 :]),
            size=8,
            color=color,
        )
    if found.heat is None:
        return
    check = found.sanity
    shown = [
        heat_picture(found.heat, found.is_signed),
        heat_picture(found.heat, found.is_signed, image),
        None if check is None or check.heat is None else heat_picture(check.heat, found.is_signed),
    ]
    for column, drawn in enumerate(shown):
        if drawn is not None:
            place_picture(page, drawn, 0.1 + column * (SIDE + GAP), top, SIDE, SIDE)


def heat_picture(heat: Array, is_signed: bool, image: Array | None = None) -> Array:
    """Return a map in colours; given an image, over a pale grey copy of it.

    Parameters
    ----------
    heat : Array, shape (h, w)
        Scaled by its own 99.5th percentile; signed maps are red above 0 and blue below.
    is_signed : bool
    image : Array, shape (h, w, c) or (h, w), optional

    Returns
    -------
    picture : Array, shape (h, w, 3), floats from 0 to 1

    Examples
    --------
    >>> heat_picture(np.array([[-1.0, 0.0, 1.0]]), True).round(1).tolist()
    [[[0.0, 0.2, 0.4], [1.0, 1.0, 1.0], [0.4, 0.0, 0.1]]]
    """
    import matplotlib

    limit = float(np.percentile(np.abs(heat), CUT)) or float(np.abs(heat).max()) or 1.0
    share = heat / limit
    scaled = (np.clip(share, -1, 1) + 1) / 2 if is_signed else np.clip(share, 0, 1)
    colours = np.asarray(matplotlib.colormaps["RdBu_r" if is_signed else "inferno"](scaled))[..., :3]
    if image is None:
        return colours
    grey = image / 255 if image.dtype == np.uint8 else np.clip(image, 0, 1)
    grey = grey if grey.ndim == 2 else grey[..., :3].mean(axis=2)
    weight = 0.85 * np.minimum(np.abs(share), 1)[..., None] ** 0.7
    pale = (0.25 + 0.75 * grey)[..., None]
    return np.asarray((1 - weight) * pale + weight * colours)


def first_layer_figure(model: Model) -> Figure | None:
    """Draw what the first layer looks for: each unit's weights as a picture, grey where a weight is 0.

    Parameters
    ----------
    model : Model
        Of a Dense first layer, each unit's weight for every pixel and colour; of a Conv2D its kernels.

    Returns
    -------
    matplotlib.figure.Figure or None
        At most 64 units. Brighter than grey: brightness there makes the unit's sum larger; darker: smaller. Each
        picture has a scale of its own. None if the first layer's weights do not belong to pixels.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> len(first_layer_figure(model).axes[0].images)
    20
    """
    found = first_layer(model)
    if found is None:
        return None
    shown = found.pictures[:MOST_UNITS]
    n_columns = 5 if len(shown) <= 20 else 8
    cell = (WIDTH - 0.2) / n_columns
    side, above = cell - 0.12, 0.2
    n_rows = -(-len(shown) // n_columns)
    head = 0.98
    down = side * min(shown.shape[1] / shown.shape[2], 2.0)
    height = head + n_rows * (above + down + 0.06) + 0.06
    what = "kernels" if found.kind == "Conv2D" else "units"
    some = "" if len(shown) == len(found.pictures) else f", the first {len(shown)} of {len(found.pictures)}"
    with look():
        figure, page = new_page(height)
        place_text(
            page,
            0.1,
            0.1,
            f"What the first layer looks for: the weights of its {what}{some}",
            size=11,
            weight="bold",
        )
        explained = (
            "Grey: weight 0. Where a picture is bright, a bright photo pulls the sum up; where dark, down."
        )
        place_text(page, 0.1, 0.36, explained, color=MUTED, size=8.5)
        place_text(page, 0.1, 0.57, found.words, color=MUTED, size=8.5)
        for i, weights in enumerate(shown):
            row, column = divmod(i, n_columns)
            left, top = 0.1 + column * cell, head + row * (above + down + 0.06)
            place_text(page, left, top, f"{what[:-1]} {i}", size=7.5, color=MUTED)
            top += above
            place_picture(page, weight_picture(weights), left, top, side, down)
    return figure


def weight_picture(weights: Array) -> Array:
    """Return weights (h, w, c) as an image: 0.5 where a weight is 0, 0 and 1 at the largest sizes.

    Channels other than 1 or 3 are added up.

    Examples
    --------
    >>> weight_picture(np.array([[[-2.0], [0.0], [2.0]]]))[..., 0]
    array([[0. , 0.5, 1. ]])
    """
    if weights.shape[2] not in (1, 3):
        weights = weights.sum(axis=2, keepdims=True)
    limit = float(np.percentile(np.abs(weights), CUT)) or float(np.abs(weights).max()) or 1.0
    return np.asarray(np.clip(0.5 + weights / (2 * limit), 0, 1))
