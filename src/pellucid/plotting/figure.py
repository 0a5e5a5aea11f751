"""A figure that is drawn in the shared look, whoever draws it: ``figure.savefig`` cuts no line."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from pellucid.plotting.style import look


class LookFigure(Figure):
    """A matplotlib figure whose letters are as wide as measured, and which is the same each time it is drawn."""

    def draw(self, renderer: Any) -> None:
        """Draw it in the shared look, placed again: the layout moves on from where the last one ended."""
        if isinstance(self.get_layout_engine(), ConstrainedLayoutEngine):
            for axes in self.axes:
                if axes.get_in_layout() and (spec := axes.get_subplotspec()) is not None:
                    axes.set_subplotspec(spec)
        with look():
            super().draw(renderer)

    def get_tightbbox(self, *args: Any, **options: Any) -> Any:
        """Return the box around all that is drawn, in the shared look."""
        with look():
            return super().get_tightbbox(*args, **options)
