"""A structure written down, as a config and as the call that recreates it."""

from collections.abc import Mapping
from typing import Any

from pellucid.nn.layer import Layer
from pellucid.nn.sharing import shared_names
from pellucid.registry import name_of, plain

LONGEST_LINE = 88  # of a repr


class Description:
    """Writes a structure down, a layer that stands in several places once."""

    def __init__(self, outermost: Any, *, only_changed: bool = False) -> None:
        self.only_changed = only_changed  # whether options at their defaults are left out of configs
        self.names = shared_names(outermost)
        self.written: set[str] = set()

    def _is_first(self, layer: Any) -> tuple[str, bool]:
        """Return a shared layer's name, "" for any other, and whether it is to be written in full."""
        name = self.names.get(id(layer), "")
        is_first = name not in self.written
        self.written |= {name} - {""}
        return name, is_first

    def config(self, layer: Any) -> dict[str, Any]:
        options = layer._changed_options() if self.only_changed else layer._option_values()
        return {"type": name_of(type(layer)), **plain(options, self._config_of)}

    def _config_of(self, one: Any) -> dict[str, Any]:
        name, is_first = self._is_first(one)
        if not is_first:
            return {"shared": name}
        described: dict[str, Any] = self.config(one) if self.only_changed or one.children() else one.config()
        return {**described, "shared": name} if name else described

    def call(self, layer: Any) -> str:
        """Return the call that recreates a structure."""
        kind, parts = type(layer).__name__, {}
        for name, value in layer._changed_options().items():
            if isinstance(value, list | tuple) and any(isinstance(entry, Layer) for entry in value):
                parts[name] = "[", [self._text(entry) for entry in value], "]"
            elif isinstance(value, Mapping):
                parts[name] = "{", [f"{key!r}: {self._text(entry)}" for key, entry in value.items()], "}"
            else:
                parts[name] = "", [self._text(value)], ""
        options = [
            f"{name}={start}{', '.join(entries)}{end}" for name, (start, entries, end) in parts.items()
        ]
        line = f"{kind}({', '.join(options)})"
        if len(line) <= LONGEST_LINE:
            return line
        spread = [
            f"{name}={start}{_indented(entries) if start else entries[0]}{end}"
            for name, (start, entries, end) in parts.items()
        ]
        return f"{kind}({_indented(spread)})"

    def _text(self, value: Any) -> str:
        if isinstance(value, tuple):
            return f"({', '.join(map(self._text, value))}{',' * (len(value) == 1)})"
        name, is_first = self._is_first(value)
        if not is_first:
            return name
        text = self.call(value) if isinstance(value, Layer) and value.children() else repr(value)
        return f"({name} := {text})" if name else text


def _indented(parts: list[str]) -> str:
    lines = ",\n".join(parts).replace("\n", "\n    ")
    return f"\n    {lines},\n"
