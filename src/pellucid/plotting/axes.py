"""The axes that a ``.plot()`` draws on: the caller's, or new ones in a figure that pyplot and notebooks show."""

from collections.abc import Callable
from typing import Any

from pellucid.errors import OptionError
from pellucid.plotting.style import figures_made_by, look
from pellucid.plotting.types import Axes, Figure
from pellucid.text import kind_of

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
    figure = _maker()(figsize=(width, height), layout="constrained")
    with look():
        return figure.add_subplot()


def axes_of(draw: Callable[[], Figure], ax: Any = None, *, what: str = "it") -> Axes:
    """Return the first axes of what a function draws: on the caller's own axes, or in a figure that notebooks show.

    Parameters
    ----------
    draw : callable
        Makes one figure.
    ax : matplotlib.axes.Axes, optional
        Where to draw in place of a new figure; the figure must be of one axes.
    what : str, optional
        For messages.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from pellucid.plotting.training import cost_curve
    >>> own = Figure().add_subplot()
    >>> axes_of(lambda: cost_curve([0, 100], [0.7, 0.6]), own) is own
    True
    >>> len(own.lines)
    1
    """
    if ax is not None:
        axes = axes_for(ax)
        with figures_made_by(lambda **options: _OneAxes(axes, what)):
            draw()
        return axes
    with figures_made_by(_maker()):
        return draw().axes[0]


class _OneAxes:
    """Stands for a figure that has the caller's axes and no others."""

    def __init__(self, axes: Axes, what: str) -> None:
        self._axes, self._what = axes, what

    def add_subplot(self, **options: Any) -> Axes:
        self._axes.set(**options)
        return self._axes

    def add_axes(self, place: Any, **options: Any) -> Axes:
        return self._axes

    def __getattr__(self, name: str) -> Any:
        raise OptionError(f"plot: {self._what} has several axes of its own. Leave ax out.")


def _maker() -> Callable[..., Any]:
    """Return what makes figures that pyplot knows; within our look too, a notebook shows them after the cell."""
    import matplotlib
    from matplotlib import pyplot

    from pellucid.plotting.figure import LookFigure

    load_backend: Callable[[], None] = pyplot.draw_if_interactive
    load_backend()  # a notebook's turns interactive then: before, and not within, a block with our settings
    is_interactive = matplotlib.is_interactive()

    def make(**options: Any) -> Any:
        with matplotlib.rc_context({"interactive": is_interactive}):
            return pyplot.figure(FigureClass=LookFigure, **options)

    return make
