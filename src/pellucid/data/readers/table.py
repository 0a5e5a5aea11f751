"""Tables: text and the name of a target column -> a Split of numbers, and the schema behind them."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pellucid.data.dataset import Dataset, Split
from pellucid.data.labels import as_labels, encode
from pellucid.data.readers.column_kinds import (
    FEWEST_COUNTED,
    MOST_CATEGORIES,
    MOSTLY,
    check_numbers,
    decimal_of,
    fitted,
    fraction_of_numbers,
    kinds_of,
    left_out_notes,
)
from pellucid.data.readers.table_columns import RARE
from pellucid.data.readers.table_schema import Column, LeftOut, TableSchema
from pellucid.data.readers.table_text import MISSING, TextColumn, TextTable
from pellucid.data.validate import hold_out
from pellucid.errors import DataError
from pellucid.text import join_some, plural, printable
from pellucid.types import Array


def split_table(
    table: TextTable,
    *,
    target: str | None,
    name: str,
    seed: int,
    test_fraction: float,
    group: str | None = None,
    drop: Sequence[str] = (),
    kinds: Mapping[str, str] | None = None,
    has_row_names: bool = False,
) -> Split:
    """Hold out a part of a table's rows, and convert its columns to numbers.

    Parameters
    ----------
    table : TextTable
        From :func:`pellucid.data.readers.table_files.read_table`. Where a column of numbers such as 3,14 or 1,234.5
        leaves no doubt, the comma is its decimal sign, or the one between thousands, with a note.
    target : str or None
        The column to predict. Words and whole numbers are classes; numbers with a fraction, or more than 100
        different whole numbers, make it a regression. "NAME:class" and "NAME:number" override that.
        "a,b,c" are several columns of 0 and 1: a multi-label target.
    name : str
        The name of the Split.
    seed : int
        Draws the held-out part.
    test_fraction : float
        The size of that part, between 0 and 1.
    group : str, optional
        The column that says which rows belong together, such as the patient they are of: all rows of a group go
        into one part. It is no input. A row without a value is alone.
    drop : sequence of str, optional
        Columns that are no inputs.
    kinds : mapping, optional
        The kind of columns where it is not to be guessed: "numeric", "boolean", "category", "date", or "dmy" and
        "mdy" for dates whose day or month stands first. A column that is named is not left out.
    has_row_names : bool, optional
        Whether the names of the rows ("line 2") become the ``files`` of both parts.

    Returns
    -------
    Split
        X float64. Of numbers: the number, the training part's median where it is missing, and where values are
        missing in the training part a column that is 1 there. Of words, and numbers such as 00501: a column of 0
        and 1 for each of the 100 most common, one for all rare ones (in fewer than 10 rows, or 1 % of less than
        1,000). Of dates: year, month, weekday, hour, season and days, where they differ. Columns with one value,
        ids, names and free text are left out. y int64 indices into the classes, float64 (regression, without
        classes), or (m, k) of 0 and 1. The ``schema`` reads other tables the same way. The notes say what was left
        out and filled.

    Raises
    ------
    DataError
        If there is no such target, it has gaps, a cell does not fit its column, dates can be read in two orders, or
        too few rows are left.

    Examples
    --------
    >>> from pellucid.data.readers.table_text import table_of
    >>> rows = [{"kg": 4.5, "coat": "tabby", "pet": "cat"}, {"kg": 30, "coat": "plain", "pet": "dog"}]
    >>> pets = split_table(table_of(5 * rows), target="pet", name="pets", seed=1, test_fraction=0.2)
    >>> pets.schema.feature_names, pets.classes
    (('kg', 'coat=plain', 'coat=tabby'), ('cat', 'dog'))
    >>> pets.test.X, pets.test.y
    (array([[30. ,  1. ,  0. ],
            [ 4.5,  0. ,  1. ]]), array([1, 0]))
    """
    if len(table.names) < 2:
        raise DataError(
            f"{table.where}: expected at least two columns, one to predict and one to predict it from, got only "
            f"{printable(table.names[0])!r}. Divide columns by comma, semicolon or tab."
        )
    decimal = decimal_of(table)
    if decimal != table.decimal:
        notes = (*table.notes, *["decimal commas: 3,14 is a number"] * (decimal[0] != table.decimal[0]))
        table = replace(table, decimal=decimal, notes=notes)
    goal = _read_target(table, target)
    if len(table.rows) < 2:
        raise DataError(
            f"{table.where}: expected at least two rows, to train and to test on, got 1. Add rows."
        )
    groups = None if group is None else _read_groups(table, group, goal.names)
    apart = goal.names if group is None else (*goal.names, group)
    kinds, left_out, notes_on_kinds = kinds_of(table, apart, drop, kinds or {})
    names = np.array(table.rows) if has_row_names else None
    numbered = Dataset(np.arange(len(table.rows))[:, None], goal.y, goal.classes, "row", groups, files=names)
    parts = hold_out(numbered, name=name, seed=seed, test_fraction=test_fraction)
    columns, more, notes_on_columns = _fit(table, kinds, parts.train.X[:, 0].tolist())
    left_out += more
    numeric = [column.name for column in columns if column.kind == "numeric"]
    grouped = [table.column(name).grouped() for name in (*goal.names[goal.task != "regression" :], *numeric)]
    named = [note for note in grouped if note]
    how = table.decimal, table.missing
    schema = TableSchema(columns, goal.names, goal.task, goal.classes, *how, tuple(left_out))
    encoded = schema.encode(table, with_target=False)
    train, test = (replace(part, X=encoded.X[part.X[:, 0]]) for part in parts)
    notes = (
        *encoded.notes,
        *left_out_notes(left_out),
        *notes_on_kinds,
        *([f"separators between thousands: {join_some(named)}"] if named else []),
        *notes_on_columns,
        *goal.notes,
        *([] if group is None else _without_group(table.column(group))),
        *parts.notes,
    )
    return Split(train, test, name, notes, schema)


def _fit(
    table: TextTable, kinds: Mapping[str, str], rows: Sequence[int]
) -> tuple[tuple[Column, ...], tuple[LeftOut, ...], tuple[str, ...]]:
    """Return the columns with the numbers of the training part, those that are left out after all, and notes."""
    found = [fitted(table.column(name), kind, rows) for name, kind in kinds.items()]
    columns = tuple(one for one in found if isinstance(one, Column))
    left_out = tuple(one for one in found if isinstance(one, LeftOut))
    if not columns:
        raise DataError(
            f"{table.where}: no column is left to predict from ({'; '.join(left_out_notes(left_out))}). Add "
            "columns, or rows."
        )
    return columns, left_out, tuple(_notes(table, columns))


def _notes(table: TextTable, columns: Sequence[Column]) -> list[str]:
    """Return what became of gaps and rare words, a note each."""
    found: dict[str, list[str]] = {}
    for one in columns:
        called = repr(printable(one.name))
        if one.marks_gaps:
            fill = "more common value" if one.kind == "boolean" else "median"
            what = f"missing values became the training part's {fill}, and a column says where"
            found.setdefault(what, []).append(f"{called} ({one.filled})")
        if MISSING in one.categories:
            found.setdefault(f"missing values are a category of their own, {MISSING}", []).append(called)
        if one.kind == "category":
            cells = table.column(one.name).cells
            n, n_own = len(set(cells)), len(one.categories) - (RARE in one.categories)
            if RARE in one.categories:
                found.setdefault("rare words count as one", []).append(f"{called} ({n - n_own} of {n})")
            elif n > FEWEST_COUNTED and n > MOSTLY * len(cells):
                found.setdefault("each word is a number of its own", []).append(f"{called} ({n} words)")
    return [f"{what}: {join_some(named)}" for what, named in found.items()]


def _read_groups(table: TextTable, group: str, target: tuple[str, ...]) -> Array:
    """Return a number for each row, the same for those with one value in the column of groups."""
    table.check_has([group], "which was named as the group")
    if group in target:
        raise DataError(
            f"{table.where}: column {printable(group)!r} is the target, and cannot be the group too. Name another."
        )
    numbers: dict[str, int] = {}
    cells = table.column(group).cells
    return np.array([numbers.setdefault(cell or f"\0{i}", len(numbers)) for i, cell in enumerate(cells)])


def _without_group(column: TextColumn) -> list[str]:
    """Return a note on rows whose cell in the column of groups is empty."""
    n = column.cells.count("")
    each, name = "each of them" if n > 1 else "it", printable(column.name)
    return [f"{plural(n, 'row')} without {name!r}: {each} is a group of its own"] if n else []


class _Target(NamedTuple):
    """The target to predict."""

    names: tuple[str, ...]
    task: str
    y: Array
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _read_target(table: TextTable, target: str | None) -> _Target:
    if target is None or not target.strip():
        last = printable(table.names[-1])
        raise DataError(
            f"{table.where}: expected a target, the name of the column to predict. Columns: "
            f"{join_some(table.names, 12)}. Try --target {shlex.quote(last)} (target={last!r} in Python)."
        )
    names, kind = parse_target(target.strip(), table.names)
    table.check_has(names, "which was named as the target")
    if len(set(names)) < len(names):
        raise DataError(
            f"{table.where}: expected different target columns, got {join_some(names)}. Name each once."
        )
    if len(names) > 1:
        y = np.stack([table.column(name).binary() for name in names], axis=1)
        same = [name for name, column in zip(names, y.T, strict=True) if np.ptp(column) == 0]
        notes = (f"one value only in every row of: {join_some(same)}",) if same else ()
        return _Target(names, "multi_label", y, names, notes)
    return _one_target(table.column(names[0]), kind)


def parse_target(target: str, columns: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the names of the target columns, and "class" or "number" where that was given."""
    if target in columns:  # a column's own name may hold commas and colons
        return (target,), ""
    name, _, kind = target.rpartition(":")
    if name and kind in ("class", "number"):
        return (name.strip(),), kind
    return tuple(name.strip() for name in target.split(",")), ""


