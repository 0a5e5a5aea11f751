"""The figures of a run: what the data is, how training went, what the model gets right.

Each function takes plain arrays and records, never a model, and returns a matplotlib ``Figure``. All are named
here; those that show images are written in :mod:`pellucid.plotting.pictures`, the drawing of the network in
:mod:`pellucid.plotting.network`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.data.dataset import Split
from pellucid.errors import ShapeError
from pellucid.plotting.network import network_diagram
from pellucid.plotting.pictures import image_to_vector, new_photo, sample_grid
from pellucid.plotting.style import BLUE, INK, MUTED, ORANGE, PAPER, RED, class_name, look, new_figure
from pellucid.text import percent
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "class_histogram",
    "confusion_matrix_figure",
    "cost_curve",
    "image_to_vector",
    "network_diagram",
    "new_photo",
    "sample_grid",
]


def class_histogram(split: Split, *, relative: bool = False) -> Figure:
    """Draw how many images each class has, training and test side by side.

    Parameters
    ----------
    split : Split
    relative : bool, optional
        True makes the bars percent of their part of the data, so that parts of different size compare.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> from pellucid.data.dataset import Dataset
    >>> part = Dataset(np.zeros((3, 2, 2), np.uint8), np.array([0, 1, 1]), ("non-cat", "cat"))
    >>> figure = class_histogram(Split(part, part))
    >>> [int(bar.get_height()) for bar in figure.axes[0].patches]
    [1, 2, 1, 2]
    """
    k = max(len(split.train.counts), len(split.test.counts))
    with look():
        figure = new_figure(4.2)
        axes = figure.add_subplot()
        for place, (part, words, color) in enumerate(
            [(split.train, "Training dataset:", BLUE), (split.test, "Test dataset:", ORANGE)]
        ):
            counts = np.zeros(k)
            counts[: len(part.counts)] = part.counts
            shares = counts / max(len(part), 1)
            bars = axes.bar(
                np.arange(k) + 0.4 * place - 0.2,
                100 * shares if relative else counts,
                width=0.38,
                color=color,
                label=f"{words} ({len(part)} images)",
            )
            texts = [f"{n:.0f}\n{percent(p)}" for n, p in zip(counts, shares, strict=True)]
            axes.bar_label(bars, texts, padding=2, fontsize=9 if k <= 6 else 7, linespacing=1.1)
        axes.set(ylabel="Percent of the dataset" if relative else "Number of images", xlabel="Class")
        axes.margins(y=0.16)
        axes.grid(axis="y")
        _legend_above(axes)
        _class_ticks(axes, "x", split.classes, k)
    return figure


def _legend_above(axes: Axes) -> None:
    """Put the legend over the axes, where no line or bar can run into it."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.01), ncols=2, borderaxespad=0, columnspacing=1.6)


def _class_ticks(axes: Axes, axis: str, classes: Sequence[str], k: int) -> None:
    """Name the classes 0 to k - 1 along an axis, at an angle where the names would touch."""
    names = [class_name(classes, i, 24 if k <= 4 else 16) for i in range(k)]
    if axis == "y":
        axes.set_yticks(range(k), names)
        return
    is_tight = max(map(len, names)) * k > 80
    axes.set_xticks(range(k), names, rotation=35 if is_tight else 0, ha="right" if is_tight else "center")
    axes.tick_params(axis="x", length=0)


def cost_curve(
    iterations: Sequence[int] | Array,
    costs: Sequence[float] | Array,
    *,
    learning_rate: float | None = None,
    validation: Sequence[float] | Array | None = None,
    marked: Mapping[int, str] | None = None,
) -> Figure:
    """Draw the cost over the iterations that it was measured at, and write its last value beside the line.

    Parameters
    ----------
    iterations : array_like, shape (n,)
        The true numbers of the iterations, 0, 100, 200, ...
    costs : array_like, shape (n,)
        Costs that are not finite leave a gap.
    learning_rate : float, optional
        Named in the legend.
    validation : array_like, shape (n,), optional
        The cost on held-out data at the same iterations; NaN where it was not measured.
    marked : mapping of int to str, optional
        Iterations to point out, and what each is: ``{1700: "best on the validation part"}``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        If the arrays differ in length, or are empty.

    Examples
    --------
    >>> figure = cost_curve([0, 100, 200], [0.77, 0.67, 0.64], learning_rate=0.0075)
    >>> figure.axes[0].lines[0].get_xdata()
    array([  0, 100, 200])
    """
    x, y = np.asarray(iterations), np.asarray(costs, dtype=float)
    held_out = None if validation is None else np.asarray(validation, dtype=float)
    _check_curve(x, y, held_out)
    rate = "" if learning_rate is None else f" (learning rate {learning_rate:g})"
    with look():
        figure = new_figure(4.2)
        axes = figure.add_subplot()
        dots = "o" if len(x) <= 40 else None
        axes.plot(x, y, color=RED, linewidth=2, marker=dots, markersize=3.5, label=f"Training cost{rate}")
        if held_out is not None:
            known = ~np.isnan(held_out)
            axes.plot(x[known], held_out[known], "--", color=BLUE, linewidth=2, label="Validation cost")
        for iteration, words in (marked or {}).items():
            axes.axvline(iteration, color=MUTED, linewidth=1, linestyle=":")
            axes.plot(iteration, np.interp(iteration, x, y), "D", color=INK, label=f"{words} ({iteration})")
        axes.set(xlabel="Iteration", ylabel="Cost")
        if np.nanmin(np.where(np.isfinite(y), y, np.nan), initial=0) >= 0:
            axes.set_ylim(bottom=0)
        axes.grid()
        _legend_above(axes)
        _write_last_values(axes, x, [(y, RED)] if held_out is None else [(y, RED), (held_out, BLUE)])
    return figure


