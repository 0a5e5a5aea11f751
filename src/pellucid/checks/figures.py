"""The pages of a data check: every finding under its heading, copies next to one another."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pellucid.checks.check import DataReport
from pellucid.checks.findings import Finding, Sample
from pellucid.checks.pixels import PixelScale
from pellucid.checks.text import KINDS
from pellucid.data.dataset import Split
from pellucid.errors import OptionError
from pellucid.plotting.style import (
    INK,
    LINE,
    MUTED,
    RED,
    WIDTH,
    check_images,
    look,
    new_figure,
    picture,
)
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN = 0.12  # inches left and right
N_COLUMNS = 6
CELL = (WIDTH - 2 * MARGIN) / N_COLUMNS
INSET = 0.07  # inches between a frame and what is in it
LINE_HEIGHT = 0.14  # of a caption
MOST_SHOWN = 12  # pictures of one finding
MOST_TEXTS = 8  # findings of one kind that stand in words above their pictures
PAGE = 14.0  # inches high, about
_LETTERS_WIDE, _LETTERS_CAPTION = 118, 19


@dataclass(frozen=True)
class _Strip:
    """A piece of the page that is not cut: a heading, some lines of text, or a row of framed findings."""

    height: float
    heading: str = ""
    lines: tuple[str, ...] = ()
    groups: tuple[tuple[Finding, tuple[Sample, ...], int], ...] = ()  # with the number of those not shown


def findings_sheets(report: DataReport, *, max_pages: int = 10) -> list[Figure]:
    """Draw every finding of a report.

    Parameters
    ----------
    report : DataReport
        On pictures.
    max_pages : int, optional
        The last page says how many findings did not fit.

    Returns
    -------
    list of matplotlib.figure.Figure
        One a page, about 14 inches high at most; one that says so where nothing was found.

    Raises
    ------
    ShapeError, DataError
        If the samples are no pictures, or there are none.

    Notes
    -----
    A finding stands in a frame of its own: its pictures with part, index and class, and the file where they came
    from one. Of a finding with more than twelve pictures the first twelve are shown. Findings without pictures
    (on classes, say) stand as text.

    Examples
    --------
    >>> from pellucid.checks.check import check_data
    >>> from pellucid.data.drawn import load_drawn_cats
    >>> cats = load_drawn_cats()
    >>> cats.test.X[3] = cats.train.X[100]
    >>> (page,) = findings_sheets(check_data(cats))
    >>> [axes.get_label() for axes in page.axes]
    ['test 3', 'train 100']
    """
    if max_pages < 1:
        raise OptionError(f"findings_sheets: expected max_pages of at least 1, got {max_pages}.")
    split = report.split
    if split is None:
        raise OptionError("findings_sheets: expected a report that holds its data, as check_data returns it.")
    for data in (split.train, split.test):
        check_images("findings_sheets", data.X)
    pages, n_missing = _paginate(_strips(report), max_pages)
    scale = PixelScale(split.train.X, split.test.X)
    with look():
        figures = []
        for i, strips in enumerate(pages):
            title = (
                f"{report.name}: what the data check found" if report.name else "What the data check found"
            )
            title += f" ({i + 1} of {len(pages)})" if len(pages) > 1 else ""
            is_last = i == len(pages) - 1
            figures.append(_page(title, strips, split, scale, n_missing if is_last else 0))
    return figures


def _strips(report: DataReport) -> list[_Strip]:
    strips = []
    for kind, (title, reason, advice) in KINDS.items():
        findings = report.of_kind(kind)
        if not findings:
            continue
        why = textwrap.wrap(f"{reason} {advice}", _LETTERS_WIDE)
        heading = f"{title}: {len(findings)} {'finding' if len(findings) == 1 else 'findings'}"
        strips.append(_Strip(0.37 + 0.16 * len(why), heading=heading, lines=tuple(why)))
        texts = [] if kind in _PAIRS else [finding.found for finding in findings]
        if len(texts) > MOST_TEXTS:
            texts[MOST_TEXTS:] = [f"… and {len(texts) - MOST_TEXTS} more"]
        for text in texts:
            lines = textwrap.wrap(text, _LETTERS_WIDE, break_on_hyphens=False)
            strips.append(_Strip(0.16 * len(lines) + 0.06, lines=tuple(lines)))
        strips += _rows([finding for finding in findings if finding.samples])
    if not strips:
        strips.append(_Strip(0.5, lines=("Nothing odd was found.",)))
    return strips


_PAIRS = ("leak", "conflict", "duplicate", "near_duplicate")


def _rows(findings: list[Finding]) -> list[_Strip]:
    """Return rows of frames: each finding in one, or, where it is wide, in several below one another."""
    pieces = []
    for finding in findings:
        shown = finding.samples[:MOST_SHOWN]
        left_out = finding.n_samples - len(shown)
        for start in range(0, len(shown), N_COLUMNS):
            samples = shown[start : start + N_COLUMNS]
            is_last = start + N_COLUMNS >= len(shown)
            pieces.append((finding, samples, left_out if is_last else 0))
    rows: list[list[tuple[Finding, tuple[Sample, ...], int]]] = []
    used = N_COLUMNS
    for piece in pieces:
        if used + len(piece[1]) > N_COLUMNS:
            rows.append([])
            used = 0
        rows[-1].append(piece)
        used += len(piece[1])
    return [_Strip(_row_height(row), groups=tuple(row)) for row in rows]


def _row_height(row: list[tuple[Finding, tuple[Sample, ...], int]]) -> float:
    most_lines = max(len(_caption(sample)) for _, samples, _ in row for sample in samples)
    more = LINE_HEIGHT if any(left_out for _, _, left_out in row) else 0
    return CELL + LINE_HEIGHT * most_lines + 0.06 + more


def _caption(sample: Sample) -> list[str]:
    """Return the lines under a picture: where it is, its class, its file."""
    place = sample.part if sample.index is None else f"{sample.part} {sample.index}"
    label = _shortened(sample.label)
    name = "".join(reversed(_shortened("".join(reversed(sample.name)))))  # of a path, the end says more
    return [line for line in (place, label, name) if line]


def _shortened(text: str) -> str:
    """Return as much of a text as fits under a picture."""
    used = 0.0
    for i, letter in enumerate(text):
        used += _letter_width(letter)
        if used > _LETTERS_CAPTION:
            return text[: max(1, i - 1)] + "…"
    return text


def _letter_width(letter: str) -> float:
    """Return about how wide a letter is, in usual small ones."""
    if letter in "WM@%mw" or ord(letter) > 0x2E80:  # from there on, scripts of square letters
        return 1.7
    return 1.2 if letter.isupper() else 1.0


def _paginate(strips: list[_Strip], max_pages: int) -> tuple[list[list[_Strip]], int]:
    """Return the strips of each page, and how many findings did not fit."""
    pages: list[list[_Strip]] = [[]]
    height = 0.0
    for i, strip in enumerate(strips):
        following = strips[i + 1].height if strip.heading and i + 1 < len(strips) else 0.0
        if pages[-1] and height + strip.height + following > PAGE:  # no heading alone at the foot
            pages.append([])
            height = 0.0
        pages[-1].append(strip)
        height += strip.height
    missing = [strip for page in pages[max_pages:] for strip in page]
    left_out = {id(finding) for strip in missing for finding, _, _ in strip.groups}
    return pages[:max_pages], len(left_out)


def _page(title: str, strips: list[_Strip], split: Split, scale: PixelScale, n_missing: int) -> Figure:
    foot = 0.3 if n_missing else 0.08
    height = 0.4 + sum(strip.height for strip in strips) + foot
    figure = new_figure(height, layout=None)
    figure.text(MARGIN / WIDTH, 1 - 0.12 / height, title, va="top", fontsize=12, fontweight="bold")
    top = 0.4
    for strip in strips:
        _draw_text(figure, strip, top, height)
        left = MARGIN
        for finding, samples, left_out in strip.groups:
            _draw_group(figure, finding, samples, left_out, (left, top, strip.height), height, split, scale)
            left += CELL * len(samples)
        top += strip.height
    if n_missing:
        words = f"{n_missing} more findings are not shown; --json lists them all."
        figure.text(MARGIN / WIDTH, 0.1 / height, words, color=MUTED, fontsize=9)
    return figure


def _draw_text(figure: Figure, strip: _Strip, top: float, height: float) -> None:
    if strip.heading:
        figure.text(
            MARGIN / WIDTH,
            1 - (top + 0.12) / height,
            strip.heading,
            va="top",
            fontsize=10.5,
            fontweight="bold",
        )
        top += 0.32
    for i, line in enumerate(strip.lines):
        y = 1 - (top + 0.16 * i) / height
        ink = MUTED if strip.heading else INK
        figure.text(MARGIN / WIDTH, y, line, va="top", fontsize=8.5, color=ink)


def _draw_group(
    figure: Figure,
    finding: Finding,
    samples: tuple[Sample, ...],
    left_out: int,
    place: tuple[float, float, float],
    height: float,
    split: Split,
    scale: PixelScale,
) -> None:
    """Draw a finding's pictures in a frame whose left, top and height are given in inches."""
    from matplotlib.patches import Rectangle

    left, top, tall = place
    frame = Rectangle(
        ((left + 0.02) / WIDTH, 1 - (top + tall - 0.03) / height),
        (CELL * len(samples) - 0.04) / WIDTH,
        (tall - 0.06) / height,
        transform=figure.transFigure,
        facecolor="none",
        edgecolor=RED if finding.kind == "conflict" else LINE,
        linewidth=1.0,
    )
    figure.add_artist(frame)
    side = CELL - 2 * INSET
    for i, sample in enumerate(samples):
        x = left + CELL * i + INSET
        rect = (x / WIDTH, 1 - (top + INSET + side) / height, side / WIDTH, side / height)
        axes = figure.add_axes(rect, xticks=[], yticks=[], label=str(_caption(sample)[0]))
        axes.spines[:].set(visible=True, color=LINE, linewidth=0.6)  # so that a white picture has an edge
        _draw_sample(axes, sample, split, scale)
        ink = RED if finding.kind == "conflict" else MUTED
        for j, line in enumerate(_caption(sample)):
            y = 1 - (top + INSET + side + 0.05 + LINE_HEIGHT * j) / height
            colour = ink if line == sample.label else MUTED
            figure.text(x / WIDTH, y, line, va="top", fontsize=7.5, color=colour)
    if left_out:
        y = 1 - (top + tall - INSET - LINE_HEIGHT) / height
        figure.text((left + INSET) / WIDTH, y, f"and {left_out} more", va="top", fontsize=7.5, color=MUTED)


def _draw_sample(axes: Axes, sample: Sample, split: Split, scale: PixelScale) -> None:
    if sample.index is None:
        axes.set_facecolor("#EEF1F4")
        axes.text(0.5, 0.5, "cannot\nbe read", ha="center", va="center", color=MUTED, fontsize=9)
        return
    image = (split.train if sample.part == "train" else split.test).X[sample.index]
    pixels: Array = np.rint(scale.apply(image)).astype(np.uint8)
    picture(axes, pixels)
    axes.set_anchor("NW")
