"""What stands in a page itself: its modules as one, JSON, and bytes as base64."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=const |let |function |async function |class )", re.MULTILINE)
LINE = 1000  # characters of base64


def join_modules(modules: Mapping[str, str], entry: str) -> str:
    """Return a module and those that it imports as one text without imports or exports, each once, lowest first.

    Parameters
    ----------
    modules : mapping of str to str
        The text of each, by its file name. They import by ``import { name } from "./file.js";``, export
        declarations in place (``export function ...``), and share one namespace: no two declare the same name.
    entry : str

    Examples
    --------
    >>> low, high = "export const one = 1;\\n", 'import { one } from "./low.js";\\nexport const two = one + one;\\n'
    >>> print(join_modules({"low.js": low, "high.js": high}, "high.js"), end="")
    const one = 1;
    const two = one + one;
    """
    found: dict[str, str] = {}

    def add(name: str) -> None:
        for lower in IMPORT.findall(modules[name]):
            if lower not in found:
                add(lower)
        found[name] = EXPORT.sub("", IMPORT.sub("", modules[name]))

    add(entry)
    return "".join(found.values())


def inline_json(value: Any) -> str:
    """Return JSON without any character that ends a script element or begins markup.

    Examples
    --------
    >>> print(inline_json({"name": "</script>"}))
    {"name":"\\u003c/script\\u003e"}
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def inline_bytes(content: bytes) -> str:
    """Return bytes as lines of base64."""
    text = base64.b64encode(content).decode()
    return "".join(f"{text[i : i + LINE]}\n" for i in range(0, len(text), LINE))
