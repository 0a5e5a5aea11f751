"""A replay as one HTML file that needs nothing else, and as one module for a notebook or a server."""

from importlib.resources import files

from pellucid.formats.html.compact import compact_script, compact_style
from pellucid.formats.html.inline import inline_bytes, inline_json
from pellucid.formats.html.join import join_modules
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

    text: str = template("pellucid.replaying", "replay.html.jinja", autoescape=True).render(
        title=one_line(replay.header["title"] or "Replay"),
        css=Markup(style()),
        header=Markup(inline_json(replay.header)),
        numbers=Markup(inline_bytes(replay.content)),
        modules=Markup(modules_of(replay)),
        version=__version__,
    )
    return text
