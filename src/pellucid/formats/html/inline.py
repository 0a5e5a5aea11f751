"""Data as text that stands in a page itself: JSON, and bytes as base64."""

import base64
import json
from typing import Any

LINE = 1000  # characters of base64


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
