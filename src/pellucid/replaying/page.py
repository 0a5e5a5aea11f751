"""A replay as one HTML file that needs nothing else, and as a widget of a notebook, by anywidget."""

from importlib.resources import files
from typing import Any

from pellucid.errors import MissingExtraError
from pellucid.formats.html.compact import compact_script, compact_style
from pellucid.formats.html.inline import inline_bytes, inline_json, join_modules
from pellucid.formats.html.network import network_modules
from pellucid.formats.templates import template
from pellucid.replaying.record import Replay
from pellucid.text import one_line
from pellucid.version import __version__

ENTRY, VIEWS = "main.js", files("pellucid.replaying") / "views"


def modules_of(replay: Replay) -> str:
    """Return the views as one module, with the activation functions of this replay's network."""
    texts = {
        path.name: path.read_text(encoding="utf-8") for path in VIEWS.iterdir() if path.name.endswith(".js")
    }
    texts |= network_modules(replay.header["activations"], replay.header["slopes"])
    return compact_script(join_modules(texts, ENTRY))


def style() -> str:
    """Return the style of the views."""
    return compact_style((VIEWS / "replay.css").read_text(encoding="utf-8"))


def replay_page(replay: Replay) -> str:
    """Return a replay as the text of an HTML file."""
    from markupsafe import Markup

    return template("pellucid.replaying", "replay.html.jinja", autoescape=True).render(
        title=one_line(replay.header["title"] or "Replay"),
        css=Markup(style()),
        header=Markup(inline_json(replay.header)),
        numbers=Markup(inline_bytes(replay.content)),
        modules=Markup(modules_of(replay)),
        version=__version__,
    )


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
