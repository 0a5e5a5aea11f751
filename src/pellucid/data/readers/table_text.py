"""CSV files as text: rows and named columns, before anything is made of them."""

import csv
import difflib
import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from pellucid.data.readers.reading import check_file, reading
from pellucid.errors import DataError
from pellucid.text import join_some, printable
from pellucid.types import Array

Decimal: TypeAlias = Literal[".", ","]
DELIMITERS = (",", ";", "\t")
_MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "<na>", "nan", "null", "none"})
_ROWS_TO_SNIFF = 30
_HEADER_HINT = " (The first line has to hold the columns' names.)"


class TextTable(NamedTuple):
    """Columns of text under their names; a missing cell, however it is written, is ''."""

    names: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]  # as many as names, each m cells
    rows: tuple[str, ...]  # what messages call each of the m rows: "line 2"
    where: str
    notes: tuple[str, ...] = ()
    decimal: Decimal = "."  # the decimal sign

    def number(self, cell: str) -> float | None:
        """Return the number that a cell holds (infinity and NaN too), or None where it holds something else."""
        return number(cell, self.decimal)

    def column(self, name: str) -> tuple[str, ...]:
        """Return the cells under a name."""
        return self.columns[self.names.index(name)]

    def take(self, rows: Array) -> "TextTable":
        """Return the chosen rows."""
        chosen = rows.tolist()
        return self._replace(
            columns=tuple(tuple(column[i] for i in chosen) for column in self.columns),
            rows=tuple(self.rows[i] for i in chosen),
        )


def read_table(path: Path, decimal: Decimal = ".") -> TextTable:
    """Read a CSV file: a line of names, then one line a sample.

    Parameters
    ----------
    path : Path
        UTF-8, with or without a byte order mark. The delimiter is the comma, semicolon or tab that divides
        the lines alike; in a .tsv file the tab. Fields may be quoted by ".
    decimal : {".", ","}, optional
        The decimal sign; with "," no comma divides fields.

    Returns
    -------
    TextTable
        Spaces around cells are dropped, and so are empty lines and columns without a name (with a note).

    Raises
    ------
    DataError
        If the file is missing, empty, no UTF-8 text, has no row below the names, the same name twice, a quote
        that is not closed, or a line with another number of fields.
    """
    check_file(path, "a table")
    with reading(path, "a table", "Save it as CSV in UTF-8."):
        text = _decode(path.read_bytes(), path)
        delimiter = "\t" if path.suffix.lower() == ".tsv" else _sniff(text, decimal)
        records, lines = _records(text, delimiter, path)
    if not records:
        raise DataError(f"{path}: expected a line of column names, found none. Write one at the top.")
    names = tuple(records[0])
    for record, line in zip(records, lines, strict=True):
        if len(record) != len(names):
            raise DataError(
                f"{path}: expected {len(names)} fields in {line}, as many as there are names in the first, got "
                f'{len(record)}. Put text that holds {delimiter!r} between quotes (").'
            )
    if len(records) == 1:
        raise DataError(f"{path}: expected rows below the names, found none. Add one line a sample.")
    table = _named(names, zip(*records[1:], strict=True), tuple(lines[1:]), str(path))
    return table._replace(decimal=decimal)


def table_of(rows: Sequence[Mapping[str, Any]], where: str = "rows") -> TextTable:
    """Return rows given as dictionaries (of JSON, say) as a TextTable; what a row lacks is missing.

    Raises
    ------
    DataError
        If there is no row.

    Examples
    --------
    >>> table_of([{"age": 3, "colour": "red"}, {"age": None}]).columns
    (('3', ''), ('red', ''))
    """
    if not rows:
        raise DataError(f"{where}: expected at least one row, got none.")
    names = tuple(dict.fromkeys(str(name).strip() for row in rows for name in row))
    cells = [{str(name).strip(): _cell(value) for name, value in row.items()} for row in rows]
    columns = tuple(tuple(row.get(name, "") for row in cells) for name in names)
    return TextTable(names, columns, tuple(f"row {i}" for i in range(1, len(rows) + 1)), where)


def number(text: str, decimal: Decimal = ".") -> float | None:
    """Return the number that a text holds (infinity and NaN too), or None where it holds something else.

    Examples
    --------
    >>> number("1e3"), number("12 cm"), number("1_000"), number("3,5", decimal=","), number("1.000", decimal=",")
    (1000.0, None, None, 3.5, None)
    """
    if "_" in text or (decimal == "," and "." in text):
        return None
    text = text.replace(decimal, ".")
    try:
        return float(text)
    except ValueError:
        return None


