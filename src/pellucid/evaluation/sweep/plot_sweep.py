"""Figures of a sweep: score against cost with the Pareto front, and score against each option."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from pellucid.evaluation.sweep.result import COSTS, LOWER_IS_BETTER, Sweep, Trial, option_in_words, title_of
from pellucid.plotting.style import BLUE, INK, LINE, ORANGE, legend_above, look, new_figure, sentence_figure
from pellucid.plotting.types import Axes, Figure
from pellucid.text import shorten

PALE = "#8FB8D4"
WIDE = 10  # times from the smallest to the largest, from which an axis is logarithmic
MOST_OPTIONS, COLUMNS = 9, 3
LONGEST_NAME = 14
NOTHING = "No trial could be trained."


def tradeoff_figure(sweep: Sweep) -> Figure:
    """Draw the score of every trial against the other objectives, each panel with its Pareto front.

    Where there is one objective: against the seconds of a training, and where networks differ their parameters.
    """
    if not sweep.ranked:
        return sentence_figure(NOTHING)
    differ = len({trial.n_parameters for trial in sweep.ranked}) > 1
    names = sweep.objectives[1:] or COSTS[: 1 + differ]
    figure = _panels(sweep, names, lambda trial, name: trial.score(name) or 0.0)
    for name, axes in zip(names, figure.axes, strict=False):
        front = sweep.front(sweep.metric, name)
        points = [[trial.score(one) or 0.0 for trial in front] for one in (name, sweep.metric)]
        axes.plot(*points, "o-", color=ORANGE, drawstyle="steps-post", label="Pareto front")
        axes.set_xlabel("Seconds of a training" if name == "seconds" else title_of(name).capitalize())
    legend_above(figure.axes[0], 3)
    return figure


def options_figure(sweep: Sweep) -> Figure:
    """Draw the score of every trial against each option that differs: of names, a column of points each."""
    names = varied(sweep)
    if not names:
        return sentence_figure("All trials have the same options." if sweep.ranked else NOTHING)
    figure = _panels(sweep, names, lambda trial, name: trial.options[name])
    for name, axes in zip(names, figure.axes, strict=False):
        axes.set_title(shorten(name.replace("_", " "), 26), color=INK)
    return figure


def varied(sweep: Sweep) -> list[str]:
    """Return the options that differ between trials, up to nine."""
    trials = sweep.ranked
    names = list(trials[0].options) if trials else []
    differ = [name for name in names if any(t.options[name] != trials[0].options[name] for t in trials)]
    return differ[:MOST_OPTIONS]


def _panels(sweep: Sweep, names: Sequence[str], value: Callable[[Trial, str], Any]) -> Figure:
    """Return a figure with a panel for each name: the score of every trial against its value."""
    n_columns = min(COLUMNS, len(names))
    n_rows = math.ceil(len(names) / n_columns)
    with look():
        figure = new_figure(0.6 + 3.2 * n_rows)
        grid = list(figure.subplots(n_rows, n_columns, squeeze=False, sharey=True).flat)
        scores = [trial.score(sweep.metric) or 0.0 for trial in sweep.ranked]
        for name, axes in zip(names, grid, strict=False):
            _points(axes, [value(trial, name) for trial in sweep.ranked], scores, sweep.ranked[0].number)
        for axes in grid[len(names) :]:
            axes.remove()
        better = ", lower is better" if sweep.metric in LOWER_IS_BETTER else ""
        grid[0].set_ylabel(f"{title_of(sweep.metric).capitalize()}{better}")
    return figure


def _points(axes: Axes, xs: list[Any], scores: list[float], best: int) -> None:
    """Draw trials, the best first; names are in the order of their best trials."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in xs):
        xs = [shorten(option_in_words(one), LONGEST_NAME) for one in xs]
        axes.tick_params(axis="x", rotation=30)
    elif min(xs) > 0 and max(xs) / min(xs) >= WIDE:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))  # no figure has mathematics
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.plot(xs, scores, "o", color=PALE, label="trial")
    axes.plot(xs[:1], scores[:1], "o", color=BLUE, markersize=8, label=f"best: trial {best}")
    axes.margins(0.1)
    axes.grid(color=LINE)
