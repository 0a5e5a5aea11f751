"""What the report says of a regression: its errors beside the mean predictor's, and the residuals."""

from typing import TYPE_CHECKING

import numpy as np

from pellucid.evaluation.scores.estimate_text import title_of, with_interval
from pellucid.evaluation.scores.plot_scores import residual_figure
from pellucid.evaluation.scores.scores import Scores
from pellucid.prediction.metrics import metrics_of
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Cell, Fact, Section, Table
from pellucid.reporting.sections.summary import of_the_training
from pellucid.text import percent, plural

if TYPE_CHECKING:
    from pellucid.reporting.findings import Findings

N_WORST = 12  # predictions that are listed


def lead(found: "Findings") -> str:
    """Return how good it is beside always predicting the mean."""
    scores = _scores(found)
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


def facts(found: "Findings") -> tuple[Fact, ...]:
    """Return the numbers that stand under the summary."""
    estimates = _scores(found).estimates
    values = [
        Fact(title_of(name), "–" if one.value is None else one.value) for name, one in estimates.items()
    ]
    return (*values[:3], *of_the_training(found.run))


def errors_section(draft: Draft, found: "Findings") -> Section:
    """Return the errors with their intervals, predicted over true values, and the worst predictions."""
    run, scores = found.run, _scores(found)
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
    return Section("How good is it?", table=table, figures=(residuals,), parts=(_worst(found),))


def _worst(found: "Findings") -> Section:
    """Return the test samples whose predictions are furthest off."""
    run, y, y_pred = found.run, found.run.test_predictions.y_true, found.run.test_predictions.y_pred
    rows = np.argsort(-np.abs(y - y_pred).max(axis=1), kind="stable")[:N_WORST]
    header = [
        f"Test {run.noun}",
        *(f"{what} {name}" for name in run.targets for what in ("True", "Predicted")),
    ]
    pairs = np.stack([y, y_pred], axis=2)[rows].reshape(len(rows), -1)
    table: list[tuple[Cell, ...]] = [
        (int(i), *(f"{value:.5g}" for value in row)) for i, row in zip(rows, pairs, strict=True)
    ]
    title = f"The {plural(len(rows), 'prediction')} furthest off"
    return Section(title, table=Table(header, table), is_folded=True)


def _scores(found: "Findings") -> Scores:
    assert found.scores is not None
    return found.scores
