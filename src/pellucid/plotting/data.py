"""Figures of a data set: how many samples each class has, a sample of the images, and a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.data.dataset import Dataset, Split
from pellucid.errors import OptionError, ShapeError
from pellucid.plotting.grid import Page, Tile
from pellucid.plotting.lines import Line
from pellucid.plotting.style import (
    BLUE,
    INK,
    ORANGE,
    PAPER,
    WIDTH,
    check_images,
    class_name,
    legend_above,
    look,
    new_figure,
)
from pellucid.rng import stream
from pellucid.text import percent, plural
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


FEW_BARS = 4  # classes whose bars are wide
MOST_SIDE_BY_SIDE = 6  # classes: of more, the bars lie, so that each has a line of its own for its numbers
MOST_NAMED = 60  # classes that are named; of more, their sizes alone are drawn
MOST_COUNTED = 40  # classes whose confusions are written as numbers

Parts = Sequence[tuple[str, str, Array]]  # each with its words, its colour and its counts


def class_histogram(split: Split, *, relative: bool = False) -> Figure:
    """Draw how many samples each class has, training and test side by side.

    Parameters
    ----------
    split : Split
    relative : bool, optional
        True makes the bars percent of their part of the data, so that parts of different size compare.

    Returns
    -------
    matplotlib.figure.Figure
        Bars stand side by side; of more than six classes they lie one below the other, and of more than sixty the
        sizes of the classes are two lines, the largest class first.

    Examples
    --------
    >>> from pellucid.data.dataset import Dataset
    >>> part = Dataset(np.zeros((3, 2, 2), np.uint8), np.array([0, 1, 1]), ("non-cat", "cat"))
    >>> figure = class_histogram(Split(part, part))
    >>> [int(bar.get_height()) for bar in figure.axes[0].patches]
    [1, 2, 1, 2]
    """
    k = max(len(split.train.counts), len(split.test.counts))
    parts = []
    for part, words, color in [(split.train, "Training", BLUE), (split.test, "Test", ORANGE)]:
        counts = np.zeros(k)
        counts[: len(part.counts)] = part.counts
        parts.append((f"{words} part: {plural(len(part), split.noun)}", color, counts))
    amount = "Percent of the part" if relative else f"Number of {split.noun}s"
    with look():
        if k <= MOST_SIDE_BY_SIDE:
            return _standing_bars(parts, split.classes, amount, relative=relative)
        if k <= MOST_NAMED:
            return _lying_bars(parts, split.classes, amount, relative=relative)
        return _sizes(parts, amount, relative=relative)


def _amounts(counts: Array, *, relative: bool) -> Array:
    return 100 * counts / max(counts.sum(), 1) if relative else counts


def _numbers(counts: Array, between: str) -> list[str]:
    """Return what stands at each bar: the count, and its percentage of the part."""
    return [f"{n:.0f}{between.format(percent(n / max(counts.sum(), 1)))}" for n in counts]


def _standing_bars(parts: Parts, classes: Sequence[str], amount: str, *, relative: bool) -> Figure:
    figure = new_figure(4.2)
    axes = figure.add_subplot()
    k = len(parts[0][2])
    for place, (label, color, counts) in enumerate(parts):
        x, heights = np.arange(k) + 0.4 * place - 0.2, _amounts(counts, relative=relative)
        bars = axes.bar(x, heights, width=0.38, color=color, label=label)
        size = 9 if k <= FEW_BARS else 8  # narrow bars: the words of one must not lie on the next
        axes.bar_label(bars, _numbers(counts, "\n{}"), padding=2, fontsize=size, linespacing=1.1)
    axes.set(ylabel=amount, xlabel="Class")
    axes.margins(y=0.16)
    axes.grid(axis="y")
    legend_above(axes)
    _class_ticks(axes, "x", classes, k)
    return figure


def _lying_bars(parts: Parts, classes: Sequence[str], amount: str, *, relative: bool) -> Figure:
    k = len(parts[0][2])
    line = 0.36 if k <= 12 else 0.3  # inches for each class
    figure = new_figure(1.0 + line * k)
    axes = figure.add_subplot()
    for place, (label, color, counts) in enumerate(parts):
        y, widths = np.arange(k) + 0.4 * place - 0.2, _amounts(counts, relative=relative)
        bars = axes.barh(y, widths, height=0.38, color=color, label=label)
        axes.bar_label(bars, _numbers(counts, " ({})"), padding=3, fontsize=0.38 * line * 55)
    axes.set(xlabel=amount, ylim=(k - 0.5, -0.5))
    axes.margins(x=0.14)
    axes.grid(axis="x")
    legend_above(axes)
    _class_ticks(axes, "y", classes, k)
    axes.tick_params(axis="y", length=0)
    return figure


def _sizes(parts: Parts, amount: str, *, relative: bool) -> Figure:
    """Draw the sizes of very many classes, in the order of their size in training."""
    figure = new_figure(4.2)
    axes = figure.add_subplot()
    order = np.argsort(-parts[0][2], kind="stable")
    for label, color, counts in parts:
        axes.step(
            np.arange(1, len(order) + 1), _amounts(counts, relative=relative)[order], color=color, label=label
        )
    words = f"The {len(order)} classes, the largest in training first"
    axes.set(ylabel=amount, xlabel=words, xlim=(0, len(order) + 1))
    axes.set_ylim(bottom=0)
    axes.grid(axis="y")
    legend_above(axes)
    return figure


def _class_ticks(axes: Axes, axis: str, classes: Sequence[str], k: int) -> None:
    """Name the classes 0 to k - 1 along an axis, at an angle where the names would touch."""
    names = [class_name(classes, i, 24 if axis == "y" or k <= 4 else 16) for i in range(k)]
    if axis == "y":
        axes.set_yticks(range(k), names)
        return
    angle = (90 if k > 12 else 35) if max(map(len, names)) * k > 80 else 0
    axes.set_xticks(range(k), names, rotation=angle, ha="right" if angle == 35 else "center")
    axes.tick_params(axis="x", length=0)


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
    >>> [text.get_text() for text in sample_grid(cats, "Cats", n_images=2).axes[1].texts]
    ['y = 1 (cat)', 'y = 1 (cat)']
    """
    if n_images < 1:
        raise OptionError(f"sample_grid: expected n_images of at least 1, got {n_images}. Try 25.")
    X = check_images("sample_grid", dataset.X)
    rng = stream(seed, "sample grid")
    rounds = -(-n_images // len(X))
    rows = np.concatenate([rng.permutation(len(X)) for _ in range(rounds)])[:n_images]
    page = Page(title)
    tiles = []
    for i in rows:
        label = int(dataset.y[i])
        name = class_name(dataset.classes, label, 80) if dataset.classes else ""
        name = "" if name == str(label) else name  # digits are called as they are numbered
        tiles.append(Tile(X[i], above=[Line(f"y = {label}" + (" ({})" if name else ""), INK, name=name)]))
    page.grid(tiles, 5, size=8.5)
    return page.figure()


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
        Colour is the fraction of the row: blue on the diagonal, where predictions are correct, red beside it. Cells
        that never occur are empty. Of more than eight classes only counts are written, of more than forty none.

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
    fractions = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = min(6.2 if k <= 12 else WIDTH * 0.9, 2.4 + 0.85 * k)
    cell = 0.8 * side / k  # inches, about
    right = np.eye(k, dtype=bool)
    with look():
        figure = new_figure(side * 0.92 if k <= 12 else WIDTH, side * 1.1 + 0.2)
        axes = figure.add_subplot()
        for colors, shown in (("Blues", right), ("Reds", ~right)):
            axes.imshow(np.where(shown & (fractions > 0), fractions, np.nan), cmap=colors, vmin=0, vmax=1.15)
        size = 13 if k <= 4 else min(9, 32 * cell)
        for (i, j), fraction in np.ndenumerate(fractions) if k <= MOST_COUNTED else ():
            if not matrix[i, j] and k > 2:
                continue
            words = f"{matrix[i, j]}\n{percent(fraction)}" if k <= 8 else f"{matrix[i, j]}"
            color = PAPER if fraction > 0.55 else INK
            axes.text(j, i, words, ha="center", va="center", color=color, fontsize=size)
        if k <= MOST_NAMED:
            _class_ticks(axes, "x", classes, k)
            _class_ticks(axes, "y", classes, k)
            axes.tick_params(labelsize=min(10, 55 * cell))
        axes.set_xticks(np.arange(k + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(k + 1) - 0.5, minor=True)
        axes.grid(which="minor", linewidth=0.8 if k <= 24 else 0.4)
        axes.set(xlabel="Predicted class", ylabel="True class")
        axes.spines[:].set_visible(False)
        axes.tick_params(which="both", length=0)
    return figure
