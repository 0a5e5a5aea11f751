"""The look that every figure shares: colours, sizes, and how a picture or a name is put on one.

Figures are made with matplotlib's object API: no pyplot, no window, and no setting of the caller's is changed.
matplotlib is imported when the first figure is made, not before. Sizes are in inches; a report shows an inch as
100 pixels, so that a figure 8 inches wide is 800 pixels wide.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import numpy as np

from pellucid.errors import DataError, ShapeError
from pellucid.plotting.types import Axes, Figure, SubFigure
from pellucid.text import shorten
from pellucid.types import Array, is_image_shape

# Okabe and Ito (2008): distinct under every common colour blindness, and by lightness in grey print.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#C8281E", "#8E5A8A"
INK, MUTED, LINE, PAPER = "#1F2933", "#5B6770", "#D5DBE1", "#FFFFFF"
WIDTH = 8.0  # inches

LOOK: Any = {  # Any: matplotlib types each setting's name
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same figure on every machine
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,  # a class may be called "$5"
    "text.hinting": "none",  # a line is as wide at every resolution
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "figure.constrained_layout.w_pad": 0.1,
    "figure.constrained_layout.h_pad": 0.1,
    "image.interpolation": "nearest",  # a pixel is a square
    "figure.facecolor": PAPER,
}

_ONE_AT_A_TIME = threading.RLock()  # two threads inside rc_context could restore each other's settings
_IS_ON: ContextVar[bool] = ContextVar("is the look on", default=False)


@contextmanager
def look() -> Iterator[None]:
    """Draw in the shared look within the block; afterwards matplotlib's settings are as they were.

    Examples
    --------
    >>> import matplotlib
    >>> before = matplotlib.rcParams["image.interpolation"]
    >>> with look():
    ...     matplotlib.rcParams["image.interpolation"]
    'nearest'
    >>> matplotlib.rcParams["image.interpolation"] == before
    True
    """
    import matplotlib

    if _IS_ON.get():
        yield
        return
    with _ONE_AT_A_TIME, matplotlib.rc_context():
        matplotlib.rcdefaults()  # so that the user's own style (dark, TeX) does not mix with ours
        matplotlib.rcParams.update(LOOK)
        token = _IS_ON.set(True)
        try:
            yield
        finally:
            _IS_ON.reset(token)


_MAKER: ContextVar[Callable[..., Any] | None] = ContextVar("what makes figures", default=None)


def new_figure(height: float, width: float = WIDTH, *, layout: Any = "constrained") -> Figure:
    """Return an empty figure of that size in inches; ``layout=None`` leaves placing to the caller."""
    from pellucid.plotting.figure import LookFigure  # loads matplotlib

    make = _MAKER.get() or LookFigure
    return cast("Figure", make(figsize=(width, height), layout=layout))


@contextmanager
def figures_made_by(make: Callable[..., Any]) -> Iterator[None]:
    """Let ``make(figsize=, layout=)`` make the figures within the block."""
    token = _MAKER.set(make)
    try:
        yield
    finally:
        _MAKER.reset(token)


def drawing_axes(figure: Figure | SubFigure, height: float, width: float = WIDTH) -> Axes:
    """Return axes that cover a figure or a part of one, without ticks, measured in inches from the top left."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, width), ylim=(height, 0))
    return axes


def rounded_box(axes: Axes, left: float, top: float, width: float, height: float, color: str) -> None:
    """Draw a box with round corners, pale inside."""
    from matplotlib.patches import FancyBboxPatch

    style: Any = {"boxstyle": "round,pad=0,rounding_size=0.08", "facecolor": (color, 0.13), "lw": 1.2}
    axes.add_patch(FancyBboxPatch((left, top), width, height, edgecolor=color, **style))


def arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], *, color: str = MUTED, style: str = "-"
) -> None:
    """Draw an arrow that touches both places."""
    head = {"arrowstyle": "-|>", "color": color, "linestyle": style, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=head)


def whole_numbers(**options: Any) -> Any:
    """Return what places the ticks of an axis of counts: at whole numbers, 1, 2, 5, 10 ... apart."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10], **options)


def legend_above(axes: Axes, n_columns: int = 2) -> None:
    """Put the legend over the axes, where no line or bar can run into it."""
    place: Any = {"loc": "lower left", "bbox_to_anchor": (0, 1.01), "borderaxespad": 0}
    axes.legend(ncols=n_columns, columnspacing=1.6, **place)


def sentence_figure(words: str) -> Figure:
    """Return a figure that holds a sentence, where there is nothing to draw."""
    with look():
        figure = new_figure(1.2, layout=None)
        figure.text(0.5, 0.5, words, ha="center", va="center", fontsize=12)
    return figure


def check_images(where: str, X: Array) -> Array:
    """Return X of shape (m, h, w) or (m, h, w, c) as it is; anything else is an error."""
    if not is_image_shape(X.shape[1:]):
        raise ShapeError(
            f"{where}: expected images of shape (m, height, width, channels) with 1, 3 or 4 channels, "
            f"got {X.shape}. Only pictures can be drawn; if they were flattened, pass them before that."
        )
    if not len(X):
        raise DataError(f"{where}: expected at least one image, got none. Is this part of the data empty?")
    return X


def picture(axes: Axes, image: Array) -> None:
    """Draw one image of shape (h, w) or (h, w, c): uint8, booleans, or floats from 0 to 1 (cut off beyond)."""
    pixels = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    is_float = np.issubdtype(pixels.dtype, np.floating)
    if is_float:
        pixels = np.clip(np.nan_to_num(pixels), 0, 1)
    elif pixels.dtype != np.uint8:
        pixels = np.clip(pixels * 255 if pixels.dtype == bool else pixels, 0, 255).astype(np.uint8)
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=1 if is_float else 255)


def reduced(image: Array, longest: int) -> Array:
    """Return an image, averaged down by a whole number where it is much larger than a figure shows.

    Parameters
    ----------
    image : Array, shape (h, w, c) or (h, w)
        Other than uint8 stays as it is.
    longest : int
        Pixels of the longer side that a figure shows; the result has fewer than twice as many.
    """
    factor = max(image.shape[:2]) // longest
    if factor < 2 or image.dtype != np.uint8:
        return image
    from PIL import Image

    flat = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    return np.asarray(Image.fromarray(np.ascontiguousarray(flat)).reduce(factor))


def class_name(classes: Sequence[str], index: int, longest: int = 24) -> str:
    """Return the name of a class for a figure: on one line, shortened, or its number where it has no name.

    Examples
    --------
    >>> class_name(("non-cat", "cat"), 1), class_name((), 7), class_name(("a very long name",), 0, longest=8)
    ('cat', '7', 'a very …')
    """
    return shorten(classes[index], longest) if index < len(classes) else str(index)


def class_names(classes: Sequence[str], indices: Iterable[int], longest: int = 24) -> list[str]:
    """Return names as ``class_name`` does; of long ones that begin alike, the part in which they differ.

    Examples
    --------
    >>> class_names(("1912-04-10", "1912-04-11", "no date"), range(3), longest=7)
    ['…-04-10', '…-04-11', 'no date']
    """
    whole = [class_name(classes, i, 10**6) for i in indices]
    short = [shorten(name, longest) for name in whole]
    n_alike = Counter(cut for _, cut in {*zip(whole, short, strict=True)})
    ends = [
        f"…{name[1 - longest :]}" if n_alike[cut] > 1 else cut for name, cut in zip(whole, short, strict=True)
    ]
    return ends if len({*ends}) > len({*short}) else short
