"""Pages of captioned pictures: rows of pictures with words above, below and next to them, one row below the other.

Every page that shows pictures (samples of the data, augmentation, mistakes, perturbations, saliency maps,
neighbours, influential samples) is a :class:`Page`. A row knows its height in inches; the page gives each row a
subfigure.

>>> import numpy as np
>>> from pellucid.plotting.grid import Page, Tile
>>> page = Page("Two photos")
>>> page.row([Tile(np.zeros((8, 8, 3), np.uint8), above=["y = 1"]), Tile(np.ones((8, 8)))], n_columns=4)
>>> figure = page.figure()
>>> [len(axes.images) for axes in figure.axes], [text.get_text() for axes in figure.axes for text in axes.texts]
([0, 2], ['Two photos', 'y = 1'])
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pellucid.plotting.lines import LEADING, Line, put, width_of, wrapped
from pellucid.plotting.style import INK, LINE, WIDTH, drawing_axes, look, new_figure, picture
from pellucid.plotting.types import Axes, Figure, SubFigure
from pellucid.types import Array

EDGE = 0.1  # inches, left and right of a page
GAP = 0.08  # between two pictures
BELOW = 0.12  # under each row
BOLD = 9.0  # points of a bold line next to pictures


class Tile(NamedTuple):
    """A picture with its words.

    Attributes
    ----------
    image : Array, shape (h, w) or (h, w, c), or None
        See :func:`pellucid.plotting.style.picture`; None leaves the place empty.
    below, above : sequence of str or Line, optional
        A string is a line in a muted colour.
    frame : str, optional
        The colour of a thick frame; default: a thin grey one.
    """

    image: Array | None
    below: Sequence[str | Line] = ()
    above: Sequence[str | Line] = ()
    frame: str = ""


Placed = list[tuple[Line, float, float]]  # each with where it begins, from the left and from the top
Draw = Callable[[SubFigure, float], None]  # onto a part of the page, and its height in inches


class Page:
    """A page that is filled from top to bottom, then drawn.

    Parameters
    ----------
    title : str, optional
    size : float, optional
        Of its letters.
    """

    def __init__(self, title: str = "", *, size: float = 11) -> None:
        self._bands: list[tuple[float, Draw]] = []
        if title:
            self.text(Line(title, INK, True), size=size, gap=0.08)
        else:
            self.chart(0.06, lambda part, height: None)

    def text(self, line: str | Line, *, size: float = 8.5, gap: float = 0.06) -> None:
        """Add a paragraph as wide as the page."""
        placed = _paragraphs([line], EDGE, WIDTH - 2 * EDGE, size, size)

        def draw(part: SubFigure, height: float) -> None:
            axes = drawing_axes(part, height)
            for written, left, top in placed:
                put(axes, left, top + 0.05, written, size)

        self._bands.append((0.05 + placed[-1][2] + size * LEADING + gap, draw))

    def row(
        self,
        tiles: Sequence[Tile],
        *,
        n_columns: int | None = None,
        name: str = "",
        note: str = "",
        names: float = 0.0,
        heading: str | Line = "",
        words: Sequence[str | Line] = (),
        words_width: float = 0.0,
        most_across: float = 3.8,
        size: float = 7.5,
    ) -> None:
        """Add a row of pictures.

        Parameters
        ----------
        tiles : sequence of Tile
            Not empty.
        n_columns : int, optional
            How many pictures fit side by side; default: as many as there are.
        name, note : str, optional
            Stand to the left of the pictures, in a column ``names`` inches wide.
        heading : str or Line, optional
            Stands over the row.
        words : sequence of str or Line, optional
            Paragraphs to the right of the pictures, in a column ``words_width`` inches wide.
        most_across : float, optional
            Pictures are no wider, in inches.
        size : float, optional
            Of the letters.
        """
        n = n_columns or len(tiles)
        room = WIDTH - 2 * EDGE - names - words_width
        across = min((room - (n - 1) * GAP) / n, most_across)
        shapes = [tile.image.shape for tile in tiles if tile.image is not None]
        down = across * min(max((h / w for h, w, *_ in shapes), default=1.0), 2.0)
        left = EDGE + names
        texts = _paragraphs([Line(name, INK, True), note] if name else [], EDGE, names - 0.1, size)
        right = left + n * (across + GAP) + 0.1
        texts += _paragraphs(words, right, WIDTH - EDGE - right, size)
        head, line = Line(heading, INK, True) if isinstance(heading, str) else heading, size * LEADING
        n_above = max((len(tile.above) for tile in tiles), default=0)
        n_below = max((len(tile.below) for tile in tiles), default=0)
        first = 0.22 if heading else 0.0  # where pictures begin
        first += n_above * line + 0.02 if n_above else 0.0
        lowest = max((top + line for _, _, top in texts), default=0.0) + 0.02
        height = max(first + down + (n_below * line + 0.04 if n_below else 0.0), lowest) + BELOW

        def draw(part: SubFigure, height: float) -> None:
            axes = drawing_axes(part, height)
            if heading:
                put(axes, left if texts else EDGE, 0.0, head, 9.5)
            for text, x, top in texts:
                put(axes, x, top, text, BOLD if text.is_bold else size)
            for i, (image, below, above, frame) in enumerate(tiles):
                x, drawn = left + i * (across + GAP), down
                if image is not None:
                    drawn = image.shape[0] * min(across / image.shape[1], down / image.shape[0])
                    place(axes, image, x, first, across, down, frame)
                for lines, top in ((above, first - 0.02 - len(above) * line), (below, first + drawn + 0.04)):
                    for j, each in enumerate(map(_line, lines)):
                        fitted = each._replace(text=each.fitted(across + GAP / 2, size))
                        put(axes, x, top + j * line, fitted, size)

        self._bands.append((height, draw))

    def grid(self, tiles: Sequence[Tile], n_columns: int, *, heading: str = "", size: float = 7.5) -> None:
        """Add pictures in rows of at most ``n_columns``, as equally filled as they can be: none stands alone."""
        n_rows = -(-len(tiles) // n_columns)
        across = -(-len(tiles) // n_rows) if n_rows > 1 else n_columns
        start = 0
        for row in range(n_rows):
            stop = start + -(-(len(tiles) - start) // (n_rows - row))
            self.row(tiles[start:stop], n_columns=across, heading="" if start else heading, size=size)
            start = stop

    def chart(self, height: float, draw: Draw) -> None:
        """Add a part of this height in inches, drawn by a function of the subfigure and its height."""
        self._bands.append((height, draw))

    def figure(self) -> Figure:
        """Return the page as a figure."""
        heights = [height for height, _ in self._bands]
        with look():
            figure = new_figure(sum(heights), layout=None)
            parts = figure.subfigures(len(heights), 1, height_ratios=heights, hspace=0, squeeze=False)
            for part, (height, draw) in zip(parts[:, 0], self._bands, strict=True):
                draw(part, height)
        return figure


def size_for(lines: Sequence[Line], n_columns: int, *, smallest: float = 6.0, largest: float = 7.5) -> float:
    """Return the size of letters at which all of these lines fit into columns of pictures, the words apart."""
    across = (WIDTH - 2 * EDGE - (n_columns - 1) * GAP) / n_columns
    longest = max(width_of(line.text.replace("{}", line.name), largest, line.is_bold) for line in lines)
    return max(min(largest, largest * (across - GAP) / longest), smallest)


def place(
    axes: Axes, image: Array, left: float, top: float, across: float, down: float, frame: str = ""
) -> None:
    """Draw an image as large as fits into a box, in its top left corner; ``frame`` is the colour of a thick one."""
    from matplotlib.patches import Rectangle

    h, w = image.shape[:2]
    scale = min(across / w, down / h)
    xlim, ylim = axes.get_xlim(), axes.get_ylim()
    picture(axes, image)
    axes.images[-1].set_extent((left, left + scale * w, top + scale * h, top))
    axes.set(xlim=xlim, ylim=ylim)
    color, thickness = (frame, 1.8) if frame else (LINE, 0.8)
    shape = ((left, top), scale * w, scale * h)
    axes.add_patch(Rectangle(*shape, facecolor="none", edgecolor=color, linewidth=thickness))


def _line(line: str | Line) -> Line:
    return line if isinstance(line, Line) else Line(line)


def _paragraphs(
    lines: Sequence[str | Line], left: float, width: float, size: float, bold_size: float = BOLD
) -> Placed:
    """Return paragraphs in lines, each with the place where it begins."""
    placed, top = [], 0.02
    for paragraph in map(_line, lines):
        points = bold_size if paragraph.is_bold else size
        for text in wrapped(paragraph.text, width, points, paragraph.is_bold):
            placed.append((paragraph._replace(text=text), left, top))
            top += points * LEADING
        top += 0.03
    return placed
