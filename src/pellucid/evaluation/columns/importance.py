"""How much worse a model of a table is where a column is shuffled, and what it predicts as a column moves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.coerce import as_dataset
from pellucid.data.dataset import Dataset
from pellucid.data.readers.table_schema import Column
from pellucid.errors import DataError, OptionError
from pellucid.nn.by_name import ModelLike, as_model
from pellucid.nn.model import Model
from pellucid.ops.metrics import r_squared
from pellucid.plotting.types import Figure
from pellucid.prediction.predict import positive_class, predict
from pellucid.progress import Progress, shown_progress
from pellucid.registry import validate_call
from pellucid.text import join_some, plural
from pellucid.text_blocks import Result
from pellucid.types import Array

MOST_ROWS = 1000  # that are predicted
N_POINTS = 20  # of a curve
MOST_WORDS = 8  # of a column whose curve is drawn
MOST_LINES = 3  # classes of a curve
N_CURVES = 4
METRICS = {"classification": "accuracy", "regression": "R²"}


@dataclass(frozen=True, eq=False)
class Curve:
    """What a model predicts on average where all rows have one value of a column.

    Attributes
    ----------
    column : str
    values : tuple of str
        As they are written in a cell.
    numbers : Array or None
        Where on an axis they are; None of words.
    predicted : dict of str to Array
        The mean probability of a class, or the mean of the target, at each value.
    """

    column: str
    values: tuple[str, ...]
    numbers: Array | None
    predicted: dict[str, Array]


@dataclass(frozen=True, eq=False, repr=False)
class ColumnImportance(Result):
    """How much worse a model's score is where a column is shuffled.

    Attributes
    ----------
    metric : str
    score : float
        With all columns as they are.
    n_samples, n_repeats : int
    names : tuple of str
        The columns, the most important first.
    drops : Array, shape (n_columns, n_repeats)
        By how much the score is lower in each repeat.
    curves : tuple of Curve
        Of the most important columns.
    """

    metric: str
    score: float
    n_samples: int
    n_repeats: int
    names: tuple[str, ...]
    drops: Array
    curves: tuple[Curve, ...] = ()

    columns = ("column", "drop", "95 % of shuffles")
    in_json = "metric score n_samples n_repeats headline rows=to_rows curves"

    @property
    def headline(self) -> str:
        """The most important columns, and those that hardly matter."""
        matter = [f"{row['column']} ({row['drop']:.3f})" for row in self.to_rows() if row["low"] > 0]
        of = f"{self.metric} {self.score:.3f} on {plural(self.n_samples, 'row')}"
        if not matter:
            return f"No column clearly matters: {of}, whichever is shuffled."
        n, most = f"{len(matter)} of {len(self.names)}", join_some(matter, most=3)
        return f"{n} columns clearly matter: {of}, less where one is shuffled: {most}."

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each column: the mean drop, and the interval that holds 95 % of the shuffles."""
        low, high = np.percentile(self.drops, [2.5, 97.5], axis=1)
        return [
            {"column": name, "drop": float(drop), "low": float(a), "high": float(b)}
            for name, drop, a, b in zip(self.names, self.drops.mean(axis=1), low, high, strict=True)
        ]

    def cells(self, row: dict[str, Any]) -> tuple[str, str, str]:
        """Return a row as it is printed."""
        return row["column"], f"{row['drop']:.4f}", f"{row['low']:.4f} to {row['high']:.4f}"

    def figures(self) -> dict[str, Figure]:
        """Return the drops as bars, and the curves."""
        from pellucid.evaluation.columns.plot_columns import curves_figure, importance_figure

        found = {"importance": importance_figure(self)}
        return found | ({"dependence": curves_figure(self.curves)} if self.curves else {})


