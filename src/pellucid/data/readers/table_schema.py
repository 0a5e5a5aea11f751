"""How the columns of a table become numbers: stored with a model, so that it reads other tables in the same way."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.readers.dates import EPOCH, PARTS
from pellucid.data.readers.table_columns import cell_values, value_columns, word_codes, word_columns
from pellucid.data.readers.table_files import frame_table, is_frame, read_file
from pellucid.data.readers.table_text import (
    MISSING,
    USUAL,
    Decimal,
    TextColumn,
    TextTable,
    number,
    table_of,
    them,
)
from pellucid.errors import DataError, FormatError, OptionError
from pellucid.registry import Configurable, checked_names, option
from pellucid.text import join_some, plural, printable
from pellucid.types import Array

DATES = ("date", "dmy", "mdy")
KINDS = ("numeric", "boolean", "category", *DATES)
TASKS = ("classification", "multi_label", "regression")  # the kinds of losses
MOST_NOTED = 5  # gaps and new words of more columns are one note


@dataclass(frozen=True)
class Column(Configurable):
    """An input column: its name, and how it becomes numbers.

    Parameters
    ----------
    name : str
    kind : {"numeric", "boolean", "category", "date", "dmy", "mdy"}
        "boolean" is yes or no, true or false. "dmy" and "mdy" are dates such as 31/5/2024 and 5/31/2024.
    categories : tuple of str, optional
        Of a category column: its words, one output column each. "(missing)" is an empty cell, "(rare)" all words
        that were rare in the training part, and new ones.
    fill : float or None, optional
        What stands for a missing value: the median of the training part, of dates in days since 1970; of yes and
        no the more common one. None: a missing value is refused.
    marks_gaps : bool, optional
        Whether a last output column is 1 where the value was missing.
    parts : tuple of str, optional
        Of a date: what it becomes, see :func:`pellucid.data.readers.dates.date_parts`.
    common : str, optional
        Of a category column: its most common word in the training part.
    truths : tuple of str, optional
        Of a boolean column: how the training part writes 0 and 1.
    """

    name: str = option()
    kind: str = option("numeric", choices=lambda: KINDS)
    categories: tuple[str, ...] = option(())
    fill: float | None = option(None)
    marks_gaps: bool = option(False)
    parts: tuple[str, ...] = option(())
    common: str = option("")
    truths: tuple[str, ...] = option(("no", "yes"))

    def __post_init__(self) -> None:
        self._check_options()
        n_different = len(set(self.categories))
        if bool(n_different) != (self.kind == "category") or n_different != len(self.categories):
            raise OptionError(
                f"column {printable(self.name)!r}: its categories do not fit a {self.kind} column."
            )
        if bool(self.parts) != (self.kind in DATES) or not set(self.parts) <= set(PARTS):
            raise OptionError(f"column {printable(self.name)!r}: its parts do not fit a {self.kind} column.")
        if len(self.truths) != 2:
            raise OptionError(f"column {printable(self.name)!r}: expected two words for no and yes.")
        if self.fill is None and self.marks_gaps:
            raise OptionError(f"column {printable(self.name)!r}: it marks gaps that nothing fills.")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each column of X that it becomes: ``age``, ``age missing``, ``coat=tabby``, ``born month``."""
        if self.kind == "category":
            return tuple(f"{self.name}={category}" for category in self.categories)
        names = [f"{self.name} {part}" for part in self.parts] or [self.name]
        return (*names, f"{self.name} missing") if self.marks_gaps else tuple(names)

    @property
    def width(self) -> int:
        """Number of columns of X that it becomes."""
        return len(self.feature_names)

    @property
    def is_measured(self) -> tuple[bool, ...]:
        """Whether each of them is a quantity, rather than 0 or 1: which ones to standardize."""
        n_measured = len(self.parts) or (self.kind == "numeric")
        return tuple(i < n_measured for i in range(self.width))

    def encode(self, column: TextColumn) -> tuple[Array, str]:
        """Return its columns of X for the cells of a table, (m, width), and a note on gaps and new words or "".

        DataError for a cell that cannot be read, and for a gap that nothing fills.
        """
        called, m = f"column {printable(self.name)!r}", len(column.cells)
        if self.kind == "category":
            codes = word_codes(column.cells, self.categories)
            new = np.flatnonzero(codes < 0)
            note = ""
            if len(new):
                note = (
                    f"{called}: {column.cell(new[0])} is no category of the training part and became all zeros, in "
                    f"{len(new)} of {m} rows"
                )
            return word_columns(codes, len(self.categories)), note
        read = cell_values(column.cells, self.kind, column.decimal)
        if None in read:
            raise self._unreadable(column, read)
        values = np.array(read, np.float64)
        gaps = np.flatnonzero(np.isnan(values))
        if len(gaps) and self.fill is None:
            raise DataError(
                f"{column.title} has {column.absence()}. Fill them in, or remove the rows or the column."
            )
        note = ""
        if len(gaps):
            first = f"the first in {column.rows[gaps[0]]}"
            note = f"{called}: no value in {len(gaps)} of {m} rows, {first}; {self.filled} instead"
        return value_columns(values, self.fill or 0.0, self.parts, marks_gaps=self.marks_gaps), note

    def encode_cell(self, cell: str) -> Array:
        """Return its columns of X for one cell, (width,)."""
        part, _ = self.encode(TextColumn(self.name, (cell,), (cell,), ("row 1",), "row", "."))
        return np.asarray(part[0])

    def known(self, part: Array) -> Array:
        """Return the values in its columns of X, (m, width), where they were not missing: of dates the days."""
        values: Array = part[:, max(0, len(self.parts) - 1)]
        return values[~self.is_missing(part)]

    def is_missing(self, part: Array) -> Array:
        """Return where a value was missing, (m,) bool, by its columns of X, as far as they mark it."""
        marks = -1 if self.marks_gaps else None
        if MISSING in self.categories:
            marks = self.categories.index(MISSING)
        return np.zeros(len(part), bool) if marks is None else np.asarray(part[:, marks] == 1)

    @property
    def usual(self) -> str:
        """The cell of a typical row: the most common word of the training part, or its median."""
        return self.common or (self.categories or (self.written(self.fill or 0.0, 15),))[0]

    @property
    def filled(self) -> str:
        """What stands for a missing value, as it is written in a cell."""
        return self.written(self.fill or 0.0)

    def written(self, value: float, digits: int = 6) -> str:
        """Return a number, a truth or a date (in days since 1970) as a cell of this column; 15 digits are exact.

        Examples
        --------
        >>> Column("born", "dmy", parts=("days",)).written(31), Column("old", "boolean").written(1)
        ('01/02/1970', 'yes')
        >>> Column("paid", "boolean", truths=("False", "True")).written(0)
        'False'
        """
        if self.kind == "boolean":
            return self.truths[bool(value)]
        if not self.parts:
            return f"{value:.{digits}g}"
        forms = {"dmy": "%d/%m/%Y", "mdy": "%m/%d/%Y"}
        return date.fromordinal(EPOCH + int(value)).strftime(forms.get(self.kind, "%Y-%m-%d"))

    def _unreadable(self, column: TextColumn, read: Sequence[float | None]) -> DataError:
        """Return the error for the first cell that is not of this kind."""
        wanted = {"numeric": "finite numbers", "boolean": "true or false, yes or no, 1 or 0"}
        what = wanted.get(self.kind, f"dates as in the training ({self.kind})" if self.parts else "dates")
        bad = [i for i, value in enumerate(read) if value is None]
        return DataError(
            f"{column.title}: expected {what}, got {column.some(bad)} (of {len(read)} rows). Correct {them(bad)}."
        )


