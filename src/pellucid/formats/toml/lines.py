"""The line of each table, key and list entry in a TOML text, which tomllib does not report."""

import re
import tomllib
from bisect import bisect_right
from typing import TypeAlias

from pellucid.errors import FormatError
from pellucid.text import shorten

KeyPath: TypeAlias = tuple[str | int, ...]  # ("layers", 2, "units"): a list's entries count from 0
MAX_PARTS = 200  # of a key: a network inside a network takes two or three
_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")  # and comments
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]+")  # a number, a date, true or false
_STRINGS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r'"""(?:\\.|[^\\])*?""""{0,2}',  # may end in quotes of its own: up to five in a row
        r"'''.*?''''{0,2}",
        r'"(?:\\.|[^"\\])*"',
        r"'[^']*'",
    )
)


def toml_lines(text: str) -> dict[KeyPath, int]:
    """Return the line, counted from 1, of every table, key and entry of a list.

    Parameters
    ----------
    text : str
        Valid TOML: tomllib has read it.

    Raises
    ------
    FormatError
        If a key has more than ``MAX_PARTS`` parts.

    Returns
    -------
    dict of path to int
        A table without its own header has the line of the first table inside it.

    Examples
    --------
    >>> lines = toml_lines('[[layers]]\\ntype = "Dense"\\n\\n[[layers]]\\nunits = 3')
    >>> lines["layers", 1], lines["layers", 1, "units"]
    (4, 5)
    """
    return _Scanner(text).scan()


class _Scanner:
    """Walks through the text once, and notes the line where each key and entry begins."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.breaks = [match.start() for match in re.finditer("\n", text)]
        self.lines: dict[KeyPath, int] = {}
        self.n_tables: dict[KeyPath, int] = {}  # of each [[name]], so far

    def scan(self) -> dict[KeyPath, int]:
        base: KeyPath = ()
        while not self._skip_and_is_at(""):
            if self.text[self.at] == "[":
                base = self._header(2 if self.text.startswith("[[", self.at) else 1)
            else:
                self._pair(base)
        return self.lines

    def _skip_and_is_at(self, mark: str) -> bool:
        """Skip space and comments; return whether that character comes next, or with "" the end."""
        self._match(_SPACE)
        return self.text[self.at : self.at + 1] == mark

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        assert match is not None, "tomllib has read this text"
        self.at = match.end()
        return match.group()

    def _note(self, path: KeyPath, at: int) -> None:
        line = bisect_right(self.breaks, at) + 1
        if len(path) > MAX_PARTS:  # which copying and printing, a call for each part, would not survive
            key = shorten(".".join(map(str, path)), 40)
            raise FormatError(f"line {line}: the key {key} has more than {MAX_PARTS} parts. Nest it less.")
        self.lines.setdefault(path, line)

    def _header(self, n_brackets: int) -> KeyPath:
        """Read [a.b] or [[a.b]]; a name of an earlier [[table]] stands for the last of that name."""
        start = self.at
        self.at += n_brackets
        path: KeyPath = ()
        keys = self._dotted_key()
        for i, key in enumerate(keys, 1):
            path += (key,)
            self._note(path, start)
            if i == len(keys) and n_brackets == 2:
                self.n_tables[path] = self.n_tables.get(path, 0) + 1
            if path in self.n_tables:
                path += (self.n_tables[path] - 1,)
                self._note(path, start)
        self._match(_SPACE)
        self.at += n_brackets
        return path

    def _pair(self, base: KeyPath) -> None:
        """Read key = value."""
        start, path = self.at, base
        for key in self._dotted_key():
            path += (key,)
            self._note(path, start)
        self._match(_SPACE)
        self.at += 1  # =
        self._value(path)

    def _dotted_key(self) -> list[str]:
        keys = []
        while True:
            self._match(_SPACE)
            is_quoted = self.text[self.at] in "\"'"
            keys.append(
                tomllib.loads(f"key = {self._string()}")["key"] if is_quoted else self._match(_BARE_KEY)
            )
            if not self._skip_and_is_at("."):
                return keys
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        self._match(_SPACE)
        mark = self.text[self.at]
        if mark in "\"'":
            self._string()
        elif mark == "[":
            self.at += 1
            i = 0
            while not self._skip_and_is_at("]"):
                self._note((*path, i), self.at)
                self._value((*path, i))
                i += 1
                self._skip_comma()
            self.at += 1
        elif mark == "{":
            self.at += 1
            while not self._skip_and_is_at("}"):
                self._pair(path)
                self._skip_comma()
            self.at += 1
        else:
            self._match(_SCALAR)

    def _skip_comma(self) -> None:
        if self._skip_and_is_at(","):
            self.at += 1

    def _string(self) -> str:
        return next(self._match(pattern) for pattern in _STRINGS if pattern.match(self.text, self.at))
