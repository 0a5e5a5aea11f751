"""How the columns of a table become numbers: stored with a model, so that it reads other tables in the same way."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.readers.csv_file import read_table
from pellucid.data.readers.table_text import MISSING, USUAL, Decimal, TextColumn, TextTable, table_of
from pellucid.errors import DataError, FormatError, OptionError
from pellucid.registry import Configurable, checked_names, option
from pellucid.text import join_some, printable
from pellucid.types import Array

KINDS = ("numeric", "category")
TASKS = ("classification", "multi_label", "regression")  # the kinds of losses


@dataclass(frozen=True)
class Column(Configurable):
    """An input column: its name, and how it becomes numbers.

    Parameters
    ----------
    name : str
    kind : {"numeric", "category"}
    categories : tuple of str, optional
        Of a category column: its words, one output column each.
    """

    name: str = option()
    kind: str = option("numeric", choices=lambda: KINDS)
    categories: tuple[str, ...] = option(())

    def __post_init__(self) -> None:
        self._check_options()
        n_different = len(set(self.categories))
        if bool(n_different) != (self.kind == "category") or n_different != len(self.categories):
            raise OptionError(
                f"column {printable(self.name)!r}: its categories do not fit a {self.kind} column."
            )

    @property
    def width(self) -> int:
        """Number of columns of X that it becomes."""
        return len(self.categories) if self.kind == "category" else 1


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
    decimal : {".", ","}, optional
        The decimal sign in files.
    missing : str, optional
        Words that say that a cell has no value: "?,NA".

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
        """A name for each column of X: ``age``, ``coat=tabby``."""
        return tuple(
            f"{column.name}={category}" if column.kind == "category" else column.name
            for column in self.columns
            for category in column.categories or ("",)
        )

    @property
    def is_numeric(self) -> tuple[bool, ...]:
        """Whether each column of X is a numeric one: which ones to standardize."""
        return tuple(column.kind == "numeric" for column in self.columns for _ in range(column.width))

    def encode(
        self, source: str | Path | TextTable | Sequence[Mapping[str, Any]], *, with_target: bool = True
    ) -> Encoded:
        """Return a table as numbers.

        Parameters
        ----------
        source : str or Path, TextTable, or sequence of mappings
            A CSV file, its text, or rows. Its columns may be in any order, and others are ignored.
        with_target : bool, optional
            Whether to read the target as well, where the table has it.

        Returns
        -------
        Encoded
            A category that the training part did not have becomes all zeros, with a note: it has no
            weight.

        Raises
        ------
        DataError
            If the table cannot be read, lacks a column or a number, or holds an unknown class.
        """
        if isinstance(source, str | Path):
            table = read_table(Path(source).expanduser(), self.decimal, self.missing)
        else:
            table = source if isinstance(source, TextTable) else table_of(source, missing=self.missing)
        table.check_has([column.name for column in self.columns], "which the model was trained on")
        X = np.empty((len(table.rows), len(self.is_numeric)))
        notes, start = list(table.notes), 0
        for column in self.columns:
            part = X[:, start : start + column.width]
            start += column.width
            if column.kind == "numeric":
                part[:, 0] = table.column(column.name).numbers()
            else:
                notes += _one_hot(table.column(column.name), column.categories, part)
        y = None
        if with_target:
            absent = [name for name in self.target if name not in table.names]
            y = self._encode_target(table) if not absent else None
            if absent and len(absent) < len(self.target):
                notes.append(f"no labels read: there is no column {join_some(absent)}")
        return Encoded(X, y, tuple(notes))

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
        """Return the schema as a JSON-serializable dictionary, without ``missing`` where it is the usual one."""
        config = asdict(self)
        if self.missing == USUAL:  # earlier versions read such a file too
            del config["missing"]
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
            return cls(**checked_names(cls, {**config, "columns": columns}))
        except (OptionError, KeyError, TypeError, ValueError) as error:
            raise FormatError(
                f"table schema in the model file: {error} The file is damaged, or from a newer pellucid."
            ) from None


def _one_hot(column: TextColumn, categories: Sequence[str], part: Array) -> list[str]:
    """Write 1 into the column of each row's category, and return the note on those that are unknown."""
    places = {category: i for i, category in enumerate(categories)}
    codes = np.array([places.get(cell or MISSING, -1) for cell in column.cells])
    part[...] = codes[:, None] == np.arange(len(categories))
    n_unknown = int(np.count_nonzero(codes < 0))
    if not n_unknown:
        return []
    first = int(codes.argmin())
    return [
        f"column {printable(column.name)!r}: {column.cell(first)} is no category of the training part and became "
        f"all zeros, in {n_unknown} of {len(codes)} rows"
    ]
