"""What each column of one row adds to a prediction, against a typical row."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.table_text import MISSING, TextTable, cell_of
from pellucid.errors import DataError
from pellucid.evaluation.columns.importance import check_is_of_table
from pellucid.evaluation.saliency.scoring import Scorer, target_of
from pellucid.nn.by_name import ModelLike, as_model
from pellucid.ops.losses.regression import MeanSquaredError
from pellucid.plotting.types import Figure
from pellucid.registry import validate_call
from pellucid.text import percent
from pellucid.text_blocks import Result
from pellucid.types import Array

N_STEPS = 128  # of the path from the typical row to this one


@dataclass(frozen=True, eq=False, repr=False)
class RowExplanation(Result):
    """What each column of a row adds to a prediction, against a typical row.

    Attributes
    ----------
    target : str
        The class, or the number that is predicted.
    unit : str
        Of the contributions: "log-odds" or "score" of a class, or the target's own.
    predicted, typical : str
        What is predicted for the row and for the typical one.
    start, end : float
        The score of the typical row, and of this one: the contributions add up to the difference.
    names, values, usual : tuple of str
        The columns, those that add most first; their cells in this row, and in the typical one.
    contributions : Array, shape (n_columns,)
    files : tuple of Path
        Those that were written.
    """

    target: str
    unit: str
    predicted: str
    typical: str
    start: float
    end: float
    names: tuple[str, ...]
    values: tuple[str, ...]
    usual: tuple[str, ...]
    contributions: Array
    files: tuple[Path, ...] = ()

    columns = ("column", "value", "typical", "adds")
    in_json = "target unit predicted typical start end headline rows=to_rows"

    @property
    def headline(self) -> str:
        """What is predicted, for a typical row, and which columns make the difference."""
        differ = [row for row in self.to_rows() if row["adds"]]
        digits = ".6g" if self.unit == self.target else ".2f"
        first = ", ".join(f"{row['column']} = {row['value']} ({row['adds']:+.3g})" for row in differ[:3])
        return (
            f"{self.predicted}; for a typical row {self.typical}. In {self.unit}, from {self.start:{digits}} to "
            f"{self.end:{digits}}: {first or 'no column differs'}."
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each column, the one that adds or takes most first."""
        return [
            {"column": name, "value": value, "typical": usual, "adds": part}
            for name, value, usual, part in zip(
                self.names, self.values, self.usual, self.contributions.tolist(), strict=True
            )
        ]

    def cells(self, row: dict[str, Any]) -> tuple[str, str, str, str]:
        """Return a row as it is printed."""
        return row["column"], row["value"], row["typical"], f"{row['adds']:+.4g}"

    @property
    def notes(self) -> tuple[str, ...]:
        """By how much the parts miss the difference, where they do."""
        missed = abs(self.contributions.sum() - (self.end - self.start)) / max(
            abs(self.end - self.start), 1e-12
        )
        return (f"The parts add up to the difference within {percent(missed, 1)}.",) if missed > 0.005 else ()

    def figures(self) -> dict[str, Figure]:
        """Return the contributions as bars."""
        from pellucid.evaluation.columns.plot_columns import contributions_figure

        return {"row": contributions_figure(self)}


@validate_call("target")
def explain_row(
    model: ModelLike, row: Mapping[str, Any] | TextTable, *, target: int | str | None = None
) -> RowExplanation:
    """Return what each column of a row adds to a model's prediction, against a typical row.

    Parameters
    ----------
    model : Model, str or Path
        Trained on a table.
    row : mapping
        The cells by the names of their columns, as in the file; or a table of one row.
    target : int or str, optional
        The class to explain; default: the predicted one.

    Returns
    -------
    RowExplanation

    Raises
    ------
    DataError
        If the model is not of a table, or the row lacks a column or holds what cannot be read.

    Notes
    -----
    The typical row has the training part's medians of numbers and dates, and its most common words. Integrated
    gradients (Sundararajan, Taly and Yan, 2017, "Axiomatic attribution for deep networks") of the class's log-odds,
    of one of several classes its score above the mean of all, of a number the number itself, on the straight path
    from the typical row: the contributions add up to the difference of the two rows. Of a linear model they are its
    terms exactly, w (x - typical x). All numbers that a column became are added.

    Examples
    --------
    >>> from pellucid.data.readers.table import split_table
    >>> from pellucid.data.readers.table_text import table_of
    >>> from pellucid.training.fit import train
    >>> rows = [{"kg": i % 9, "pet": "dog" if i % 9 > 4 else "cat"} for i in range(90)]
    >>> pets = split_table(table_of(rows), target="pet", name="pets", seed=1, test_fraction=0.5)
    >>> why = explain_row(train("linear", pets, progress=False).model, {"kg": 8})
    >>> why.names, why.usual, bool(why.contributions[0] > 0)
    (('kg',), ('4',), True)
    """
    model = as_model(model, "explain_row")
    columns = check_is_of_table(model, "explain_row")
    table = row if isinstance(row, TextTable) else None
    if table is not None:
        row = {name: cells[0] for name, cells in zip(table.names, table.columns, strict=True)}
    if not isinstance(row, Mapping):
        raise DataError("explain_row: expected one row, a dictionary from column to value. Try rows[0].")
    usual = {column.name: column.usual for column in columns}
    given = (model._schema.encode(one, with_target=False).X for one in (table or [row], [usual]))
    X = np.concatenate([*given])
    rule = model.preprocessing or Preprocessing()
    x, typical = rule.apply(X, np.dtype(model.dtype)).astype(np.float64)
    outputs = model.decision_function(X).reshape(2, -1)
    is_class, names = model._loss.kind != "regression", model._schema.target
    if not is_class and target in names:
        target = names.index(target)
    wanted = target_of(model, outputs[0], target)
    weights = wanted.weights
    if model._loss.kind == "classification" and len(weights) > 1:
        weights = weights - weights.mean()
    called = wanted.name if is_class else names[wanted.index]
    scorer = Scorer(model, weights)
    middles = (np.arange(N_STEPS) + 0.5) / N_STEPS
    path = (typical + middles[:, None] * (x - typical)).astype(model.dtype)
    gradients = np.asarray(scorer.gradients(path)[1], np.float64).reshape(N_STEPS, -1)
    parts = (x - typical) * gradients.mean(axis=0)
    spread, centre = 1.0, 0.0
    if isinstance(model._loss, MeanSquaredError) and model._loss.centre:
        spread, centre = (
            float(np.atleast_1d(one)[wanted.index]) for one in (model._loss.spread, model._loss.centre)
        )
    ends = spread * np.asarray(scorer.scores(np.stack([x, typical]).astype(model.dtype)), np.float64) + centre
    sums = np.array([spread * parts[at].sum() for at in model._schema.slices])
    order = np.argsort(-np.abs(sums), kind="stable")
    told = model.predict_proba(X) if is_class else model.predict(X)
    said = [
        f"{called} {percent(float(one[wanted.index]))}"
        if is_class
        else f"{called} {np.ravel(one)[wanted.index]:.4g}"
        for one in told
    ]
    unit = "log-odds" if is_class and len(weights) == 1 else "score" if is_class else called
    cells = {column.name: cell_of(row.get(column.name)) or MISSING for column in columns}
    ordered = [columns[j].name for j in order]
    return RowExplanation(
        called,
        unit,
        said[0],
        said[1],
        float(ends[1]),
        float(ends[0]),
        tuple(ordered),
        tuple(cells[name] for name in ordered),
        tuple(usual[name] for name in ordered),
        sums[order],
    )