def _check_curve(x: Array, y: Array, held_out: Array | None) -> None:
    same = x.ndim == 1 and x.shape == y.shape and (held_out is None or held_out.shape == x.shape)
    if not same or not len(x):
        came = f"{x.shape}, {y.shape}" + ("" if held_out is None else f" and validation {held_out.shape}")
        raise ShapeError(
            f"cost_curve: expected iterations and costs of one shape (n,), n at least 1, got {came}. "
            "Pass one cost for each iteration; for validation, NaN where there is none."
        )


def _write_last_values(axes: Axes, x: Array, curves: list[tuple[Array, str]]) -> None:
    """Write the last finite value of each curve to the right of its end, apart from one another."""
    ends = []
    for values, color in curves:
        finite = np.flatnonzero(np.isfinite(values))
        if len(finite):
            ends.append((float(values[finite[-1]]), int(x[finite[-1]]), color))
    if not ends:
        axes.text(0.5, 0.5, "no finite cost was measured", transform=axes.transAxes, ha="center", color=RED)
        return
    ends.sort()
    bottom, top = axes.get_ylim()
    is_close = len(ends) == 2 and ends[1][0] - ends[0][0] < 0.13 * (top - bottom)
    for (value, iteration, color), va in zip(ends, ("top", "bottom"), strict=False):
        axes.annotate(
            f"{value:.4g}\nat {iteration}",
            (iteration, value),
            (7, 0),
            textcoords="offset points",
            va=va if is_close else "center",
            color=color,
            fontsize=9,
            annotation_clip=False,
        )


def confusion_matrix_figure(matrix: Array, classes: Sequence[str]) -> Figure:
    """Draw how often each true class (a row) was taken for each class (a column).

    Parameters
    ----------
    matrix : Array, shape (k, k)
        Counts: ``matrix[i, j]`` images of class i were predicted as class j.
    classes : sequence of str, length k
        May be empty: then the classes are numbered.

    Returns
    -------
    matplotlib.figure.Figure
        Colour is the share of the row: a dark diagonal is what one hopes for.

    Raises
    ------
    ShapeError
        If the matrix is not square or does not fit the classes.

    Examples
    --------
    >>> axes = confusion_matrix_figure(np.array([[12, 5], [5, 28]]), ("non-cat", "cat")).axes[0]
    >>> axes.texts[1].get_text().split("\\n")
    ['5', '29 %']
    """
    matrix = np.asarray(matrix)
    k = len(matrix)
    if matrix.shape != (k, k) or not k or len(classes) not in (0, k):
        raise ShapeError(
            f"confusion_matrix_figure: expected a matrix of shape (k, k) for the {len(classes)} classes, got "
            f"{matrix.shape}. Pass counts, one row for each true class."
        )
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = min(6.2, 2.4 + 0.85 * k)
    with look():
        figure = new_figure(side * 0.92, side * 1.1 + 0.2)
        axes = figure.add_subplot()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.15)
        for (i, j), share in np.ndenumerate(shares):
            words = f"{matrix[i, j]}\n{percent(share)}" if k <= 8 else f"{matrix[i, j]}"
            color = PAPER if share > 0.55 else INK
            axes.text(j, i, words, ha="center", va="center", color=color, fontsize=13 if k <= 4 else 9)
        _class_ticks(axes, "x", classes, k)
        _class_ticks(axes, "y", classes, k)
        axes.set(xlabel="Predicted class", ylabel="True class")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    return figure
