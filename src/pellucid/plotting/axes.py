"""The axes that a ``.plot()`` draws on: somebody's own, or new ones in a figure that pyplot and notebooks show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pellucid.errors import OptionError
from pellucid.plotting.style import figures_made_by, look
from pellucid.text import kind_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT, SIDE = 3.4, 6.4  # inches of a plot in a notebook


def axes_for(ax: Any = None, height: float = HEIGHT, width: float = SIDE) -> Axes:
    """Return the axes that were given, or new ones in a figure that ``pyplot.show()`` and notebooks show.

    Raises
    ------
    OptionError
        If what was given are no axes.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> own = Figure().add_subplot()
    >>> axes_for(own) is own
    True
    >>> axes_for("left")
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: plot: expected ax to be matplotlib axes, got the text 'left'. Try ...
    """
    from matplotlib.axes import Axes

    if isinstance(ax, Axes):
        return ax
    if ax is not None:
        raise OptionError(
            f"plot: expected ax to be matplotlib axes, got {kind_of(ax)}. Try figure.add_subplot()."
        )
    from matplotlib import pyplot

    with look():
        figure = pyplot.figure(FigureClass=_figure_class(), figsize=(width, height), layout="constrained")
        return figure.add_subplot()


@contextmanager
def shown_by_pyplot() -> Iterator[None]:
    """Let pyplot know the figures that are made within the block, so that it and notebooks show them.

    Examples
    --------
    >>> from matplotlib import pyplot
    >>> from pellucid.plotting.style import new_figure
    >>> with shown_by_pyplot():
    ...     figure = new_figure(1)
    >>> pyplot.fignum_exists(figure.number)
    True
    >>> pyplot.close(figure)
    """
    from matplotlib import pyplot

    def make(**options: Any) -> Any:
        return pyplot.figure(FigureClass=_figure_class(), **options)

    with figures_made_by(make):
        yield


def _figure_class() -> Any:
    from pellucid.plotting.figure import LookFigure  # loads matplotlib

    return LookFigure
