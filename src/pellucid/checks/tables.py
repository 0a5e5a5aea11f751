"""Opening a table for a checkup: missing values are findings, and do not stop it."""

from pathlib import Path

import numpy as np

from pellucid.checks.records import Finding, Names, Sample
from pellucid.data.dataset import Split
from pellucid.data.readers.table import parse_target, split_table
from pellucid.data.readers.table_text import Table, number, read_table
from pellucid.errors import DataError
from pellucid.text import join_some, printable

_MOST_NAMED = 50  # rows of one finding that are kept
_MOSTLY = 0.5  # of a column that is missing: then the column is left out, not the rows


def open_table(
    path: Path, *, target: str | None, name: str, seed: int, test_fraction: float
) -> tuple[Split, Names, tuple[Finding, ...]]:
    """Load a table; rows without a number or a target are left out, and so are columns that are mostly empty.

    Returns
    -------
    split : Split
    names : Names
        Each row as it stands in the file: "line 2".
    findings : tuple of Finding
        One for each column in which something is missing.
    """
    table = read_table(path)
    goals = parse_target(target.strip(), table.names)[0] if target else ()
    findings, notes = [], []
    lacking = np.zeros(len(table.rows), bool)
    left_out = []
    for column in table.names:
        cells = table.column(column)
        missing = np.array([cell == "" for cell in cells])
        if not missing.any() or missing.all():  # what is wholly empty is left out in any case, with a note
            continue
        findings.append(_missing(table, column, missing))
        if column not in goals and missing.mean() > _MOSTLY:
            left_out.append(column)
        elif column in goals or all(number(cell) is not None for cell in cells if cell):
            lacking |= missing
    if left_out:
        notes.append(f"left out of this checkup, as mostly empty: {join_some(left_out)}")
        table = _without(table, left_out)
    if lacking.all():
        raise DataError(
            f"{path}: expected rows without missing numbers, got none: each of {len(lacking)} lacks one. "
            "Fill them in, or remove the columns that are seldom filled."
        )
    if lacking.any():
        notes.append(f"left out of this checkup: {lacking.sum()} of {len(lacking)} rows that lack a number")
        table = table.take(np.flatnonzero(~lacking))
    table = table._replace(notes=(*table.notes, *notes))
    opened = split_table(table, target=target, name=name, seed=seed, test_fraction=test_fraction)
    names = Names(*([table.rows[row] for row in rows] for rows in (opened.train_rows, opened.test_rows)))
    return opened.split, names, tuple(findings)


def _missing(table: Table, column: str, missing: "np.typing.NDArray[np.bool_]") -> Finding:
    rows = [table.rows[i] for i in np.flatnonzero(missing)]
    text = (
        f"{printable(column)!r} has no value in {len(rows)} of {len(missing)} rows, the first in {rows[0]}."
    )
    samples = tuple(Sample("", None, "", row) for row in rows[:_MOST_NAMED])
    return Finding("missing_values", text, samples, len(rows))


def _without(table: Table, columns: list[str]) -> Table:
    kept = [i for i, name in enumerate(table.names) if name not in columns]
    return table._replace(
        names=tuple(table.names[i] for i in kept), columns=tuple(table.columns[i] for i in kept)
    )
