"""A report while it is written: its figures, each drawn once, and the photos of its sheet, each embedded once."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from pellucid.data.dataset import Split
from pellucid.plotting.saving import DPI, save_figure
from pellucid.plotting.style import class_name
from pellucid.plotting.types import Figure
from pellucid.reporting.elements import Captioned, Card, Photo
from pellucid.reporting.sprites import PhotoSheet, photo_sheet
from pellucid.text import placed, shorten

DENSE = 100  # dots an inch of figures that are full of photos: as many as the page shows
LONGEST_NAME = 28  # of a file, below its picture


class Draft:
    """Where a report's figures and photos are collected.

    Parameters
    ----------
    folder : Path
        Figures go into its folder ``figures``.
    split : Split
        Whose photos are shown.
    """

    def __init__(self, folder: Path, split: Split) -> None:
        self.folder, self.has_photos = folder, split.train.has_pictures
        self.data = {"training": split.train, "test": split.test}
        self._numbers: dict[tuple[str, int], int] = {}

    def add(
        self,
        name: str,
        figure: Figure,
        caption: str,
        alt: str,
        *,
        dpi: float = DPI,
    ) -> Captioned:
        """Write figures/NAME.png and return the same picture for the page.

        ``dpi``: fewer dots an inch make a figure full of photos smaller.
        """
        png = save_figure(figure, self.folder / "figures" / f"{name}.png", dpi=dpi)
        return Captioned(png, caption=caption, alt=alt)

    def photo(self, part: str, i: int, words: str = "") -> Photo:
        """Return a place on the sheet for sample i of the "training" or the "test" part."""
        i = int(i)
        data = self.data[part]
        at = self._numbers.setdefault((part, i), len(self._numbers))
        name = f", {class_name(data.classes, int(data.y[i]), 40)}" if data.classes else ""
        return Photo(at, f"{placed(f'{part} {data.noun} {i}', data.file(i))}{name}{words}")

    def file(self, part: str, i: int) -> tuple[str, ...]:
        """Return a line with the name of a sample's file, without its folders; no line where it is no file."""
        name = self.data[part].file(int(i))
        return (shorten(PurePosixPath(name).name, LONGEST_NAME),) if name else ()

    def card(
        self,
        part: str,
        i: int,
        *words: str,
        last: str = "",
        is_right: bool | None = None,
        near: Sequence[Any] = (),
    ) -> Card:
        """Return sample i of a part, "training" or "test", with its words, its file and its number."""
        part = {"train": "training"}.get(part, part)
        return Card(self.photo(part, i), (*words, *self.file(part, i), last or f"{part} {i}"), is_right, near)

    def sheet(self) -> PhotoSheet | None:
        """Return the sheet of all photos asked for so far."""
        if not self._numbers:
            return None
        return photo_sheet(np.stack([self.data[part].X[i] for part, i in self._numbers]))
