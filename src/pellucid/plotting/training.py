"""The figure of a training: the cost over its iterations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.errors import ShapeError
from pellucid.plotting.style import BLUE, INK, MUTED, RED, legend_above, look, new_figure
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def cost_curve(
    iterations: Sequence[int] | Array,
    costs: Sequence[float] | Array,
    *,
    learning_rate: float | None = None,
    validation: Sequence[float] | Array | None = None,
    marked: Mapping[int, str] | None = None,
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
    validation : array_like, shape (n,), optional
        The cost on held-out data at the same iterations; NaN where it was not measured.
    marked : mapping of int to str, optional
        Iterations to point out, and what each is: ``{1700: "best on the validation part"}``.

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
    held_out = None if validation is None else np.asarray(validation, dtype=float)
    _check_curve(x, y, held_out)
    rate = "" if learning_rate is None else f" (learning rate {learning_rate:g})"
    with look():
        figure = new_figure(4.2)
        axes = figure.add_subplot()
        dots = "o" if len(x) <= 40 else None
        axes.plot(x, y, color=RED, linewidth=2, marker=dots, markersize=3.5, label=f"Training cost{rate}")
        if held_out is not None:
            known = ~np.isnan(held_out)
            axes.plot(x[known], held_out[known], "--", color=BLUE, linewidth=2, label="Validation cost")
        for iteration, words in (marked or {}).items():
            axes.axvline(iteration, color=MUTED, linewidth=1, linestyle=":")
            axes.plot(iteration, np.interp(iteration, x, y), "D", color=INK, label=f"{words} ({iteration})")
        axes.set(xlabel="Iteration", ylabel="Cost")
        if np.nanmin(np.where(np.isfinite(y), y, np.nan), initial=0) >= 0:
            axes.set_ylim(bottom=0)
        axes.grid()
        legend_above(axes)
        _write_last_values(axes, x, [(y, RED)] if held_out is None else [(y, RED), (held_out, BLUE)])
    return figure


def _check_curve(x: Array, y: Array, held_out: Array | None) -> None:
    same = x.ndim == 1 and x.shape == y.shape and (held_out is None or held_out.shape == x.shape)
    if not same or not len(x):
        got = f"{x.shape}, {y.shape}" + ("" if held_out is None else f" and validation {held_out.shape}")
        raise ShapeError(
            f"cost_curve: expected iterations and costs of one shape (n,), n at least 1, got {got}. "
            "Pass one cost for each iteration; for validation, NaN where there is none."
        )


def _write_last_values(axes: Axes, x: Array, curves: list[tuple[Array, str]]) -> None:
    """Write the last finite value of each curve to the right of its end, apart from one another."""
    ends = []
    for values, color in curves:
        finite = np.flatnonzero(np.isfinite(values))
        if len(finite):
            ends.append((float(values[finite[-1]]), int(x[finite[-1]]), color))
    if not ends:
        axes.text(0.5, 0.5, "no finite cost was measured", transform=axes.transAxes, ha="center", color=RED)
        return
    ends.sort()
    bottom, top = axes.get_ylim()
    is_close = len(ends) == 2 and ends[1][0] - ends[0][0] < 0.13 * (top - bottom)
    for (value, iteration, color), va in zip(ends, ("top", "bottom"), strict=False):
        axes.annotate(
            f"{value:.4g}\nat {iteration}",
            (iteration, value),
            (7, 0),
            textcoords="offset points",
            va=va if is_close else "center",
            color=color,
            fontsize=9,
            annotation_clip=False,
        )
