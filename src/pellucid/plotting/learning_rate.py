"""The figure of a search for a learning rate: the loss at each rate, after each round of short trainings."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.plotting.style import BLUE, INK, LINE, MUTED, RED, legend_above, look, new_figure
from pellucid.plotting.types import Figure

Round = tuple[int, Sequence[tuple[float, float | None]]]  # how many steps, and the loss at each rate
HEADROOM = (
    0.35  # above the constant prediction's loss, of the height below it; what lies higher is a triangle
)
SHADES = (LINE, MUTED, BLUE, INK)  # of the rounds, the last ones darkest


def learning_rate_curves(rounds: Sequence[Round], *, constant: float, suggestion: float | None) -> Figure:
    """Draw the losses of short trainings over their rates, a line for each round, and mark the suggestion.

    Parameters
    ----------
    rounds : sequence of (int, sequence of (float, float or None))
        Each round's number of steps, and its losses by rate, above 0; None where the training diverged.
    constant : float
        The loss of the best constant prediction: a dashed line.
    suggestion : float or None
        None: no rate is marked, and the figure says so.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> rounds = [(10, [(0.01, 0.7), (0.1, 0.6), (1.0, None)]), (25, [(0.1, 0.4)])]
    >>> figure = learning_rate_curves(rounds, constant=0.69, suggestion=0.1)
    >>> figure.axes[0].get_xscale(), figure.axes[0].xaxis.get_major_formatter()(0.001)
    ('log', '0.001')
    """
    with look():
        figure = new_figure(4.2)
        axes = figure.add_subplot()
        axes.axhline(constant, color=RED, linewidth=1.2, linestyle="--", label="One answer for all")
        losses = [loss for _, trials in rounds for _, loss in trials if loss is not None]
        low = min([constant, *losses])
        high = constant + HEADROOM * max(constant - low, 0.1 * max(abs(constant), 1e-3))
        shades, is_cut = SHADES[-len(rounds) :], False
        for (n_steps, trials), shade in zip(rounds, shades, strict=True):
            x, y = np.array(trials, float).T  # None is NaN then
            label = f"After {n_steps:,} steps"
            axes.plot(x, np.minimum(y, high), "o-", color=shade, linewidth=2, label=label)
            above = y > high
            axes.plot(x[above], np.full(above.sum(), high), "^", color=shade, markersize=9)
            is_cut |= bool(above.any())
        if suggestion is None:
            words = "Nothing was learned at any rate."
            axes.text(0.5, 0.06, words, transform=axes.transAxes, ha="center", color=INK)
        else:
            at = min(loss for rate, loss in rounds[-1][1] if rate == suggestion and loss is not None)
            ring: Any = {"color": RED, "markersize": 11, "fillstyle": "none", "markeredgewidth": 2}
            axes.plot(suggestion, at, "o", **ring, label=f"Suggested: {suggestion:.2g}")
        if is_cut:
            axes.plot([], [], "^", color=MUTED, markersize=9, label=f"Above {high:.2g}")
        margin = 0.08 * (high - low)
        axes.set(xscale="log", xlabel="Learning rate", ylabel="Training loss")
        axes.set_ylim(low - margin, high + margin)
        axes.xaxis.set_major_formatter(lambda value, position: f"{value:g}")  # the usual one needs mathtext
        axes.xaxis.set_minor_formatter(lambda value, position: "")
        axes.grid()
        legend_above(axes, n_columns=3)
    return figure