@dataclass(frozen=True)
class LeftOut(Configurable):
    """A column of the table that is no input.

    Parameters
    ----------
    name : str
    reason : str
        In a few words: "one value in every row", "names or free text".
    value : str, optional
        Of a column that had one value in the training part: that value.
    """

    name: str = option()
    reason: str = option("")
    value: str = option("")


class Encoded(NamedTuple):
    """A table as numbers."""

    X: Array  # (m, n) float64
    y: Array | None  # (m,) int64 or float64, or (m, k) int64; None where the table does not hold the target
    notes: tuple[str, ...]


@dataclass(frozen=True)
class TableSchema(Configurable):
    """The columns that a table must have, and how they become X and y.

    Parameters
    ----------
    columns : tuple of Column
        The inputs, in the order of X. A category column becomes one column of 0 and 1 for each category.
    target : tuple of str
        The column of labels or numbers; for "multi_label" one column per label.
    task : {"classification", "multi_label", "regression"}
    classes : tuple of str, optional
        The names of the classes; for "multi_label" those of ``target``; for "regression" none.
    decimal : {".", ",", ".,", ",."}, optional
        The decimal sign in files, and the one between thousands where the training's had one.
    missing : str, optional
        Words that say that a cell has no value: "?,NA".
    left_out : tuple of LeftOut, optional
        The columns that were no inputs, and why.

    Raises
    ------
    OptionError
        If these are inconsistent.

    Examples
    --------
    >>> schema = TableSchema((Column("age"), Column("coat", "category", ("plain", "tabby"))), ("pet",),
    ...                      "classification", ("cat", "dog"))
    >>> schema.feature_names
    ('age', 'coat=plain', 'coat=tabby')
    >>> schema.encode([{"coat": "tabby", "age": 3}, {"coat": "black", "age": 4}])
    Encoded(X=array([[3., 0., 1.], [4., 0., 0.]]), y=None,
            notes=("column 'coat': 'black' in row 2 is no category of the training part and became all zeros, in 1
                    of 2 rows",))
    >>> TableSchema.from_config(schema.to_config()) == schema
    True
    """

    columns: tuple[Column, ...] = option()
    target: tuple[str, ...] = option()
    task: str = option(choices=lambda: TASKS)
    classes: tuple[str, ...] = option(())
    decimal: Decimal = option(".")
    missing: str = option(USUAL)
    left_out: tuple[LeftOut, ...] = option(())

    def __post_init__(self) -> None:
        self._check_options()
        names = [column.name for column in self.columns] + list(self.target)
        if not self.columns or not self.target or len(set(names)) < len(names):
            raise OptionError("schema: expected input and target columns, each name once.")
        n_classes = len(self.classes)
        fits = {
            "classification": len(self.target) == 1
            and n_classes >= 2
            and len(set(self.classes)) == n_classes,
            "multi_label": len(self.target) >= 2 and self.classes == self.target,
            "regression": len(self.target) == 1 and not self.classes,
        }
        if not fits[self.task]:
            raise OptionError(
                f"schema: {n_classes} classes and {len(self.target)} target columns do not fit a {self.task}."
            )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each column of X: ``age``, ``age missing``, ``coat=tabby``, ``born month``."""
        return tuple(name for column in self.columns for name in column.feature_names)

    @property
    def slices(self) -> tuple[slice, ...]:
        """Where the numbers of each column are in a row of X."""
        ends = np.cumsum([column.width for column in self.columns]).tolist()
        return tuple(slice(end - column.width, end) for end, column in zip(ends, self.columns, strict=True))

    @property
    def is_measured(self) -> tuple[bool, ...]:
        """Whether each column of X is a quantity, rather than 0 or 1: which ones to standardize."""
        return tuple(one for column in self.columns for one in column.is_measured)

    def encode(self, source: Any, *, with_target: bool = True) -> Encoded:
        """Return a table as numbers.

        Parameters
        ----------
        source : str or Path, TextTable, data frame, or sequence of mappings
            A CSV or Parquet file, its text, a frame of pandas or polars, or rows. Its columns may be in any order,
            and others are ignored.
        with_target : bool, optional
            Whether to read the target as well, where the table has it.

        Returns
        -------
        Encoded
            A missing number or date becomes the median of the training part, a missing yes or no its more common
            one, with a note where the training had no gap in that column. A category that the training part did
            not have counts as a rare one, or becomes all zeros, with a note: it has no weight.

        Raises
        ------
        DataError
            If the table cannot be read, lacks a column or a number, or holds an unknown class.
        """
        table = self._text_of(source)
        columns = [column.name for column in self.columns]
        known = {*columns, *self.target, *(one.name for one in self.left_out)}
        table.check_has(columns, "which the model was trained on", known)
        encoded = [column.encode(table.column(column.name)) for column in self.columns]
        X = np.concatenate([part for part, _ in encoded], axis=1)
        told = [
            note
            for column, (_, note) in zip(self.columns, encoded, strict=True)
            if note and not column.marks_gaps
        ]
        if (n_more := len(told) - MOST_NOTED) > 0:
            told[MOST_NOTED:] = [f"and so in {plural(n_more, 'more column')}"]
        notes = [*table.notes, *told, *self._changed(table)]
        y = None
        if with_target:
            absent = [name for name in self.target if name not in table.names]
            y = self._encode_target(table) if not absent else None
            if absent and len(absent) < len(self.target):
                notes.append(f"no labels read: there is no column {join_some(absent)}")
        return Encoded(X, y, tuple(notes))

    def read_row(self, path: Path, row: int) -> TextTable:
        """Return a row of a file, counted from 1, as a table; DataError where there is no such row."""
        table = self._text_of(path)
        if not 1 <= row <= len(table.rows):
            raise DataError(f"{path}: expected a row from 1 to {len(table.rows)}, got --row {row}.")
        return table.take(np.array([row - 1]))

    def _text_of(self, source: Any) -> TextTable:
        """Return a table as text, read as the training's was."""
        if isinstance(source, TextTable):
            return source
        if isinstance(source, str | Path):
            return read_file(Path(source).expanduser(), self.decimal, self.missing)
        if is_frame(source):
            return frame_table(source, decimal=self.decimal, missing=self.missing)
        rows = [*map(self._with_points, source)] if self.decimal != "." else source
        return table_of(rows, missing=self.missing)

    def _with_points(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a row whose numbers may be texts such as "3,14", or "1,234" where thousands have a comma."""
        names = {column.name for column in self.columns if column.kind == "numeric"}
        names |= set(self.target if self.task == "regression" else ())
        texts = {name: value for name, value in row.items() if name in names and isinstance(value, str)}
        read = {name: number(value.strip(), self.decimal) for name, value in texts.items()}
        return {**row, **{name: value for name, value in read.items() if value is not None}}

    def _changed(self, table: TextTable) -> list[str]:
        """Return a note for each column that was left out for its one value, and has another here."""
        notes = []
        for one in self.left_out:
            if one.value and one.name in table.names:
                column = table.column(one.name)
                other = next((i for i, cell in enumerate(column.cells) if cell != one.value), None)
                if other is not None:
                    notes.append(
                        f"column {printable(one.name)!r} was {printable(one.value)!r} in every training row and is "
                        f"no input: {column.cell(other)} has no effect"
                    )
        return notes

    def _encode_target(self, table: TextTable) -> Array:
        columns = [table.column(name) for name in self.target]
        if self.task == "regression":
            return columns[0].numbers()
        if self.task == "multi_label":
            return np.stack([column.binary() for column in columns], axis=1)
        places = {name: i for i, name in enumerate(self.classes)}
        (column,) = columns
        pairs = zip(column.cells, column.wholes(), strict=True)
        codes = np.array([places.get(cell, places.get(whole, -1)) for cell, whole in pairs], np.int64)
        if (codes < 0).any():
            raise DataError(
                f"{column.title} holds {column.cell(int(codes.argmin()))}, which is not one of the model's classes "
                f"({join_some(self.classes)}). Correct it or remove the row."
            )
        return codes

    def to_config(self) -> dict[str, Any]:
        """Return the schema as a JSON-serializable dictionary, without what is at its default."""
        config = asdict(self)
        config["columns"] = [
            {"kind": one.kind, "categories": one.categories} | one._changed_options() for one in self.columns
        ]
        if self.missing == USUAL:  # earlier versions read such a file too
            del config["missing"]
        if not self.left_out:
            del config["left_out"]
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "TableSchema":
        """Return the schema that `to_config` wrote.

        Raises
        ------
        FormatError
            If the dictionary is not a valid schema.
        """
        try:
            columns = tuple(Column(**checked_names(Column, column)) for column in config["columns"])
            left_out = tuple(LeftOut(**checked_names(LeftOut, one)) for one in config.get("left_out", ()))
            return cls(**checked_names(cls, {**config, "columns": columns, "left_out": left_out}))
        except (OptionError, KeyError, TypeError, ValueError) as error:
            raise FormatError(
                f"table schema in the model file: {error} The file is damaged, or from a newer pellucid."
            ) from None
