"""What the report says of a table: its columns, their kinds, and how their values are spread."""

import numpy as np

from pellucid.data.dataset import Split
from pellucid.data.readers.table_schema import Column
from pellucid.evaluation.columns.importance import ColumnImportance
from pellucid.plotting.tables import MOST_COLUMNS, column_histograms, columns_of
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Section, Table
from pellucid.text import percent, plural, shorten
from pellucid.types import Array

LONG = 15  # columns, from which the table is folded
MOST_NAMED = 3  # categories


def columns_section(draft: Draft, split: Split) -> Section:
    """Return every input column with its kind and its values in the training part."""
    columns, left_out = columns_of(split), split.schema.left_out if split.schema else ()
    words = (
        f"{plural(len(columns), 'column')} to predict from, numbers scaled, categories as 0 and 1: the network "
        f"sees {plural(split.train.X.shape[1], 'number')} a row."
    )
    first = "" if len(columns) <= MOST_COLUMNS else f", the first {MOST_COLUMNS} columns"
    figure = draft.add(
        "columns",
        column_histograms(split),
        f"How the values of the training rows are spread{first}: numbers in bins, categories as bars.",
        f"Small histograms of {plural(min(len(columns), MOST_COLUMNS), 'column')}.",
    )
    rows = [_row(*one) for one in columns]
    rows += [(shorten(one.name, 40), "left out", one.reason, "", "") for one in left_out]
    fold = "" if len(columns) <= LONG else f"All {len(columns)} columns in a table"
    table = Table(("Column", "Kind", "Values", "Middle", "Missing"), rows, fold)
    return Section("The columns", intro=(words,), figures=(figure,), table=table)


def importance_section(draft: Draft, found: ColumnImportance) -> Section:
    """Return what is lost where a column is shuffled, and what is predicted as the first columns move."""
    n, k = plural(found.n_repeats, "shuffle"), len(found.curves)
    of = f", of the {k} most important of {len(found.names)}" if k < len(found.names) else ""
    words = {
        "importance": (
            f"The mean of {n} of each column among the test rows; the line holds 95 % of them. Columns that say "
            "the same share their importance.",
            "Bars: the score that is lost for each column.",
        ),
        "dependence": (
            f"The mean prediction where every test row has the same value of a column{of}.",
            "Curves of the mean prediction over the values of the most important columns.",
        ),
    }
    figures = tuple(draft.add(name, figure, *words[name]) for name, figure in found.figures().items())
    rows = [found.cells(row) for row in found.to_rows()]
    table = Table(found.columns, rows, summary="The numbers in a table")
    return Section("What matters", intro=(found.headline,), figures=figures, table=table)


def _row(column: Column, part: Array) -> tuple[str, str, str, str, str]:
    name, gaps = shorten(column.name, 40), str(int(column.is_missing(part).sum()) or "")
    if column.kind == "category":
        counts = part.sum(axis=0)
        order = np.argsort(-counts, kind="stable")
        first, *others = (shorten(column.categories[i], 20) for i in order[:MOST_NAMED])
        more = f" and {len(order) - MOST_NAMED} more" if len(order) > MOST_NAMED else ""
        common = f"{first} in {percent(counts[order[0]] / max(len(part), 1))}"
        return name, "categories", ", ".join([first, *others]) + more, common, gaps
    values = column.known(part)
    low, middle, high = (column.written(value) for value in np.percentile(values, [0, 50, 100]))
    if column.kind == "boolean":
        no, yes = (shorten(word, 20) for word in column.truths)
        return name, f"{yes} or {no}", f"{yes}, {no}", f"{yes} in {percent(values.mean())}", gaps
    kind = "dates" if column.parts else "numbers"
    return name, kind, f"{low} to {high}", f"median {middle}", gaps
