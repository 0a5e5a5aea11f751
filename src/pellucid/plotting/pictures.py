"""Figures that show the images themselves: a sample of them, one as a vector, and a new photo with its verdict."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError
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
    class_name,
    drawing_axes,
    image_grid,
    look,
    new_figure,
    picture,
    reduced,
)
from pellucid.rng import stream
from pellucid.text import by, percent
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PIXELS = 1200  # of a new photo that are drawn
CHANNELS = {1: ("",), 3: ("R", "G", "B"), 4: ("R", "G", "B", "A")}
CHANNEL_COLORS = {"": MUTED, "R": RED, "G": GREEN, "B": BLUE, "A": MUTED}


def sample_grid(dataset: Dataset, title: str, *, n_images: int = 25, seed: int = 101) -> Figure:
    """Draw randomly chosen images in rows of five, each with its label.

    Parameters
    ----------
    dataset : Dataset
        X of shape (m, h, w) or (m, h, w, c).
    title : str
    n_images : int, optional
        No image is drawn twice as long as there are others left.
    seed : int, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError, DataError
        If X does not hold images, or none.

    Examples
    --------
    >>> cats = Dataset(np.zeros((3, 2, 2), np.uint8), np.array([1, 1, 1]), ("non-cat", "cat"))
    >>> sample_grid(cats, "Cats", n_images=2).axes[0].get_title()
    'y = 1 (cat)'
    """
    if n_images < 1:
        raise OptionError(f"sample_grid: expected n_images of at least 1, got {n_images}. Try 25.")
    X = check_images("sample_grid", dataset.X)
    rng = stream(seed, "sample grid")
    rounds = -(-n_images // len(X))
    rows = np.concatenate([rng.permutation(len(X)) for _ in range(rounds)])[:n_images]
    with look():
        figure, places = image_grid(n_images, title, n_columns=5, shape=X.shape[1:3], above=0.26)
        for axes, i in zip(places, rows, strict=True):
            picture(axes, X[i])
            label = int(dataset.y[i])
            named = f" ({class_name(dataset.classes, label, 13)})" if dataset.classes else ""
            axes.set_title(f"y = {label}{named}", loc="center", fontsize=9, fontweight="normal", pad=3)
    return figure


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
        _whole_picture(figure, axes, cube, label)
        _first_pixels(axes, cube)
        _column(axes, cube)
    return figure


def _whole_picture(figure: Figure, axes: Axes, cube: Array, label: str) -> None:
    height, width = cube.shape[:2]
    axes.text(0.12, 0.22, "1  The image" + (f": {label}" if label else ""), fontweight="bold", va="center")
    scale = 2.2 / max(height, width)
    top, down, across = 0.85, scale * height, scale * width
    small = figure.add_axes((0.12 / WIDTH, 1 - (top + down) / 4.7, across / WIDTH, down / 4.7))
    picture(small, cube)
    small.set(xticks=[], yticks=[])
    for spine in small.spines.values():
        spine.set(visible=True, color=LINE)
    axes.text(0.12, 0.62, f"{by((height, width))} pixels", color=MUTED, va="center", fontsize=9)
    n = _block(cube)
    side = n * scale  # the corner that the next panel enlarges, and the lines that lead there
    small.plot([-0.5, n - 0.5, n - 0.5, -0.5, -0.5], [-0.5, -0.5, n - 0.5, n - 0.5, -0.5], color=RED, lw=1.6)
    axes.plot([0.12 + side, 2.75], [top, 0.85], color=RED, lw=0.8, ls=":")
    axes.plot([0.12 + side, 2.75], [top + side, 3.05], color=RED, lw=0.8, ls=":", zorder=0)


def _block(cube: Array) -> int:
    """The number of rows and columns of pixels that are shown enlarged."""
    return int(min(3, *cube.shape[:2]))


def _first_pixels(axes: Axes, cube: Array) -> None:
    from matplotlib.patches import Rectangle

    n, letters = _block(cube), CHANNELS[cube.shape[2]]
    size = 2.2 / n
    axes.text(2.75, 0.22, "2  Its pixels are numbers", fontweight="bold", va="center")
    corner = "the only pixel" if n == 1 else f"the {n} × {n} pixels of the top left corner"
    axes.text(2.75, 0.62, corner, color=MUTED, va="center", fontsize=9)
    for i, j in itertools.product(range(n), range(n)):
        left, top = 2.75 + j * size, 0.85 + i * size
        color = _rgb(cube[i, j])
        axes.add_patch(Rectangle((left, top), size, size, facecolor=color, edgecolor=LINE, lw=1))
        is_dark = np.dot(color, (0.299, 0.587, 0.114)) < 0.55
        lines = [f"{letter} {_number(v)}".strip() for letter, v in zip(letters, cube[i, j], strict=True)]
        axes.text(
            left + size / 2,
            top + size / 2,
            "\n".join(lines),
            color=PAPER if is_dark else INK,
            ha="center",
            va="center",
            fontsize=9,
            linespacing=1.25,
        )
    named = ", ".join(
        {"R": "red", "G": "green", "B": "blue", "A": "alpha"}.get(c, "brightness") for c in letters
    )
    span = "from 0 (dark) to 255 (full)" if cube.dtype == np.uint8 else "as floating-point numbers"
    axes.text(2.75, 3.27, f"{named}:\n{span}", color=MUTED, va="top", fontsize=9, linespacing=1.4)


def _rgb(pixel: Array) -> Array:
    """The colour of one pixel, three floats from 0 to 1; transparency is left out."""
    scaled = pixel / 255 if pixel.dtype == np.uint8 else np.clip(pixel.astype(float), 0, 1)
    return np.repeat(scaled, 3) if len(pixel) == 1 else scaled[:3]


def _number(value: np.number[Any]) -> str:
    return f"{value:.3g}" if np.issubdtype(value.dtype, np.floating) else f"{value}"


def _shown_entries(cube: Array) -> list[int]:
    """The positions in the vector that are listed: two pixels, the first of the second row, and the last one."""
    height, width, n = cube.shape
    starts = {0, n, width * n, height * width * n - n}
    return sorted({s + channel for s in starts if s < cube.size for channel in range(n)})


def _column(axes: Axes, cube: Array) -> None:
    """List entries of the vector: where each stands, its value, and where in the image it comes from."""
    entries = _shown_entries(cube)
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


def new_photo(
    original: Array, seen: Array, *, label: str, probability: float, y: float | None = None
) -> Figure:
    """Draw a photo as it was given beside what the network sees of it, with the verdict.

    Parameters
    ----------
    original : Array, shape (h, w, c) or (h, w)
        Very large photos are drawn reduced.
    seen : Array, shape (64, 64, 3) or what else the network takes
    label : str
        The name of the predicted class.
    probability : float
        Of that class, from 0 to 1.
    y : float, optional
        The predicted label; the title then begins with it, as the tutorial's does: ``y = 1.0, your ...``.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> photo = np.zeros((300, 400, 3), np.uint8)
    >>> new_photo(photo, photo[:64, :64], label="cat", probability=0.97, y=1).texts[0].get_text()
    'y = 1.0, your L-layer model predicts a "cat" picture.'
    """
    check_images("new_photo: original", original[None])
    check_images("new_photo: seen", seen[None])
    name = class_name((label,), 0, 30)
    verdict = f'our L-layer model predicts a "{name}" picture.'
    verdict = f"Y{verdict}" if y is None else f"y = {float(y)}, y{verdict}"
    with look():
        figure = new_figure(4.7, layout=None)
        figure.text(0.01, 0.97, verdict, va="top", fontsize=12, fontweight="bold")
        figure.text(0.01, 0.9, f'Probability of "{name}": {percent(probability)}', va="top", color=MUTED)
        words = [
            f"The photo as given: {by(original.shape[1::-1])} pixels",
            f"What the network sees: {by(seen.shape)}",
        ]
        for left, image, caption in zip(
            (0.01, 0.51), (reduced(original, MOST_PIXELS), seen), words, strict=True
        ):
            axes = figure.add_axes((left, 0.08, 0.48, 0.75), xticks=[], yticks=[])
            picture(axes, image)
            axes.spines[:].set_visible(False)
            axes.set_anchor("N")
            axes.set_xlabel(caption)
    return figure
