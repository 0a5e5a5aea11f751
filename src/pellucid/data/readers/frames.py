"""Data frames of pandas, polars and Arrow, and Parquet files, as text: the same columns as from a CSV file."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pellucid.data.gaps import frame_columns, is_arrow, is_gap
from pellucid.data.readers.reading import check_file, reading
from pellucid.data.readers.table_text import USUAL, Decimal, TextTable, cell_of
from pellucid.errors import DataError, MissingExtraError
from pellucid.text import printable


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
