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
    check_images,
    class_name,
    legend_above,
    look,
    new_figure,
)
from pellucid.rng import stream
from pellucid.text import percent
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
            fractions = counts / max(len(part), 1)
            bars = axes.bar(
                np.arange(k) + 0.4 * place - 0.2,
                100 * fractions if relative else counts,
                width=0.38,
                color=color,
                label=f"{words} ({len(part)} images)",
            )
            texts = [f"{n:.0f}\n{percent(p)}" for n, p in zip(counts, fractions, strict=True)]
            axes.bar_label(bars, texts, padding=2, fontsize=9 if k <= 6 else 7, linespacing=1.1)
        axes.set(ylabel="Percent of the dataset" if relative else "Number of images", xlabel="Class")
        axes.margins(y=0.16)
        axes.grid(axis="y")
        legend_above(axes)
        _class_ticks(axes, "x", split.classes, k)
    return figure


def _class_ticks(axes: Axes, axis: str, classes: Sequence[str], k: int) -> None:
    """Name the classes 0 to k - 1 along an axis, at an angle where the names would touch."""
    names = [class_name(classes, i, 24 if k <= 4 else 16) for i in range(k)]
    if axis == "y":
        axes.set_yticks(range(k), names)
        return
    is_tight = max(map(len, names)) * k > 80
    axes.set_xticks(range(k), names, rotation=35 if is_tight else 0, ha="right" if is_tight else "center")
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
        Colour is the fraction of the row: a dark diagonal is what one hopes for.

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
    side = min(6.2, 2.4 + 0.85 * k)
    with look():
        figure = new_figure(side * 0.92, side * 1.1 + 0.2)
        axes = figure.add_subplot()
        axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1.15)
        for (i, j), fraction in np.ndenumerate(fractions):
            words = f"{matrix[i, j]}\n{percent(fraction)}" if k <= 8 else f"{matrix[i, j]}"
            color = PAPER if fraction > 0.55 else INK
            axes.text(j, i, words, ha="center", va="center", color=color, fontsize=13 if k <= 4 else 9)
        _class_ticks(axes, "x", classes, k)
        _class_ticks(axes, "y", classes, k)
        axes.set(xlabel="Predicted class", ylabel="True class")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    return figure
