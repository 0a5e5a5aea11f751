"""Tables: text and the name of a target column -> a Split of numbers, and the schema behind them."""

import re
from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pellucid.data.dataset import Dataset, Split
from pellucid.data.labels import as_labels, encode
from pellucid.data.readers.table_schema import Column, TableSchema
from pellucid.data.readers.table_text import MISSING, TextColumn, TextTable
from pellucid.data.validate import hold_out
from pellucid.errors import DataError
from pellucid.text import join_some, printable
from pellucid.types import Array

# A column with more distinct words holds names or identifiers; with more whole numbers it is continuous.
MOST_CATEGORIES = 100
_MOSTLY = 0.5  # of a column's cells are numbers: the others may be mistakes
_COMMA_NUMBER = re.compile(r"[+-]?\d[\d.]*[.,][\d.,]*\d")
_FEWEST_COUNTED = 10  # rows from which on 1, 2, 3 ... is no coincidence


def split_table(
    table: TextTable,
    *,
    target: str | None,
    name: str,
    seed: int,
    test_fraction: float,
    group: str | None = None,
    has_row_names: bool = False,
) -> Split:
    """Hold out a part of a table's rows, and convert its columns to numbers.

    Parameters
    ----------
    table : TextTable
        From :func:`pellucid.data.readers.csv_file.read_table`.
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
    has_row_names : bool, optional
        Whether the names of the rows ("line 2") become the ``files`` of both parts.

    Returns
    -------
    Split
        X float64: numeric columns as they are, others one-hot over the sorted categories of the training part, in
        which an empty cell is the category "(missing)". y int64 indices into the classes, float64
        (regression, without classes), or (m, k) of 0 and 1. The ``schema`` reads other tables the same way. The
        notes name the columns that were left out (empty, or more than 100 different words) and doubtful ones.

    Raises
    ------
    DataError
        If there is no such target, a number is missing, or too few rows are left.

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
    goal = _read_target(table, target)
    if len(table.rows) < 2:
        raise DataError(
            f"{table.where}: expected at least two rows, to train and to test on, got 1. Add rows."
        )
    groups = None if group is None else _read_groups(table, group, goal.names)
    kinds, notes = _input_kinds(table, goal.names if group is None else (*goal.names, group))
    names = np.array(table.rows) if has_row_names else None
    numbered = Dataset(np.arange(len(table.rows))[:, None], goal.y, goal.classes, "row", groups, files=names)
    parts = hold_out(numbered, name=name, seed=seed, test_fraction=test_fraction)
    rows = parts.train.X[:, 0].tolist()
    seen = {name: {table.column(name).cells[i] or MISSING for i in rows} for name, _ in kinds}
    constant = [name for name, cells in seen.items() if len(cells) == 1]
    if constant:
        notes.append(f"one value only in every training row of: {join_some(constant)}")
    columns = tuple(
        Column(column, kind, tuple(sorted(seen[column])) if kind == "category" else ())
        for column, kind in kinds
    )
    schema = TableSchema(columns, goal.names, goal.task, goal.classes, table.decimal, table.missing)
    encoded = schema.encode(table, with_target=False)
    train, test = (replace(part, X=encoded.X[part.X[:, 0]]) for part in parts)
    return Split(train, test, name, (*encoded.notes, *notes, *goal.notes, *parts.notes), schema)


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


class _Target(NamedTuple):
    """The target to predict."""

    names: tuple[str, ...]
    task: str
    y: Array
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _read_target(table: TextTable, target: str | None) -> _Target:
    if target is None or not target.strip():
        raise DataError(
            f"{table.where}: expected a target, the name of the column to predict. Columns: "
            f"{join_some(table.names, 12)}. Try target={printable(table.names[-1])!r} (--target)."
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
        return _Target((column.name,), "regression", column.numbers(), notes=notes)
    labels = np.array(column.values if column.are_whole else column.cells)  # numbers are sorted as such
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
    _check_commas(column)
    n_different = len(set(column.cells))
    if column.are_whole:
        if n_different <= MOST_CATEGORIES:
            return "class", ()
        return "number", (
            f"{n_different} different whole numbers in {printable(column.name)!r}: a regression",
        )
    fraction = _fraction_of_numbers(column)
    is_number = fraction == 1 or (n_different > MOST_CATEGORIES and fraction > _MOSTLY)
    return ("number" if is_number else "class"), ()


def _input_kinds(table: TextTable, target: tuple[str, ...]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the name and kind of each input column, and notes on those that are left out or suspicious."""
    kinds, notes = [], []
    for name in table.names:
        if name not in target:
            kind, note = _input_kind(table.column(name))
            kinds += [(name, kind)] if kind else []
            notes += [note] if note else []
    if not kinds:
        raise DataError(
            f"{table.where}: no column is left to predict {join_some(target)} from ({'; '.join(notes[:3])}). "
            "Add columns of numbers, or of a few different words."
        )
    return kinds, notes


def _input_kind(column: TextColumn) -> tuple[str, str]:
    """Return "numeric", "category" or, to leave the column out, ""; and a note or "".

    A column of numbers alone is numeric; any other is a category, of at most 100 different words.
    """
    called = f"column {printable(column.name)!r}"
    if not any(column.cells):
        return "", f"left out {called}: it is empty"
    words = column.words
    if not words:
        with np.errstate(over="ignore"):  # from one end of all numbers to the other it is infinitely far
            steps = np.diff(column.numbers())
        is_count = len(column.cells) >= _FEWEST_COUNTED and bool((steps == 1).all())
        return "numeric", f"{called} only counts the rows: consider removing it" if is_count else ""
    _check_commas(column)
    n_different, fraction = len(set(column.cells)), _fraction_of_numbers(column)
    if n_different <= MOST_CATEGORIES:
        note = f"{called}: read as words, since {column.cell(words[0])} is not a number"
        return "category", note if fraction > _MOSTLY else ""
    if fraction > _MOSTLY:
        raise DataError(
            f"{column.title}: {column.cell(words[0])} is not a number, though {100 * fraction:.3g} % of its values "
            "are. Correct it."
        )
    return "", f"left out {called}: {n_different} different words in {len(column.cells)} rows, like names"


def _fraction_of_numbers(column: TextColumn) -> float:
    return 1 - len(column.words) / sum(map(bool, column.cells))


def _check_commas(column: TextColumn) -> None:
    """Raise if all of a column's words are numbers like 3,14: it could mean 3.14 or 314."""
    words = column.words
    if words and all(_COMMA_NUMBER.fullmatch(column.cells[i]) for i in words):
        wanted, hint = "point", "Pass decimal=',' (--decimal ,) if it is a comma; write 1000 without one."
        if column.decimal == ",":
            wanted, hint = "comma", "Write 3,14, and 1000 without a point."
        raise DataError(
            f"{column.title}: expected numbers with a decimal {wanted}, got {column.cell(words[0])} ({len(words)} "
            f"such). {hint}"
        )
