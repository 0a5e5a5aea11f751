"""Tables in files, as text: CSV and Parquet."""

from pathlib import Path

from pellucid.data.readers.csv_file import read_table
from pellucid.data.readers.frames import read_parquet
from pellucid.data.readers.table_text import USUAL, Decimal, TextTable


def read_file(path: Path, decimal: Decimal = ".", missing: str = USUAL) -> TextTable:
    """Return a .parquet file, or a file of text, as a TextTable."""
    read = read_parquet if path.suffix.lower() == ".parquet" else read_table
    return read(path, decimal, missing)
