"""A photo from outside the data: as it was given, what the network sees of it, and the prediction."""

from pellucid.plotting.grid import Page, Tile
from pellucid.plotting.lines import Line
from pellucid.plotting.style import INK, MUTED, class_name, reduced
from pellucid.plotting.types import Figure
from pellucid.shares import chance
from pellucid.text import by
from pellucid.types import Array

MOST_PIXELS = 1200  # a side that are drawn


def new_photo(
    original: Array,
    seen: Array,
    *,
    label: str,
    probability: float,
    y: float | None = None,
    noun: str = "photo",
) -> Figure:
    """Draw a photo as it was given next to what the network sees of it, with the prediction.

    Parameters
    ----------
    original : Array, shape (h, w, c) or (h, w)
        Very large photos are drawn reduced.
    seen : Array, shape (64, 64, 3) or what else the network takes
    label : str
        The name of the predicted class.
    probability : float
        Of that class, from 0 to 1.
    y : float, optional
        The predicted label; the title is then the tutorial's: ``y = 1.0, your L-layer model ...``.
    noun : str, optional
        What it is called.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> photo = np.zeros((300, 400, 3), np.uint8)
    >>> new_photo(photo, photo[:64, :64], label="cat", probability=0.97, y=1).axes[0].texts[0].get_text()
    'y = 1.0, your L-layer model predicts a "cat" picture.'
    """
    name = class_name((label,), 0, 30)
    title = f'The network predicts "{name}".'
    if y is not None:
        title = f'y = {float(y)}, your L-layer model predicts a "{name}" picture.'
    page = Page(title, size=12)
    page.text(f'Probability of "{name}": {chance(probability)}', size=10, gap=0.12)
    page.row(photo_and_input(original, seen, INK, noun=noun), size=10)
    return page.figure()


def photo_and_input(original: Array, seen: Array, color: str = MUTED, *, noun: str = "photo") -> list[Tile]:
    """Return a photo as it was given, reduced where it is very large, and what a network sees of it."""
    size = by(original.shape[1::-1])
    return [
        Tile(reduced(original, MOST_PIXELS), [Line(f"The {noun} as given: {size} pixels", color)]),
        Tile(seen, [Line(f"What the network sees: {by(seen.shape)}", color)]),
    ]
