"""What tests of figures share: the pictures and the words on a page, and whether all of it can be read."""

import itertools
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from pellucid.plotting import style


def shown(figure: Figure) -> list[np.ndarray]:
    """Return the pixels of every picture, in the order of the page."""
    return [np.asarray(image.get_array()) for axes in figure.axes for image in axes.images]


def words(figure: Figure) -> list[str]:
    """Return every text of a page of pictures, in its order."""
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def page_text(figure: Figure) -> str:
    """Return all words of a page in one line."""
    return " ".join(" ".join(words(figure)).replace("\N{NO-BREAK SPACE}", " ").split())


def frames(axes: Axes, color: str) -> int:
    """Return how many pictures have a frame of that colour."""
    from matplotlib.colors import to_rgba

    return sum(patch.get_edgecolor() == to_rgba(color) for patch in axes.patches)


def assert_readable(figure: Figure) -> None:
    """Check that no text leaves the figure, and that no two texts and no text and picture overlap."""
    drawn: list[Text] = []
    draw = Text.draw

    def note(text: Text, renderer: Any) -> None:
        drawn.append(text)
        draw(text, renderer)

    with style.look(), pytest.MonkeyPatch.context() as patch:
        FigureCanvasAgg(figure)
        figure.set_dpi(100)
        figure.canvas.draw()  # settles the layout
        patch.setattr(Text, "draw", note)
        figure.canvas.draw()
        boxes = [(text, text.get_window_extent()) for text in drawn if text.get_text().strip()]
        pictures = [
            (image, image.get_window_extent())
            for axes in figure.axes
            if not axes.axison
            for image in axes.images
        ]
    page = figure.bbox
    assert len(boxes) > 1
    for item, box in (*boxes, *pictures):
        assert min(box.x0, box.y0, page.x1 - box.x1, page.y1 - box.y1) >= -1, item
    for (a, first), (b, second) in itertools.chain(
        itertools.combinations(boxes, 2), itertools.product(boxes, pictures)
    ):
        if a.get_rotation() % 90 or (isinstance(b, Text) and b.get_rotation() % 90):
            continue  # the box around a slanted name overlaps others where the name does not
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        down = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert across < 1.5 or down < 1.5, (a, b)
