"""Figures of a table: how the values of its columns are spread, and those of the numbers to predict."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.data.dataset import Split
from pellucid.data.readers.table_schema import Column
from pellucid.errors import DataError
from pellucid.plotting.style import (
    BLUE,
    ORANGE,
    class_name,
    class_names,
    legend_above,
    look,
    new_figure,
    whole_numbers,
)
from pellucid.plotting.types import Axes, Figure
from pellucid.types import Array

MOST_COLUMNS = 12  # that are drawn
MOST_CATEGORIES = 6  # of a column
ACROSS, HIGH = 4, 1.75  # panels in a row, and inches of each
N_BINS = 24


def columns_of(split: Split) -> list[tuple[Column, Array]]:
    """Return the input columns of a table, each with its columns of the training part's X."""
    if split.schema is None:
        raise DataError(f"{split.name}: expected a table. Only its columns have names and kinds.")
    schema = split.schema
    return [(column, split.train.X[:, at]) for column, at in zip(schema.columns, schema.slices, strict=True)]


def column_histograms(split: Split) -> Figure:
    """Draw how the training rows' values are spread, a small panel for each of the first twelve columns.

    Parameters
    ----------
    split : Split
        Of a table.

    Returns
    -------
    matplotlib.figure.Figure
        Numbers and dates as histograms, without gaps; categories as bars, the most common first.

    Raises
    ------
    DataError
        If it is no table.

    Examples
    --------
    >>> from pellucid.data.readers.table import split_table
    >>> from pellucid.data.readers.table_text import table_of
    >>> rows = [{"kg": 4.5, "coat": "tabby", "pet": "cat"}, {"kg": 30, "coat": "plain", "pet": "dog"}]
    >>> pets = split_table(table_of(5 * rows), target="pet", name="pets", seed=1, test_fraction=0.2)
    >>> [axes.get_title("left") for axes in column_histograms(pets).axes]
    ['kg', 'coat']
    """
    shown = columns_of(split)[:MOST_COLUMNS]
    n_rows = math.ceil(len(shown) / ACROSS)
    with look():
        figure = new_figure(HIGH * n_rows + 0.2)
        for at, (column, part) in enumerate(shown, start=1):
            axes = figure.add_subplot(n_rows, ACROSS, at)
            values = part if column.kind == "category" else column.known(part)
            if column.kind == "category":
                _category_bars(axes, column.categories, values.sum(axis=0))
            elif column.kind == "boolean":
                _category_bars(axes, column.truths[::-1], np.array([values.sum(), (1 - values).sum()]))
            else:
                axes.hist(values, bins=N_BINS, color=BLUE)
                if not column.parts and (values % 1 == 0).all():
                    axes.xaxis.set_major_locator(whole_numbers(nbins=6))
                elif column.parts:
                    ends = [float(values.min()), float(values.max())]
                    axes.set_xticks(ends, [column.written(days) for days in ends])
            axes.set_title(class_name((column.name,), 0, 22), fontsize=9)
            axes.tick_params(labelsize=7.5)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
    return figure


def _category_bars(axes: Axes, categories: Sequence[str], counts: Array) -> None:
    order = np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]
    names = class_names(categories, order.tolist(), 9)
    axes.bar(range(len(order)), counts[order], color=BLUE)
    turned: Any = {"rotation": 40, "ha": "right"} if sum(map(len, names)) > 20 else {}
    axes.set_xticks(range(len(order)), names, **turned)


def target_histograms(split: Split, names: Sequence[str]) -> Figure:
    """Draw how the numbers to predict are spread in both parts, a panel for each target.

    Parameters
    ----------
    split : Split
        Whose targets are numbers, (m,) or (m, n).
    names : sequence of str, length n

    Examples
    --------
    >>> from pellucid.data.dataset import Dataset
    >>> part = Dataset(np.zeros((4, 2)), np.arange(4.0))
    >>> target_histograms(Split(part, part), ["price"]).axes[0].get_xlabel()
    'price'
    """
    train, test = (part.y.reshape(len(part), -1) for part in (split.train, split.test))
    with look():
        figure = new_figure(3.2)
        for j, name in enumerate(names):
            axes = figure.add_subplot(1, len(names), j + 1)
            bins = np.histogram_bin_edges(np.concatenate([train[:, j], test[:, j]]), N_BINS).tolist()
            for values, part, color in ((train, "Training", BLUE), (test, "Test", ORANGE)):
                label = f"{part}: {len(values)} {split.noun}s"
                axes.hist(values[:, j], bins=bins, color=color, label=label)
            axes.set(xlabel=class_name((name,), 0, 40), ylabel=f"Number of {split.noun}s")
            axes.yaxis.set_major_locator(whole_numbers())
            axes.grid(axis="y")
            legend_above(axes, 2 if len(names) == 1 else 1)
    return figure
