"""Figures of a training: the cost over its iterations, loss and accuracy over its epochs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.errors import ShapeError
from pellucid.plotting.style import BLUE, INK, MUTED, RED, legend_above, look, new_figure
from pellucid.plotting.types import Figure
from pellucid.text import percent
from pellucid.types import Array


def cost_curve(
    iterations: Sequence[int] | Array,
    costs: Sequence[float] | Array,
    *,
    learning_rate: float | None = None,
) -> Figure:
    """Draw the cost over the iterations that it was measured at, and write its last value next to the line.

    Parameters
    ----------
    iterations : array_like, shape (n,)
        The true numbers of the iterations, 0, 100, 200, ...
    costs : array_like, shape (n,)
        Costs that are not finite leave a gap.
    learning_rate : float, optional
        Named in the legend.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        If the arrays differ in length, or are empty.

    Examples
    --------
    >>> figure = cost_curve([0, 100, 200], [0.77, 0.67, 0.64], learning_rate=0.0075)
    >>> figure.axes[0].lines[0].get_xdata()
    array([  0, 100, 200])
    """
    x, y = np.asarray(iterations), np.asarray(costs, dtype=float)
    if x.ndim != 1 or x.shape != y.shape or not len(x):
        raise ShapeError(
            f"cost_curve: expected iterations and costs of one shape (n,), n at least 1, got {x.shape}, {y.shape}. "
            "Pass one cost for each iteration."
        )
    from matplotlib.ticker import MaxNLocator

    rate = "" if learning_rate is None else f" (learning rate {learning_rate:g})"
    finite = np.flatnonzero(np.isfinite(y))
    with look():
        figure = new_figure(4.2)
        axes = figure.add_subplot()
        dots = "o" if len(x) <= 40 else None
        axes.plot(x, y, color=RED, linewidth=2, marker=dots, markersize=3.5, label=f"Training cost{rate}")
        axes.set(xlabel="Iteration", ylabel="Cost")
        if x[0] < x[-1]:  # from the first iteration to the last
            axes.set_xlim(x[0], x[-1])
            axes.lines[0].set_clip_on(False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if len(finite):
            axes.set_ylim(bottom=min(0.0, 1.1 * float(y[finite].min())))
            at, last = int(x[finite[-1]]), float(y[finite[-1]])
            beside: Any = {"xytext": (7, 0), "textcoords": "offset points", "va": "bottom"}
            words = f"{last:.4g}\nat {at}"
            axes.annotate(words, (at, last), **beside, color=RED, fontsize=9, annotation_clip=False)
        else:
            words = "no finite cost was measured"
            axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", color=RED)
        axes.grid()
        legend_above(axes)
    return figure


def training_curves(
    columns: Mapping[str, Sequence[float]],
    *,
    x_label: str = "Epoch",
    first: int = 1,
    best: int | None = None,
    baseline: tuple[str, float] | None = None,
) -> Figure:
    """Draw loss and, where it was measured, accuracy over the epochs, on training and on validation data.

    Parameters
    ----------
    columns : mapping of str to sequence of float
        Those of a history: "loss", and where they are there "validation_loss", "accuracy" and
        "validation_accuracy".
    x_label : str, optional
        What one number of each column belongs to.
    first : int, optional
        What the first of them is called: epochs are counted from 1, the tutorial's steps from 0.
    best : int, optional
        The place in the columns, from 0, to mark in both pictures.
    baseline : (str, float), optional
        The loss of equal probabilities for every class, or of one answer for all, drawn as a dotted line, after
        what the legend calls it.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> columns = {"loss": [0.7, 0.5, 0.3], "validation_loss": [0.7, 0.6, 0.8]}
    >>> figure = training_curves(columns, best=1)
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['Training: 0.3 at the end', 'Validation: 0.8 at the end', 'Best epoch: 2']
    """
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    parts = {"Training": (RED, "-"), "Validation": (BLUE, "--")}
    panels: dict[str, dict[str, Array]] = {}
    for title in ("Loss", "Accuracy"):
        for part, name in (("Training", title.lower()), ("Validation", f"validation_{title.lower()}")):
            if columns.get(name):
                panels.setdefault(title, {})[part] = np.asarray(columns[name], dtype=float)
    n = len(panels["Loss"]["Training"])
    with look():
        figure = new_figure(3.7 if len(panels) == 2 else 3.9)
        for at, (title, curves) in enumerate(panels.items(), start=1):
            axes = figure.add_subplot(1, len(panels), at)
            if title == "Loss" and baseline is not None:
                name, loss = baseline
                axes.axhline(loss, color=MUTED, linewidth=1, linestyle=":", label=f"{name}: {loss:.3g}")
            for part, values in curves.items():
                finite, (color, style) = values[np.isfinite(values)].tolist(), parts[part]
                last = "never finite"
                if finite:
                    last = percent(finite[-1]) if title == "Accuracy" else f"{finite[-1]:.3g}"
                (line,) = axes.plot(
                    np.arange(first, first + n), values, color=color, linestyle=style, linewidth=2
                )
                line.set(marker="o" if n <= 40 else "", markersize=3.5, label=f"{part}: {last} at the end")
            if best is not None:
                axes.axvline(best + first, color=MUTED, linewidth=1, linestyle=":")
                value = [*curves.values()][-1][best]
                label = f"Best {x_label.split()[0].rstrip(',').lower()}: {best + first}"
                axes.plot([best + first], [value], "D", color=INK, markersize=6, label=label, zorder=3)
            axes.set(xlabel=x_label, title=title)
            axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
            if n == 1:
                axes.set_xlim(first - 0.5, first + 0.5)
            if title == "Accuracy":
                axes.set_ylim(top=1.02)
                axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
            elif not any((values < 0).any() for values in curves.values()):
                axes.set_ylim(bottom=0)
            axes.grid()
            axes.legend(fontsize=8.5, loc="best", frameon=True, framealpha=0.85, edgecolor="none")
    return figure
