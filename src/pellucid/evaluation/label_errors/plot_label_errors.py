"""The contact sheet of labels that are contradicted."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from pellucid.data.copies.pixels import PixelScale, are_pictures
from pellucid.plotting.grid import Page, Tile
from pellucid.plotting.lines import Line
from pellucid.plotting.style import INK, RED, sentence_figure
from pellucid.plotting.types import Figure
from pellucid.text import one_line, percent, shorten

if TYPE_CHECKING:
    from pellucid.evaluation.label_errors.label_errors import LabelErrors

N_COLUMNS, N_ROWS = 6, 6
LONGEST = 18  # letters of a name under a picture


def label_error_sheets(result: LabelErrors, *, max_pages: int = 10) -> list[Figure]:
    """Draw the samples whose label is contradicted, the clearest first; a sentence where they are no pictures."""
    split = result.split
    if not result.errors or not are_pictures(split.train.X):
        return [sentence_figure(f"{shorten(result.data, 40)}: {result.headline}")]
    scale = PixelScale(split.train.X, split.test.X)
    tiles = []
    for one in result.errors:
        image = (split.train if one.part == "train" else split.test).X[one.index]
        pixels = np.rint(scale.apply(image)).astype(np.uint8)
        below: list[str | Line] = [
            Line(f"label: {shorten(one.given, LONGEST)}", RED, True),
            Line(f"{shorten(one.likely, LONGEST)}, {percent(one.confidence)}", INK),
            shorten(PurePath(one.name).name, LONGEST + 4) if one.name else f"{one.part} {one.index}",
        ]
        tiles.append(Tile(pixels, below))
    on_page = N_COLUMNS * N_ROWS
    starts = range(0, len(tiles), on_page)
    pages = []
    for number, start in enumerate(list(starts)[:max_pages], start=1):
        more = f" ({number} of {len(starts)})" if len(starts) > 1 else ""
        page = Page(f"{one_line(result.data)}: labels that are contradicted{more}")
        page.text("In red the label, below it the class that is more likely, with its probability.")
        for row in range(start, min(start + on_page, len(tiles)), N_COLUMNS):
            page.row(tiles[row : row + N_COLUMNS], n_columns=N_COLUMNS)
        pages.append(page.figure())
    return pages
