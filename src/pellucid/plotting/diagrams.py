"""The drawings of a network, and of how an image becomes a vector."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.errors import OptionError
from pellucid.plotting.lines import Line, width_of
from pellucid.plotting.style import (
    BLUE,
    GREEN,
    INK,
    LINE,
    MUTED,
    ORANGE,
    PAPER,
    PURPLE,
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
from pellucid.types import Array, LayerRow, Shape


def network_diagram(rows: Sequence[LayerRow], *, input_shape: Shape) -> Figure:
    """Draw a network with the shape that leaves each layer and the number of its parameters.

    Parameters
    ----------
    rows : sequence of LayerRow
        In order, from the input on.
    input_shape : tuple of int
        Of one sample.

    Returns
    -------
    matplotlib.figure.Figure
        Up to six Dense layers are drawn unit by unit (of wide layers a few, and dots), anything else as boxes.

    Raises
    ------
    OptionError
        If there is no layer.

    Examples
    --------
    >>> rows = [LayerRow("dense_1", "Dense", "relu", (3,), 15, 24), LayerRow("dense_2", "Dense", "", (1,), 4, 6)]
    >>> network_diagram(rows, input_shape=(4,)).axes[0].texts[0].get_text()
    '4 → 3 → 1'
    """
    if not rows:
        raise OptionError(
            "network_diagram: expected at least one layer, got none. Pass the model's summary rows."
        )
    dense = list(itertools.dropwhile(lambda row: row.kind == "Flatten", rows))
    total = f"{sum(row.n_params for row in rows):,} parameters in all"
    with look():
        if 0 < len(dense) <= 6 and all(row.kind == "Dense" for row in dense):
            return _units(dense, tuple(input_shape), total)
        return _boxes(rows, tuple(input_shape), total)


def _titled(height: float, title: str, total: str, width: float = WIDTH) -> tuple[Figure, Axes]:
    figure = new_figure(height, width, layout=None)
    axes = drawing_axes(figure, height, width)
    axes.text(0.12, 0.24, title, fontsize=12, fontweight="bold", va="center")
    axes.text(0.12, 0.54, total, color=MUTED, va="center")
    return figure, axes


def _units(rows: Sequence[LayerRow], input_shape: Shape, total: str) -> Figure:
    from matplotlib.collections import LineCollection

    widths = [math.prod(input_shape), *(row.output_shape[-1] for row in rows)]
    is_image = len(input_shape) > 1
    title = " → ".join(([by(input_shape)] if is_image else []) + [str(n) for n in widths])
    middle = 1.25 + 0.15 * (min(max(widths), 9) - 1)  # a network of few units takes little room
    low = 2 * middle - 1.02  # where what is written below the units begins
    width = min(WIDTH, max(1.9 * len(widths), 0.11 * max(len(title), len(total)) + 0.3))
    figure, axes = _titled(low + 0.92, title, total, width)
    x = np.linspace(0.85, width - 0.95, len(widths))
    heights = [_unit_heights(n, middle) for n in widths]
    for i, row in enumerate(rows):
        wires = [[(x[i], a), (x[i + 1], b)] for a in heights[i] for b in heights[i + 1]]
        axes.add_collection(LineCollection(wires, colors=LINE, linewidths=0.7, zorder=1))
        _arithmetic(axes, (x[i] + x[i + 1]) / 2, low + 0.6, row, widths[i], widths[i + 1], x[1] - x[0])
    for i, n in enumerate(widths):
        color = MUTED if i == 0 else ORANGE if i == len(rows) else BLUE
        axes.scatter(np.full(len(heights[i]), x[i]), heights[i], s=150, c=color, edgecolors=PAPER, zorder=2)
        if n > len(heights[i]):
            axes.scatter(np.full(3, x[i]), middle + np.array([-0.12, 0, 0.12]), s=7, c=color, zorder=2)
        heading = "Input" if i == 0 else f"Layer {i}"
        under = "" if i == 0 else rows[i - 1].activation or "linear"
        axes.text(x[i], 0.86, heading, ha="center", va="center", fontweight="bold", fontsize=9)
        axes.text(x[i], low, f"{n}", ha="center", va="center", fontsize=11)
        axes.text(x[i], low + 0.24, under, ha="center", va="center", color=MUTED, fontsize=9)
    return figure


def _unit_heights(n: int, middle: float, most: int = 9) -> list[float]:
    """Where the units of a layer are drawn; a layer of more than nine shows four and four around dots."""
    slots = np.arange(min(n, most)) - (min(n, most) - 1) / 2
    kept = slots if n <= most else np.delete(slots, most // 2)
    return [float(middle + 0.3 * s) for s in kept]


def _arithmetic(axes: Axes, x: float, y: float, row: LayerRow, n_in: int, n_out: int, room: float) -> None:
    """Write how the number of parameters comes about: weights, and a bias for each unit."""
    text = f"{n_in} × {n_out} + {n_out}\n= {row.n_params:,}"
    if text.index("\n") * 0.064 > room:  # inches a letter
        text = text.replace(" +", "\n+")
    if row.n_params != n_in * n_out + n_out:
        text = f"{row.n_params:,}\nparameters"
    axes.text(x, y, text, ha="center", va="center", fontsize=8, color=INK, linespacing=1.3)


BOX_COLORS = {"Conv": BLUE, "Dense": ORANGE, "Pool": GREEN, "Norm": PURPLE}
BOX = (1.26, 0.86)  # inches
N_COLUMNS, LINE_HEIGHT = 5, 1.2  # boxes in a line at most, inches


def _boxes(rows: Sequence[LayerRow], input_shape: Shape, total: str) -> Figure:
    n_lines = math.ceil((len(rows) + 1) / N_COLUMNS)
    n_columns = math.ceil((len(rows) + 1) / n_lines)  # lines as equally filled as they can be
    step = WIDTH / n_columns if n_lines > 1 else WIDTH / N_COLUMNS
    height = 0.85 + LINE_HEIGHT * n_lines
    n_layers = f"{len(rows)} layer" + ("s" if len(rows) > 1 else "")
    title = f"{n_layers}, from {by(input_shape)} to {by(rows[-1].output_shape)}"
    figure, axes = _titled(height, title, total)
    first = LayerRow("input", "Input", "", input_shape, 0, 0)
    for i, row in enumerate([first, *rows]):
        line, column = divmod(i, n_columns)
        left, top = 0.12 + column * step, 0.85 + line * LINE_HEIGHT
        _box(axes, left, top, row)
        if i < len(rows):
            _lead_on(axes, left + BOX[0], top + BOX[1] / 2, step, is_last_in_line=column == n_columns - 1)
    return figure


def _box(axes: Axes, left: float, top: float, row: LayerRow) -> None:
    """Draw one layer: its kind and activation, the shape that leaves it, its parameters."""
    from matplotlib.patches import FancyBboxPatch

    color = next((c for word, c in BOX_COLORS.items() if word in row.kind), MUTED)
    rounded = "round,pad=0,rounding_size=0.08"
    face = (color, 0.13)
    axes.add_patch(
        FancyBboxPatch((left, top), *BOX, boxstyle=rounded, facecolor=face, edgecolor=color, lw=1.2)
    )
    heading = f"{row.kind}, {row.activation}" if row.activation else row.kind
    heading = heading.removeprefix("Activation, ")
    lines = [
        (
            heading if len(heading) <= 20 else heading[:19] + "…",
            8.5 if width_of(heading, 8.5, is_bold=True) < BOX[0] - 0.08 else 6.8,
            "bold",
            INK,
        ),
        (by(row.output_shape), 9, "normal", INK),
    ]
    if row.n_params:
        lines.append((f"{row.n_params:,} parameters", 8 if row.n_params < 1_000_000 else 7, "normal", MUTED))
    middle, gap = left + BOX[0] / 2, 0.25
    for i, (words, size, weight, color) in enumerate(lines):
        y = top + BOX[1] / 2 + gap * (i - (len(lines) - 1) / 2)
        axes.text(middle, y, words, fontsize=size, fontweight=weight, color=color, ha="center", va="center")


def _lead_on(axes: Axes, x: float, y: float, step: float, *, is_last_in_line: bool) -> None:
    """Draw the arrow to the next box; at the end of a line it runs back to the start of the next one."""
    head = {"arrowstyle": "-|>", "color": MUTED, "shrinkA": 0, "shrinkB": 0}
    if not is_last_in_line:
        axes.annotate("", (x + step - BOX[0] - 0.01, y), (x + 0.02, y), arrowprops=head)
        return
    turn, start, half = y + LINE_HEIGHT / 2, 0.12 + BOX[0] / 2, BOX[0] / 2
    axes.plot([x - half, x - half, start], [y + BOX[1] / 2, turn, turn], color=MUTED, lw=1)
    axes.annotate("", (start, y + LINE_HEIGHT - BOX[1] / 2 - 0.01), (start, turn - 0.01), arrowprops=head)


CHANNELS = {1: ("",), 3: ("R", "G", "B"), 4: ("R", "G", "B", "A")}
CHANNEL_COLORS = {"": MUTED, "R": RED, "G": GREEN, "B": BLUE, "A": MUTED}


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
    colors = (
        np.repeat(scaled, 3, axis=2) if len(letters) == 1 else scaled[..., :3]
    )  # transparency is left out
    axes.text(2.75, 0.22, "2  Its pixels are numbers", fontweight="bold", va="center")
    corner = "the only pixel" if n == 1 else f"the {n} × {n} pixels of the top left corner"
    axes.text(2.75, 0.62, corner, color=MUTED, va="center", fontsize=9)
    for i, j in itertools.product(range(n), range(n)):
        left, top = 2.75 + j * size, 0.85 + i * size
        color = colors[i, j]
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


def _number(value: np.number[Any]) -> str:
    return f"{value:.3g}" if np.issubdtype(value.dtype, np.floating) else f"{value}"


def _column(axes: Axes, cube: Array) -> None:
    """List entries of the vector: where each stands, its value, and where in the image it comes from."""
    height, width, n = cube.shape
    starts = {
        0,
        n,
        width * n,
        height * width * n - n,
    }  # of two pixels, the first of the second row, the last one
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
