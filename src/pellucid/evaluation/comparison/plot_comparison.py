"""Figures of two models on the same samples, over folds and over random starts: A is blue, B is orange."""

from collections.abc import Sequence
from pathlib import PurePath

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.evaluation.comparison.folds import CrossValidation, in_sentence
from pellucid.evaluation.comparison.paired import PairedComparison
from pellucid.evaluation.comparison.seeds import SeedComparison
from pellucid.plotting.grid import Page, Tile
from pellucid.plotting.lines import Line
from pellucid.plotting.style import (
    BLUE,
    INK,
    LINE,
    MUTED,
    ORANGE,
    RED,
    class_name,
    legend_above,
    look,
    new_figure,
    sentence_figure,
)
from pellucid.plotting.types import Axes, Figure
from pellucid.stats.t_tests import FoldMean
from pellucid.types import Array

COLORS = (BLUE, ORANGE)
PALE_GREEN = "#9DB4A8"
MOST_PICTURES = 24  # of disputed samples
TEXT_COLORS = (BLUE, "#9A6A00")  # orange letters on white would be too faint


def comparison_figure(result: PairedComparison) -> Figure:
    """Draw both accuracies with their intervals, and below on which samples who was correct.

    Parameters
    ----------
    result : PairedComparison

    Returns
    -------
    matplotlib.figure.Figure
    """
    sides, table, known = (result.a, result.b), result.mcnemar, result.a.confusion
    intervals = [side.confusion.accuracy_interval for side in sides]
    ends = [end for interval in intervals for end in interval]
    with look():
        figure = new_figure(4.8)
        scores, who = figure.subplots(2, 1, height_ratios=(1.5, 1))
        for i, (side, (low, high), color) in enumerate(zip(sides, intervals, COLORS, strict=True)):
            accuracy = side.confusion.accuracy
            label = f"{'AB'[i]}: {accuracy:.3f}  ({low:.2f} to {high:.2f})"
            scores.plot([low, high], [i, i], color=color, linewidth=3, solid_capstyle="butt", alpha=0.45)
            scores.plot(accuracy, i, "o", color=color, markersize=9, label=label)
        if is_near(known.baseline, ends):
            ends.append(known.baseline)
            _reference(scores, known.baseline, f"baseline {class_name((known.majority_class,), 0)!r}", 2)
        scores.set(ylim=(1.6, -0.7), xlabel="Accuracy, with its 95 % interval", xlim=span(ends))
        scores.set_yticks([0, 1], titles([side.source for side in sides]))
        scores.tick_params(axis="y", length=0)
        scores.grid(axis="x")
        legend_above(scores, 2)
        start = 0
        for words, n, color in zip(
            ("both correct", "only A", "only B", "neither"),
            (table.both, table.only_a, table.only_b, table.neither),
            (PALE_GREEN, BLUE, ORANGE, LINE),
            strict=True,
        ):
            who.barh(0, n, left=start, color=color, height=0.6, label=f"{words}: {n}")
            start += n
        legend_above(who, 4)
        who.set(xlim=(0, start), ylim=(-0.4, 0.4), yticks=[], xlabel=f"Test {result.noun}s")
        who.spines["left"].set_visible(False)
    return figure


def _reference(axes: Axes, value: float, name: str, digits: int, color: str = MUTED) -> None:
    axes.axvline(
        value, color=color, linewidth=1.2, linestyle="--", zorder=1, label=f"{name}: {value:.{digits}f}"
    )


def is_near(value: float, ends: Sequence[float]) -> bool:
    """Return whether a line at a value belongs in the picture, or would squeeze all else to one side."""
    far = max(0.2, 3 * (max(ends) - min(ends)))
    return min(ends) - far < value < max(ends) + far


def span(ends: Sequence[float]) -> tuple[float, float]:
    """Return the limits of an axis that shows these accuracies."""
    margin = 0.12 * (max(ends) - min(ends)) + 0.02
    return max(min(ends) - margin, -0.03), min(max(ends) + margin, 1.03)


def titles(names: Sequence[str]) -> list[str]:
    """Return the names of A and B for a figure: of a path the end, which is its own."""
    names = [name.removesuffix("/model.safetensors") for name in names]
    names = [f"…{name[-19:]}" if "/" in name and len(name) > 20 else name for name in names]
    return [f"{letter}: {class_name((name,), 0, 20)}" for letter, name in zip("AB", names, strict=False)]


