"""Figures of a regression: predicted over true values, and the residuals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.plotting.style import BLUE, MUTED, ORANGE, class_name, look, new_figure
from pellucid.prediction.predict import Predictions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_TARGETS = 4  # that are drawn
N_BINS = 30


def residual_figure(predictions: Predictions, names: Sequence[str] = ("the target",)) -> Figure:
    """Draw predicted over true values, and beside it how the residuals, true minus predicted, are spread.

    Parameters
    ----------
    predictions : Predictions
        Of a regression.
    names : sequence of str, optional
        Of its targets.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each of the first four targets.

    Examples
    --------
    >>> y = np.arange(6.0)[:, np.newaxis]
    >>> figure = residual_figure(Predictions("regression", y, y + 1, np.empty((6, 0)), False, ()), ["price"])
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['True price', 'Predicted price', 'Residual']
    """
    n = min(len(names), MOST_TARGETS)
    with look():
        figure = new_figure(3.1 * n + 0.1)
        for j in range(n):
            y, y_pred = predictions.y_true[:, j], predictions.y_pred[:, j]
            name = class_name((names[j],), 0, 24)
            _predicted(figure.add_subplot(n, 3, 3 * j + 1), y, y_pred, name)
            _residuals(figure.add_subplot(n, 3, 3 * j + 2), y, y_pred, name)
            axes = figure.add_subplot(n, 3, 3 * j + 3)
            axes.hist(y - y_pred, bins=N_BINS, color=BLUE)
            axes.axvline(0, color=MUTED, linestyle=":")
            axes.set(xlabel="Residual", ylabel="Count", title="Their spread")
    return figure


def _predicted(axes: Axes, y: np.ndarray, y_pred: np.ndarray, name: str) -> None:
    ends = [float(min(y.min(), y_pred.min())), float(max(y.max(), y_pred.max()))]
    axes.plot(y, y_pred, "o", color=BLUE, alpha=0.4, markersize=3.5, markeredgewidth=0)
    axes.plot(ends, ends, ":", color=MUTED, label="equal")
    axes.axhline(float(y.mean()), color=ORANGE, linewidth=1, label="the mean")
    axes.set(xlabel=f"True {name}", ylabel="Predicted", title="Predicted over true")
    axes.legend(fontsize=8, frameon=True, framealpha=0.8, edgecolor="none")


def _residuals(axes: Axes, y: np.ndarray, y_pred: np.ndarray, name: str) -> None:
    axes.plot(y_pred, y - y_pred, "o", color=BLUE, alpha=0.4, markersize=3.5, markeredgewidth=0)
    axes.axhline(0, color=MUTED, linestyle=":")
    axes.set(xlabel=f"Predicted {name}", ylabel="True minus predicted", title="Residuals")
