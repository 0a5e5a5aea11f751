"""The report of a run: one HTML file with its figures inside, to be read offline, on a phone or on paper.

A report is first put together as plain records, then written:

>>> import numpy as np, tempfile, pathlib
>>> from pellucid.reporting.elements import Captioned, Fact, ReportContent, Section, Table
>>> from pellucid.plotting.training import cost_curve
>>> from pellucid.plotting.saving import save_figure
>>> scratch = tempfile.TemporaryDirectory()
>>> folder = pathlib.Path(scratch.name)
>>> curve = cost_curve([0, 100, 200], [0.77, 0.67, 0.64])
>>> png = save_figure(curve, folder / "figures" / "cost.png")       # drawn once: the bytes serve the report too
>>> content = ReportContent(
...     title="Cats or not",
...     summary=("The model tells cats from other things in 40 of 50 new photos.",),
...     facts=(Fact("Test accuracy", "80 %"), Fact("Parameters", 245_973, "numbers it learned")),
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

import io
import re
from pathlib import Path

import numpy as np

from pellucid.files import write_atomically
from pellucid.formats.templates import template
from pellucid.plotting.saving import data_uri, smaller
from pellucid.reporting.elements import Cell, ReportContent
from pellucid.text import capitalized, percent, unbroken

CSS_DPI = 100  # a figure of 8 inches is shown 800 pixels wide
LARGE = 60_000  # bytes, from which a figure's PNG file is made smaller for the page
WEBP_QUALITY = 80
_NEGATIVE = re.compile(r"(?<![\w.,-])-(?=\.?\d)")
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")  # of "non-cat", where no line is to break


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
    from pellucid.version import __version__

    words = {"picture": _picture, "cell": _cell, "percent": percent, "text": _text, "heading": _heading}
    page = template("pellucid.reporting", "report.html.jinja", autoescape=True, **words)
    write_atomically(path, page.render(report=content, version=__version__, sheet=content.sheet))
    return Path(path)


def _picture(png: bytes) -> tuple[str, int, int]:
    """Return an address that holds a figure, and its width and height in CSS pixels.

    It holds the PNG file, or where that is large, a WebP file of the same look.
    """
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:  # reads the header only
        shown = CSS_DPI / image.info["dpi"][0]
        width, height = round(image.width * shown), round(image.height * shown)
    return data_uri(*smaller(png, LARGE, quality=WEBP_QUALITY, method=2)), width, height


def _cell(value: Cell) -> str:
    """Return a value as text: 0.123 and 245,973; strings with the proper minus sign before their numbers."""
    if isinstance(value, str):
        return _NEGATIVE.sub("\N{MINUS SIGN}", value)
    is_whole = isinstance(value, int | np.integer)
    return (f"{value:,}" if is_whole else f"{value:.4g}").replace("-", "\N{MINUS SIGN}")


def _heading(name: str) -> str:
    """Return the heading of a column with a capital; a symbol such as p stays."""
    return name if len(name) == 1 else capitalized(name)


def _text(words: str) -> str:
    """Return a text whose numbers stay by their units, and hyphened words whole; `commands` are set apart.

    Examples
    --------
    >>> str(_text("Over 9 % of `a < b` & more."))
    'Over 9\\xa0% of <code>a &lt; b</code> &amp; more.'
    """
    from markupsafe import Markup, escape

    parts = unbroken(words).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts)
    code = Markup("<code>{}</code>")
    return Markup("").join(
        code.format(part) if i % 2 else escape(_HYPHEN.sub("-\N{WORD JOINER}", part))
        for i, part in enumerate(parts)
    )
