"""Figures of a data set: how many samples each class has, a sample of the images, and a confusion matrix."""

from collections.abc import Sequence

import numpy as np

from pellucid.data.dataset import Dataset, Split
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
    class_names,
    legend_above,
    look,
    new_figure,
    whole_numbers,
)
from pellucid.plotting.types import Axes, Figure
from pellucid.rng import stream
from pellucid.text import percent, plural
from pellucid.types import Array

FEW_BARS = 4  # classes whose bars are wide
MOST_SIDE_BY_SIDE = 6  # classes: of more, the bars lie, so that each has a line of its own for its numbers
MOST_NAMED = 60  # classes that are named; of more, their sizes alone are drawn
MOST_COUNTED = 40  # classes whose confusions are written as numbers


def class_histogram(split: Split) -> Figure:
    """Draw how many samples each class has, training and test side by side.

    Parameters
    ----------
    split : Split

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
    k, amount = max(len(split.train.counts), len(split.test.counts)), f"Number of {split.noun}s"
    line, is_lying = 0.42 if k <= 30 else 0.37, MOST_SIDE_BY_SIDE < k <= MOST_NAMED  # inches for each class
    parts = ((split.train, "Training", BLUE, -0.2), (split.test, "Test", ORANGE, 0.2))
    order = np.argsort(-np.pad(split.train.counts, (0, k - len(split.train.counts))), kind="stable")
    with look():
        figure = new_figure(1.0 + line * k if is_lying else 3.4)
        axes = figure.add_subplot()
        for part, words, color, offset in parts:
            counts, label = np.zeros(k), f"{words} part: {plural(len(part), split.noun)}"
            counts[: len(part.counts)] = part.counts
            if k > MOST_NAMED:
                axes.step(np.arange(1, k + 1), counts[order], color=color, label=label)
                continue
            draw = axes.barh if is_lying else axes.bar
            bars = draw(np.arange(k) + offset, counts, 0.38, color=color, label=label)
            shares = [percent(n / max(len(part), 1)) for n in counts]
            form = "{:.0f} ({})" if is_lying else "{:.0f}\n{}"
            size = 9.0 if k <= FEW_BARS else 8.0
            if is_lying:
                size = min(9, 0.38 * line * 56)  # no words lie on the next bar
            numbers = [form.format(*each) for each in zip(counts, shares, strict=True)]
            axes.bar_label(bars, numbers, padding=3, fontsize=size, linespacing=1.1)
        if k > MOST_NAMED:
            name = f"The {k} classes, the largest in training first"
            axes.set(ylabel=amount, xlabel=name, xlim=(0, k + 1), ylim=(0, None))
        elif is_lying:
            axes.set(xlabel=amount, ylim=(k - 0.5, -0.5), xmargin=0.14)
        else:
            axes.set(ylabel=amount, xlabel="Class", ymargin=0.16)
        if k <= MOST_NAMED:
            _class_ticks(axes, "y" if is_lying else "x", split.classes, k)
        (axes.xaxis if is_lying else axes.yaxis).set_major_locator(whole_numbers())
        if k > MOST_NAMED:  # else each bar has its number, which a line would cross
            axes.grid(axis="y")
        legend_above(axes)
    return figure


def _class_ticks(axes: Axes, axis: str, classes: Sequence[str], k: int) -> None:
    """Name the classes 0 to k - 1 along an axis, at an angle where the names would touch."""
    names = class_names(classes, range(k), 24 if axis == "y" or k <= 4 else 16)
    if axis == "y":
        axes.set_yticks(range(k), names)
        axes.tick_params(axis="y", length=0)
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
    X = check_images("sample_grid", dataset.X)
    rng = stream(seed, "sample grid")
    rounds = -(-n_images // len(X))
    rows = np.concatenate([rng.permutation(len(X)) for _ in range(rounds)])[:n_images]
    page = Page(title)
    tiles = []
    for i in rows:
        label = int(dataset.y[i])
        name = class_name(dataset.classes, label, 80)
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

    Examples
    --------
    >>> axes = confusion_matrix_figure(np.array([[12, 5], [5, 28]]), ("non-cat", "cat")).axes[0]
    >>> axes.texts[1].get_text().split("\\n")
    ['5', '29 %']
    """
    matrix = np.asarray(matrix)
    k = len(matrix)
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
