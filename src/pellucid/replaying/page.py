"""A replay as one HTML file that needs nothing else, and as one module for a notebook or a server."""

import base64
import json
from importlib.resources import files
from typing import Any

from pellucid.formats.html.compact import compact_script, compact_style
from pellucid.formats.html.join import join_modules
from pellucid.formats.html.network import network_modules
from pellucid.formats.templates import template
from pellucid.replaying.record import Replay
from pellucid.text import one_line
from pellucid.version import __version__

ENTRY = "main.js"
LINE = 1000  # characters of the numbers as text


def modules_of(replay: Replay) -> str:
    """Return the views as one module, with the activation functions of this replay's network."""
    texts = {
        path.name: path.read_text(encoding="utf-8")
        for folder in (files("pellucid.replaying") / "views",)
        for path in folder.iterdir()
        if path.name.endswith(".js")
    }
    texts |= network_modules(replay.header["activations"], replay.header["slopes"])
    return compact_script(join_modules(texts, ENTRY))


def style() -> str:
    """Return the style of the views."""
    return compact_style((files("pellucid.replaying") / "views" / "replay.css").read_text(encoding="utf-8"))


def replay_page(replay: Replay) -> str:
    """Return a replay as the text of an HTML file."""
    from markupsafe import Markup

    numbers = base64.b64encode(replay.content).decode()
    text: str = template("pellucid.replaying", "replay.html.jinja", autoescape=True).render(
        title=one_line(replay.header["title"] or "Replay"),
        css=Markup(style()),
        header=Markup(as_json(replay.header)),
        numbers=Markup("".join(f"{numbers[i : i + LINE]}\n" for i in range(0, len(numbers), LINE))),
        modules=Markup(modules_of(replay)),
        version=__version__,
    )
    return text


def as_json(value: Any) -> str:
    """Return JSON without any character that ends a script element or begins markup."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
