"""Reading tables as pellucid reads them: a script of a network of a table's columns gets a copy of this."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.data.readers.csv_file import _parse, _sniff
from pellucid.data.readers.table_text import MISSING, Decimal, cell_of, missing_words, number
from pellucid.errors import DataError
from pellucid.types import Array

Columns = Sequence[tuple[str, Sequence[str]]]  # the name of each, and the words of a column of words


def read_table(source: Any, columns: Columns, decimal: Decimal, missing: str) -> Array:
    """Return a table as numbers, (m, n): a .csv file with a line of names at the top, or a list of dictionaries."""
    rows, where = source, "rows"
    if not isinstance(source, Sequence) or isinstance(source, str):
        rows, where = read_rows(source, decimal), str(source)
    if not rows:
        raise DataError(f"{where}: expected at least one row of values, found none.")
    named = {name for row in rows for name in row}
    for name, _ in columns:
        if name not in named:
            raise DataError(f"{where}: there is no column {name!r}, which the network takes.")
    encoded = [
        encode_column([row.get(name) for row in rows], name, words, decimal, missing, where)
        for name, words in columns
    ]
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


def encode_column(
    values: Sequence[Any], name: str, words: Sequence[str], decimal: Decimal, missing: str, where: str
) -> Array:
    """Return a column of numbers, (m, 1), or of words, (m, n): 1 for its own word, all 0 for an unknown one."""
    none = missing_words(missing)
    cells = ["" if cell.lower() in none else cell for cell in map(cell_of, values)]
    if words:
        return np.array([[float((cell or MISSING) == word) for word in words] for cell in cells])
    numbers = [number(cell, decimal) for cell in cells]
    for i, (cell, value) in enumerate(zip(cells, numbers, strict=True), 1):
        if value is None or not np.isfinite(value):
            raise DataError(
                f"{where}: column {name!r}: expected a number in row {i}, got {cell or MISSING!r}."
            )
    return np.array(numbers, np.float64)[:, None]
