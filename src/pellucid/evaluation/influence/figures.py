"""A verdict, the training photos that pushed it, and what it would be without them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.evaluation.influence.records import Explanation, InfluentialSample
from pellucid.plotting.style import (
    BLUE,
    GREEN,
    INK,
    LINE,
    MUTED,
    ORANGE,
    RED,
    WIDTH,
    check_images,
    class_name,
    look,
    new_figure,
    picture,
)
from pellucid.text import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE = 1.9  # inches: the asked photo
LEFT, GAP, EDGE = 2.25, 0.12, 0.12
ROW_HEAD, CAPTION, HEAD = 0.21, 0.62, 0.42
CHART, CHART_FOOT = 1.35, 0.5
MOST_SHOWN = 8


def influence_figure(explanation: Explanation, train: Dataset, test: Dataset) -> Figure:
    """Draw an asked photo, the training photos that pushed its verdict each way, and trainings without them.

    Parameters
    ----------
    explanation : Explanation
    train, test : Dataset
        Photos of shape (m, h, w) or (m, h, w, c).

    Returns
    -------
    matplotlib.figure.Figure
        Photos of the group that decides are framed. The chart below, where there were trainings, has what the
        probability of the verdict comes to without ever more of those that pushed hardest.

    Raises
    ------
    ShapeError, DataError
        If X does not hold images.

    Examples
    --------
    >>> data = Dataset(np.zeros((3, 8, 8, 3), np.uint8), np.array([0, 1, 1]), ("non-cat", "cat"))
    >>> one = Explanation(0, "cat", "non-cat", 0.9, 2.2, (InfluentialSample(2, "cat", 0.5, 1.0, 0.5),), ())
    >>> figure = influence_figure(one, data, data)
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['', '2: cat\\n+0.50']
    """
    check_images("influence_figure", train.X)
    check_images("influence_figure", test.X)
    e = explanation
    rows = [
        (f"Pushed it towards “{class_name((e.verdict,), 0, 20)}”", e.towards, GREEN if e.is_right else RED),
        (f"Pushed it away from “{class_name((e.verdict,), 0, 20)}”", e.against, RED if e.is_right else GREEN),
    ]
    n = max(5, min(MOST_SHOWN, max(len(e.towards), len(e.against))))
    across = (WIDTH - LEFT - EDGE - (n - 1) * GAP) / n
    down = across * min(max(train.X.shape[1] / train.X.shape[2], 0.4), 1.6)
    block = ROW_HEAD + down + CAPTION
    shown = [row for row in rows if row[1]]
    body = max(len(shown) * block, SIDE + 0.75)
    height = HEAD + body + (CHART + CHART_FOOT + 0.35 if e.removals else 0.0)
    with look():
        figure = new_figure(height, layout=None)
        _write(figure, EDGE, 0.1, _title(e), height, fontsize=11, fontweight="bold")
        _asked(figure, e, test, height)
        for i, (title, pushers, color) in enumerate(shown):
            top = HEAD + i * block
            _write(figure, LEFT, top, title, height, fontsize=9, fontweight="bold", color=color)
            for k, pusher in enumerate(pushers[:n]):
                left = LEFT + k * (across + GAP)
                _pusher(figure, (left, top + ROW_HEAD, across, down), pusher, train, e, height)
        if e.removals:
            _chart(figure, e, HEAD + body + 0.35, height)
    return figure


def _title(e: Explanation) -> str:
    return f"Why did the network say “{class_name((e.verdict,), 0, 20)}” of test photo {e.index}?"


def _write(figure: Figure, left: float, top: float, words: str, height: float, **style: Any) -> None:
    figure.text(left / WIDTH, 1 - top / height, words, va="top", **style)


def _axes(figure: Figure, place: tuple[float, float, float, float], height: float) -> Axes:
    """Return axes at (left, top, width, height), in inches from the top left."""
    left, top, across, down = place
    return figure.add_axes((left / WIDTH, 1 - (top + down) / height, across / WIDTH, down / height))


def _photo(axes: Axes, dataset: Dataset, row: int, frame: str = "") -> None:
    picture(axes, dataset.X[row])
    axes.set(xticks=[], yticks=[])
    axes.set_anchor("NW")
    for spine in axes.spines.values():
        spine.set(visible=bool(frame), color=frame or LINE, linewidth=2.5)


def _asked(figure: Figure, e: Explanation, test: Dataset, height: float) -> None:
    axes = _axes(figure, (EDGE, HEAD + ROW_HEAD, SIDE, SIDE), height)
    _photo(axes, test, e.index)
    shape = test.X.shape[1:3]
    below = HEAD + ROW_HEAD + SIDE * min(1.0, shape[0] / shape[1]) + 0.08
    said, true = (class_name((name,), 0, 18) for name in (e.verdict, e.actual))
    words = f"Prediction: {said} ({percent(e.probability)})\nClass: {true}"
    _write(figure, EDGE, below, words, height, fontsize=9, linespacing=1.35, color=INK)


def _pusher(
    figure: Figure,
    place: tuple[float, float, float, float],
    pusher: InfluentialSample,
    train: Dataset,
    e: Explanation,
    height: float,
) -> None:
    is_decisive = e.decisive is not None and pusher.row in e.decisive.rows
    axes = _axes(figure, place, height)
    _photo(axes, train, pusher.row, ORANGE if is_decisive else "")
    label = class_name((pusher.label,), 0, int(place[2] / 0.075) - 4)
    lines = [f"{pusher.row}: {label}", f"{pusher.score:+.2f}".replace("-", "\N{MINUS SIGN}")]
    if pusher.is_same:
        lines[1] += ", the same"
    if pusher.alone is not None:
        lines.append(f"without: {percent(pusher.alone.probability)}")
    axes.set_xlabel("\n".join(lines), fontsize=7, color=MUTED, labelpad=3, loc="left", linespacing=1.25)


def _chart(figure: Figure, e: Explanation, top: float, height: float) -> None:
    """Draw the verdict's probability against the number left out, and what leaving out others at random does."""
    axes = _axes(figure, (LEFT - 0.62, top, WIDTH - LEFT + 0.62 - 2.35, CHART), height)
    sizes = [0, *(len(removal.rows) for removal in e.removals)]
    shares = [100 * e.probability, *(100 * removal.outcome.probability for removal in e.removals)]
    places = np.arange(len(sizes))
    axes.axhline(50, color=LINE, linewidth=0.8)
    axes.plot(places, shares, "-o", color=BLUE, linewidth=1.8, markersize=4.5, label="the hardest pushers")
    has_chance = False
    for place, removal in zip(places[1:], e.removals, strict=True):
        by_chance = [100 * outcome.probability for outcome in removal.by_chance]
        spread = place + 0.16 + 0.018 * np.arange(len(by_chance))
        label = None if has_chance or not by_chance else "as many, drawn at random"
        axes.plot(spread, by_chance, "o", color=MUTED, markersize=3.5, alpha=0.75, label=label)
        has_chance = has_chance or bool(by_chance)
    for place, removal in zip(places[1:], e.removals, strict=True):
        if removal is e.decisive:
            axes.plot(
                place,
                100 * removal.outcome.probability,
                "o",
                color=ORANGE,
                markersize=10,
                zorder=1,
                label=None,
            )
    axes.set_xticks(places, [str(size) for size in sizes])
    axes.set(ylim=(-4, 104), yticks=[0, 50, 100], yticklabels=["0 %", "50 %", "100 %"])
    axes.set_xlabel("Training photos left out, the hardest pushers first", fontsize=8.5)
    axes.set_ylabel(f"“{class_name((e.verdict,), 0, 12)}”", fontsize=8.5)
    axes.tick_params(labelsize=8)
    axes.set_title("Trained again without them", fontsize=9, pad=6)
    _legend(figure, axes, e, top, height)


