"""Tables: missing values, which are findings and not errors, and columns with a single value."""

from dataclasses import replace
from typing import Any

import numpy as np

from pellucid.checks.findings import MOST_NAMED, Finding, Sample, sample_of
from pellucid.data.dataset import Split
from pellucid.data.readers.table import parse_target
from pellucid.data.readers.table_files import read_file
from pellucid.data.readers.table_text import TextTable
from pellucid.data.source import DataSource
from pellucid.data.stored.base import row_blocks
from pellucid.errors import DataError
from pellucid.text import join_some, printable
from pellucid.types import Array


def read_rows(source: DataSource) -> tuple[Split, list[Finding]]:
    """Load a table; rows without a target are left out.

    Returns
    -------
    split : Split
        Its ``files`` are the names of the rows in the file: "line 2".
    findings : list of Finding
        One for each column in which something is missing.

    Raises
    ------
    DataError
        As :func:`pellucid.data.readers.table.split_table`, and if no row has a target.
    """
    table = read_file(source.path, source.decimal, source.missing)
    goals = parse_target(source.target.strip(), table.names)[0] if source.target else ()
    findings = []
    lacking = np.zeros(len(table.rows), bool)
    for name in table.names:
        missing = np.array([cell == "" for cell in table.column(name).cells])
        if missing.any() and not missing.all():  # of a completely empty column a note tells
            findings.append(_missing(table, name, missing))
        if name in goals:
            lacking |= missing
    if lacking.all():
        raise DataError(
            f"{source.name}: expected rows with a value of {join_some(goals)}, got none. Fill them in."
        )
    if lacking.any():
        note = f"left out of this check: {lacking.sum()} of {len(lacking)} rows that lack {join_some(goals)}"
        table = replace(table.take(np.flatnonzero(~lacking)), notes=(*table.notes, note))
    return source.split(table, has_row_names=True), findings


def _missing(table: TextTable, column: str, missing: Array) -> Finding:
    rows = [table.rows[i] for i in np.flatnonzero(missing)]
    text = (
        f"{printable(column)!r} has no value in {len(rows)} of {len(missing)} rows, the first in {rows[0]}."
    )
    samples = tuple(Sample("", None, "", row) for row in rows[:MOST_NAMED])
    return Finding("missing_values", text, samples, len(rows))


def missing_findings(split: Split) -> list[Finding]:
    """Return the findings on gaps: one for each column of a table that marks them, one for each part with NaN."""
    found = []
    if (schema := split.schema) is not None:
        X = np.concatenate([split.train.X, split.test.X])
        for column, at in zip(schema.columns, schema.slices, strict=True):
            if n := int(column.is_missing(X[:, at]).sum()):  # as far as the column marks them
                text = f"{printable(column.name)!r} has no value in {n} of {len(X)} rows."
                found.append(Finding("missing_values", text, (), n))
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
    """Return the finding on columns with one value in all training rows; none of a table, which leaves them out."""
    X = split.train.X
    if isinstance(X, dict) or X.ndim != 2 or len(X) < 2 or split.schema is not None:
        return []
    first = X[:1]
    is_same = np.all([(block == first).all(axis=0) for _, block in row_blocks(X)], axis=0)
    names = [f"column {i}" for i in np.flatnonzero(is_same)]
    if not names:
        return []
    number = "holds" if len(names) == 1 else "hold"
    shown = join_some(names, most=8)
    text = f"{len(names)} of {X.shape[1]} columns {number} one value in every training row: {shown}."
    return [Finding("constant_column", text)]


def missing_values(X: Any) -> Array:
    """Return which samples hold NaN or infinities, shape (m,) bool."""
    if isinstance(X, dict):
        return np.any([missing_values(array) for array in X.values()], axis=0)
    if X.dtype.kind != "f":
        return np.zeros(len(X), bool)
    found = [~np.isfinite(block).reshape(len(block), -1).all(axis=1) for _, block in row_blocks(X)]
    return np.concatenate([np.zeros(0, bool), *found])
