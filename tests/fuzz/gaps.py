"""Missing values in any container: refused with their samples and column; a whole table becomes its numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars
from hypothesis import strategies as st
from tests.fuzz.search import Subject

import pellucid as pl
from pellucid.data.gaps import plain_array
from pellucid.errors import DataError

MISSING = (None, float("nan"), np.float32("nan"), pd.NA, pd.NaT)
KINDS = {"Int64": int, "Float64": float, "boolean": bool, "UInt8": int, "float64": float}
CONTAINERS = ("objects", "list", "masked", "pandas", "polars")


@dataclass
class Table:
    """A table of numbers, the cells that are missing, and what holds it."""

    container: str
    kinds: list[str]  # of the columns
    numbers: list[list[int]]  # a list for each row
    gaps: list[tuple[float, float]]  # where, as fractions of the rows and columns
    missing: Any


def check_table(case: Table) -> None:
    """Check what a table becomes, alone and as the inputs or the targets of a Dataset."""
    whole = np.array(case.numbers)
    types = [KINDS[kind] for kind in case.kinds]
    m, n = whole.shape
    mask = np.zeros((m, n), bool)
    for row, column in case.gaps:
        mask[int(row * m), int(column * n)] = True
    table = held(
        case, [[kind(value) for kind, value in zip(types, row, strict=True)] for row in case.numbers], mask
    )
    wanted = np.stack([whole[:, j].astype(kind) for j, kind in enumerate(types)], axis=1)
    if not mask.any():
        np.testing.assert_array_equal(plain_array(table, "X"), wanted)
        np.testing.assert_array_equal(pl.Dataset(table, table).y, wanted)
        return
    filled = plain_array(table, "X", with_gaps=True)
    np.testing.assert_array_equal(filled, np.where(mask, np.nan, wanted))
    first = int(np.flatnonzero(mask.any(axis=0))[0])
    rows = np.flatnonzero(mask[:, first] if n > 1 else mask.any(axis=1))
    name = repr(f"c{first}") if case.container in ("pandas", "polars") else str(first)
    for call in (lambda: pl.Dataset(table, np.zeros(m, int)), lambda: pl.Dataset(np.zeros((m, 1)), table)):
        try:
            call()
        except DataError as error:
            text = str(error)
        else:
            raise AssertionError(f"taken: {table!r}")
        assert f" {len(rows)} of {m} samples " in text, text
        assert f": {', '.join(map(str, rows[:6]))}" in text, text
        assert n == 1 or f"in column {name}:" in text, text


def held(case: Table, rows: list[list[Any]], mask: Any) -> Any:
    """Return rows in their container, with gaps."""
    gap = case.missing
    if case.container == "masked":
        return np.ma.array(np.array(rows, float), mask=mask)
    cells = [
        [gap if is_gap else value for value, is_gap in zip(row, its, strict=True)]
        for row, its in zip(rows, mask, strict=True)
    ]
    if case.container == "objects":
        array = np.empty(mask.shape, object)
        array[...] = cells
        return array
    columns = {f"c{j}": [row[j] for row in cells] for j in range(mask.shape[1])}
    if case.container == "pandas":
        none = {
            name: [None if mask[i, j] else value for i, value in enumerate(column)]
            for j, (name, column) in enumerate(columns.items())
        }
        return pd.DataFrame(
            {
                name: pd.array(column, kind)
                for (name, column), kind in zip(none.items(), case.kinds, strict=True)
            }
        )
    if case.container == "polars":
        return polars.DataFrame(
            {
                name: [None if mask[i, j] else value for i, value in enumerate(column)]
                for j, (name, column) in enumerate(columns.items())
            }
        )
    return cells


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Return a strategy for tables."""
    m, n = draw(st.integers(1, 9)), draw(st.integers(1, 4))
    fraction = st.floats(0, 1, exclude_max=True)
    return Table(
        draw(st.sampled_from(CONTAINERS)),
        draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=n, max_size=n)),
        draw(st.lists(st.lists(st.integers(0, 255), min_size=n, max_size=n), min_size=m, max_size=m)),
        draw(st.lists(st.tuples(fraction, fraction), max_size=4)),
        draw(st.sampled_from(MISSING)),
    )


SUBJECTS = {"missing values in any container": Subject(tables(), check_table, 150)}
