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
    The pictures of a finding have its number and follow one another, each with part, index and class, and its file
    if it has one. At most twelve pictures of a finding are shown. Findings without
    pictures (on classes, say) are text.

    Examples
    --------
    >>> from pellucid.checks.check import check_data
    >>> from pellucid.data.drawn import load_drawn_cats
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
    pages = _Pages(
        f"{report.name}: what the data check found" if report.name else "What the data check found"
    )
    scale = PixelScale(split.train.X, split.test.X)
    for kind, (title, why, advice) in KINDS.items():
        findings = report.of_kind(kind)
        if findings:
            pages.text(Line(f"{title}: {plural(len(findings), 'finding')}", INK, True), f"{why} {advice}")
            texts = [] if kind in _COPIES else [finding.found for finding in findings]
            more = [f"… and {len(texts) - MOST_TEXTS} more"] if len(texts) > MOST_TEXTS else []
            pages.text(*(Line(text, INK) for text in texts[:MOST_TEXTS]), *more)
            for row in _rows(
                [_tiles(finding, i, split, scale) for i, finding in enumerate(findings, start=1)]
            ):
                pages.row(row)
    if not report.findings:
        pages.text("Nothing odd was found.")
    return pages.figures(max_pages)


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
    """A part of a page: paragraphs, or a row of pictures."""

    height: float  # in rows of pictures
    lines: Sequence[str | Line] = ()
    tiles: Sequence[Tile] = ()


class _Pages:
    """Pages that are filled in order."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.bands: list[_Band] = []

    def text(self, *lines: str | Line) -> None:
        """Add paragraphs."""
        if lines:
            self.bands.append(_Band(0.25 + 0.15 * len(lines), lines))

    def row(self, tiles: list[Tile]) -> None:
        """Add a row of pictures."""
        self.bands.append(_Band(1.0, tiles=tiles))

    def figures(self, most: int) -> list[Figure]:
        """Return the pages as figures; no heading is left alone at the bottom of one."""
        pages: list[list[_Band]] = [[]]
        used = 0.0
        for i, band in enumerate(self.bands):
            following = self.bands[i + 1].height if band.lines and i + 1 < len(self.bands) else 0.0
            if pages[-1] and used + band.height + following > MOST_ROWS:
                pages.append([])
                used = 0.0
            pages[-1].append(band)
            used += band.height
        n_missing = sum(len(band.tiles) for page in pages[most:] for band in page)
        figures = []
        for number, bands in enumerate(pages[:most], start=1):
            page = Page(self.title + (f" ({number} of {len(pages)})" if len(pages) > 1 else ""))
            for band in bands:
                for line in band.lines:
                    page.text(line, size=10.5 if isinstance(line, Line) and line.is_bold else 8.5, gap=0.0)
                if band.tiles:
                    page.row(band.tiles, n_columns=N_COLUMNS)
            if n_missing and number == most:
                page.text(f"{n_missing} more pictures are not shown; --json lists all findings.")
            figures.append(page.figure())
        return figures


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


def _tiles(finding: Finding, number: int, split: Split, scale: PixelScale) -> list[Tile]:
    """Return the pictures of a finding, all with its number."""
    ink = RED if finding.kind == "conflict" else INK
    shown = finding.samples[:MOST_SHOWN]
    tiles = []
    for i, sample in enumerate(shown):
        n_more = finding.n_samples - len(shown) if i == len(shown) - 1 else 0
        above = Line(f"{number}, and {n_more} more" if n_more else str(number), ink, True)
        tiles.append(Tile(_picture(sample, split, scale), _caption(sample, ink), [above]))
    return tiles


def _picture(sample: Sample, split: Split, scale: PixelScale) -> Array | None:
    if sample.index is None:
        return None
    image = (split.train if sample.part == "train" else split.test).X[sample.index]
    pixels: Array = np.rint(scale.apply(image)).astype(np.uint8)
    return pixels


def _caption(sample: Sample, ink: str) -> list[str | Line]:
    """Return the lines under a picture: where it is, its class, and its file."""
    place = sample.part if sample.index is None else f"{sample.part} {sample.index}"
    lines: list[str | Line] = [place, Line(sample.label, ink), PurePath(sample.name).name]
    if sample.index is None:
        lines.append("cannot be read")
    return [line for line in lines if line not in ("", Line("", ink))]
