"""Figures of what columns matter: drops as bars, mean predictions as curves, and what a row's columns add."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.plotting.style import BLUE, GREEN, INK, ORANGE, RED, class_name, look, new_figure, whole_numbers
from pellucid.plotting.types import Figure
from pellucid.text import capitalized

if TYPE_CHECKING:
    from pellucid.evaluation.columns.contributions import RowExplanation
    from pellucid.evaluation.columns.importance import ColumnImportance, Curve

MOST_BARS = 15
ACROSS = 2
COLORS = (BLUE, ORANGE, GREEN)


def importance_figure(found: ColumnImportance) -> Figure:
    """Draw by how much the score drops where a column is shuffled, with the interval of the shuffles."""
    rows = found.to_rows()[:MOST_BARS]
    drops = [row["drop"] for row in rows]
    ends = np.array([[row["drop"] - row["low"], row["high"] - row["drop"]] for row in rows]).T.clip(0)
    labels = [class_name((row["column"],), 0, 24) for row in rows]
    whiskers: dict[str, Any] = {"xerr": ends, "error_kw": {"ecolor": INK, "elinewidth": 1}}
    return _bars(drops, labels, f"{capitalized(found.metric)} lost where the column is shuffled", **whiskers)


def curves_figure(curves: Sequence[Curve]) -> Figure:
    """Draw the mean prediction as each column moves: a panel for each."""
    n_rows = math.ceil(len(curves) / ACROSS)
    with look():
        figure = new_figure(2.3 * n_rows + 0.3)
        ends = np.array([[one.min(), one.max()] for curve in curves for one in curve.predicted.values()])
        low, high = float(ends.min()), float(ends.max())
        room = 0.06 * (high - low) or 1.0
        for at, curve in enumerate(curves, start=1):
            axes = figure.add_subplot(n_rows, ACROSS, at, ylim=(low - room, high + room))
            where = np.arange(len(curve.values)) if curve.numbers is None else curve.numbers
            for (name, predicted), color in zip(curve.predicted.items(), COLORS, strict=False):
                axes.plot(where, predicted, "o" if curve.numbers is None else "-", color=color, label=name)
            is_date = curve.numbers is not None and any(not _is_number(value) for value in curve.values)
            if curve.numbers is None:
                names = [class_name((value,), 0, 10) for value in curve.values]
                axes.set_xticks(where, names, rotation=30 if sum(map(len, names)) > 24 else 0)
                axes.margins(x=0.2)
            elif is_date:
                axes.set_xticks(where[[0, -1]], [curve.values[0], curve.values[-1]])
            elif (where % 1 == 0).all():
                axes.xaxis.set_major_locator(whole_numbers(nbins=6))
            axes.set_title(class_name((curve.column,), 0, 30))
            axes.grid(axis="y")
            axes.tick_params(labelsize=8)
            if len(curve.predicted) > 1:
                axes.legend(fontsize=8)
            else:
                (name,) = curve.predicted
                axes.set_ylabel(f"mean {class_name((name,), 0, 20)}", fontsize=9)
    return figure


def contributions_figure(found: RowExplanation) -> Figure:
    """Draw what each column adds, the largest at the top."""
    rows = found.to_rows()[:MOST_BARS]
    labels = [f"{class_name((row['column'],), 0, 20)} = {class_name((row['value'],), 0, 14)}" for row in rows]
    unit = f"What it adds, against a typical row, in {found.unit}"
    return _bars([row["adds"] for row in rows], labels, unit, negative=RED)


def _bars(
    values: Sequence[float], labels: Sequence[str], unit: str, negative: str = BLUE, **more: Any
) -> Figure:
    """Draw a bar for each value, the first at the top."""
    with look():
        figure = new_figure(0.9 + 0.28 * len(values))
        axes = figure.add_subplot()
        axes.barh(
            range(len(values)), values, color=[BLUE if one >= 0 else negative for one in values], **more
        )
        axes.set_yticks(range(len(values)), labels)
        axes.set_xlabel(unit)
        axes.invert_yaxis()
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.grid(axis="x")
    return figure


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