@validate_call("n_repeats", "seed")
def column_importance(
    model: ModelLike, data: Any, *, n_repeats: int = 10, seed: int = 1, progress: Progress = None
) -> ColumnImportance:
    """Return how much worse a model of a table scores where the values of a column are shuffled among the rows.

    Parameters
    ----------
    model : Model, str or Path
        Trained on a table.
    data : Dataset, (X, y), Split, str or Path
        Rows that it was not trained on; of a Split the test part. A thousand of more are looked at.
    n_repeats : int, optional
        Shuffles of each column.
    seed : int, optional
    progress : callable or bool, optional

    Returns
    -------
    ColumnImportance
        With the curves of the four most important columns: partial dependence, the mean prediction where all rows
        have the same value of a column.

    Raises
    ------
    DataError
        If the model is not of a table, or predicts several labels.

    Notes
    -----
    scikit-learn's ``permutation_importance`` (Breiman, 2001, "Random forests", section 10) with accuracy or R
    squared. All numbers that a column became (the categories, the parts of a date, the mark of a gap) move
    together. Columns that say the same share their importance: shuffling one leaves the other. Curves are those of
    Friedman (2001), "Greedy function approximation", section 8.2.

    Examples
    --------
    >>> from pellucid.data.readers.table import split_table
    >>> from pellucid.data.readers.table_text import table_of
    >>> from pellucid.nn.presets import preset
    >>> from pellucid.training.fit import train
    >>> rows = [{"kg": i % 9, "noise": i * 7 % 5, "pet": "dog" if i % 9 > 4 else "cat"} for i in range(90)]
    >>> pets = split_table(table_of(rows), target="pet", name="pets", seed=1, test_fraction=0.5)
    >>> found = column_importance(train("linear", pets, progress=False).model, pets)
    >>> found.names[0], found.score
    ('kg', 1.0)
    """

    model = as_model(model, "column_importance")
    table, kind = check_is_of_table(model, "column_importance"), model._loss.kind
    held = as_dataset(data, "column_importance", part="test")
    if kind not in METRICS:
        raise DataError(
            "column_importance: expected one class or number a row; the model predicts several labels."
        )
    if len(held) < 2:
        raise DataError(f"column_importance: expected two rows or more, got {len(held)}.")
    if n_repeats < 1:
        raise OptionError(f"column_importance: expected n_repeats to be 1 or more, got {n_repeats}.")
    if len(held) > MOST_ROWS:
        held = held.take(np.sort(np.random.default_rng(seed).permutation(len(held))[:MOST_ROWS]))
    slices = model._schema.slices
    n_done, total = 0, n_repeats * len(table) + 1
    with shown_progress(progress) as show:

        def score(rows: Array) -> float:
            nonlocal n_done
            show("column importance", n_done, total)
            n_done += 1
            parts = [held.X[rows[:, j], at] for j, at in enumerate(slices)]
            told = predict(model, Dataset(np.hstack(parts), held.y, held.classes))
            return (
                float(told.is_correct.mean())
                if kind == "classification"
                else r_squared(told.y_true, told.y_pred)
            )

        whole = np.tile(np.arange(len(held))[:, None], (1, len(table)))  # which row each column is taken from
        whole_score, drawn = score(whole), np.random.RandomState(seed).randint(2**31)  # scikit-learn's draws

        def losses(j: int) -> Iterator[float]:
            """Yield what is lost where column j comes from other rows."""
            rng, others, rows = np.random.RandomState(drawn), np.arange(len(held)), whole.copy()
            for _ in range(n_repeats):
                rng.shuffle(others)
                rows[:, j] = rows[others, j]
                yield whole_score - score(rows)

        importances = np.array([list(losses(j)) for j in range(len(table))])
    order = np.argsort(-importances.mean(1), kind="stable")
    positive = positive_class(model)
    shown = 1 if positive is None else positive  # of two classes
    curves = tuple(_curve(model, held.X, table[j], slices[j], shown) for j in order[:N_CURVES])
    names = tuple(table[j].name for j in order)
    return ColumnImportance(
        METRICS[kind], whole_score, len(held), n_repeats, names, importances[order], curves
    )


def check_is_of_table(model: Model, where: str) -> Sequence[Column]:
    """Return the columns of a model's table; DataError where it was trained on something else."""
    if model._schema is None:
        raise DataError(
            f"{where}: expected a model of a table with named columns, got one of {model.input_shape}."
        )
    return model._schema.columns


def _curve(model: Model, X: Array, column: Column, at: slice, positive: int) -> Curve:
    """Return the mean prediction where all rows have one value, for some values of a column."""
    cells, numbers = _values(column, X[:, at])
    predicted = []
    for cell in cells:
        moved = X.copy()
        moved[:, at] = column.encode_cell(cell)
        told = model.predict(moved) if model._loss.kind == "regression" else model.predict_proba(moved)
        predicted.append(np.asarray(told).reshape(len(X), -1).mean(axis=0))
    means = np.array(predicted)
    names = model._schema.target
    if model._loss.kind != "regression":
        names = tuple(f"probability of {name}" for name in model.classes)
    spread = np.argsort(-np.ptp(means, axis=0), kind="stable")[:MOST_LINES]
    shown = sorted(spread.tolist()) if means.shape[1] != 2 else [positive]
    return Curve(column.name, tuple(cells), numbers, {str(names[j]): means[:, j] for j in shown})


def _values(column: Column, part: Array) -> tuple[list[str], Array | None]:
    """Return the values of a column at which a curve is looked at, as cells, and where they are on an axis."""
    if column.kind == "category":
        common = np.argsort(-part.sum(axis=0), kind="stable")[:MOST_WORDS]
        return [column.categories[i] for i in common], None
    if column.kind == "boolean":
        return [*column.truths], None
    known = column.known(part)
    how: Any = "nearest" if (known % 1 == 0).all() else "linear"  # of whole numbers no fraction
    numbers = np.unique(np.percentile(known, np.linspace(0, 100, N_POINTS), method=how))
    return [column.written(number, 15) for number in numbers], numbers
