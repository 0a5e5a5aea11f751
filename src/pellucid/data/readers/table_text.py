"""Tables as text: rows and named columns, before they become numbers."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np

from pellucid.data.gaps import is_gap
from pellucid.errors import DataError
from pellucid.text import join_some, printable
from pellucid.types import Array

Decimal: TypeAlias = Literal[".", ",", ".,", ",."]  # the decimal sign, and the one between thousands
MOST_NAMED = 3  # cells of a column in a message
MISSING = "(missing)"  # an empty cell's name in messages and categories
USUAL = "?,NA,N/A,#N/A,<NA>,NaN,null,None"  # words that say that a cell has no value, in any case
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([ '’\u00a0\u2009\u202f,.])\d{3}(?:\1\d{3})*([.,]\d*)?")
_CODE = re.compile(r"^0\d+$", re.MULTILINE)
_BINARY = {"0": 0, "1": 1, "false": 0, "true": 1}
HEADER_HINT = " (The first line has to hold the columns' names.)"


@dataclass(frozen=True)
class TextColumn:
    """A column of a table as text; a missing cell, in any notation, is ''."""

    name: str
    cells: tuple[str, ...]
    written: tuple[str, ...]  # the cells as they are in the file
    rows: tuple[str, ...]  # each row's name in messages: "line 2"
    where: str
    decimal: Decimal

    @property
    def title(self) -> str:
        """Its name in messages, with its table."""
        return f"{self.where}: column {printable(self.name)!r}"

    def cell(self, i: int) -> str:
        """Return a cell's name in messages: its text and its row."""
        return f"{printable(self.written[i] or MISSING)!r} in {self.rows[i]}"

    def some(self, indices: Sequence[int]) -> str:
        """Return the first cells of each text among some, for messages, and how many cells there are."""
        firsts = {self.cells[i]: i for i in reversed(indices)}
        n = f" ({len(indices)} such)" if len(indices) > 1 else ""
        return join_some([self.cell(i) for i in sorted(firsts.values())], MOST_NAMED) + n

    def absence(self) -> str:
        """Return how many cells are missing and the first of them, for a message; "" where none is."""
        absent = [i for i, cell in enumerate(self.cells) if not cell]
        if not absent:
            return ""
        word = self.written[absent[0]]
        first = f"{self.rows[absent[0]]} ({printable(word)!r})" if word else self.rows[absent[0]]
        return f"no value in {len(absent)} of {len(self.cells)} rows, the first in {first}"

    @cached_property
    def _plain(self) -> list[float] | None:
        return plain_numbers(self.cells, self.decimal)

    @cached_property
    def values(self) -> list[float | None]:
        """The number in each cell (infinity and NaN too); None where it holds something else or nothing."""
        if self._plain is None:
            return [number(cell, self.decimal) for cell in self.cells]
        return [value if cell else None for cell, value in zip(self.cells, self._plain, strict=True)]

    @cached_property
    def words(self) -> list[int]:
        """Which cells hold something that is not a number."""
        return [i for i, value in enumerate(self.values) if value is None and self.cells[i]]

    @cached_property
    def text(self) -> str:
        """All cells, a line each: quicker to search than each cell by itself."""
        return "\n".join(self.cells)

    @cached_property
    def code(self) -> int | None:
        """The first cell such as 00501, where all numbers are digits alone: they are codes and no quantities."""
        if not _CODE.search(self.text):
            return None
        codes = (i for i, cell in enumerate(self.cells) if _CODE.fullmatch(cell))
        pairs = zip(self.cells, self.values, strict=True)
        return next(codes, None) if all(value is None or cell.isdigit() for cell, value in pairs) else None

    @property
    def are_whole(self) -> bool:
        """Whether every cell holds a whole number."""
        return all(value is not None and value.is_integer() for value in self.values)

    def grouped(self) -> str:
        """Return what became of the first number with separators between thousands; "" where there is none."""
        cells = () if self._plain else self.cells
        first = next((i for i, cell in enumerate(cells) if without_groups(cell, self.decimal) != cell), None)
        if first is None or self.values[first] is None:
            return ""
        return f"{printable(self.name)!r} ({self.cell(first)} is {self.values[first]:.15g})"

    def wholes(self) -> list[str]:
        """Return the cells, with 1.0 and 01 written as the whole number 1."""
        return [
            str(int(value)) if value is not None and value.is_integer() else cell
            for cell, value in zip(self.cells, self.values, strict=True)
        ]

    def numbers(self) -> Array:
        """Return finite numbers, shape (m,) float64.

        Raises
        ------
        DataError
            If a cell is missing or holds no finite number: how many, and the first.

        Examples
        --------
        >>> table_of([{"age": 3}, {"age": None}, {"age": ""}]).column("age").numbers()
        Traceback (most recent call last):
            ...
        pellucid.errors.DataError: rows: column 'age' has no value in 2 of 3 rows, the first in row 2. Fill them in,
        or remove the rows or the column.
        """
        values = np.array([np.nan if value is None else value for value in self.values])
        bad = np.flatnonzero(~np.isfinite(values))
        if absence := self.absence():
            raise DataError(f"{self.title} has {absence}. Fill them in, or remove the rows or the column.")
        if len(bad):
            raise DataError(
                f"{self.title}: expected finite numbers, got {self.some(bad.tolist())} (of {len(values)} "
                f"rows). Correct {them(bad)}."
            )
        return values

    def binary(self) -> Array:
        """Return 0 and 1 (or false and true), shape (m,) int64; DataError for the first cell of something else."""
        values = np.array([_BINARY.get(cell.lower(), -1) for cell in self.wholes()], np.int64)
        if (values < 0).any():
            raise DataError(
                f"{self.title}: expected 0 or 1, since several targets are binary labels, got "
                f"{self.cell(int(values.argmin()))}."
            )
        return values


