"""Lines of words on a page of pictures: measured in inches, broken, or shortened until they fit."""

import re
from bisect import bisect_right
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from pellucid.plotting.style import MUTED
from pellucid.plotting.types import Axes
from pellucid.process_state import warnings_ignored
from pellucid.text import shorten

LEADING = 1.35 / 72  # inches from a line to the next, a point of font size
NARROWEST = 0.25  # of a letter's width to the font size


class Line(NamedTuple):
    """A line of words.

    Attributes
    ----------
    text : str
        Shortened at its end where it is wider than its picture.
    color : str, optional
    is_bold : bool, optional
    name : str, optional
        Stands in place of ``{}`` in the text, and is what is shortened.
    """

    text: str
    color: str = MUTED
    is_bold: bool = False
    name: str = ""

    def fitted(self, width: float, size: float) -> str:
        """Return the words, shortened to a width in inches."""
        text, name = (self.text, self.name) if self.name else ("{}", self.text)
        return _fitted(text, name.replace("\n", " "), width, size, is_bold=self.is_bold)


def put(axes: Axes, left: float, top: float, line: Line, size: float) -> None:
    """Write a line whose top left corner lies there."""
    weight = "bold" if line.is_bold else "normal"
    axes.text(left, top, line.text, va="top", fontsize=size, color=line.color, fontweight=weight)


def wrapped(text: str, width: float, size: float, is_bold: bool = False) -> list[str]:
    """Return a text in lines of at most that width in inches, no percent sign apart from its number.

    Examples
    --------
    >>> wrapped("the network gave 50 %", 1.0, 9)
    ['the network', 'gave 50 %']
    """
    lines: list[str] = []
    for paragraph in text.splitlines():
        words = re.sub(r" (?=%)", "\N{NO-BREAK SPACE}", paragraph).split(" ")
        most = int(width * 72 / size / NARROWEST)  # letters of a line
        while words:
            rest = range(2, bisect_right(list(accumulate(len(word) + 1 for word in words)), most) + 2)
            n = bisect_right(rest, width, key=lambda n: width_of(" ".join(words[:n]), size, is_bold))
            lines.append(" ".join(words[: n + 1]))
            del words[: n + 1]
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


@cache
def width_of(text: str, size: float, is_bold: bool = False) -> float:
    """Return how many inches wide a line is in our font.

    Examples
    --------
    >>> width_of("ii", 8) < width_of("WW", 8) < width_of("WW", 8, True)
    True
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font = FontProperties(family="DejaVu Sans", weight="bold" if is_bold else "normal", size=size)
    with warnings_ignored("Glyph .* missing from"):  # a box stands for that letter
        points = TextToPath().get_text_width_height_descent(text, font, ismath=False)[0]
    return float(points) / 72


@cache
def _fitted(text: str, name: str, width: float, size: float, *, is_bold: bool) -> str:
    whole = text.replace("{}", name)
    if width_of(whole, size, is_bold) <= width or len(name) < 2:
        return whole
    rest = range(2, len(name))  # letters of the name that may fit; one always stays
    n = 1 + bisect_right(
        rest, width, key=lambda n: width_of(text.replace("{}", shorten(name, n)), size, is_bold)
    )
    short = text.replace("{}", shorten(name, n))
    if text != "{}" and width_of(short, size, is_bold) > width:  # no letter of the name has room
        return _fitted("{}", short, width, size, is_bold=is_bold)
    return short
