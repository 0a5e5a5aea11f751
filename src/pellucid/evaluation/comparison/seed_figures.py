"""The figure of many random starts: the distribution of their accuracies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pellucid.evaluation.comparison.plot_comparison import COLORS, is_near, span, titles
from pellucid.evaluation.comparison.seeds import SeedComparison
from pellucid.plotting.style import INK, MUTED, RED, class_name, look, new_figure
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_DOTS = 24  # in one stack: above that, bars
N_BINS = 40


def seed_figure(result: SeedComparison) -> Figure:
    """Draw the accuracy of every start: a dot each where they can be told apart, else bars.

    Parameters
    ----------
    result : SeedComparison

    Returns
    -------
    matplotlib.figure.Figure
    """
    values, names = [runs.accuracies for runs in result.runs], [runs.source for runs in result.runs]
    n_test, baseline = result.n_test, (result.baseline, result.majority_class)
    ends = [float(end) for one in values for end in (one.min(), one.max())]
    lines = [(*result.reference(), RED, "-")]
    if is_near(baseline[0], ends):
        lines.append((baseline[0], f"baseline {class_name((baseline[1],), 0)!r}", MUTED, "--"))
    low, high = span([*ends, *(line[0] for line in lines)])
    step = 1 / n_test * max(1, round((high - low) * n_test / N_BINS))
    edges = np.arange(np.floor(low / step), np.ceil(high / step) + 2) * step - step / 2
    counts = [np.histogram(one, edges)[0] for one in values]
    tallest = max(8, *(int(count.max()) for count in counts))
    with look():
        figure = new_figure(1.0 + 3.0 * len(values))
        rows = figure.subplots(len(values), 1, squeeze=False, sharex=True, sharey=True)[:, 0]
        for i, (axes, one, count) in enumerate(zip(rows, values, counts, strict=True)):
            _stack(axes, edges, count, COLORS[i], as_dots=tallest <= MOST_DOTS)
            _mark_quartiles(axes, one, tallest)
            for value, _, color, style in lines:
                axes.axvline(value, color=color, linewidth=1.2, linestyle=style, zorder=0.5)
            title = names[0] if len(values) == 1 else titles(names)[i]
            axes.set_title(f"{title}, {len(one)} starts", pad=30 if i == 0 else 6)
            axes.set(xlim=(low, high), ylim=(-0.14 * tallest - 0.4, tallest * 1.06 + 0.6), ylabel="Starts")
            axes.yaxis.get_major_locator().set_params(integer=True)
        _name_lines(rows[0], sorted(lines), digits=2 if n_test <= 100 else 3)
        rows[-1].set_xlabel(
            f"Accuracy on {n_test} test samples; below: the middle half of the starts, and the median"
        )
    return figure


def _stack(axes: Axes, edges: Array, counts: Array, color: str, *, as_dots: bool) -> None:
    middles = (edges[:-1] + edges[1:]) / 2
    if not as_dots:
        axes.bar(middles, counts, width=0.9 * (edges[1] - edges[0]), color=color)
        return
    at = np.repeat(middles, counts)
    heights = np.concatenate([np.arange(n) + 0.5 for n in counts]) if len(at) else at
    axes.plot(at, heights, "o", color=color, markersize=6, linestyle="none")


def _mark_quartiles(axes: Axes, values: Array, tallest: int) -> None:
    lower, median, upper = np.quantile(values, [0.25, 0.5, 0.75])
    height = -0.08 * tallest - 0.2
    axes.plot([lower, upper], [height, height], color=INK, linewidth=4, solid_capstyle="butt", alpha=0.5)
    axes.plot(median, height, "D", color=INK, markersize=6)


def _name_lines(axes: Axes, lines: list[tuple[float, str, str, str]], *, digits: int) -> None:
    """Write over each line what it is: the left one to the left, so that two do not run into one another."""
    for i, (value, words, color, _) in enumerate(lines):
        axes.text(
            value,
            1.01,
            f"{words}: {value:.{digits}f}",
            transform=axes.get_xaxis_transform(),
            color=color,
            fontsize=9,
            va="bottom",
            ha="right" if i == 0 and len(lines) > 1 else "left",
        )
