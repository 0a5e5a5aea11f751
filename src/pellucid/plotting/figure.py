"""A figure that is drawn in the shared look, whoever draws it: ``figure.savefig`` cuts no line."""

from typing import Any

from matplotlib.figure import Figure

from pellucid.plotting.style import look


class LookFigure(Figure):
    """A matplotlib figure whose letters are as wide as they were measured, at every resolution."""

    def draw(self, renderer: Any) -> None:
        """Draw it in the shared look."""
        with look():
            super().draw(renderer)

    def get_tightbbox(self, *args: Any, **options: Any) -> Any:
        """Return the box around all that is drawn, in the shared look."""
        with look():
            return super().get_tightbbox(*args, **options)
