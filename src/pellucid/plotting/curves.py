"""Curves of numbers measured epoch by epoch."""

from collections.abc import Mapping, Sequence

from pellucid.plotting.style import BLUE, GREEN, ORANGE, PURPLE, RED, look, new_figure
from pellucid.plotting.types import Axes, Figure

COLORS = (BLUE, ORANGE, GREEN, RED, PURPLE)
Curves = Mapping[str, Sequence[float]]  # by name, one number an epoch


def draw_curves(axes: Axes, curves: Curves) -> None:
    """Draw curves over the epochs, counted from 1, named in a legend.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    curves : mapping of str to sequence of float
        NaN leaves a gap.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> draw_curves(axes, {"loss": [0.7, 0.4]})
    >>> axes.get_ylabel(), axes.lines[0].get_ydata().tolist()
    ('Loss', [0.7, 0.4])
    """
    from matplotlib.ticker import MaxNLocator

    with look():
        for color, (name, values) in zip(COLORS * len(curves), curves.items(), strict=False):
            label, dots = name.replace("_", " ").capitalize(), "o" if len(values) <= 40 else None
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, color=color, linewidth=2, marker=dots, ms=3.5, label=label)
        shortest = min(curves, key=len, default="")
        axes.set(xlabel="Epoch", ylabel=shortest.replace("_", " ").capitalize())
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=True)
        if len(curves) > 1:
            axes.legend()


def curves_figure(panels: Sequence[Curves]) -> Figure:
    """Return a figure for a notebook, a panel for each group of curves side by side.

    Examples
    --------
    >>> len(curves_figure([{"loss": [0.7, 0.4]}, {"accuracy": [0.5, 0.8]}]).axes)
    2
    """
    with look():
        figure = new_figure(2.4, 3.6 * len(panels))
        for axes, curves in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            draw_curves(axes, curves)
    return figure
