"""What the report says of a regression: its errors beside the mean predictor's, and the residuals."""

import numpy as np

from pellucid.evaluation.scores.estimate_text import with_interval
from pellucid.evaluation.scores.plot_scores import residual_figure
from pellucid.evaluation.scores.scores import Scores
from pellucid.prediction.metrics import metrics_of
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Cell, Section, Table
from pellucid.runs.run import Run
from pellucid.text import percent, plural

N_WORST = 12  # predictions that are listed


def lead(scores: Scores) -> str:
    """Return how good it is beside always predicting the mean."""
    rmse, mean = scores["root_mean_squared_error"], scores["baseline"].value
    assert rmse.value is not None
    if not mean:
        return f"{scores.headline} All test targets are the same."
    beside = f"{percent(1 - rmse.value / mean)} below"
    if rmse.high is None or rmse.high >= mean:
        beside = "not distinguishable from" if rmse.value < mean else "no better than"
    return (
        f"{scores.headline} Root mean squared error {with_interval(rmse)}, {beside} the baseline (the mean)."
    )


def errors_section(draft: Draft, scores: Scores, run: Run) -> Section:
    """Return the errors with their intervals, predicted over true values, and the worst predictions."""
    trained = metrics_of(run.train_predictions)
    rows = [
        (*scores.cells(row), "–" if trained[row["score"]] is None else f"{trained[row['score']]:.3g}")
        for row in scores.to_rows()
    ]
    residuals = draft.add(
        "residuals",
        residual_figure(run.test_predictions, run.targets),
        "A bend or a funnel in the residuals means that the errors depend on the prediction.",
        "Predicted over true values, the residuals over the predictions, and their histogram.",
    )
    table = Table((*scores.columns, "training"), rows)
    return Section("How good is it?", table=table, figures=(residuals,), parts=(_worst(run),))


def _worst(run: Run) -> Section:
    """Return the test samples whose predictions are furthest off."""
    y, y_pred = run.test_predictions.y_true, run.test_predictions.y_pred
    rows = np.argsort(-np.abs(y - y_pred).max(axis=1), kind="stable")[:N_WORST]
    what = ("True", "Predicted", "True minus predicted")
    columns = [f"{each} {name}" if each != what[-1] else each for name in run.targets for each in what]
    values = np.stack([y, y_pred, y - y_pred], axis=2)[rows]
    largest = np.abs(values).max(axis=(0, 2), initial=1e-9)
    decimals = np.repeat(np.clip(4 - np.floor(np.log10(largest)), 0, 9).astype(int), 3)
    table: list[tuple[Cell, ...]] = [
        (int(i), *(f"{value:,.{n}f}" for value, n in zip(row, decimals, strict=True)))
        for i, row in zip(rows, values.reshape(len(rows), -1), strict=True)
    ]
    title = f"The {plural(len(rows), 'prediction')} furthest off"
    return Section(title, table=Table((f"Test {run.noun}, from 0", *columns), table), is_folded=True)
