"""The maps of one photo in a single row: narrow enough to stand beside others, one photo below the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pellucid.evaluation.saliency.figures import heat_picture
from pellucid.evaluation.saliency.measure import SaliencyMap
from pellucid.plotting.grid import new_page, place_picture, place_text
from pellucid.plotting.style import MUTED, RED, WIDTH, check_images, look
from pellucid.text import signed
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ABOVE, BELOW, EDGE, GAP = 0.24, 0.36, 0.06, 0.08  # inches
WORDS = {  # a map that passes is not proved right, so that no word here says that
    "depends": "passes the check",
    "partly": "in part",
    "hardly": "fails the check",
    "unknown": "cannot be checked",
}


def saliency_strip(image: Array, maps: Mapping[str, SaliencyMap]) -> Figure:
    """Draw a photo and, to its right, each map over it, with the verdict of its check below.

    Parameters
    ----------
    image : Array, shape (h, w, c) or (h, w)
        As the network sees it.
    maps : mapping of str to SaliencyMap
        From :func:`pellucid.evaluation.saliency.measure.saliency_maps`; those that do not apply are left out.

    Returns
    -------
    matplotlib.figure.Figure
        Under each map: whether it passes the check, and the rank correlation r with maps of untrained networks.

    Raises
    ------
    ShapeError
        If it is not an image.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.evaluation.saliency.measure import saliency_maps
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> photo = np.full((8, 8, 3), 0.5)
    >>> figure = saliency_strip(photo, saliency_maps(model, photo, methods=["gradient", "grad_cam"]))
    >>> [text.get_text() for text in figure.axes[0].texts][:2]
    ['The photo', 'Input gradient']
    """
    check_images("saliency_strip", image[None])
    shown = [found for found in maps.values() if found.heat is not None]
    n = max(5, 1 + len(shown))
    across = (WIDTH - 2 * EDGE - (n - 1) * GAP) / n
    down = across * min(max(image.shape[0] / image.shape[1], 0.3), 2.0)
    with look():
        figure, page = new_page(ABOVE + down + BELOW)
        titles = ["The photo", *(found.title for found in shown)]
        pictures = [image, *(heat_picture(f.heat, f.is_signed, image) for f in shown if f.heat is not None)]
        for i, (title, drawn) in enumerate(zip(titles, pictures, strict=True)):
            left = EDGE + i * (across + GAP)
            place_text(page, left, 0.05, title, size=7.5, weight="bold")
            place_picture(page, drawn, left, ABOVE, across, down)
        for i, found in enumerate(shown, 1):
            if found.sanity is None:
                continue
            r, verdict = found.sanity.correlation, found.sanity.verdict
            words = WORDS[verdict] + ("" if r is None else f"\nr = {signed(r)}")
            if found.heat is not None and not found.heat.any():
                words = "0 everywhere:\nnothing to check"
            color = RED if verdict == "hardly" else MUTED
            place_text(page, EDGE + i * (across + GAP), ABOVE + down + 0.04, words, size=7, color=color)
    return figure
