"""A prediction, the training photos that influenced it, and what it would be without them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.evaluation.influence.records import ExplainedPrediction, InfluentialSample
from pellucid.evaluation.influence.text import query_place
from pellucid.plotting.grid import Page, Tile
from pellucid.plotting.lines import Line
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
)
from pellucid.text import percent, shorten, signed

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

MOST_SHOWN = 8  # training photos in a row
LONGEST_NAME = 16  # of a file, below its picture
CHART = 1.9  # inches high


def influence_figure(explanation: ExplainedPrediction, train: Dataset, test: Dataset) -> Figure:
    """Draw an query photo, the training photos that influenced its prediction each way, and trainings without them.

    Parameters
    ----------
    explanation : ExplainedPrediction
    train, test : Dataset
        Photos of shape (m, h, w) or (m, h, w, c).

    Returns
    -------
    matplotlib.figure.Figure
        Photos of the group that decides are framed. The chart below, where there were trainings, has what the
        probability of the prediction comes to without ever more of the most influential samples.

    Raises
    ------
    ShapeError, DataError
        If X does not hold images.

    Examples
    --------
    >>> data = Dataset(np.zeros((3, 8, 8, 3), np.uint8), np.array([0, 1, 1]), ("non-cat", "cat"))
    >>> one = ExplainedPrediction(0, "cat", "non-cat", 0.9, 2.2, (InfluentialSample(2, "cat", 0.5, 1.0, 0.5),), ())
    >>> figure = influence_figure(one, data, data)
    >>> [text.get_text() for text in figure.axes[-1].texts]
    ['Influenced it towards “cat”', '2: cat', '+0.50']
    """
    check_images("influence_figure", train.X)
    check_images("influence_figure", test.X)
    e = explanation
    predicted = class_name((e.predicted,), 0, 20)
    page = Page(f"Why did the network predict “{predicted}” for {query_place(e, test.noun)}?")
    words = [
        Line(f"Prediction: {predicted} ({percent(e.probability)})", INK),
        Line(f"Class: {e.actual}", INK),
    ]
    page.row([Tile(test.X[e.index])], words=words, most_across=1.5, words_width=3.0, size=9)
    n = max(5, min(MOST_SHOWN, max(len(e.towards), len(e.against))))
    way, other = (GREEN, RED) if e.is_right else (RED, GREEN)
    for title, samples, color in (("towards", e.towards, way), ("away from", e.against, other)):
        if samples:
            heading = Line(f"Influenced it {title} “{predicted}”", color, True)
            page.row([_tile(one, train, e) for one in samples[:n]], n_columns=n, heading=heading)
    if e.removals:
        page.chart(CHART, lambda part, height: _chart(part, e, height, train.noun))
    return page.figure()


def _tile(sample: InfluentialSample, train: Dataset, e: ExplainedPrediction) -> Tile:
    lines: list[str | Line] = [Line(f"{sample.row}: {{}}", name=sample.label)]
    if sample.name:
        lines.append(shorten(Path(sample.name).name, LONGEST_NAME))
    plus, same = "+" if sample.score >= 0 else "", f", the same {train.noun}" if sample.is_same else ""
    lines.append(f"{plus}{signed(sample.score)}{same}")
    if sample.alone is not None:
        lines.append(f"without: {percent(sample.alone.probability)}")
    is_decisive = e.decisive is not None and sample.row in e.decisive.rows
    return Tile(train.X[sample.row], lines, frame=ORANGE if is_decisive else "")


def _chart(part: SubFigure, e: ExplainedPrediction, height: float, noun: str) -> None:
    """Draw the prediction's probability against the number left out, and what leaving out others at random does."""
    axes = part.add_axes((0.75 / WIDTH, 0.5 / height, (WIDTH - 3.2) / WIDTH, (height - 0.8) / height))
    sizes = [0, *(len(removal.rows) for removal in e.removals)]
    percents = [100 * e.probability, *(100 * removal.outcome.probability for removal in e.removals)]
    places = np.arange(len(sizes))
    axes.axhline(50, color=LINE, linewidth=0.8)
    axes.plot(places, percents, "-o", color=BLUE, linewidth=1.8, markersize=4.5, label="the most influential")
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
    axes.set_xlabel(f"Training {noun}s left out, the most influential first", fontsize=8.5)
    axes.set_ylabel(f"“{class_name((e.predicted,), 0, 12)}”", fontsize=8.5)
    axes.tick_params(labelsize=8)
    axes.set_title("Trained again without them", fontsize=9, pad=6)
    legend = axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.03, 1.05),
        fontsize=8,
        title="Left out:",
        title_fontsize=8,
        alignment="left",
    )
    legend.set_in_layout(False)
    axes.annotate(
        _outcome(e),
        (1.04, 0.48),
        xycoords="axes fraction",
        va="top",
        fontsize=8.5,
        linespacing=1.3,
        color=INK,
    )


def _outcome(e: ExplainedPrediction) -> str:
    decisive = e.decisive
    name = class_name((e.predicted,), 0, 14)
    if decisive is None:
        last = e.reported
        assert last is not None
        return (
            f"No group changes the prediction:\nwithout {_n(len(last.rows))} it is still\n"
            f"“{name}” ({percent(last.outcome.probability)})"
        )
    new = class_name((decisive.outcome.label,), 0, 20)
    lines = [
        f"Without {_n(len(decisive.rows))}:",
        f"“{new}”",
        f"(“{name}” {percent(decisive.outcome.probability)})",
    ]
    if e.n_chance:
        lines += ["At random: changed in", f"{e.n_changed_by_chance} of {e.n_chance} tries"]
    return "\n".join(lines)


def _n(n: int) -> str:
    return "the most influential one" if n == 1 else f"these {n}"
