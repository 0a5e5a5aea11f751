"""Curves of numbers measured epoch by epoch: on matplotlib axes, and as a small picture in a notebook."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pellucid.plotting.style import BLUE, GREEN, ORANGE, PURPLE, RED, look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = (BLUE, ORANGE, GREEN, RED, PURPLE)
Curves = Mapping[str, Sequence[float]]  # by name, one number an epoch

_WIDTH, _HEIGHT = 460, 170  # pixels of a small picture
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 12, 24, 22  # around its lines
_MOST_POINTS = 150  # of a line: as many as can be told apart


def draw_curves(axes: Axes, curves: Curves, *, x_label: str = "Epoch") -> None:
    """Draw curves over the epochs, counted from 1, named in a legend.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    curves : mapping of str to sequence of float
        NaN leaves a gap.
    x_label : str, optional

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> draw_curves(axes, {"loss": [0.7, 0.4]})
    >>> axes.get_ylabel(), axes.lines[0].get_ydata().tolist()
    ('Loss', [0.7, 0.4])
    """
    from matplotlib.ticker import MaxNLocator

    with look():
        for color, (name, values) in zip(COLORS * len(curves), curves.items(), strict=False):
            dots = "o" if len(values) <= 40 else None
            label = name.replace("_", " ").capitalize()
            axes.plot(
                range(1, len(values) + 1), values, color=color, linewidth=2, marker=dots, ms=3.5, label=label
            )
        shortest = min(curves, key=len, default="")
        axes.set(xlabel=x_label, ylabel=shortest.replace("_", " ").capitalize())
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=True)
        if len(curves) > 1:
            axes.legend()


def curves_svg(curves: Curves, *, x_label: str = "epoch") -> str:
    """Return curves as a small SVG picture for a notebook, in the colours of its text: light or dark.

    Examples
    --------
    >>> curves_svg({"loss": [0.7, 0.4]}).count("<polyline")
    1
    >>> curves_svg({"loss": [float("nan")]})
    ''
    """
    known = [value for values in curves.values() for value in values if math.isfinite(value)]
    if not known:
        return ""
    n = max(map(len, curves.values()))
    low, high = min(known), max(known)
    low = 0.0 if 0 <= low < high / 2 else low
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)

    def across(epoch: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (epoch / (n - 1) if n > 1 else 0.5)

    def down(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)

    parts, left = [], float(_LEFT)
    for value in (low, (low + high) / 2, high):
        y = down(value)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="currentColor" opacity=".2"/>')
        parts.append(_text(_LEFT - 6, y + 4, f"{value:.3g}", anchor="end"))
    for epoch, anchor in ((0, "start"), (n - 1, "end"))[: min(n, 2)]:
        words = f"{x_label} {epoch + 1}" if epoch else "1"
        parts.append(_text(across(epoch), _HEIGHT - 6, words, anchor=anchor))
    for color, (name, values) in zip(COLORS * len(curves), curves.items(), strict=False):
        label = name.replace("_", " ")
        parts.append(_text(left, 13, label, color=color))
        left += 8.0 * len(label) + 24
        parts += [_line([(across(i), down(v)) for i, v in run], color) for run in _runs(values)]
    names = html.escape(" and ".join(name.replace("_", " ") for name in curves))
    return (
        f'<svg role="img" aria-label="{names} by {x_label}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">{"".join(parts)}</svg>'
    )


def _line(points: Sequence[tuple[float, float]], color: str) -> str:
    """Return a line through points; a dot for a single one."""
    if len(points) == 1:
        ((x, y),) = points
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>'


def _text(x: float, y: float, words: str, *, anchor: str = "start", color: str = "currentColor") -> str:
    safe = html.escape(words)
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{safe}</text>'


def _runs(values: Sequence[float]) -> list[list[tuple[int, float]]]:
    """Return stretches of finite values with their epochs; of a long line each part's lowest and highest."""
    size = max(1, 2 * len(values) // _MOST_POINTS)
    runs: list[list[tuple[int, float]]] = [[]]
    for start in range(0, len(values), size):
        part = [(i, v) for i, v in enumerate(values[start : start + size], start) if math.isfinite(v)]
        if len(part) > 2:
            by_value = sorted(part, key=lambda point: point[1])
            part = sorted({by_value[0], by_value[-1]})
        if not part and runs[-1]:
            runs.append([])
        runs[-1] += part
    return [run for run in runs if run]
