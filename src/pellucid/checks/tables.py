"""Tables: missing values, which are findings and not errors, and columns with a single value."""

from dataclasses import replace
from typing import Any

import numpy as np

from pellucid.checks.findings import MOST_NAMED, Finding, Sample, sample_of
from pellucid.data.dataset import Split
from pellucid.data.readers.csv_file import read_table
from pellucid.data.readers.table import parse_target, split_table
from pellucid.data.readers.table_text import TextTable
from pellucid.data.source import DataSource
from pellucid.errors import DataError
from pellucid.text import join_some, printable
from pellucid.types import Array

_MOSTLY = 0.5  # of a column that is missing: then the column is left out, not the rows


def read_rows(source: DataSource) -> tuple[Split, list[Finding]]:
    """Load a table; rows without a number or a target are left out, and so are columns that are mostly empty.

    Returns
    -------
    split : Split
        Its ``files`` are the names of the rows in the file: "line 2".
    findings : list of Finding
        One for each column in which something is missing.

    Raises
    ------
    DataError
        As :func:`pellucid.data.readers.table.split_table`, and if every row lacks a number.
    """
    table = read_table(source.path, source.decimal, source.missing)
    goals = parse_target(source.target.strip(), table.names)[0] if source.target else ()
    findings, notes = [], []
    lacking = np.zeros(len(table.rows), bool)
    left_out = []
    for column in table.names:
        text = table.column(column)
        missing = np.array([cell == "" for cell in text.cells])
        if (
            not missing.any() or missing.all()
        ):  # a completely empty column is left out in any case, with a note
            continue
        findings.append(_missing(table, column, missing))
        if column == source.group:
            continue
        if column not in goals and missing.mean() > _MOSTLY:
            left_out.append(column)
        elif column in goals or not text.words:
            lacking |= missing
    if left_out:
        notes.append(f"left out of this check, as mostly empty: {join_some(left_out)}")
        table = table.without(left_out)
    if lacking.all():
        raise DataError(
            f"{source.name}: expected rows without missing numbers, got none: each of {len(lacking)} lacks one. "
            "Fill them in, or remove the columns that are rarely filled."
        )
    if lacking.any():
        notes.append(f"left out of this check: {lacking.sum()} of {len(lacking)} rows that lack a number")
        table = table.take(np.flatnonzero(~lacking))
    table = replace(table, notes=(*table.notes, *notes))
    split = split_table(
        table,
        target=source.target,
        name=source.name,
        seed=source.seed,
        test_fraction=source.test_fraction,
        group=source.group,
        has_row_names=True,
    )
    return split, findings


def _missing(table: TextTable, column: str, missing: Array) -> Finding:
    rows = [table.rows[i] for i in np.flatnonzero(missing)]
    text = (
        f"{printable(column)!r} has no value in {len(rows)} of {len(missing)} rows, the first in {rows[0]}."
    )
    samples = tuple(Sample("", None, "", row) for row in rows[:MOST_NAMED])
    return Finding("missing_values", text, samples, len(rows))


def missing_findings(split: Split) -> list[Finding]:
    """Return the findings on samples that hold NaN or infinities, one per part."""
    found = []
    for part, data in (("train", split.train), ("test", split.test)):
        rows = np.flatnonzero(missing_values(data.X))
        if len(rows):
            samples = tuple(sample_of(split, part, int(row)) for row in rows[:MOST_NAMED])
            text = (
                f"{len(rows)} of {len(data)} {part} samples hold NaN or infinities, the first {samples[0]}."
            )
            found.append(Finding("missing_values", text, samples, len(rows)))
    return found


def constant_columns(split: Split) -> list[Finding]:
    """Return the finding on columns with a single value in all training rows, if there are any.

    The columns of a category count only if the whole column of the table never changes.
    """
    X = split.train.X
    if isinstance(X, dict) or X.ndim != 2 or len(X) < 2:
        return []
    same = np.flatnonzero((X[:1] == X).all(axis=0)).tolist()
    if not same:
        return []
    names = split.schema.feature_names if split.schema else [f"column {i}" for i in range(X.shape[1])]
    shown = join_some([printable(names[i]) for i in same], most=8)
    number = "holds" if len(same) == 1 else "hold"
    text = f"{len(same)} of {X.shape[1]} columns {number} one value in every training row: {shown}."
    return [Finding("constant_column", text)]


def missing_values(X: Any) -> Array:
    """Return which samples hold NaN or infinities, shape (m,) bool."""
    if isinstance(X, dict):
        masks = [missing_values(array) for array in X.values()]
        return np.asarray(np.any(masks, axis=0))
    if X.dtype.kind != "f":
        return np.zeros(len(X), bool)
    return np.asarray(~np.isfinite(X).reshape(len(X), -1).all(axis=1))
