"""Reading tables as pellucid reads them: a script of a network of a table's columns gets a copy of this."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.data.readers.table_columns import cell_values, value_columns, word_codes, word_columns
from pellucid.data.readers.table_files import _parse, _sniff
from pellucid.data.readers.table_text import MISSING, Decimal, cell_of, missing_words
from pellucid.errors import DataError
from pellucid.types import Array

# Of each: name, kind, the words of a column of words, what fills a gap, whether gaps are marked, a date's parts.
Columns = Sequence[tuple[str, str, Sequence[str], Any, bool, Sequence[str]]]


def read_table(source: Any, columns: Columns, decimal: Decimal, missing: str) -> Array:
    """Return a table as numbers, (m, n): a .csv file with a line of names at the top, or a list of dictionaries."""
    rows, where = source, "rows"
    if not isinstance(source, Sequence) or isinstance(source, str):
        rows, where = read_rows(source, decimal), str(source)
    if not rows:
        raise DataError(f"{where}: expected at least one row of values, found none.")
    named = {name for row in rows for name in row}
    for name, *_ in columns:
        if name not in named:
            raise DataError(f"{where}: there is no column {name!r}, which the network takes.")
    none = missing_words(missing)
    encoded = []
    for name, *column in columns:
        cells = [cell_of(row.get(name)) for row in rows]
        cells = ["" if cell.lower() in none else cell for cell in cells]
        encoded.append(encode_column(cells, column, decimal, f"{where}: column {name!r}"))
    return np.concatenate(encoded, axis=1)


def read_rows(path: Any, decimal: Decimal) -> list[dict[str, str]]:
    """Return the lines of a .csv file below its names; the delimiter is found by looking at the first ones."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
        delimiter = "\t" if str(path).lower().endswith(".tsv") else _sniff(text, decimal)
        records = [[cell.strip() for cell in record] for record in _parse(text, delimiter)]
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{path}: expected a table in UTF-8, but cannot read it ({reason}).") from None
    names, *records = [record for record in records if any(record) or len(record) > 1] or [[]]
    for i, record in enumerate(records, 1):
        if len(record) != len(names):
            raise DataError(f"{path}: expected {len(names)} fields in row {i}, got {len(record)}.")
    return [dict(zip(names, record, strict=True)) for record in records]


def encode_column(cells: Sequence[str], column: Sequence[Any], decimal: Decimal, where: str) -> Array:
    """Return the columns of numbers that a column of a table becomes, (m, n)."""
    kind, words, fill, marks_gaps, parts = column
    if words:
        return word_columns(word_codes(cells, words), len(words))
    values = cell_values(cells, kind, decimal)
    for i, (cell, value) in enumerate(zip(cells, values, strict=True), 1):
        if value is None or (fill is None and not cell):
            what = {"numeric": "a number", "boolean": "yes or no"}.get(kind, "a date")
            raise DataError(f"{where}: expected {what} in row {i}, got {cell or MISSING!r}.")
    return value_columns(np.array(values, np.float64), fill or 0.0, parts, marks_gaps=marks_gaps)
