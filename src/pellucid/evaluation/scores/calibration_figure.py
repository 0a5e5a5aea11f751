"""The calibration figure: the fraction that is positive over the predicted probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.errors import OptionError
from pellucid.evaluation.scores.calibration import Calibration
from pellucid.evaluation.scores.estimate_text import number
from pellucid.evaluation.scores.scores import Scores
from pellucid.plotting.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    RED,
    class_name,
    look,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = (BLUE, ORANGE, GREEN, RED, PURPLE, INK)
MOST_LINES = len(COLORS)  # beyond, all are grey but the worst
N_WORST = 3
Curves = Sequence[tuple[str, Calibration]]


def calibration_figure(scores: Scores) -> Figure:
    """Draw calibration curves, and below how many samples each bin has.

    Parameters
    ----------
    scores : Scores
        Of classes or labels, with probabilities.

    Returns
    -------
    matplotlib.figure.Figure
        On the diagonal the model is perfectly calibrated; below it, overconfident. Bars are Wilson's intervals. Of
        classes, left the predicted class and right each class; of labels, each label.
    """
    curves = [(one.name, one.calibration) for one in scores.per_class if one.calibration is not None]
    if not curves:
        raise OptionError("calibration_figure: the scores have no probabilities to draw.")
    if scores.kind == "classification" and len(scores.per_class) == 2:
        curves = curves[1:]  # the other is its mirror image
    overall = scores.calibration
    if len(curves) == 1:
        name = f"“{class_name((curves[0][0],), 0)}”"
        panels = [(curves, name, f"Probability of {name}", "Fraction of positives")]
    else:
        title = "Each label" if overall is None else "Each class"
        panels = [(curves, title, "Predicted probability", "Fraction of positives")]
    if overall is not None:
        panels.insert(0, ([("", overall)], "Predicted class", "Confidence", "Accuracy"))
    with look():
        figure = new_figure(*((5.0, 8.0) if len(panels) == 2 else (5.4, 5.4)))
        grid = figure.subplots(2, len(panels), height_ratios=(4, 1), squeeze=False)
        for (above, below), (drawn, title, x, y) in zip(grid.T, panels, strict=True):
            _draw_curves(above, drawn, title, y)
            _draw_counts(below, drawn, x)
    return figure


def _draw_curves(axes: Axes, curves: Curves, title: str, y: str) -> None:
    axes.plot([0, 1], [0, 1], ":", color=MUTED)
    if len(curves) == 1:
        curve = curves[0][1]
        title = f"{title}: ECE {number(curve.error)}"
        x, positive = curve.mean_predicted, curve.fraction_positive
        bars = np.abs(np.stack([positive - curve.low, curve.high - positive]))
        axes.errorbar(x, positive, bars, color=BLUE, fmt="o", capsize=3, alpha=0.7)
        axes.plot(x, positive, color=BLUE, linewidth=1, alpha=0.5)
    else:
        _draw_worst(axes, curves)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel=y)
    axes.set_title(title)
    axes.grid()
    axes.tick_params(labelbottom=False)


def _draw_worst(axes: Axes, curves: Curves) -> None:
    """Draw several curves: of many, all in grey but the worst."""
    worst = sorted(curves, key=lambda curve: -curve[1].error)
    n_named = len(curves) if len(curves) <= MOST_LINES else N_WORST
    for i, (_, curve) in enumerate(worst[n_named:]):
        label = None if i else f"The other {len(curves) - n_named}"
        axes.plot(
            curve.mean_predicted, curve.fraction_positive, color=MUTED, alpha=0.35, linewidth=1, label=label
        )
    for (name, curve), color in zip(worst[:n_named], COLORS, strict=False):
        label = f"{class_name((name,), 0, 12)}: ECE {number(curve.error)}"
        axes.plot(curve.mean_predicted, curve.fraction_positive, "o-", color=color, markersize=4, label=label)
    axes.legend(loc="best", fontsize=9, frameon=True)


def _draw_counts(axes: Axes, curves: Curves, x: str) -> None:
    edges = curves[0][1].edges
    counts = np.zeros(len(edges) - 1)
    for _, curve in curves:
        counts[curve.bins] += curve.counts
    axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=BLUE, alpha=0.6, edgecolor="white")
    axes.set(xlim=(-0.02, 1.02), xlabel=x, ylabel="Samples")
