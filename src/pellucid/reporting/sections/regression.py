"""What the report says of a regression: its errors beside the mean predictor's, and the residuals."""

from typing import TYPE_CHECKING

import numpy as np

from pellucid.evaluation.scores.estimate_text import with_interval
from pellucid.evaluation.scores.regression_figures import residual_figure
from pellucid.evaluation.scores.scores import Scores
from pellucid.prediction.metrics import regression_metrics
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Fact, Section, Table
from pellucid.reporting.sections.summary import of_the_training, what_was_done
from pellucid.runs.run import Run
from pellucid.text import join, percent, plural

if TYPE_CHECKING:
    from pellucid.reporting.findings import Findings

N_WORST = 12  # predictions that are listed
MEANINGS = {
    "mean_absolute_error": ("Mean absolute error", "How far a prediction is off, on average."),
    "root_mean_squared_error": (
        "Root mean squared error",
        "The same, but large errors count more: the root of the mean of the squared errors.",
    ),
    "r_squared": (
        "R²",
        "The fraction of a target's variance that is explained, of several targets the mean of each one's: 1 is "
        "perfect, 0 no better than the mean.",
    ),
    "baseline": (
        "Mean predictor",
        "The root mean squared error of always predicting the mean of these targets.",
    ),
}


def lead(found: "Findings") -> tuple[str, ...]:
    """Return how good it is beside always predicting the mean, and what was done."""
    run, scores = found.run, _scores(found)
    error, rmse, mean = (
        scores[name] for name in ("mean_absolute_error", "root_mean_squared_error", "baseline")
    )
    names = join([f"“{name}”" for name in run.targets])
    words = (
        f"On {plural(len(scores), 'test ' + run.noun)}, its prediction of {names} is off by "
        f"{with_interval(error)} on average (95 % interval in brackets)."
    )
    assert rmse.value is not None
    if not mean.value:
        return f"{words} All test targets are the same.", what_was_done(run)
    less = 1 - rmse.value / mean.value
    if rmse.high is not None and rmse.high < mean.value:
        words += (
            f" Its root mean squared error is {percent(less)} lower than that of always predicting the mean."
        )
    elif rmse.value < mean.value:
        words += " That is better than always predicting the mean, but not by more than chance explains."
    else:
        words += " That is no better than always predicting the mean."
    return words, what_was_done(run)


def facts(found: "Findings") -> tuple[Fact, ...]:
    """Return the numbers that stand under the summary: eight, in full rows."""
    run, scores = found.run, _scores(found)
    trained = regression_metrics(run.train_predictions.y_true, run.train_predictions.y_pred)
    unit = "in the target's unit" if len(run.targets) == 1 else "mean of the targets"
    explained = scores["r_squared"].value
    return (
        Fact("Mean absolute error", scores["mean_absolute_error"].value or 0.0, f"{unit}; smaller is better"),
        Fact(
            "Root mean squared error",
            scores["root_mean_squared_error"].value or 0.0,
            "large errors count more",
        ),
        Fact(
            "R²",
            "undefined" if explained is None else f"{explained:.2f}",
            "the part of the variance explained",
        ),
        Fact("Mean predictor", scores["baseline"].value or 0.0, "its root mean squared error"),
        Fact(
            "Training error",
            trained["root_mean_squared_error"] or 0.0,
            f"the same, on the training {run.noun}s",
        ),
        *of_the_training(run),
    )


def errors_section(draft: Draft, found: "Findings") -> Section:
    """Return the errors with their intervals, predicted over true values, and the worst predictions."""
    run, scores = found.run, _scores(found)
    trained = regression_metrics(run.train_predictions.y_true, run.train_predictions.y_pred)
    rows = []
    for name, (title, meaning) in MEANINGS.items():
        own = trained[name]
        rows.append((title, with_interval(scores[name]), "–" if own is None else f"{own:.3g}", meaning))
    return Section(
        "How good is it?",
        table=Table(("Score", "Test (95 % interval)", "Training", "Meaning"), rows),
        figures=(
            draft.add(
                "residuals",
                residual_figure(run.test_predictions, run.targets),
                f"Left, each dot is a test {run.noun}: on the dotted line the prediction is right, and the "
                "orange line is the mean predictor. Middle, the residuals, what is left over: a bend or a funnel "
                "means that the errors depend on the prediction, which the network could still learn. Right, how "
                "large they are.",
                "Predicted over true values, the residuals over the predictions, and their histogram.",
            ),
        ),
        parts=(_worst(run),),
    )


def _worst(run: Run) -> Section:
    """Return the test samples whose predictions are furthest off."""
    y, y_pred = run.test_predictions.y_true, run.test_predictions.y_pred
    rows = np.argsort(-np.abs(y - y_pred).max(axis=1), kind="stable")[:N_WORST]
    names = run.targets
    header = [f"Test {run.noun}", *(f"{what} {name}" for name in names for what in ("True", "Predicted"))]
    table: list[tuple[int | str, ...]] = [
        (int(i), *(f"{value:.5g}" for j in range(len(names)) for value in (y[i, j], y_pred[i, j])))
        for i in rows
    ]
    title = f"The {plural(len(rows), 'prediction')} furthest off"
    return Section(title, table=Table(header, table), is_folded=True)


def _scores(found: "Findings") -> Scores:
    assert found.scores is not None
    return found.scores
