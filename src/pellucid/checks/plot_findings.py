"""The pages of a data check: every finding under its heading, copies next to one another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pellucid.checks.findings import Finding, Sample
from pellucid.checks.kinds import KINDS
from pellucid.data.copies.pixels import PixelScale
from pellucid.errors import OptionError
from pellucid.plotting.grid import Page, Tile
from pellucid.plotting.lines import Line
from pellucid.plotting.style import INK, RED, check_images, sentence_figure
from pellucid.text import plural, shorten
from pellucid.types import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pellucid.checks.check import DataReport
    from pellucid.data.dataset import Split

N_COLUMNS = 6
MOST_SHOWN = 12  # pictures of one finding
MOST_TEXTS = 8  # findings of one kind listed as text above their pictures
MOST_ROWS = 7  # of a page: a row of pictures counts as one, a heading or six lines of text as half
_COPIES = ("leak", "conflict", "duplicate", "near_duplicate")  # the pictures show what was found


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
        One per page; where nothing was found, one that says so.

    Raises
    ------
    ShapeError, DataError
        If the samples are not pictures, or there are none.

    Notes
    -----
    The pictures of a finding follow one another, each with part, index and class, and its file if it has one; of
    several findings they have its number. At most twelve pictures of a finding are shown. Findings without
    pictures (on classes, say) are text.

    Examples
    --------
    >>> from pellucid.checks.check import check_data
    >>> from pellucid.data.built_in import load_drawn_cats
    >>> cats = load_drawn_cats()
    >>> cats.test.X[3] = cats.train.X[100]
    >>> (page,) = findings_sheets(check_data(cats))
    >>> sum(len(axes.images) for axes in page.axes)
    2
    """
    split = report.split
    if max_pages < 1:
        raise OptionError(f"findings_sheets: expected max_pages of at least 1, got {max_pages}.")
    if split is None:
        raise OptionError("findings_sheets: expected a report that holds its data, as check_data returns it.")
    for data in (split.train, split.test):
        check_images("findings_sheets", data.X)
    bands = _bands(report, split, PixelScale(split.train.X, split.test.X))
    pages: list[list[_Band]] = [[]]
    for band in bands:
        if pages[-1] and sum(each.height for each in (*pages[-1], band)) > MOST_ROWS:
            pages.append([])
        pages[-1].append(band)
    title = f"{report.name}: what the data check found" if report.name else "What the data check found"
    n_missing = sum(len(band.tiles) for bands in pages[max_pages:] for band in bands)
    figures = []
    for number, bands in enumerate(pages[:max_pages], start=1):
        page = Page(title + (f" ({number} of {len(pages)})" if len(pages) > 1 else ""))
        for band in bands:
            for line in band.lines:
                gap = 0.08 if line is band.lines[-1] else 0.0
                page.text(line, size=10.5 if isinstance(line, Line) and line.is_bold else 8.5, gap=gap)
            if band.tiles:
                page.row(band.tiles, n_columns=N_COLUMNS)
        if n_missing and number == max_pages:
            page.text(f"{n_missing} more pictures are not shown; --json lists all findings.")
        figures.append(page.figure())
    return figures


def findings_figure(report: DataReport) -> Figure:
    """Draw a line for each kind of finding, with the first of each; where nothing was found, a sentence."""
    name = report.name or "The data"
    if not report.findings:
        return sentence_figure(f"{shorten(name, 40)}: nothing odd was found.")
    page = Page(f"{name}: what the data check found")
    for row in report.to_rows():
        title, _, first = report.cells(row)
        page.text(Line(f"{title}: {plural(row['n_findings'], 'finding')}", INK, True), size=10.5, gap=0.0)
        page.text(first)
    return page.figure()


class _Band(NamedTuple):
    """A part of a page that stays in one piece: paragraphs, a row of pictures, or both."""

    lines: Sequence[str | Line]
    tiles: Sequence[Tile]

    @property
    def height(self) -> float:
        """In rows of pictures."""
        return 0.15 * len(self.lines) + 0.25 * bool(self.lines) + bool(self.tiles)


def _bands(report: DataReport, split: Split, scale: PixelScale) -> list[_Band]:
    bands = []
    for kind, (title, why, advice) in KINDS.items():
        if findings := report.of_kind(kind):
            heading = Line(f"{title}: {plural(len(findings), 'finding')}", INK, True)
            numbers = [f"{i}" if len(findings) > 1 else "" for i in range(1, len(findings) + 1)]
            texts = [
                f"{i}. {one.found}" if i else one.found
                for i, one in zip(numbers, findings, strict=True)
                if kind not in _COPIES
            ]
            more = [f"… and {len(texts) - MOST_TEXTS} more"] if len(texts) > MOST_TEXTS else []
            lines: list[str | Line] = [
                heading,
                f"{why} {advice}",
                *(Line(text, INK) for text in texts[:MOST_TEXTS]),
                *more,
            ]
            rows = _rows([_tiles(*one, split, scale) for one in zip(findings, numbers, strict=True)])
            bands += [_Band([] if i else lines, row) for i, row in enumerate(rows or [[]])]
    return bands or [_Band(["Nothing odd was found."], [])]


def _rows(groups: list[list[Tile]]) -> list[list[Tile]]:
    """Return rows of pictures; a group is split only if it is wider than a row."""
    rows: list[list[Tile]] = []
    for group in groups:
        for start in range(0, len(group), N_COLUMNS):
            piece = group[start : start + N_COLUMNS]
            if not rows or len(rows[-1]) + len(piece) > N_COLUMNS:
                rows.append([])
            rows[-1] += piece
    return rows


def _tiles(finding: Finding, number: str, split: Split, scale: PixelScale) -> list[Tile]:
    """Return the pictures of a finding, all with its number; none of files that cannot be read."""
    ink = RED if finding.kind == "conflict" else INK
    shown = [sample for sample in finding.samples if sample.index is not None][:MOST_SHOWN]
    tiles = []
    for i, sample in enumerate(shown):
        n_more = finding.n_samples - len(shown) if i == len(shown) - 1 else 0
        how = finding.how if i == 1 and finding.how not in ("exact", "near") else ""
        more = f"and {n_more} more" if n_more else ""
        words = ", ".join(word for word in (number, how, more) if word)
        tiles.append(Tile(_picture(sample, split, scale), _caption(sample, ink), [Line(words, ink, True)]))
    return tiles


def _picture(sample: Sample, split: Split, scale: PixelScale) -> Array:
    image = (split.train if sample.part == "train" else split.test).X[sample.index]
    return np.rint(scale.apply(image)).astype(np.uint8)


def _caption(sample: Sample, ink: str) -> list[str | Line]:
    """Return the lines under a picture: where it is, its class, and its file."""
    place = f"{sample.part} {sample.index}"
    lines: list[str | Line] = [place, Line(sample.label, ink), PurePath(sample.name).name]
    return [line for line in lines if line not in ("", Line("", ink))]
