"""A replay as a widget of a notebook, by anywidget: the same views as the page's."""

from typing import Any

from pellucid.errors import MissingExtraError
from pellucid.replaying.page import modules_of, style
from pellucid.replaying.record import Replay

RENDER = "\nexport default { render: renderWidget };\n"


def replay_widget(replay: Replay) -> Any:
    """Return a replay as a widget that a notebook shows.

    Parameters
    ----------
    replay : Replay

    Returns
    -------
    anywidget.AnyWidget
        Its ``header`` and ``content`` are the replay's.

    Raises
    ------
    MissingExtraError
        If anywidget is not installed.
    """
    try:
        import anywidget
        import traitlets
    except ImportError:
        raise MissingExtraError(
            "a replay in a notebook: anywidget is not installed. Try pip install 'pellucid[notebook]'."
        ) from None
    fields = {
        "_esm": modules_of(replay) + RENDER,
        "_css": style(),
        "header": traitlets.Dict(replay.header).tag(sync=True),
        "content": traitlets.Bytes(replay.content).tag(sync=True),
    }
    return type("ReplayWidget", (anywidget.AnyWidget,), fields)()
