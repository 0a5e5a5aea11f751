"""How an image becomes a vector: the image, its first pixels as numbers, the long column."""

import itertools
from typing import Any

import numpy as np

from pellucid.plotting.lines import Line
from pellucid.plotting.style import (
    BLUE,
    GREEN,
    INK,
    LINE,
    MUTED,
    PAPER,
    RED,
    WIDTH,
    check_images,
    drawing_axes,
    look,
    new_figure,
    picture,
)
from pellucid.plotting.types import Axes, Figure
from pellucid.text import by
from pellucid.types import Array

CHANNELS = {1: ("",), 3: ("R", "G", "B"), 4: ("R", "G", "B", "A")}
CHANNEL_COLORS = {"": MUTED, "R": RED, "G": GREEN, "B": BLUE, "A": MUTED}
CHANNEL_NAMES = {"": "brightness", "R": "red", "G": "green", "B": "blue", "A": "alpha"}


def image_to_vector(image: Array, label: str = "") -> Figure:
    """Draw how an image becomes a vector: the picture, its first pixels as numbers, the long column.

    Parameters
    ----------
    image : Array, shape (h, w, c) or (h, w)
        The numbers shown are this image's own, in C order: row by row, pixel by pixel, channel by channel.
    label : str, optional
        Written over the picture.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        If it is not an image.

    Examples
    --------
    >>> figure = image_to_vector(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    >>> [text.get_text() for text in figure.axes[0].texts if "=" in text.get_text()]
    ['4 × 4 × 3 = 48 numbers']
    """
    check_images("image_to_vector", image[None])
    cube = image[..., None] if image.ndim == 2 else image
    with look():
        figure = new_figure(4.7, layout=None)
        axes = drawing_axes(figure, 4.7)
        n = min(3, *cube.shape[:2])  # rows and columns of pixels that are shown enlarged
        _whole_picture(figure, axes, cube, label, n)
        _first_pixels(axes, cube, n)
        _column(axes, cube)
    return figure


def _whole_picture(figure: Figure, axes: Axes, cube: Array, label: str, n: int) -> None:
    height, width = cube.shape[:2]
    title = Line("1  The image: {}" if label else "1  The image", INK, True, label).fitted(2.5, 10)
    axes.text(0.12, 0.22, title, fontweight="bold", va="center")
    scale = 2.2 / max(height, width)
    top, down, across = 0.85, scale * height, scale * width
    small = figure.add_axes((0.12 / WIDTH, 1 - (top + down) / 4.7, across / WIDTH, down / 4.7))
    picture(small, cube)
    small.set(xticks=[], yticks=[])
    for spine in small.spines.values():
        spine.set(visible=True, color=LINE)
    axes.text(0.12, 0.62, f"{by((height, width))} pixels", color=MUTED, va="center", fontsize=9)
    side = n * scale  # the corner that the next panel enlarges, and the lines that lead there
    small.plot([-0.5, n - 0.5, n - 0.5, -0.5, -0.5], [-0.5, -0.5, n - 0.5, n - 0.5, -0.5], color=RED, lw=1.6)
    axes.plot([0.12 + side, 2.75], [top, 0.85], color=RED, lw=0.8, ls=":")
    axes.plot([0.12 + side, 2.75], [top + side, 3.05], color=RED, lw=0.8, ls=":", zorder=0)


def _first_pixels(axes: Axes, cube: Array, n: int) -> None:
    from matplotlib.patches import Rectangle

    letters, size = CHANNELS[cube.shape[2]], 2.2 / n
    scaled = cube[:n, :n] / 255 if cube.dtype == np.uint8 else np.clip(cube[:n, :n].astype(float), 0, 1)
    colors = np.broadcast_to(scaled[..., :3], (n, n, 3))  # transparency is left out
    middle: Any = {"ha": "center", "va": "center", "fontsize": 9, "linespacing": 1.25}
    axes.text(2.75, 0.22, "2  Its pixels are numbers", fontweight="bold", va="center")
    corner = "the only pixel" if n == 1 else f"the {n} × {n} pixels of the top left corner"
    axes.text(2.75, 0.62, corner, color=MUTED, va="center", fontsize=9)
    for i, j in itertools.product(range(n), range(n)):
        left, top = 2.75 + j * size, 0.85 + i * size
        color = colors[i, j]
        axes.add_patch(Rectangle((left, top), size, size, facecolor=color, edgecolor=LINE, lw=1))
        is_dark = np.dot(color, (0.299, 0.587, 0.114)) < 0.55
        lines = [f"{letter} {_number(v)}".strip() for letter, v in zip(letters, cube[i, j], strict=True)]
        ink = PAPER if is_dark else INK
        axes.text(left + size / 2, top + size / 2, "\n".join(lines), color=ink, **middle)
    named = ", ".join(CHANNEL_NAMES[letter] for letter in letters)
    span = "from 0 (dark) to 255 (full)" if cube.dtype == np.uint8 else "as floating-point numbers"
    axes.text(2.75, 3.27, f"{named}:\n{span}", color=MUTED, va="top", fontsize=9, linespacing=1.4)


def _number(value: np.number[Any]) -> str:
    return f"{value:.3g}" if np.issubdtype(value.dtype, np.floating) else f"{value}"


def _column(axes: Axes, cube: Array) -> None:
    """List entries of the vector: where each stands, its value, and where in the image it comes from."""
    _, width, n = cube.shape
    starts = {0, n, width * n, cube.size - n}  # of two pixels, the first of the second row, the last one
    entries = sorted({s + channel for s in starts if s < cube.size for channel in range(n)})
    n_lines = len(entries) + sum(b - a > 1 for a, b in itertools.pairwise(entries))
    step = min(0.24, 3.45 / n_lines)
    x, y = 5.45, 0.85
    axes.text(x, 0.22, "3  One long column", fontweight="bold", va="center")
    scaled = "/ 255" if cube.dtype == np.uint8 else ""
    for right, words in [(0.42, "index"), (0.98, "value"), (1.56, scaled)]:
        axes.text(x + right, 0.62, words, color=MUTED, ha="right", va="center", fontsize=9)
    axes.text(x + 1.68, 0.62, "row, col", color=MUTED, va="center", fontsize=9)
    before = -1
    for index in entries:
        if index - before > 1:
            axes.text(x + 0.75, y + step / 2, "⋮", ha="center", va="center", color=MUTED)
            y += step
        _entry(axes, x, y, step, cube, index)
        before, y = index, y + step
    total = f"{by(cube.shape)} = {cube.size} numbers"
    axes.text(x, y + 0.22, total, fontweight="bold", va="center", fontsize=9)


def _entry(axes: Axes, x: float, y: float, step: float, cube: Array, index: int) -> None:
    from matplotlib.patches import Rectangle

    row, column, channel = (int(i) for i in np.unravel_index(index, cube.shape))
    letter, value = CHANNELS[cube.shape[2]][channel], cube[row, column, channel]
    color = CHANNEL_COLORS[letter]
    axes.add_patch(Rectangle((x + 0.5, y), 1.11, step, facecolor=color, alpha=0.16, edgecolor=PAPER, lw=1))
    scaled = f"{value / 255:.3f}" if cube.dtype == np.uint8 else ""
    for right, words, ink in [(0.42, f"{index}", MUTED), (0.98, _number(value), INK), (1.56, scaled, INK)]:
        axes.text(x + right, y + step / 2, words, color=ink, ha="right", va="center", fontsize=8.5)
    origin = f"{row}, {column} {letter}".strip()
    axes.text(x + 1.68, y + step / 2, origin, color=color, va="center", fontsize=8.5)