def disputed_pictures(
    dataset: Dataset,
    only_a: Sequence[int],
    only_b: Sequence[int],
    predicted: tuple[Array, Array],
) -> Figure:
    """Draw the images that only one of two models got right, A's first.

    Parameters
    ----------
    dataset : Dataset
        X of shape (m, h, w) or (m, h, w, c).
    only_a, only_b : sequence of int
        Their numbers.
    predicted : (Array, Array), each of shape (m,)
        The labels that A and B predict.

    Returns
    -------
    matplotlib.figure.Figure
        Without any such image a sentence that says so.

    Examples
    --------
    >>> data = Dataset(np.zeros((2, 4, 4, 3), np.uint8), np.array([0, 1]), ("non-cat", "cat"))
    >>> figure = disputed_pictures(data, [0], [], (np.array([0, 1]), np.array([1, 1])))
    >>> [text.get_text() for text in figure.axes[1].texts]
    ['only A is correct', 'A: non-cat', 'B: cat', 'photo 0, non-cat']
    """
    n_a = min(len(only_a), max(MOST_PICTURES // 2, MOST_PICTURES - len(only_b)))
    shown = [*only_a[:n_a], *only_b[: MOST_PICTURES - n_a]]
    n_all = len(only_a) + len(only_b)
    if not shown:
        return sentence_figure("No image is classified correctly by only one of them.")
    headline = f"{n_all} images that only one of them got right" if n_all > 1 else "One image divides them"
    page = Page(headline + (f"; {len(shown)} are shown" if len(shown) < n_all else ""))
    tiles = []
    for i in shown:
        a, b = (class_name(dataset.classes, int(labels[i]), 80) for labels in predicted)
        whose = "A" if i in only_a else "B"
        color = TEXT_COLORS["AB".index(whose)]
        lines = [Line(text, color) for text in (f"only {whose} is correct", f"A: {a}", f"B: {b}")]
        file, truth = dataset.file(i), class_name(dataset.classes, int(dataset.y[i]), 40)
        below = [*([PurePath(file).name] if file else []), f"{dataset.noun} {i}, {truth}"]
        tiles.append(Tile(dataset.X[i], below, lines))
    page.grid(tiles, max(3, min(6, len(tiles))))
    return page.figure()


def cross_validation_figure(result: CrossValidation) -> Figure:
    """Draw the score of every fold, its mean, and of two models the differences.

    Parameters
    ----------
    result : CrossValidation

    Returns
    -------
    matplotlib.figure.Figure
        Repeats stand apart.
    """
    values, means, difference = result.values(), result.means(), result.difference()
    names, n_splits, n = result.sources, result.n_splits, len(values[0])
    places = np.arange(n) + np.arange(n) // n_splits  # an empty place between repeats
    with look():
        figure = new_figure(4.2 if difference is None else 6.2)
        rows = figure.subplots(1 if difference is None else 2, 1, squeeze=False, sharex=True)[:, 0]
        top = rows[0]
        aside = (0.0,) if len(values) == 1 else (-0.12, 0.12)  # equal dots of two models stand side by side
        for i, (one, mean, title) in enumerate(zip(values, means, titles(names), strict=True)):
            label = title if len(values) > 1 else names[0]
            _points_with_mean(top, places + aside[i], one, mean, COLORS[i], f"{label}, mean {mean.mean:.3f}")
        top.set_ylim(top=min(1.0, top.get_ylim()[1]))  # the highest that either score can be
        top.set(ylabel=result.title)
        legend_above(top, 2)
        if difference is not None:
            gap = rows[1]
            label = f"B minus A, mean {difference.mean:+.3f}"
            if difference.low is not None and difference.high is not None:
                label += f" ({difference.low:+.3f} to {difference.high:+.3f})"
            gap.axhline(0, color=INK, linewidth=1)
            _points_with_mean(gap, places, values[1] - values[0], difference, RED, label)
            gap.set(ylabel=f"Difference of {in_sentence(result.title)}")
            legend_above(gap, 1)
        rows[-1].set_xticks(places, [f"{i % n_splits + 1}" for i in range(n)])
        rows[-1].set_xlabel("Fold" if n <= n_splits else "Fold; repeats stand apart")
    return figure


def _points_with_mean(
    axes: Axes, places: Array, values: Array, mean: FoldMean, color: str, label: str
) -> None:
    axes.plot(places, values, "o", color=color, markersize=6, label=label, clip_on=False)
    axes.axhline(mean.mean, color=color, linewidth=1.4)
    if mean.low is not None and mean.high is not None:
        axes.axhspan(mean.low, mean.high, color=color, alpha=0.10, linewidth=0)
    axes.grid(axis="y")


N_BINS = 40


def seed_figure(result: SeedComparison) -> Figure:
    """Draw how the accuracies of all starts are distributed, and below the middle half of them and the median.

    Parameters
    ----------
    result : SeedComparison

    Returns
    -------
    matplotlib.figure.Figure
    """
    values, n_test = [runs.accuracies for runs in result.runs], result.n_test
    ends = [float(end) for one in values for end in (one.min(), one.max())]
    lines = [(*result.reference(), RED)]
    if is_near(result.baseline, ends):
        lines.append((result.baseline, f"baseline {class_name((result.majority_class,), 0)!r}", MUTED))
    low, high = span([*ends, *(line[0] for line in lines)])
    step = 1 / n_test * max(1, round((high - low) * n_test / N_BINS))
    edges = np.arange(np.floor(low / step), np.ceil(high / step) + 2) * step - step / 2
    with look():
        figure = new_figure(1.0 + 3.0 * len(values))
        rows = figure.subplots(len(values), 1, squeeze=False, sharex=True, sharey=True)[:, 0]
        for axes, one, color, title in zip(
            rows, values, COLORS, titles([runs.source for runs in result.runs]), strict=False
        ):
            axes.hist(one, edges, color=color, rwidth=0.9)
            lower, median, upper = np.quantile(one, [0.25, 0.5, 0.75])
            axes.plot([lower, upper], [-0.5, -0.5], color=INK, linewidth=4, solid_capstyle="butt", alpha=0.5)
            axes.plot(median, -0.5, "D", color=INK, markersize=6)
            for value, name, shade in lines:
                _reference(axes, value, name, 2 if n_test <= 100 else 3, shade)
            legend_above(axes, 2)
            axes.set(xlim=(low, high), ylabel=f"Starts of {title}")
            axes.yaxis.get_major_locator().set_params(integer=True)
        rows[-1].set_xlabel(
            f"Accuracy on {n_test} test samples; below: the middle half of the starts, and the median"
        )
    return figure
