"""A report while it is being written: what its parts are made from, and what they leave behind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pellucid.evaluation.scores.of_run import RunResult
from pellucid.plotting.saving import DPI, save_figure
from pellucid.report.parts import Captioned, Section
from pellucid.report.sections.photos import PhotoShelf

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DENSE = 100  # dots an inch of figures that are full of photos: as many as the page shows
NARROW = 6.0  # inches: a chart of that width can still be read on a phone


class Figures:
    """Draws each figure once, for its file and for the report."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(
        self,
        name: str,
        figure: "Figure",
        caption: str,
        alt: str,
        *,
        is_chart: bool = False,
        dpi: float = DPI,
    ) -> Captioned:
        """Write figures/NAME.png and return the same picture for the page.

        A chart, whose parts find their places by themselves, is drawn narrower, so that its words stay readable
        where a phone makes it smaller. ``dpi``: fewer dots an inch make a figure full of photos smaller.
        """
        if is_chart:
            width, height = figure.get_size_inches()
            figure.set_size_inches(min(width, NARROW), height * min(1.0, (NARROW / width) ** 0.5))
        png = save_figure(figure, self.folder / "figures" / f"{name}.png", dpi=dpi)
        return Captioned(png, caption=caption, alt=alt)

    def keep(self, name: str, figure: "Figure") -> None:
        """Write figures/NAME.png only: the page shows the same in another way."""
        save_figure(figure, self.folder / "figures" / f"{name}.png")


@dataclass(eq=False)
class Draft:
    """What the parts of a report are made from.

    Attributes
    ----------
    result : RunResult
    figures : Figures
    shelf : PhotoShelf or None
        Where photos are collected; None where the data are none.
    n_photos : int
        How many test photos are explained one by one, in the full report.
    run : Path or None
        The run folder, where it is there already: checkpoints may lie in it.
    told : list of str
        What parts add to the summary.
    """

    result: RunResult
    figures: Figures
    shelf: PhotoShelf | None
    n_photos: int = 10
    run: Path | None = None
    told: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, result: RunResult, folder: Path, n_photos: int = 10, run: Path | None = None) -> "Draft":
        """Return an empty draft whose figures go into that folder."""
        shelf = PhotoShelf(result.split.train, result.split.test) if result.has_photos else None
        return cls(result, Figures(folder), shelf, n_photos, run)


class Part(NamedTuple):
    """One part of a report: what it is called while it is made, and what makes it (None: nothing to say here)."""

    title: str
    make: Callable[[Draft], Section | None]


Parts = Sequence[Part]
