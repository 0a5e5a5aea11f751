"""Tables in files, as text: CSV and Parquet; and frames of pandas, polars or Arrow."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pellucid.data.gaps import frame_columns, is_arrow, is_gap
from pellucid.data.readers.reading import check_file, reading
from pellucid.data.readers.table_text import HEADER_HINT, USUAL, Decimal, TextTable, cell_of, number
from pellucid.errors import DataError, MissingExtraError
from pellucid.text import join_some, printable

_DELIMITERS = (",", ";", "\t")
_ROWS_TO_SNIFF = 30


def is_frame(value: Any) -> bool:
    """Return whether a value is a data frame: of pandas or polars, or a table of Arrow."""
    return hasattr(value, "columns") and (
        hasattr(value, "items") or hasattr(value, "get_columns") or is_arrow(value)
    )


def frame_table(
    frame: Any, where: str = "the frame", *, decimal: Decimal = ".", missing: str = USUAL
) -> TextTable:
    """Return a data frame as a TextTable.

    Missing values (None, NaN, NaT, NA) become empty cells, and floats that are all whole whole numbers: pandas
    makes them of whole numbers with gaps.

    Parameters
    ----------
    frame : DataFrame of pandas or polars, or Table of Arrow
    where : str, optional
        Its name in messages.
    decimal : {".", ",", ".,", ",."}, optional
        The decimal sign, and the one between thousands, of numbers that are text.
    missing : str, optional
        Words that say that a text has no value.

    Raises
    ------
    DataError
        If it has no rows, or two columns of one name.
    """
    columns = frame_columns(frame)
    names = [str(name).strip() for name, _ in columns]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(
            f"{where}: expected different names for the columns, got {printable(repeated[0])!r} twice. Rename one."
        )
    values = [column.to_pylist() if is_arrow(frame) else column.to_list() for _, column in columns]
    if not names or not values[0]:
        raise DataError(f"{where}: expected at least one row and one column, got none.")
    rows = tuple(f"row {i}" for i in range(1, len(values[0]) + 1))
    cells = tuple(_cells(column, decimal) for column in values)
    return TextTable(tuple(names), cells, rows, where, decimal=decimal, missing=missing)


def read_parquet(path: Path, decimal: Decimal = ".", missing: str = USUAL) -> TextTable:
    """Return a Parquet file as a TextTable; DataError if it cannot be read, MissingExtraError without pyarrow."""
    check_file(path, "a table")
    try:
        from pyarrow.parquet import read_table
    except ImportError:
        raise MissingExtraError(
            f"{path}: Parquet files need pyarrow. Install it with: pip install pyarrow"
        ) from None
    with reading(path, "a table", "Save it as Parquet, or as CSV in UTF-8."):
        frame = read_table(path)
    return frame_table(frame, str(path), decimal=decimal, missing=missing)


def _cells(values: Sequence[Any], decimal: Decimal) -> tuple[str, ...]:
    """Return the values of a column as text."""
    are_floats = all(isinstance(value, float) for value in values if value is not None)
    is_whole = are_floats and all(value.is_integer() for value in values if not is_gap(value))
    cells = tuple(cell_of(int(value) if is_whole and not is_gap(value) else value) for value in values)
    is_said = decimal[0] == "." or not are_floats
    return cells if is_said else tuple(cell.replace(".", ",") for cell in cells)


def read_table(path: Path, decimal: Decimal = ".", missing: str = USUAL) -> TextTable:
    """Read a CSV file: a line of names, then one line per sample.

    Parameters
    ----------
    path : Path
        UTF-8, with or without a byte order mark, or UTF-16 with one. The delimiter is the comma, semicolon or tab
        that divides all lines into the same number of fields; in a .tsv file the tab. Fields may be quoted by ".
    decimal : {".", ",", ".,", ",."}, optional
        The decimal sign, and the one between thousands; with a decimal comma no comma divides fields.
    missing : str, optional
        Words that say that a cell has no value, in any case: "?,NA". An empty cell never has one.

    Returns
    -------
    TextTable
        Spaces around cells are dropped, and so are empty lines and columns without a name (with a note).

    Raises
    ------
    DataError
        If the file is missing, empty, not UTF-8 text, has no row below the names, the same name twice, a quote
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
        raise DataError(f"{path}: expected rows below the names, found none. Add one line per sample.")
    notes = _check_names(names, path)
    named = {name: cells for name, cells in zip(names, zip(*records[1:], strict=True), strict=True) if name}
    rows = tuple(lines[1:])
    return TextTable(tuple(named), tuple(named.values()), rows, str(path), notes, decimal, missing)


def _decode(data: bytes, path: Path) -> str:
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = data.decode(encoding)
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
    # strict: without it, a quote that is never closed would silently swallow the rest of the file
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)


def _sniff(text: str, decimal: Decimal) -> str:
    """Return the delimiter that divides the first lines into the same number of fields, and the largest.

    csv.Sniffer counts letters, quoted ones too, and takes the comma of "size, cm;weight, kg" for the delimiter.
    """
    candidates = [delimiter for delimiter in _DELIMITERS if delimiter != decimal[0]]
    best, best_score = candidates[0], (0, 0)
    for delimiter in candidates:
        try:
            widths = [len(record) for record in islice(_parse(text, delimiter), _ROWS_TO_SNIFF) if record]
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            best_score, best = max((best_score, best), ((widths.count(widths[0]), widths[0]), delimiter))
    return "," if decimal[0] == "," and best_score == (0, 0) else best  # numbers between quotes


def _records(text: str, delimiter: str, path: Path) -> tuple[list[list[str]], list[str]]:
    """Return the lines that are not empty, divided, and the name of each."""
    records, lines, last = [], [], 0
    reader = _parse(text, delimiter)
    try:
        for record in reader:
            cells = [cell.strip() for cell in record]
            if any(cells) or len(cells) > 1:
                records.append(cells)
                lines.append(f"line {last + 1}")  # where it begins: a quoted field may hold line breaks
            last = reader.line_num
    except csv.Error as error:
        raise DataError(
            f"{path}: cannot divide the text from line {last + 1} on ({printable(str(error))}). "
            'Close each quote ("), and write a quote inside quoted text twice.'
        ) from None
    return records, lines


def _check_names(names: Sequence[str], path: Path) -> tuple[str, ...]:
    """Raise unless there are names and each occurs once; return the note on columns without one."""
    repeated = [name for name, count in Counter(names).items() if name and count > 1]
    if repeated:
        hint = "" if number(repeated[0]) is None else HEADER_HINT
        raise DataError(
            f"{path}: expected different names for the columns, got {printable(repeated[0])!r} twice. "
            f"Rename one.{hint}"
        )
    if not any(names):
        raise DataError(f"{path}: expected a line of column names, found empty ones. Write one at the top.")
    unnamed = [i for i, name in enumerate(names, start=1) if not name]
    what = "column" if len(unnamed) == 1 else "columns"
    return (f"left out {what} {join_some(unnamed)}, which the first line does not name",) if unnamed else ()


def read_file(path: Path, decimal: Decimal = ".", missing: str = USUAL) -> TextTable:
    """Return a .parquet file, or a file of text, as a TextTable."""
    return (read_parquet if path.suffix.lower() == ".parquet" else read_table)(path, decimal, missing)
