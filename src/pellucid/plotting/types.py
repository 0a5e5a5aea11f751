"""Classes of matplotlib that annotate figures; at run time stand-ins, so that to name them loads nothing."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
    from matplotlib.figure import Figure as Figure
    from matplotlib.figure import SubFigure as SubFigure
else:
    Axes = Figure = SubFigure = Any