@dataclass(frozen=True)
class TextTable:
    """Columns of text under their names."""

    names: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]  # as many as names, each m cells as they are in the file
    rows: tuple[str, ...]  # the name of each of the m rows in messages
    where: str
    notes: tuple[str, ...] = ()
    decimal: Decimal = "."  # the decimal sign
    missing: str = USUAL  # words that say that a cell has no value: "?,NA"
    _read: dict[str, TextColumn] = field(default_factory=dict, init=False, repr=False, compare=False)

    def column(self, name: str) -> TextColumn:
        """Return the column under a name."""
        if name not in self._read:  # its numbers are parsed once
            written, words = self.columns[self.names.index(name)], missing_words(self.missing)
            cells = tuple("" if cell.lower() in words else cell for cell in written)
            self._read[name] = TextColumn(name, cells, written, self.rows, self.where, self.decimal)
        return self._read[name]

    def take(self, rows: Array) -> "TextTable":
        """Return the chosen rows."""
        chosen = rows.tolist()
        return replace(
            self,
            columns=tuple(tuple(column[i] for i in chosen) for column in self.columns),
            rows=tuple(self.rows[i] for i in chosen),
        )

    def check_has(self, names: Sequence[str], why: str, known: Collection[str] = ()) -> None:
        """Raise DataError, with the nearest name that is there and not known, unless the table has these columns.

        Examples
        --------
        >>> table_of([{"Age": 3, "sex": "f"}]).check_has(["age"], "which the model needs")
        Traceback (most recent call last):
            ...
        pellucid.errors.DataError: rows: there is no column 'age', which the model needs. Did you mean 'Age'?
        Columns: Age, sex.
        """
        missing = [name for name in names if name not in self.names]
        if not missing:
            return
        found = {name.casefold(): name for name in self.names if name not in known}
        near = difflib.get_close_matches(missing[0].casefold(), found, n=1, cutoff=0.5)
        quoted = ", in double quotes" if near and "," in near[0] else ""
        hint = f" Did you mean {printable(found[near[0]])!r}{quoted}?" if near else ""
        if any(number(name) is not None for name in self.names):
            hint += HEADER_HINT
        what = "is no column" if len(missing) == 1 else "are no columns"
        words = join_some([repr(printable(name)) for name in missing])
        raise DataError(
            f"{self.where}: there {what} {words}, {why}.{hint} Columns: {join_some(self.names, 12)}."
        )


