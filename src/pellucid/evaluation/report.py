"""The report of a run: one HTML file with its figures inside, to be read offline, on a phone or on paper.

A report is first put together as plain records, then written:

>>> import numpy as np, tempfile, pathlib
>>> from pellucid.evaluation.figures import cost_curve
>>> scratch = tempfile.TemporaryDirectory()
>>> folder = pathlib.Path(scratch.name)
>>> curve = cost_curve([0, 100, 200], [0.77, 0.67, 0.64])
>>> png = save_figure(curve, folder / "figures" / "cost.png")       # drawn once: the bytes serve the report too
>>> content = ReportContent(
...     title="Cats or not",
...     summary=("The model tells cats from other things in 40 of 50 new photos.",),
...     facts=(("Test accuracy", "80 %"), ("Parameters", 245_973)),
...     sections=(
...         Section(
...             "How training went",
...             intro=("The cost says how wrong the model is on the training photos.",),
...             figures=(Captioned(png, caption="Lower is better.", alt="The cost falls from 0.77 to 0.64."),),
...             table=Table(("Iteration", "Cost"), ((0, 0.77), (100, 0.67), (200, 0.64))),
...         ),
...     ),
... )
>>> write_report(content, folder / "report.html").name
'report.html'
>>> scratch.cleanup()
"""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pellucid.errors import OptionError
from pellucid.evaluation.style import look
from pellucid.files import write_atomically

if TYPE_CHECKING:
    from jinja2 import Environment
    from matplotlib.figure import Figure

DPI = 150  # sharp on a screen of two pixels a point, and on paper
CSS_DPI = 100  # a figure of 8 inches is shown 800 pixels wide
MOST_PIXELS = 60_000  # a side; matplotlib and browsers end at 65,535

Cell = str | int | float


@dataclass(frozen=True, eq=False)
class Captioned:
    """A figure with its words.

    Attributes
    ----------
    figure : matplotlib.figure.Figure or bytes
        Bytes are a PNG file, as :func:`save_figure` returns.
    caption : str
        How to read it.
    alt : str
        What it shows, for those who cannot see it.
    """

    figure: Figure | bytes
    caption: str
    alt: str

    def __post_init__(self) -> None:
        for name in ("caption", "alt"):
            if not getattr(self, name).strip():
                raise OptionError(
                    f"Captioned: expected words for {name}, got nothing. Say what one sees in it."
                )
        if isinstance(self.figure, bytes) and not self.figure.startswith(b"\x89PNG\r\n\x1a\n"):
            raise OptionError(
                f"Captioned: expected a matplotlib Figure or the bytes of a PNG file, got bytes that begin with "
                f"{self.figure[:8]!r}. Try what save_figure returns."
            )


@dataclass(frozen=True)
class Table:
    """A table: the names of its columns, and rows of strings and numbers."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def __post_init__(self) -> None:
        for i, row in enumerate(self.rows):
            if len(row) != len(self.header):
                raise OptionError(
                    f"Table: expected {len(self.header)} cells in each row, as in the header, got {len(row)} "
                    f"in row {i}. Use an empty string where there is nothing to say."
                )

    def is_number(self, column: int) -> bool:
        """Whether every cell of that column is a number (such columns are set to the right)."""
        return all(not isinstance(row[column], str) for row in self.rows) and bool(self.rows)


@dataclass(frozen=True, eq=False)
class Section:
    """One part of a report: paragraphs, then figures, then a table."""

    title: str
    intro: Sequence[str] = ()
    figures: Sequence[Captioned] = ()
    table: Table | None = None


@dataclass(frozen=True, eq=False)
class ReportContent:
    """What a report says, in order.

    Attributes
    ----------
    title : str
    summary : sequence of str
        Paragraphs in plain language, for somebody who reads nothing else.
    facts : sequence of (label, value)
    sections : sequence of Section
    closing : str
        A last line.
    """

    title: str
    summary: Sequence[str] = ()
    facts: Sequence[tuple[str, Cell]] = ()
    sections: Sequence[Section] = ()
    closing: str = ""

    def __post_init__(self) -> None:
        loose = [self.summary, *(section.intro for section in self.sections)]
        if any(isinstance(paragraphs, str) for paragraphs in loose):
            raise OptionError("ReportContent: expected lists of paragraphs, got one string. Try (text,).")


def write_report(content: ReportContent, path: str | Path) -> Path:
    """Write a report as one HTML file that loads nothing from elsewhere and runs no script.

    Parameters
    ----------
    content : ReportContent
        All its words are text, never markup: a class called ``<script>`` is shown as that.
    path : str or Path
        Missing folders are made; an existing file is replaced once the new one is complete.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If the file cannot be written.

    Examples
    --------
    See the top of this module.
    """
    from pellucid import __version__

    page = _environment().get_template("report.html.jinja").render(report=content, version=__version__)
    write_atomically(path, page)
    return Path(path)


def save_figure(figure: Figure, path: str | Path, *, dpi: float = DPI) -> bytes:
    """Write a figure as a PNG file and return its bytes, so that it need not be drawn again.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or Path
        Missing folders are made; an existing file is replaced once the new one is complete.
    dpi : float, optional
        Pixels an inch; lowered for a figure that would pass 60,000 pixels.

    Returns
    -------
    bytes

    Raises
    ------
    OutputError
        If the file cannot be written.

    Examples
    --------
    See the top of this module.
    """
    png = figure_png(figure, dpi=dpi)
    write_atomically(path, png)
    return png


def figure_png(figure: Figure, *, dpi: float = DPI) -> bytes:
    """Return a figure as the bytes of a PNG file, the same bytes for the same figure.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure_png(Figure(figsize=(1, 1)))[1:4]
    b'PNG'
    """
    buffer = io.BytesIO()
    with look(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a box stands for that letter
        fits = min(dpi, MOST_PIXELS / max(figure.get_size_inches()))
        figure.savefig(buffer, format="png", dpi=fits, metadata={"Software": None})
    return buffer.getvalue()


class _Png(NamedTuple):
    base64: str
    width: int  # as shown, in CSS pixels
    height: int


def _png(figure: Figure | bytes) -> _Png:
    from PIL import Image

    data = figure if isinstance(figure, bytes) else figure_png(figure)
    with Image.open(io.BytesIO(data)) as image:  # reads the header only
        shown = CSS_DPI / image.info.get("dpi", (CSS_DPI,))[0]
        return _Png(base64.b64encode(data).decode(), round(image.width * shown), round(image.height * shown))


def _cell(value: Cell) -> str:
    """Return a table's cell as text: 0.1230 and 245,973, so that digits stand below digits; strings as they are."""
    if isinstance(value, bool | str) or hasattr(value, "bit_count"):  # which Python's and NumPy's ints have
        return _fact(value)
    return f"{value:#.4g}".removesuffix(".")


def _fact(value: Cell) -> str:
    """Return a single value as text: 0.123 and 245,973, and strings as they are."""
    if isinstance(value, bool | str):
        return str(value)
    return f"{value:,}" if hasattr(value, "bit_count") else f"{value:.4g}"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("pellucid.evaluation", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(png=_png, cell=_cell, fact=_fact)
    return environment
