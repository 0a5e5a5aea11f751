"""Accuracy against strength as curves, and one photo at every strength with the prediction under each picture."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pellucid.data.copies.pixels import has_colour
from pellucid.evaluation.robustness.curves import PerturbationCurve, Robustness
from pellucid.evaluation.robustness.perturbations import REASONS, choose_perturbations
from pellucid.evaluation.robustness.try_perturbations import change_photo
from pellucid.nn.model import Model
from pellucid.plotting.grid import Page, Tile
from pellucid.plotting.lines import Line
from pellucid.plotting.style import BLUE, INK, MUTED, ORANGE, RED, class_name, look, new_figure
from pellucid.plotting.types import Axes, Figure
from pellucid.shares import chance
from pellucid.text import by, p_in_words
from pellucid.types import Array

RING = "First loss of 10 %, or below the baseline"
CLEAN, DOTTED = (0, (5, 3)), (0, (1, 1.5))
NAMES = 1.6  # inches on the left of the sheet, for the names of the perturbations
MOST_COLUMNS = 8  # pictures in a row of the sheet


def robustness_curves(result: Robustness) -> Figure:
    """Draw accuracy against strength, a panel for each perturbation.

    Parameters
    ----------
    result : Robustness
        As ``robustness`` returns it.

    Returns
    -------
    matplotlib.figure.Figure
        Each panel shows the accuracy with its 95 % interval as a band, the accuracy on the photos as they are,
        that of the one best answer, and a ring where it first loses 10 % or falls below that answer. Over
        it stands what the moderate strength costs, and whether that is more than chance explains.

    Examples
    --------
    >>> from pellucid.evaluation.robustness.try_perturbations import robustness
    >>> from pellucid.nn.presets import preset
    >>> from pellucid.data.dataset import Dataset
    >>> model = preset("logistic")
    >>> model.initialize((8, 8, 3))
    >>> data = Dataset(np.zeros((4, 8, 8, 3), np.uint8), np.array([0, 0, 0, 1]))
    >>> figure = robustness_curves(robustness(model, data, perturbations=["noise", "blur"]))
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['Noise', 'Blur']
    """
    n = len(result.curves)
    n_columns = min(n, 4)
    n_rows = math.ceil(n / n_columns)
    with look():
        panel = 1.15 if n > 4 else 1.8  # inches
        height = 0.66 + n_rows * (panel + 0.8)
        figure = new_figure(height, layout=None)
        figure.subplots_adjust(0.07, 0.3 / height, 0.985, 1 - 1.12 / height, 0.13, 0.8 / panel)
        panels = figure.subplots(n_rows, n_columns, sharey=True, squeeze=False).ravel()
        for axes, curve in zip(panels, result.curves, strict=False):
            _panel(axes, curve, result)
        for axes in panels[n:]:
            axes.remove()
        title = f"Accuracy on {result.n} {result.noun}s, the more they are changed"
        figure.suptitle(
            title, x=0.01, y=1 - 0.1 / height, ha="left", va="top", fontsize=11, fontweight="bold"
        )
        style = {"fontsize": 8, "columnspacing": 1.3, "handlelength": 1.8}
        at = {"loc": "upper left", "bbox_to_anchor": (0.005, 1 - 0.3 / height), "ncols": 4}
        figure.legend(*panels[0].get_legend_handles_labels(), **at, **style)
    return figure


def _panel(axes: Axes, curve: PerturbationCurve, result: Robustness) -> None:
    from matplotlib.ticker import PercentFormatter

    x, accuracy, low, high = (
        np.array([getattr(row, name) for row in curve.rows])
        for name in ("strength", "accuracy", "low", "high")
    )
    as_they_are = f"{result.noun.capitalize()}s as they are"
    axes.axhline(result.accuracy, color=INK, linewidth=1, linestyle=CLEAN, label=as_they_are)
    always = f"Always '{class_name((result.most_common,), 0, 12)}'"
    axes.axhline(result.baseline, color=ORANGE, linewidth=1.6, linestyle=DOTTED, label=always)
    line: dict[str, Any] = {"color": BLUE, "marker": "o", "markersize": 3, "label": "Accuracy, 95 % interval"}
    if len(x) == 2:  # yes or no: nothing lies between
        axes.errorbar(x, accuracy, (accuracy - low, high - accuracy), fmt="none", ecolor=BLUE, alpha=0.5)
        axes.plot(x, accuracy, linestyle="none", **line)
    else:
        axes.fill_between(x, low, high, color=BLUE, alpha=0.16, linewidth=0)
        axes.plot(x, accuracy, linewidth=1.6, **line)
    at = x == curve.breaks_at
    ring: dict[str, Any] = {
        "color": RED,
        "markersize": 8,
        "markerfacecolor": "none",
        "markeredgewidth": 1.5,
        "clip_on": False,
    }
    axes.plot(x[at], accuracy[at], "o", linestyle="none", **ring, label=RING)
    axes.set(xlim=(-0.04 * x[-1], 1.04 * x[-1]), ylim=(0, 1))
    labels = {row.strength: row.label for row in curve.rows}
    middle = min(labels, key=lambda strength: abs(strength - x[-1] / 2))
    named = sorted({x[0], middle, x[-1]} if len(x) > 2 else {x[0], x[-1]})
    ticks = axes.set_xticks(named, [labels[strength] for strength in named])
    if len(labels[x[-1]]) > 3:
        ticks[-1].label1.set_horizontalalignment("right")
    if len(labels[x[0]]) > 3:
        ticks[0].label1.set_horizontalalignment("left")
    axes.set_xticks(x, minor=True)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axes.tick_params(labelsize=7.5, pad=2)
    axes.set_title(curve.perturbation.title, fontsize=9, pad=23, loc="left")
    chance, label, cost = result.cost_tests[curve.perturbation.name], curve.moderate.label, "none fewer"
    if chance.outcome != "no loss":
        told = chance.outcome if chance.outcome == "cannot be told" else p_in_words(chance.p_value)
        cost = f"{curve.cost} fewer, {told}"
    lines: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": 7.5}
    reason = REASONS[curve.perturbation.reason]
    for text, up, color in ((reason, 13, MUTED), (f"{label}: {cost}", 3.5, INK)):
        axes.annotate(text, (0, 1), (0, up), color=color, **lines)
    axes.grid(axis="y")


def perturbation_sheet(
    model: Model,
    image: Array,
    *,
    label: int | None = None,
    row: int = 0,
    perturbations: Iterable[str] | None = None,
    strengths: Mapping[str, Iterable[float]] | None = None,
    seed: int = 1,
    noun: str = "photo",
) -> Figure:
    """Draw one photo at every strength of every perturbation, with the model's prediction under each picture.

    Parameters
    ----------
    model : Model
        A trained classifier of photos.
    image : Array, shape (h, w, c) or (h, w), uint8
        Of the model's input shape.
    label : int, optional
        Its true class: predictions are correct or wrong then; else the same as of the unchanged photo, or not.
    row : int, optional
        Of the photo in the data measured by ``robustness``: the same random draws change it the same way.
    perturbations, strengths, seed : optional
        As for ``robustness``. Of more than eight strengths, eight are shown.
    noun : str, optional
        What it is called in the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The photo as it is with what has no strengths (mirrored, upside down), then a row for each perturbation.
        Perturbations that need colour are left out for a grey photo.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((8, 8, 3))
    >>> figure = perturbation_sheet(model, np.zeros((8, 8, 3), np.uint8), perturbations=["blur", "jpeg"])
    >>> [len(axes.images) for axes in figure.axes]
    [0, 0, 1, 6, 6]
    """
    chosen = choose_perturbations(perturbations, strengths)
    shown = []
    for p, measured in chosen.items():
        if not p.needs_colour or has_colour(image[None]):
            some = np.linspace(0, len(measured) - 1, min(len(measured), MOST_COLUMNS)).round().astype(int)
            shown += [(p, measured[i]) for i in some]
    pictures = [image, *(change_photo(image, p, strength, seed, row) for p, strength in shown)]
    labels, sure = _predictions(model, np.stack(pictures))
    expected = int(labels[0]) if label is None else label
    tiles = [
        _tile(drawn, class_name(model.classes, int(k), 80), p, is_good=k == expected)
        for drawn, k, p in zip(pictures, labels, sure, strict=True)
    ]
    first = f"The {noun}", by(image.shape)
    rows = {first: [tiles[0]._replace(below=["as it is", *tiles[0].below])]}
    for (p, strength), tile in zip(shown, tiles[1:], strict=True):
        is_yes_or_no = len(p.strengths) == 1
        caption = p.title.lower() if is_yes_or_no else p.label(strength)
        rows.setdefault(first if is_yes_or_no else (p.title, REASONS[p.reason]), []).append(
            tile._replace(below=[caption, *tile.below])
        )
    name, is_known = class_name(model.classes, expected), label is not None
    page = Page(f"One {noun} {'of class' if is_known else 'predicted as'} '{name}', changed more and more")
    good, bad = ("correct", "wrong") if is_known else ("same prediction", "another prediction")
    page.text(f"✓ {good}, ✗ {bad}, with the predicted probability.", gap=0.12)
    n_columns = max(6, *map(len, rows.values()))
    for (title, reason), its in rows.items():
        page.row(its, n_columns=n_columns, names=NAMES, name=title, note=reason, size=7)
    return page.figure()


def _predictions(model: Model, pictures: Array) -> tuple[Array, list[float | None]]:
    """Return the predicted classes, and their probabilities where the model's loss gives any."""
    labels = model.predict(pictures)
    if not model._loss.gives_probabilities:
        return labels, [None] * len(labels)
    return labels, model.predict_proba(pictures)[np.arange(len(labels)), labels].tolist()


def _tile(image: Array, name: str, probability: float | None, *, is_good: bool) -> Tile:
    colour, mark = (BLUE, "✓") if is_good else (RED, "✗")
    sure = "" if probability is None else f" {chance(probability)}"
    comma = "," if sure and name[-1].isdigit() else ""  # "9, 12 %"
    prediction = Line(f"{mark} {{}}{comma}{sure}", colour, name=name)
    return Tile(image, [prediction], frame="" if is_good else RED)