def table_of(rows: Sequence[Mapping[str, Any]], where: str = "rows", *, missing: str = USUAL) -> TextTable:
    """Return rows given as dictionaries (of JSON, say) as a TextTable; absent keys are missing values.

    Raises
    ------
    DataError
        If there are no rows.

    Examples
    --------
    >>> table_of([{"age": 3, "colour": "red"}, {"age": None}]).columns
    (('3', ''), ('red', ''))
    """
    if not rows:
        raise DataError(f"{where}: expected at least one row, got none.")
    names = tuple(dict.fromkeys(str(name).strip() for row in rows for name in row))
    cells = [{str(name).strip(): cell_of(value) for name, value in row.items()} for row in rows]
    columns = tuple(tuple(row.get(name, "") for row in cells) for name in names)
    return TextTable(
        names, columns, tuple(f"row {i}" for i in range(1, len(rows) + 1)), where, missing=missing
    )


def plain_numbers(cells: Sequence[str], decimal: Decimal) -> list[float] | None:
    """Return what :func:`number` does where each cell is empty (NaN) or a finite number; else None, at once.

    Examples
    --------
    >>> plain_numbers(["1", "", "-2e3"], "."), plain_numbers(["1", "one"], "."), plain_numbers(["1_0"], ".")
    ([1.0, nan, -2000.0], None, None)
    """
    if decimal[0] != "." or any("_" in cell for cell in cells):
        return None
    try:
        found = [float(cell or "nan") for cell in cells]
    except ValueError:
        return None
    return found if np.isfinite(found).sum() == sum(map(bool, cells)) else None


def number(text: str, decimal: Decimal = ".") -> float | None:
    """Return the number that a text holds (infinity and NaN too), or None where it holds something else.

    Examples
    --------
    >>> number("1e3"), number("12 cm"), number("1_000"), number("3,5", decimal=","), number("1.000", decimal=",")
    (1000.0, None, None, 3.5, None)
    >>> number("1,234.5"), number("1 234"), number("1,234"), number("1,234", ".,"), number("1.234,5", ",")
    (1234.5, 1234.0, None, 1234.0, 1234.5)
    """
    text = without_groups(text, decimal)
    if "_" in text or (decimal[0] == "," and "." in text):
        return None
    try:
        return float(text.replace(decimal[0], "."))
    except ValueError:
        return None


def without_groups(text: str, decimal: Decimal) -> str:
    """Return a number without the separators between its thousands, where they can be nothing else.

    A lone 1,234 can: it loses its comma only where ``decimal`` says so, as ".,".
    """
    found = _GROUPED.fullmatch(text)
    if not found or found[1] == decimal[0] or (found[2] or decimal)[0] != decimal[0]:
        return text
    is_sure = found[2] or found[1] not in ",." or text.count(found[1]) > 1 or found[1] == decimal[1:]
    return text.replace(found[1], "") if is_sure else text


def them(found: Sequence[int] | Array) -> str:
    """Return "it" or "them"."""
    return "it" if len(found) == 1 else "them"


def cell_of(value: Any) -> str:
    """Return a value as the text of a cell, '' for None, NaN, NA and NaT."""
    return "" if is_gap(value) else str(value).strip()


def missing_words(missing: str) -> frozenset[str]:
    """Return words that say that a cell has no value, in small letters; an empty cell never has one.

    Examples
    --------
    >>> sorted(missing_words("NA, ?"))
    ['', '?', 'na']
    """
    return frozenset({"", *(word.strip().lower() for word in missing.split(","))})