def _legend(figure: Figure, axes: Axes, e: Explanation, top: float, height: float) -> None:
    left = WIDTH - 2.2
    legend = axes.legend(
        loc="upper left",
        bbox_to_anchor=(left / WIDTH, 1 - (top - 0.08) / height),
        bbox_transform=figure.transFigure,
        fontsize=8,
        title="Left out:",
        title_fontsize=8,
        alignment="left",
        borderaxespad=0,
        handlelength=1.2,
    )
    legend.set_in_layout(False)
    _write(figure, left + 0.04, top + 0.66, _outcome(e), height, fontsize=8.5, linespacing=1.35, color=INK)


def _outcome(e: Explanation) -> str:
    decisive = e.decisive
    said = class_name((e.verdict,), 0, 14)
    if decisive is None:
        last = e.told
        assert last is not None
        return (
            f"No group changed the verdict:\nwithout {_n(len(last.rows))} it is still\n"
            f"“{said}” ({percent(last.outcome.probability)})"
        )
    new = class_name((decisive.outcome.label,), 0, 20)
    lines = [
        f"Without {_n(len(decisive.rows))}:",
        f"“{new}”",
        f"(“{said}” {percent(decisive.outcome.probability)})",
    ]
    if e.n_chance:
        lines += ["At random: changed in", f"{e.n_changed_by_chance} of {e.n_chance} tries"]
    return "\n".join(lines)


def _n(n: int) -> str:
    return "the hardest pusher" if n == 1 else f"these {n}"
