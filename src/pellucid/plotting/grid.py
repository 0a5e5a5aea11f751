"""Pages: texts and pictures put on a figure by the inch, from its top left corner.

All lies on one pair of axes that cover the figure. Axes for each picture would take most of the time that a page of
many small pictures takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pellucid.plotting.style import INK, LINE, drawing_axes, new_figure, picture
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def new_page(height: float) -> tuple[Figure, Axes]:
    """Return an empty figure so many inches high, and axes that cover it, measured in inches."""
    figure = new_figure(height, layout=None)
    return figure, drawing_axes(figure, height)


def place_text(
    axes: Axes,
    left: float,
    top: float,
    words: str,
    *,
    size: float = 9,
    color: str = INK,
    weight: str = "normal",
) -> None:
    """Write words whose top left corner lies there."""
    axes.text(left, top, words, va="top", fontsize=size, fontweight=weight, color=color, linespacing=1.35)


def place_picture(axes: Axes, image: Array, left: float, top: float, across: float, down: float) -> None:
    """Draw an image with a thin frame as large as fits there, in the top left corner.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        From :func:`new_page`.
    image : Array, shape (h, w) or (h, w, c)
        See :func:`pellucid.plotting.style.picture`.
    left, top, across, down : float
        Inches.
    """
    from matplotlib.patches import Rectangle

    h, w = image.shape[:2]
    scale = min(across / w, down / h)
    limits = axes.get_xlim(), axes.get_ylim()
    picture(axes, image)
    axes.images[-1].set_extent((left, left + scale * w, top + scale * h, top))
    axes.set(xlim=limits[0], ylim=limits[1])
    frame = Rectangle((left, top), scale * w, scale * h, facecolor="none", edgecolor=LINE, linewidth=0.8)
    axes.add_patch(frame)
