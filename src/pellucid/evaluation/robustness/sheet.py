"""One photo at every strength of every perturbation, with the model's verdict under each picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pellucid.errors import OptionError, PellucidError, ShapeError
from pellucid.evaluation.robustness.kinds import Perturbation, check_photos
from pellucid.evaluation.robustness.measure import change_photos, check_model, has_colour
from pellucid.evaluation.robustness.perturbations import REASONS, choose_perturbations, choose_strengths
from pellucid.nn.model import Model
from pellucid.plotting.grid import new_page, place_picture, place_text
from pellucid.plotting.style import BLUE, MUTED, RED, WIDTH, class_name, look
from pellucid.text import by, percent
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches: names on the left, between pictures, texts under each, above the first row.
NAMES, GAP, CAPTION, TOP = 1.66, 0.07, 0.36, 0.62
MOST_COLUMNS = 8  # pictures in a row


class _Verdict(NamedTuple):
    """One picture of the sheet, and what the model says of it."""

    image: Array
    caption: str
    label: int
    probability: float | None


def perturbation_sheet(
    model: Model,
    image: Array,
    *,
    label: int | None = None,
    perturbations: Iterable[str] | None = None,
    strengths: Mapping[str, Iterable[float]] | None = None,
    seed: int = 0,
) -> Figure:
    """Draw one photo at every strength of every perturbation, with the model's verdict under each picture.

    Parameters
    ----------
    model : Model
        A trained classifier of photos.
    image : Array, shape (h, w, c) or (h, w), uint8
        Of the model's input shape.
    label : int, optional
        Its true class: verdicts are right or wrong then; else they are as before, or changed.
    perturbations, strengths, seed : optional
        As for ``measure_robustness``. Of more than eight strengths, eight are shown.

    Returns
    -------
    matplotlib.figure.Figure
        The photo as it is with what has no strengths (mirrored, upside down), then a row for each perturbation.
        Perturbations that need colour are left out for a grey photo.

    Raises
    ------
    ShapeError, DataError, OptionError
        As ``measure_robustness``; also if the label is no class of the model.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((8, 8, 3))
    >>> figure = perturbation_sheet(model, np.zeros((8, 8, 3), np.uint8), perturbations=["blur", "jpeg"])
    >>> len(figure.axes[0].images)
    13
    """
    check_model("perturbation_sheet", model)
    check_photos("perturbation_sheet", image[None])
    if image.shape != model.input_shape:
        raise ShapeError(
            f"perturbation_sheet: the model takes photos of shape {model.input_shape}, this one is {image.shape}. "
            "Try image_to_input(photo, model.input_shape)."
        )
    chosen = choose_perturbations(perturbations)
    wanted = choose_strengths(chosen, strengths)
    chosen = [p for p in chosen if has_colour(image[None]) or not p.needs_colour]
    plan: list[tuple[Perturbation | None, float, str]] = [(None, 0.0, "as it is")]
    for p in chosen:
        is_yes_or_no = len(p.strengths) == 1
        plan += [(p, s, p.title.lower() if is_yes_or_no else p.label(s)) for s in _few(wanted[p.name][1:])]
    pictures = [image if p is None else change_photos(image[None], p, s, seed)[0] for p, s, _ in plan]
    verdicts = _verdicts(model, np.stack(pictures), [text for _, _, text in plan])
    last = max(2, len(model.classes)) - 1
    if label is not None and not 0 <= label <= last:
        raise OptionError(f"perturbation_sheet: expected label to be a class, 0 to {last}, got {label}.")
    rows = [("The photo", by(image.shape), [verdicts[0]])]
    for p in chosen:
        mine = [v for v, (other, _, _) in zip(verdicts, plan, strict=True) if other is p]
        if len(p.strengths) == 1:
            rows[0][2].extend(mine)
        else:
            rows.append((p.title, REASONS[p.reason], mine))
    with look():
        return _sheet(rows, model.classes, label)


def _few(strengths: Sequence[float]) -> Sequence[float]:
    """Return at most ``MOST_COLUMNS`` of the strengths, spread evenly, the ends among them."""
    if len(strengths) <= MOST_COLUMNS:
        return strengths
    return [strengths[i] for i in np.linspace(0, len(strengths) - 1, MOST_COLUMNS).round().astype(int)]


def _verdicts(model: Model, pictures: Array, captions: Sequence[str]) -> list[_Verdict]:
    labels = model.predict(pictures)
    try:
        given = model.predict_proba(pictures)[np.arange(len(labels)), labels]
        probabilities: list[float | None] = given.tolist()
    except PellucidError:  # a loss such as hinge has no probabilities
        probabilities = [None] * len(labels)
    return [_Verdict(*row) for row in zip(pictures, captions, labels.tolist(), probabilities, strict=True)]


def _sheet(
    rows: Sequence[tuple[str, str, list[_Verdict]]], classes: Sequence[str], label: int | None
) -> Figure:
    expected = rows[0][2][0].label if label is None else label
    n_columns = max(6, *(len(verdicts) for _, _, verdicts in rows))
    h, w = rows[0][2][0].image.shape[:2]
    across = (WIDTH - NAMES - 0.08) / n_columns - GAP
    down = across * min(max(h / w, 0.3), 2.0)
    step = max(down, 0.5) + CAPTION + GAP
    height = TOP + len(rows) * step + 0.05
    figure, axes = new_page(height)
    good, bad = ("as before", "another verdict") if label is None else ("right", "wrong")
    name = class_name(classes, expected)
    title = f"A photo read as “{name}”" if label is None else f"A photo of class “{name}”"
    place_text(axes, 0.08, 0.1, f"{title}, changed more and more", size=11, weight="bold")
    second, third = (1.05, 2.3) if label is None else (0.75, 1.5)
    place_text(axes, 0.08, 0.34, f"✓ {good}", size=8.5, color=BLUE)
    place_text(axes, second, 0.34, f"✗ {bad}", size=8.5, color=RED)
    words = "the share: how probable the network holds its answer"
    place_text(axes, third, 0.34, words, size=8.5, color=MUTED)
    for i, (title, reason, verdicts) in enumerate(rows):
        top = TOP + i * step
        place_text(axes, 0.08, top + 0.02, title, weight="bold")
        place_text(axes, 0.08, top + 0.2, _folded(reason), size=7.5, color=MUTED)
        for j, verdict in enumerate(verdicts):
            box = (NAMES + j * (across + GAP), top, across, down)
            _place(axes, verdict, box, classes, is_good=verdict.label == expected)
    return figure


def _place(
    axes: Axes,
    verdict: _Verdict,
    box: tuple[float, float, float, float],
    classes: Sequence[str],
    *,
    is_good: bool,
) -> None:
    """Draw one picture into its box (left, top, across, down) and its texts below."""
    left, top, across, down = box
    place_picture(axes, verdict.image, left, top, across, down)
    colour, mark = (BLUE, "✓") if is_good else (RED, "✗")
    if not is_good:
        axes.plot(*_frame(left, top, across, down), color=RED, linewidth=1.6)
    sure = "" if verdict.probability is None else f" {percent(verdict.probability)}"
    answer = _shortened(mark, class_name(classes, verdict.label), sure, across + GAP / 2)
    place_text(axes, left, top + down + 0.05, verdict.caption, size=7, color=MUTED)
    place_text(axes, left, top + down + 0.19, answer, size=7, color=colour)


@cache
def _shortened(mark: str, name: str, sure: str, across: float) -> str:
    """Return the answer in one line of 7 points that is no wider than its picture: the name gives way."""
    import warnings

    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font = FontProperties(family="DejaVu Sans", size=7)
    comma = "," if sure and name[-1].isdigit() else ""  # "9, 12 %"
    for longest in range(len(name), 0, -1):
        answer = f"{mark} {class_name((name,), 0, longest)}{comma}{sure}"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a box stands for that letter
            width = TextToPath().get_text_width_height_descent(answer, font, ismath=False)[0]
        if width <= 72 * across:  # points
            break
    return answer


def _frame(left: float, top: float, across: float, down: float) -> tuple[list[float], list[float]]:
    right, bottom = left + across, top + down
    return [left, right, right, left, left], [top, top, bottom, bottom, top]


def _folded(text: str, longest: int = 22) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, longest))
