"""A TOML file whose every error is one line that names the file and the line."""

import copy
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pellucid.errors import FormatError, OptionError, unknown_name
from pellucid.formats.toml.lines import KeyPath, toml_lines
from pellucid.registry import NO_LIMITS, Limits, check_option

MAX_BYTES = 10_000_000  # more than anyone writes by hand; a picture given by mistake is not read


class TomlSource:
    """A file's tables, and the line of each key.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    FormatError
        If there is no such file, or it is not UTF-8 or not TOML.

    Attributes
    ----------
    name : str
        The path, as it was given.
    data : dict
        What tomllib read.
    """

    def __init__(self, path: str | Path, text: str | None = None) -> None:
        self.name = str(path)
        self._parse(self._text(Path(path)) if text is None else text)

    def but(self, changes: Mapping[KeyPath, Any]) -> "TomlSource":
        """Return the source with other values at some places, whose lines stay.

        A number that stands for an entry of a list may be written as text, and the name of a node for its number.

        Raises
        ------
        FormatError
            If there is no table to hold a value.

        Examples
        --------
        >>> source = TomlSource("net.toml", '[[layers]]\\nunits = 3')
        >>> source.but({("layers", "0", "units"): 5}).data, source.data["layers"][0]["units"]
        ({'layers': [{'units': 5}]}, 3)
        """
        changed = copy.copy(self)
        changed.data = copy.deepcopy(self.data)
        for path, value in changes.items():
            place: Any = changed.data
            for i, key in enumerate(path[:-1], start=1):
                place = self._inside(place, path[:i], key)
            if not isinstance(place, dict):
                raise FormatError(f"{self.name}: {dotted(path)}: expected an option of a table there.")
            place[path[-1]] = value
        return changed

    def _inside(self, place: Any, path: KeyPath, key: str | int) -> Any:
        if isinstance(place, list):
            names = {str(one.get("name")): i for i, one in enumerate(place) if isinstance(one, dict)}
            n = names.get(str(key), int(key) if str(key).isdecimal() else -1)
            if 0 <= n < len(place):
                return place[n]
            raise FormatError(
                f"{self.name}: there is no {dotted(path)}: {dotted(path[:-1])} has {len(place)}, counted from 0."
            )
        if not isinstance(place, dict) or key not in place:
            raise FormatError(f"{self.name}: there is no {dotted(path)}.")
        return place[key]

    def _parse(self, text: str) -> None:
        try:
            self.data = tomllib.loads(text)
            self.lines = toml_lines(text)
        except FormatError as error:
            raise FormatError(f"{self.name}, {error}") from None
        except tomllib.TOMLDecodeError as error:
            raise FormatError(f"{self.name}, {_where_and_what(str(error), text)}") from None
        except RecursionError:  # thousands of brackets
            raise FormatError(f"{self.name}: its lists or tables are nested too deeply.") from None
        except ValueError as error:  # thousands of digits
            raise FormatError(f"{self.name}: not TOML that can be read: {error}.") from None

    def _text(self, path: Path) -> str:
        try:
            if path.stat().st_size > MAX_BYTES and path.is_file():
                raise FormatError(f"{self.name}: expected a TOML text, got {path.stat().st_size:,} bytes.")
            content = path.read_bytes()
        except OSError as error:
            reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
            raise FormatError(f"{self.name}: cannot be read: {reason}. Give a TOML file.") from None
        except ValueError as error:  # a zero byte in the name
            raise FormatError(f"{self.name!r}: not a file's name: {error}.") from None
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise FormatError(
                f"{self.name}, line {line}: not UTF-8 (byte {content[error.start]:#04x}). Save it as UTF-8 text."
            ) from None

    def line(self, at: KeyPath) -> int:
        """Return the line of a key, or of the closest table around it; the file itself is on line 1."""
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    def fault(self, at: KeyPath, message: str) -> FormatError:
        """Return the error for a key, with file and line in front."""
        return FormatError(f"{self.name}, line {self.line(at)}: {message}")

    def check_keys(
        self, at: KeyPath, table: Mapping[str, Any], known: Iterable[str], kind: str = "key"
    ) -> None:
        """Raise FormatError at the first unknown key, and name the nearest known one."""
        known = list(known)
        for key in table:
            if key not in known:
                message = (
                    unknown_name(kind, key, known) if known else f"unknown {kind} {key!r}: there are none."
                )
                raise self.fault((*at, key), message)

    def checked(
        self, at: KeyPath, where: str, name: str, value: Any, hint: Any, limits: Limits = NO_LIMITS
    ) -> Any:
        """Return an option's value as its constructor takes it; an error gets its line."""
        try:
            return check_option(where, name, value, hint, limits, show=in_words)
        except OptionError as error:
            raise self.fault(at, str(error)) from None

    def table(self, at: KeyPath, value: Any, wanted: str) -> dict[str, Any]:
        """Return the value if it is a table, else raise FormatError."""
        if not isinstance(value, dict):
            raise self.fault(at, f"{at[-1]}: expected {wanted}, got {in_words(value)}.")
        return value

    def one_of(self, at: KeyPath, value: Any, kind: str, known: Iterable[str]) -> str:
        """Return the value if it is one of these names, else raise FormatError with the nearest."""
        if not isinstance(value, str):
            raise self.fault(at, f"{at[-1]}: expected the name of a {kind} in quotes, got {in_words(value)}.")
        if value not in (known := list(known)):
            raise self.fault(at, unknown_name(kind, value, known))
        return value


def dotted(path: KeyPath) -> str:
    """Return a path as it is written in TOML.

    Examples
    --------
    >>> dotted(("layers", 1, "units"))
    'layers.1.units'
    """
    return ".".join(map(str, path))


def in_words(value: Any) -> str:
    """Return a value for a message: short, and in TOML's notation where that is simple.

    Examples
    --------
    >>> in_words(True), in_words([1, 2]), in_words({"a": 1}), in_words("x" * 99)
    ('true', '[1, 2]', 'a table', "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...")
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    try:
        text = repr(value)
    except ValueError:  # a whole number of more digits than Python writes
        return "a number of thousands of digits"
    return text if len(text) <= 40 else f"{text[:37]}..."


def _where_and_what(message: str, text: str) -> str:
    """Turn "What (at line 3, column 5)" into "line 3, column 5: not TOML: what."."""
    what, _, where = message.rpartition(" (at ")
    place = where.removesuffix(")")
    if not place.startswith("line "):
        place = f"line {len(text.rstrip().splitlines()) or 1}"  # at the end of the document
        what += " (the file ends here)"
    return f"{place}: not TOML: {what[:1].lower() + what[1:]}."
