"""Saliency maps of one photo with their sanity checks, at large or in a strip, and the first layer's weights."""

from collections.abc import Mapping

import numpy as np

from pellucid.evaluation.saliency.first_layer import FirstLayer
from pellucid.evaluation.saliency.maps import OUTCOMES, SaliencyMap, SanityCheck
from pellucid.plotting.grid import Page, Tile, size_for
from pellucid.plotting.lines import Line
from pellucid.plotting.style import INK, MUTED, class_name
from pellucid.plotting.types import Figure
from pellucid.text import signed
from pellucid.types import Array

WORDS_WIDTH = 3.6  # inches to the right of the maps
CUT = 99.5  # percent of the pixels that are drawn in true proportion: a few extreme ones would hide the rest
MOST_UNITS = 64


def saliency_figure(image: Array, maps: Mapping[str, SaliencyMap]) -> Figure:
    """Draw every map of a photo: alone, over the photo, and what an untrained network gives instead.

    Parameters
    ----------
    image : Array, shape (h, w, c) or (h, w)
        As the network sees it.
    maps : mapping of str to SaliencyMap
        From :func:`pellucid.evaluation.saliency.compute_maps.saliency`.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each method. Each map has a scale of its own: what it shows is where, not how much.

    Examples
    --------
    >>> from pellucid.evaluation.saliency.compute_maps import saliency
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> photo = np.full((8, 8, 3), 0.5)
    >>> figure = saliency_figure(photo, saliency(model, photo, methods=["gradient"]))
    >>> [len(axes.images) for axes in figure.axes]
    [0, 0, 3]
    """
    target = class_name((next(iter(maps.values())).target,), 0, 40)
    page = Page(f"What speaks for '{target}', and where")
    page.text("Red: for it; blue: against it. Yellow on violet: how much, not in which direction.")
    for found in maps.values():
        words = [Line(found.title, INK, True), Line(found.note, INK)]
        if found.sanity is not None:
            words.append(Line(f"With untrained networks: {_check_words(found.sanity)}", MUTED))
        if found.heat is None:
            page.text(words[0], size=9, gap=0)
            page.text(words[1], size=8)
            continue
        drawn = [("The map", found.heat, None), ("Over the picture", found.heat, image)]
        if found.sanity is not None and found.sanity.heat is not None:
            drawn.append(("Untrained network", found.sanity.heat, None))
        tiles = [
            Tile(heat_picture(heat, found.is_signed, below), above=[title]) for title, heat, below in drawn
        ]
        page.row(tiles, n_columns=3, words=words, words_width=WORDS_WIDTH, size=8)
    return page.figure()


def saliency_strip(image: Array, maps: Mapping[str, SaliencyMap]) -> Figure:
    """Draw a photo and, to its right, each map over it, with the result of its check below.

    Parameters
    ----------
    image : Array, shape (h, w, c) or (h, w)
        As the network sees it.
    maps : mapping of str to SaliencyMap
        From :func:`pellucid.evaluation.saliency.compute_maps.saliency`; those that do not apply are left out.

    Returns
    -------
    matplotlib.figure.Figure
        Under each map its rank correlation r with maps of untrained networks.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.evaluation.saliency.compute_maps import saliency
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> photo = np.full((8, 8, 3), 0.5)
    >>> figure = saliency_strip(photo, saliency(model, photo, methods=["gradient", "grad_cam"]))
    >>> [text.get_text() for text in figure.axes[-1].texts][:2]
    ['The picture', 'Input gradient']
    """
    tiles = [Tile(image, above=[Line("The picture", INK)])]
    for found in maps.values():
        if found.heat is not None:
            picture = heat_picture(found.heat, found.is_signed, image)
            check = found.sanity
            lines = [] if check is None else [Line(_check_words(check), MUTED)]
            tiles.append(Tile(picture, lines, [Line(found.title, INK)]))
    n_columns = max(5, len(tiles))
    titles = [line for tile in tiles for line in tile.above if isinstance(line, Line)]
    page = Page()
    page.row(tiles, n_columns=n_columns, size=size_for(titles, n_columns))
    return page.figure()


def _check_words(check: SanityCheck) -> str:
    """Return the rank correlation r with maps of untrained networks; the verdict is the table's."""
    r = check.correlation
    return OUTCOMES["unknown"] if r is None else f"r = {signed(r)}"


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
    relative = heat / limit
    scaled = (np.clip(relative, -1, 1) + 1) / 2 if is_signed else np.clip(relative, 0, 1)
    colours = np.asarray(matplotlib.colormaps["RdBu_r" if is_signed else "inferno"](scaled))[..., :3]
    if image is None:
        return colours
    grey = image / 255 if image.dtype == np.uint8 else np.clip(image, 0, 1)
    grey = grey if grey.ndim == 2 else grey[..., :3].mean(axis=2)
    weight = 0.85 * np.minimum(np.abs(relative), 1)[..., None] ** 0.7
    pale = (0.25 + 0.75 * grey)[..., None]
    return np.asarray((1 - weight) * pale + weight * colours)


def first_layer_figure(found: FirstLayer) -> Figure:
    """Draw the first layer's weights: each unit's as a picture, grey where a weight is 0.

    Parameters
    ----------
    found : FirstLayer
        From :func:`pellucid.evaluation.saliency.first_layer.first_layer`.

    Returns
    -------
    matplotlib.figure.Figure
        At most 64 units. Brighter than grey: brightness there makes the unit's sum larger; darker: smaller. Each
        picture has a scale of its own.

    Examples
    --------
    >>> from pellucid.evaluation.saliency.first_layer import first_layer
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> sum(len(axes.images) for axes in first_layer_figure(first_layer(model)).axes)
    20
    """
    shown = found.pictures[:MOST_UNITS]
    what = "kernels" if found.kind == "Conv2D" else "units"
    some = "" if len(shown) == len(found.pictures) else f", the first {len(shown)} of {len(found.pictures)}"
    page = Page(f"The weights of the first layer's {what}{some}")
    page.text("Grey: weight 0; brighter: above 0; darker: below.", gap=0.1)
    tiles = [Tile(weight_picture(weights), above=[f"{what[:-1]} {i}"]) for i, weights in enumerate(shown)]
    page.grid(tiles, 5 if len(tiles) <= 20 else 8)
    return page.figure()


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
