"""Figures of training itself: the loss against the learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.errors import ShapeError
from pellucid.plotting.style import BLUE, INK, MUTED, RED, look, new_figure
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learning_rate_curve(
    rates: Sequence[float] | Array,
    losses: Sequence[float] | Array,
    smoothed: Sequence[float] | Array,
    *,
    suggestion: float | None = None,
) -> Figure:
    """Draw the losses of a learning-rate sweep over the rates, and mark the rate that it suggests.

    Parameters
    ----------
    rates : array_like, shape (n,)
        Above 0; drawn on a logarithmic axis.
    losses, smoothed : array_like, shape (n,)
        As they came, and without the noise of the batches. The axis covers the smoothed curve; an explosion
        leaves it at the top.
    suggestion : float, optional
        None: no rate is marked, and the figure says so.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        If the arrays differ in length, or are empty.

    Examples
    --------
    >>> figure = learning_rate_curve([0.01, 0.1, 1.0], [0.7, 0.6, 0.9], [0.7, 0.65, 0.9], suggestion=0.1)
    >>> figure.axes[0].get_xscale(), figure.axes[0].xaxis.get_major_formatter()(0.001)
    ('log', '0.001')
    """
    x, raw, smooth = (np.asarray(values, dtype=float) for values in (rates, losses, smoothed))
    if x.ndim != 1 or not len(x) or raw.shape != x.shape or smooth.shape != x.shape:
        raise ShapeError(
            "learning_rate_curve: expected rates, losses and smoothed losses of one shape (n,), n at least 1, got "
            f"{x.shape}, {raw.shape} and {smooth.shape}. Pass one of each for every step."
        )
    with look():
        figure = new_figure(4.2)
        axes = figure.add_subplot()
        axes.plot(x, raw, color=MUTED, linewidth=1, alpha=0.6, label="Loss of each batch")
        axes.plot(x, smooth, color=RED, linewidth=2, label="Smoothed")
        if suggestion is not None:
            at = float(np.interp(np.log(suggestion), np.log(x), smooth))
            axes.axvline(suggestion, color=BLUE, linewidth=1.2, linestyle="--")
            label = f"Steepest descent: {suggestion:.2g}"
            axes.plot(suggestion, at, "o", color=BLUE, markersize=7, label=label)
        else:
            axes.text(0.5, 0.06, "The loss never fell.", transform=axes.transAxes, ha="center", color=INK)
        axes.set(xscale="log", xlabel="Learning rate", ylabel="Loss", ylim=_limits(raw, smooth))
        axes.xaxis.set_major_formatter(lambda value, position: f"{value:g}")  # the usual one needs mathtext
        axes.xaxis.set_minor_formatter(lambda value, position: "")
        axes.grid()
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.01), ncols=3, borderaxespad=0, columnspacing=1.6)
    return figure


def _limits(raw: Array, smooth: Array) -> tuple[float, float]:
    """Return limits that cover the smoothed curve and all below it: losses explode upwards only."""
    low, high = float(np.nanmin([raw, smooth])), float(np.nanmax(smooth))
    margin = 0.12 * (high - low) or 0.1 * max(abs(high), 1e-3)
    return low - margin, high + margin