def numbers(table: TextTable, name: str) -> list[float]:
    """Return a column as finite numbers.

    Raises
    ------
    DataError
        If a cell is missing or holds no finite number: how many do, and which is the first.

    Examples
    --------
    >>> numbers(table_of([{"age": 3}, {"age": None}, {"age": ""}]), "age")
    Traceback (most recent call last):
        ...
    pellucid.errors.DataError: rows: column 'age' has no value in 2 of 3 rows, the first in row 2. Fill them in, or
    remove the rows or the column.
    """
    cells = table.column(name)
    values = [math.nan if cell == "" else table.number(cell) for cell in cells]
    bad = [i for i, value in enumerate(values) if value is None or not math.isfinite(value)]
    if not bad:
        return [value for value in values if value is not None]
    column = f"{table.where}: column {printable(name)!r}"
    missing = [i for i in bad if cells[i] == ""]
    if missing:
        raise DataError(
            f"{column} has no value in {len(missing)} of {len(cells)} rows, the first in {table.rows[missing[0]]}. "
            "Fill them in, or remove the rows or the column."
        )
    raise DataError(
        f"{column}: expected finite numbers, got {printable(cells[bad[0]])!r} in {table.rows[bad[0]]} "
        f"({len(bad)} such of {len(cells)}). Correct it."
    )


def no_such_columns(table: TextTable, missing: Sequence[str], why: str) -> DataError:
    """Return the error for columns that a table does not have, with the nearest that it has.

    Examples
    --------
    >>> print(no_such_columns(table_of([{"Age": 3, "sex": "f"}]), ["age"], "which the model needs"))
    rows: there is no column 'age', which the model needs. Did you mean 'Age'? Columns: Age, sex.
    """
    found = {name.casefold(): name for name in table.names}
    near = difflib.get_close_matches(missing[0].casefold(), found, n=1, cutoff=0.5)
    hint = f" Did you mean {printable(found[near[0]])!r}?" if near else ""
    if any(number(name) is not None for name in table.names):
        hint += _HEADER_HINT
    what = "column" if len(missing) == 1 else "columns"
    words = join_some([repr(printable(name)) for name in missing])
    return DataError(
        f"{table.where}: there is no {what} {words}, {why}.{hint} Columns: {join_some(table.names, 12)}."
    )


def _decode(data: bytes, path: Path) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}: expected text in UTF-8, got the byte 0x{data[error.start]:02x} in line {line}. "
            "Save it as UTF-8 (in Excel: 'CSV UTF-8')."
        ) from None
    if "\0" in text:
        raise DataError(f"{path}: expected text, found null bytes. Save it as CSV in UTF-8.")
    return text


def _parse(text: str, delimiter: str) -> Any:
    # strict: without it, a quote that is never closed would swallow the rest of the file in silence
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)


def _sniff(text: str, decimal: Decimal) -> str:
    """Return the delimiter that divides the first lines into the same number of fields, and the largest.

    csv.Sniffer counts letters, quoted ones too, and takes the comma of "size, cm;weight, kg" for the delimiter.
    """
    candidates = [delimiter for delimiter in DELIMITERS if delimiter != decimal]
    best, best_score = candidates[0], (0, 0)
    for delimiter in candidates:
        try:
            widths = [len(record) for record in islice(_parse(text, delimiter), _ROWS_TO_SNIFF) if record]
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            best_score, best = max((best_score, best), ((widths.count(widths[0]), widths[0]), delimiter))
    return best


def _records(text: str, delimiter: str, path: Path) -> tuple[list[list[str]], list[str]]:
    """Return the lines that are not empty, divided, and what to call each."""
    records, lines, last = [], [], 0
    reader = _parse(text, delimiter)
    try:
        for record in reader:
            cells = [cell.strip() for cell in record]
            if any(cells) or len(cells) > 1:
                records.append(cells)
                lines.append(
                    f"line {last + 1}"
                )  # a quoted field may hold line breaks: where the record begins
            last = reader.line_num
    except csv.Error as error:
        raise DataError(
            f"{path}: cannot divide the text from line {last + 1} on ({printable(str(error))}). "
            'Close each quote ("), and write a quote inside quoted text twice.'
        ) from None
    return records, lines


def _named(
    names: Sequence[str], columns: Iterable[Sequence[str]], rows: tuple[str, ...], where: str
) -> TextTable:
    repeated = [name for name, count in Counter(names).items() if name and count > 1]
    if repeated:
        hint = "" if number(repeated[0]) is None else _HEADER_HINT
        raise DataError(
            f"{where}: expected different names for the columns, got {printable(repeated[0])!r} twice. "
            f"Rename one.{hint}"
        )
    kept = [(name, tuple(map(_cell, column))) for name, column in zip(names, columns, strict=True) if name]
    if not kept:
        raise DataError(f"{where}: expected a line of column names, found empty ones. Write one at the top.")
    unnamed = [i for i, name in enumerate(names, start=1) if not name]
    what = "column" if len(unnamed) == 1 else "columns"
    notes = (f"left out {what} {join_some(unnamed)}, which the first line does not name",) if unnamed else ()
    return TextTable(tuple(name for name, _ in kept), tuple(column for _, column in kept), rows, where, notes)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value).strip()
    return "" if text.lower() in _MISSING else text