def _one_target(column: TextColumn, kind: str) -> _Target:
    where = f"{column.where}: target {printable(column.name)!r}"
    if absence := column.absence():
        words = sorted(
            {word for word, cell in zip(column.written, column.cells, strict=True) if word and not cell}
        )
        hint = (
            f" If {join_some([repr(word) for word in words])} is a class, say which words mean no value: "
            "missing='' (--missing '') for none."
        )
        raise DataError(f"{where} has {absence}. Remove those rows.{hint if words else ''}")
    kind, notes = (kind, ()) if kind else _target_kind(column)
    if kind == "number":
        y = column.numbers()
        if len(y) > 1 and np.ptp(y) == 0:
            raise DataError(f"{where} is {y.flat[0]:g} in every row. There is nothing to predict.")
        return _Target((column.name,), "regression", y, notes=notes)
    is_number = column.are_whole and column.code is None
    labels = np.array(column.values if is_number else column.cells)  # numbers are sorted as such
    (codes,), classes, notes = encode([as_labels(labels, len(labels), where)], None, where)
    rare = [classes[label] for label, count in Counter(codes.tolist()).items() if count == 1]
    if rare and None not in column.values:
        raise DataError(
            f"{where}: class {printable(rare[0])!r} has 1 row, and holding out a test part takes at least 2. Add "
            f"rows; or, if the numbers are measurements, use target={printable(column.name + ':number')!r}."
        )
    return _Target((column.name,), "classification", codes, classes, notes)


def _target_kind(column: TextColumn) -> tuple[str, tuple[str, ...]]:
    """Return "number" or "class", and a note where that is a guess."""
    check_numbers(column)
    n_different = len(set(column.cells))
    if column.code is not None:
        return "class", ()
    if column.are_whole:
        if n_different <= MOST_CATEGORIES:
            return "class", ()
        return "number", (
            f"{n_different} different whole numbers in {printable(column.name)!r}: a regression",
        )
    fraction = fraction_of_numbers(column)
    is_measured = n_different > MOST_CATEGORIES or any(
        value is not None and value % 1 for value in column.values
    )
    is_number = fraction == 1 or (is_measured and fraction > MOSTLY and n_different > FEWEST_COUNTED)
    return ("number" if is_number else "class"), ()
