"""What the report says of a table: its columns, their kinds, and how their values are spread."""

import numpy as np

from pellucid.data.dataset import Split
from pellucid.data.readers.table_schema import Column
from pellucid.plotting.tables import MOST_COLUMNS, column_histograms, columns_of
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Section, Table
from pellucid.text import percent, plural, shorten
from pellucid.types import Array

LONG = 15  # columns, from which the table is folded
MOST_NAMED = 3  # categories


def columns_section(draft: Draft, split: Split) -> Section:
    """Return every input column with its kind and its values in the training part."""
    columns = columns_of(split)
    words = (
        f"{plural(len(columns), 'column')} to predict from, numbers standardized, categories as 0 and 1: "
        f"the network sees {plural(split.train.X.shape[1], 'number')} a row."
    )
    first = "" if len(columns) <= MOST_COLUMNS else f", the first {MOST_COLUMNS} columns"
    return Section(
        "The columns",
        intro=(words,),
        figures=(
            draft.add(
                "columns",
                column_histograms(split),
                f"How the values of the training rows are spread{first}: numbers in bins, categories as bars.",
                f"Small histograms of {plural(min(len(columns), MOST_COLUMNS), 'column')}.",
            ),
        ),
        table=Table(
            ("Column", "Kind", "Values", "Middle"),
            [_row(*one) for one in columns],
            fold="" if len(columns) <= LONG else f"All {len(columns)} columns in a table",
        ),
    )


def _row(column: Column, part: Array) -> tuple[str, str, str, str]:
    if column.kind == "numeric":
        low, middle, high = np.percentile(part[:, 0], [0, 50, 100])
        return shorten(column.name, 40), "numbers", f"{low:.4g} to {high:.4g}", f"median {middle:.4g}"
    counts = part.sum(axis=0)
    order = np.argsort(-counts, kind="stable")
    names = ", ".join(shorten(column.categories[i], 20) for i in order[:MOST_NAMED])
    more = f" and {len(order) - MOST_NAMED} more" if len(order) > MOST_NAMED else ""
    common = f"{shorten(column.categories[order[0]], 20)} in {percent(counts[order[0]] / max(len(part), 1))}"
    return shorten(column.name, 40), "categories", names + more, common
