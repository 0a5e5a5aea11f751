"""Figures of a sweep: score against cost with the Pareto front, and score against each option."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pellucid.evaluation.sweep.result import COSTS, LOWER_IS_BETTER, Sweep, Trial, option_in_words, title_of
from pellucid.plotting.style import (
    BLUE,
    INK,
    LINE,
    MUTED,
    ORANGE,
    legend_above,
    look,
    new_figure,
    sentence_figure,
)
from pellucid.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALE = "#8FB8D4"
WIDE = 10  # times from the smallest to the largest, from which an axis is logarithmic
MOST_OPTIONS, COLUMNS = 9, 3
MOST_NAMES = 8  # of values below one axis
LONGEST_NAME = 14
NOTHING = "No trial could be trained."


def tradeoff_figure(sweep: Sweep) -> Figure:
    """Draw the score of every trial against the other objectives, each panel with its Pareto front.

    Where there is one objective: against the seconds of a training, and where networks differ their parameters.
    """
    trials = sweep.ranked
    if not trials:
        return sentence_figure(NOTHING)
    differ = len({trial.n_parameters for trial in trials}) > 1
    names = sweep.objectives[1:] or COSTS[: 1 + differ]
    with look():
        figure, first = _panels(sweep, names, 3.8, _scatter)
        is_lower_better = sweep.metric in LOWER_IS_BETTER
        first.set_ylabel(f"{sweep.title.capitalize()}{', lower is better' if is_lower_better else ''}")
        legend_above(first, 3)
    return figure


def _panels(
    sweep: Sweep, names: Sequence[str], height: float, draw: Callable[[Axes, Sweep, str], None]
) -> tuple[Figure, Axes]:
    """Return a figure with a panel for each name, drawn on axes of one score, and the first of them."""
    n_columns = min(COLUMNS, len(names))
    n_rows = math.ceil(len(names) / n_columns)
    figure = new_figure(0.6 + height * n_rows)
    grid = list(figure.subplots(n_rows, n_columns, squeeze=False, sharey=True).flat)
    for name, axes in zip(names, grid, strict=False):
        draw(axes, sweep, name)
    for axes in grid[len(names) :]:
        axes.set_visible(False)
    return figure, grid[0]


def _scatter(axes: Axes, sweep: Sweep, cost: str) -> None:
    trials, front, best = sweep.ranked, sweep.front(sweep.metric, cost), sweep.ranked[0]
    _scale(axes, _points(sweep, trials, cost)[0])
    others = [trial for trial in trials if trial not in front]
    axes.plot(*_points(sweep, others, cost), "o", color=PALE, markersize=6, label="trial")
    axes.plot(
        *_points(sweep, front, cost), "-", color=ORANGE, linewidth=1.5, drawstyle="steps-post", zorder=1
    )
    axes.plot(*_points(sweep, front, cost), "o", color=ORANGE, markersize=7, label="Pareto front")
    axes.plot(
        *_points(sweep, [best], cost), "o", color=BLUE, markersize=9, label=f"best: trial {best.number}"
    )
    axes.margins(0.08)
    axes.set_xlabel("Seconds of a training" if cost == "seconds" else title_of(cost).capitalize())
    axes.grid(color=LINE)


def _scale(axes: Axes, xs: list[float]) -> None:
    """Make the axis logarithmic where numbers differ widely; ticks are plain text, as no figure has mathematics."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    if min(xs) > 0 and max(xs) / min(xs) >= WIDE:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())


def _points(sweep: Sweep, trials: list[Trial], cost: str) -> tuple[list[float], list[float]]:
    return [one.score(cost) or 0.0 for one in trials], [one.score(sweep.metric) or 0.0 for one in trials]


def options_figure(sweep: Sweep) -> Figure:
    """Draw the score of every trial against each option that differs: of names, a column of points each."""
    names = varied(sweep)
    if not names:
        return sentence_figure("All trials have the same options." if sweep.ranked else NOTHING)
    with look():
        figure, _ = _panels(sweep, names, 2.7, _panel)
        figure.supylabel(sweep.title.capitalize(), fontsize=10, color=MUTED)
    return figure


def varied(sweep: Sweep) -> list[str]:
    """Return the options that differ between trials, up to nine."""
    trials = sweep.ranked
    names = list(trials[0].options) if trials else []
    return [name for name in names if any(t.options[name] != trials[0].options[name] for t in trials)][
        :MOST_OPTIONS
    ]


def _panel(axes: Axes, sweep: Sweep, name: str) -> None:
    trials = sweep.ranked  # the best first
    values: list[Any] = [trial.options[name] for trial in trials]
    scores = [trial.score(sweep.metric) or 0.0 for trial in trials]
    is_number = all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)
    if is_number:
        xs = [float(one) for one in values]
        _scale(axes, xs)
    else:
        words = list(dict.fromkeys(option_in_words(one) for one in sorted(values, key=option_in_words)))
        xs = [float(words.index(option_in_words(one))) for one in values]
        shown = words[:MOST_NAMES]
        axes.set_xticks(
            range(len(shown)), [shorten(one, LONGEST_NAME) for one in shown], rotation=30, ha="right"
        )
        axes.set_xlim(-0.6, len(words) - 0.4)
    axes.plot(xs, scores, "o", color=PALE, markersize=5, alpha=0.8)
    axes.plot(xs[:1], scores[:1], "o", color=BLUE, markersize=7)
    axes.set_title(shorten(name.replace("_", " "), 26), color=INK)
    axes.set_ymargin(0.1)
    axes.grid(color=LINE)
