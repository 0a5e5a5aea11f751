"""One panel of a calibration figure: what was said over what was so, and how often it was said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.evaluation.scores.calibration import Calibration
from pellucid.evaluation.scores.text import figure as words
from pellucid.plotting.style import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, RED, class_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = (BLUE, ORANGE, GREEN, RED, PURPLE, INK)
MOST_LINES = len(COLORS)  # beyond, all are grey but the worst
N_WORST = 3


def calibration_panel(
    places: tuple[Axes, Axes], curves: Sequence[tuple[str, Calibration]], title: str, said: str, so: str
) -> None:
    """Draw calibration curves above, and below how many samples each bin has.

    Parameters
    ----------
    places : (Axes, Axes)
    curves : sequence of (str, Calibration)
        With their names; of a single one, the intervals are drawn too.
    title, said, so : str
        Of the panel, and of its two axes.
    """
    above, below = places
    above.plot([0, 1], [0, 1], ":", color=MUTED)
    if len(curves) == 1:
        curve = curves[0][1]
        title = f"{title}: ECE {words(curve.error)}"
        reach = np.abs(np.stack([curve.observed - curve.low, curve.high - curve.observed]))
        above.errorbar(
            curve.said, curve.observed, reach, color=BLUE, ecolor=BLUE, fmt="o", capsize=3, alpha=0.7
        )
        above.plot(curve.said, curve.observed, color=BLUE, linewidth=1, alpha=0.5)
    else:
        _draw_lines(above, curves)
    above.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel=so)
    above.set_title(title)
    above.grid()
    above.tick_params(labelbottom=False)
    edges = curves[0][1].edges
    counts = np.zeros(len(edges) - 1)
    for _, curve in curves:
        counts[curve.bins] += curve.counts
    below.bar(edges[:-1], counts, np.diff(edges), align="edge", color=BLUE, alpha=0.6, edgecolor="white")
    below.set(xlim=(-0.02, 1.02), xlabel=said, ylabel="Samples")


def _draw_lines(axes: Axes, curves: Sequence[tuple[str, Calibration]]) -> None:
    """Draw several curves: of many, all in grey but the worst."""
    worst = sorted(curves, key=lambda curve: -curve[1].error)
    n_named = len(curves) if len(curves) <= MOST_LINES else N_WORST
    for i, (_, curve) in enumerate(worst[n_named:]):
        label = None if i else f"The other {len(curves) - n_named}"
        axes.plot(curve.said, curve.observed, color=MUTED, alpha=0.35, linewidth=1, label=label)
    for (name, curve), color in zip(worst[:n_named], COLORS, strict=False):
        label = f"{class_name((name,), 0, 12)}: ECE {words(curve.error)}"
        axes.plot(curve.said, curve.observed, "o-", color=color, markersize=4, label=label)
    axes.legend(loc="best", fontsize=9, frameon=True)
