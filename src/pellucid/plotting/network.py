"""The drawing of a network: its layers, their shapes and their parameters."""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from pellucid.errors import OptionError
from pellucid.plotting.lines import width_of
from pellucid.plotting.style import (
    BLUE,
    GREEN,
    INK,
    LINE,
    MUTED,
    ORANGE,
    PAPER,
    PURPLE,
    WIDTH,
    arrow,
    class_names,
    drawing_axes,
    look,
    new_figure,
    rounded_box,
)
from pellucid.plotting.types import Axes, Figure
from pellucid.text import by, plural, shorten
from pellucid.types import LayerRow, Shape


def network_diagram(rows: Sequence[LayerRow], *, input_shape: Shape, inputs: Sequence[str] = ()) -> Figure:
    """Draw a network with the shape that leaves each layer and the number of its parameters.

    Parameters
    ----------
    rows : sequence of LayerRow
        In order, from the input on; one of a structure stands for several layers.
    input_shape : tuple of int
        Of one sample.
    inputs : sequence of str, optional
        The names of its numbers, written beside the units where there is one for each.

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
            return _units(dense, tuple(input_shape), total, inputs)
        return _boxes(rows, tuple(input_shape), total)


def _titled(height: float, title: str, total: str, width: float = WIDTH) -> tuple[Figure, Axes]:
    figure = new_figure(height, width, layout=None)
    axes = drawing_axes(figure, height, width)
    axes.text(0.12, 0.24, title, fontsize=12, fontweight="bold", va="center")
    axes.text(0.12, 0.54, total, color=MUTED, va="center")
    return figure, axes


def _units(rows: Sequence[LayerRow], input_shape: Shape, total: str, inputs: Sequence[str]) -> Figure:
    from matplotlib.collections import LineCollection

    widths = [math.prod(input_shape), *(row.output_shape[-1] for row in rows)]
    is_image = len(input_shape) > 1
    title = " → ".join([*([by(input_shape)] if is_image else []), *map(str, widths)])
    middle = 1.25 + 0.15 * (min(max(widths), 9) - 1)  # a network of few units takes little room
    low = 2 * middle - 1.02  # where what is written below the units begins
    width = min(WIDTH, max(1.9 * len(widths), 0.11 * max(len(title), len(total)) + 0.3))
    figure, axes = _titled(low + 0.92, title, total, width)
    heights = [_unit_heights(n, middle) for n in widths]
    names = class_names(inputs, range(len(inputs)), 18) if len(inputs) == len(heights[0]) else []
    aside = max([0.85, *(0.3 + width_of(name, 8) for name in names)])  # inches
    x = np.linspace(aside, width - 0.95, len(widths))
    for name, height in zip(names, heights[0], strict=False):
        axes.text(aside - 0.15, height, name, ha="right", va="center", fontsize=8)
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
    title = f"{plural(len(rows), 'layer')}, from {by(input_shape)} to {by(rows[-1].output_shape)}"
    if any(row.is_structure for row in rows):  # several layers in one box
        title = f"From {by(input_shape)} to {by(rows[-1].output_shape)}"
    figure, axes = _titled(0.85 + LINE_HEIGHT * n_lines, title, total)
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
    rounded_box(axes, left, top, *BOX, next((c for word, c in BOX_COLORS.items() if word in row.kind), MUTED))
    heading = f"{row.kind}, {row.activation}" if row.activation else row.kind
    heading = heading.removeprefix("Activation, ")
    size = 8.5 if width_of(heading, 8.5, is_bold=True) < BOX[0] - 0.08 else 6.8
    lines = [(shorten(heading, 20), size, "bold", INK), (by(row.output_shape), 9, "normal", INK)]
    if row.n_params:
        lines.append((f"{row.n_params:,} parameters", 8 if row.n_params < 1_000_000 else 7, "normal", MUTED))
    middle, gap = left + BOX[0] / 2, 0.25
    for i, (words, size, weight, color) in enumerate(lines):
        y = top + BOX[1] / 2 + gap * (i - (len(lines) - 1) / 2)
        axes.text(middle, y, words, fontsize=size, fontweight=weight, color=color, ha="center", va="center")


def _lead_on(axes: Axes, x: float, y: float, step: float, *, is_last_in_line: bool) -> None:
    """Draw the arrow to the next box; at the end of a line it runs back to the start of the next one."""
    if not is_last_in_line:
        arrow(axes, (x + 0.02, y), (x + step - BOX[0] - 0.01, y))
        return
    turn, start, half = y + LINE_HEIGHT / 2, 0.12 + BOX[0] / 2, BOX[0] / 2
    axes.plot([x - half, x - half, start], [y + BOX[1] / 2, turn, turn], color=MUTED, lw=1)
    arrow(axes, (start, turn - 0.01), (start, y + LINE_HEIGHT - BOX[1] / 2 - 0.01))
