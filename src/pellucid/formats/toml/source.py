"""A TOML file whose every error is one line that names the file and the line."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pellucid.errors import FormatError, unknown_name
from pellucid.formats.toml.lines import KeyPath, line_of, toml_lines

MAX_BYTES = (
    10_000_000  # more than anyone writes by hand; a picture given by mistake is rejected before it is read
)


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

    def __init__(self, path: str | Path) -> None:
        self.name = str(path)
        text = self._text(Path(path))
        try:
            self.data = tomllib.loads(text)
            self.lines = toml_lines(text)
        except tomllib.TOMLDecodeError as error:
            raise FormatError(f"{self.name}, {_where_and_what(str(error), text)}") from None
        except (RecursionError, ValueError) as error:  # thousands of brackets, or of digits
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
        """Return the line of a key, or of the table around it."""
        return line_of(self.lines, at)

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
