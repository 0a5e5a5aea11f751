"""A prediction, the training photos that influenced it, and what it would be without them."""

from pathlib import Path

from pellucid.data.dataset import Dataset
from pellucid.evaluation.influence.outcome import ExplainedPrediction, InfluentialSample, signed_score
from pellucid.plotting.grid import Page, Tile
from pellucid.plotting.lines import Line
from pellucid.plotting.style import (
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
from pellucid.plotting.types import Figure, SubFigure
from pellucid.shares import chance
from pellucid.text import shorten

MOST_SHOWN = 8  # training photos in a row
LONGEST_NAME = 16  # of a file, below its picture
CHART = 1.5  # inches high


def influence_figure(explanation: ExplainedPrediction, train: Dataset, test: Dataset) -> Figure:
    """Draw a test photo, the training photos that influenced its prediction each way, and trainings without them.

    Parameters
    ----------
    explanation : ExplainedPrediction
    train, test : Dataset
        Photos of shape (m, h, w) or (m, h, w, c).

    Returns
    -------
    matplotlib.figure.Figure
        Photos that were left out together are framed. The chart below, where there were trainings, has the
        probability of the prediction without them, and without as many drawn at random.

    Raises
    ------
    ShapeError, DataError
        If X does not hold images.

    Examples
    --------
    >>> data = Dataset(np.zeros((3, 8, 8, 3), np.uint8), np.array([0, 1, 1]), ("non-cat", "cat"))
    >>> one = ExplainedPrediction(0, "cat", "non-cat", 0.9, 2.2, (InfluentialSample(2, "cat", 0.5),), ())
    >>> figure = influence_figure(one, data, data)
    >>> [text.get_text() for text in figure.axes[-1].texts]
    ["Influenced it towards 'cat'", '2: cat', '+0.50']
    """
    check_images("influence_figure", train.X)
    e = explanation
    predicted = class_name((e.predicted,), 0, 20)
    page = Page(f"Why did the network predict '{predicted}' for {e.place}?")
    words = [
        Line(f"Prediction: {predicted} ({chance(e.probability)})", INK),
        Line(f"Class: {e.actual}", INK),
    ]
    page.row([Tile(test.X[e.index])], words=words, most_across=1.5, words_width=3.0, size=9)
    n = max(5, min(MOST_SHOWN, max(len(e.towards), len(e.against))))
    way, other = (GREEN, RED) if e.is_right else (RED, GREEN)
    for title, samples, color in (("towards", e.towards, way), ("against", e.against, other)):
        if samples:
            heading = Line(f"Influenced it {title} '{predicted}'", color, True)
            page.row([_tile(one, train, e) for one in samples[:n]], n_columns=n, heading=heading)
    if e.without is not None:
        page.chart(CHART, lambda part, height: _chart(part, e, height))
    return page.figure()


def _tile(sample: InfluentialSample, train: Dataset, e: ExplainedPrediction) -> Tile:
    lines: list[str | Line] = [Line(f"{sample.row}: {{}}", name=sample.label)]
    if sample.name:
        lines.append(shorten(Path(sample.name).name, LONGEST_NAME))
    same = f", the same {train.noun}" if sample.is_same else ""
    lines.append(signed_score(sample.score) + same)
    if sample.without is not None:
        lines.append(f"without: {chance(sample.without.probability)}")
    is_left_out = e.without is not None and sample in e.towards
    return Tile(train.X[sample.row], lines, frame=ORANGE if is_left_out else "")


def _chart(part: SubFigure, e: ExplainedPrediction, height: float) -> None:
    """Draw the prediction's probability: of the network, without the most influential, and without random ones."""
    name, n = class_name((e.predicted,), 0, 20), len(e.towards)
    assert e.without is not None
    axes = part.add_axes((2.6 / WIDTH, 0.5 / height, (WIDTH - 3.0) / WIDTH, (height - 0.8) / height))
    most = f"the {n} most influential" if n > 1 else "the most influential one"
    by_chance = [one.probability for one in e.by_chance]
    rows = [
        ("all training samples", [e.probability], INK),
        (f"without {most}", [e.without.probability], ORANGE),
        *([(f"without {n} at random", by_chance, MUTED)] if by_chance else []),
    ]
    for y, (_, found, color) in enumerate(rows):
        percents = [100 * p for p in found]
        axes.plot(percents, [y] * len(found), "o", color=color, markersize=7, alpha=0.75)
    axes.set_yticks(range(len(rows)), [label for label, *_ in rows])
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=(-2, 102))
    axes.set_xticks([0, 50, 100], ["0 %", "50 %", "100 %"])
    axes.axvline(50, color=LINE, linewidth=0.8, zorder=0)
    axes.tick_params(labelsize=8)
    axes.set_title(f"Trained again: probability of '{name}'", fontsize=9, pad=6)
