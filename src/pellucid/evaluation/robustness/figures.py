"""Accuracy against strength as curves; the sheet of one photo is handed on from the module beside."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.evaluation.robustness.perturbations import REASONS
from pellucid.evaluation.robustness.records import PerturbationCurve, Robustness
from pellucid.evaluation.robustness.sheet import perturbation_sheet
from pellucid.plotting.style import BLUE, INK, MUTED, ORANGE, RED, WIDTH, class_name, look, new_figure
from pellucid.text import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["perturbation_sheet", "robustness_curves"]

# Inches.
LEFT, RIGHT, BETWEEN = 0.55, 0.12, 0.22  # beside the panels, and between two
HEAD, TITLE, PANEL, FOOT = 0.58, 0.42, 1.15, 0.26  # legend; over, of and under each panel
RING = "First loss of 10 points, or below “always”"
CLEAN, DOTTED = (0, (5, 3)), (0, (1, 1.5))


def robustness_curves(result: Robustness) -> Figure:
    """Draw accuracy against strength, a panel for each perturbation.

    Parameters
    ----------
    result : Robustness
        As ``measure_robustness`` returns it.

    Returns
    -------
    matplotlib.figure.Figure
        Each panel shows the accuracy with its 95 % interval as a band, the accuracy on the photos as they are,
        that of the one best answer, and a ring where it first loses 10 points or falls below that answer.

    Examples
    --------
    >>> from pellucid.evaluation.robustness.measure import measure_robustness
    >>> from pellucid.nn.presets import preset
    >>> from pellucid.data.dataset import Dataset
    >>> model = preset("logistic")
    >>> model.initialize((8, 8, 3))
    >>> data = Dataset(np.zeros((4, 8, 8, 3), np.uint8), np.array([0, 0, 0, 1]))
    >>> figure = robustness_curves(measure_robustness(model, data, perturbations=["noise", "blur"]))
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['Noise', 'Blur']
    """
    n = len(result.curves)
    n_columns = min(n, 4)
    n_rows = math.ceil(n / n_columns)
    panel = PANEL if n > 4 else 1.8
    step = TITLE + panel + FOOT
    height = HEAD + n_rows * step + 0.08
    across = (WIDTH - LEFT - RIGHT - (n_columns - 1) * BETWEEN) / n_columns
    with look():
        figure = new_figure(height, layout=None)
        for i, curve in enumerate(result.curves):
            row, column = divmod(i, n_columns)
            bottom = height - HEAD - row * step - TITLE - panel
            left = LEFT + column * (across + BETWEEN)
            axes = figure.add_axes((left / WIDTH, bottom / height, across / WIDTH, panel / height))
            _panel(axes, curve, result, is_first=column == 0)
        title = f"Accuracy on {result.n} photos, the more they are changed"
        figure.text(0.08 / WIDTH, 1 - 0.1 / height, title, va="top", fontsize=11, fontweight="bold")
        figure.legend(
            *figure.axes[0].get_legend_handles_labels(),
            loc="upper left",
            bbox_to_anchor=(0.04 / WIDTH, 1 - 0.3 / height),
            ncols=4,
            fontsize=8,
            columnspacing=1.3,
            handlelength=1.8,
        )
    return figure


def _panel(axes: Axes, curve: PerturbationCurve, result: Robustness, *, is_first: bool) -> None:
    x, accuracy, low, high = (
        np.array([getattr(row, name) for row in curve.rows])
        for name in ("strength", "accuracy", "low", "high")
    )
    axes.axhline(result.accuracy, color=INK, linewidth=1, linestyle=CLEAN, label="Photos as they are")
    always = f"Always “{class_name((result.most_common,), 0, 12)}”"
    axes.axhline(result.baseline, color=ORANGE, linewidth=1.6, linestyle=DOTTED, label=always)
    line: dict[str, Any] = {"color": BLUE, "marker": "o", "markersize": 3, "label": "Accuracy, 95 % interval"}
    if len(x) == 2:  # yes or no: nothing lies between
        axes.errorbar(x, accuracy, (accuracy - low, high - accuracy), fmt="none", ecolor=BLUE, alpha=0.5)
        axes.plot(x, accuracy, linestyle="none", **line)
    else:
        axes.fill_between(x, low, high, color=BLUE, alpha=0.16, linewidth=0)
        axes.plot(x, accuracy, linewidth=1.6, **line)
    at = x == curve.breaks_at
    ring: dict[str, Any] = {
        "color": RED,
        "markersize": 8,
        "markerfacecolor": "none",
        "markeredgewidth": 1.5,
        "clip_on": False,
    }
    axes.plot(x[at], accuracy[at], "o", linestyle="none", **ring, label=RING)
    axes.set(xlim=(-0.04 * x[-1], 1.04 * x[-1]), ylim=(0, 1))
    _ticks(axes, curve, is_first=is_first)
    axes.set_title(curve.perturbation.title, fontsize=9, pad=13, loc="left")
    axes.text(
        0, 1.03, REASONS[curve.perturbation.reason], transform=axes.transAxes, fontsize=7.5, color=MUTED
    )
    axes.grid(axis="y")


def _ticks(axes: Axes, curve: PerturbationCurve, *, is_first: bool) -> None:
    """Name as many strengths as fit, the weakest and the strongest among them."""
    x = [row.strength for row in curve.rows]
    labels = {row.strength: row.label for row in curve.rows}
    letter = 0.062 / (
        axes.get_position().width * WIDTH
    )  # a letter's width at 7.5 points, as a share of the axis
    named = [x[0], x[-1]]
    for strength in x[1:-1]:
        last = (
            len(labels[x[-1]]) + len(labels[strength]) / 2 + 1.5
        ) * letter  # the last label ends at the edge
        before = (len(labels[named[-2]]) + len(labels[strength]) / 2 + 1.5) * letter
        if strength - named[-2] >= before * x[-1] and x[-1] - strength >= last * x[-1]:
            named.insert(-1, strength)
    axes.set_xticks(named, [labels[strength] for strength in named], fontsize=7.5)
    axes.set_xticks(x, minor=True)
    ends = axes.get_xticklabels()
    ends[0].set_horizontalalignment("left" if len(ends[0].get_text()) > 4 else "center")
    ends[-1].set_horizontalalignment("right" if len(ends[-1].get_text()) > 3 else "center")
    axes.tick_params(axis="x", pad=2)
    shares = (0, 0.25, 0.5, 0.75, 1)
    axes.set_yticks(shares, [percent(share) for share in shares] if is_first else [""] * 5, fontsize=7.5)
