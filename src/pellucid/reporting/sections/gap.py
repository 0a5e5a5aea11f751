"""The gap between training and new samples: over-fitting, under-fitting, or nothing beyond chance."""

import math
from typing import NamedTuple

import numpy as np

from pellucid.evaluation.scores.advice import GAP
from pellucid.evaluation.scores.regression import regression_estimates
from pellucid.prediction.metrics import regression_metrics
from pellucid.reporting.sections.recipe import first_number, is_step_by_step
from pellucid.runs.run import Run
from pellucid.shares import share
from pellucid.stats.intervals import wilson_interval
from pellucid.text import plural

FALLS_BY = 0.03  # of the lowest validation loss: a later rise by more is told


class _Gap(NamedTuple):
    """Accuracies on training samples and on others, and between what the latter may lie by chance."""

    train: float
    other: float
    interval: tuple[float, float]
    n_other: int
    part: str  # "validation" or "test"


def best_epoch(run: Run) -> int | None:
    """Return the epoch of the lowest validation loss, its place in the history; None where none was measured."""
    losses = run.history.validation_losses
    return int(np.nanargmin(losses)) if losses and np.isfinite(losses).any() else None


def gap_line(run: Run) -> str:
    """Return the errors on training samples and on others, and what they say together."""
    if run.kind == "regression":
        return _of_errors(run)
    gap, noun = _gap(run), run.noun
    n, counts = min(len(run.split.train), gap.n_other), run.split.train.counts
    of_training, of_others = share(1 - gap.train, n), share(1 - gap.other, n)
    errors = f"{of_training} errors in training, {of_others} on {plural(gap.n_other, f'{gap.part} {noun}')}"
    if gap.train > gap.interval[1] and gap.train - gap.other >= GAP:
        return f"Over-fitting: {errors}{_best(run)}."
    if gap.train <= counts.max() / counts.sum():
        return f"Under-fitting: {errors}; the baseline does as well in training."
    is_chance = gap.other < gap.train <= gap.interval[1]
    return f"No over-fitting{' beyond chance' if is_chance else ''}: {errors}."


def _gap(run: Run) -> _Gap:
    """Return the gap to validation samples where the history has both, else to the test part."""
    columns, options = run.history.columns, run.config.options
    if columns.get("accuracy") and columns.get("validation_accuracy") and options.validation is not None:
        at = best_epoch(run) if options.patience is not None else None  # whose weights were kept
        at = len(columns["accuracy"]) - 1 if at is None else at
        train, other = columns["accuracy"][at], columns["validation_accuracy"][at]
        n = math.ceil(options.validation * len(run.split.train))
        return _Gap(train, other, wilson_interval(round(other * n), n), n, "validation")
    test = run.test_confusion
    return _Gap(run.train_confusion.accuracy, test.accuracy, test.accuracy_interval, test.n_samples, "test")


def _best(run: Run) -> str:
    """Return where the validation loss was lowest, if it rose since."""
    best, losses = best_epoch(run), run.history.validation_losses
    if best is None or not losses[-1] > (1 + FALLS_BY) * losses[best]:
        return ""
    kept = ", whose weights were kept" if run.config.options.patience is not None else ""
    word = "step" if is_step_by_step(run) else "epoch"
    return f"; lowest validation loss at {word} {best + first_number(run)}{kept}"


def _of_errors(run: Run) -> str:
    found, of_training = run.test_predictions, run.train_predictions
    name = "root_mean_squared_error"
    trained = regression_metrics(of_training.y_true, of_training.y_pred)
    test = regression_estimates(found.y_true, found.y_pred)[name]
    train, mean = trained[name], trained["baseline"]
    assert train is not None
    assert test.value is not None
    errors = f"root mean squared error {train:.3g} in training, {test.value:.3g} on the test {run.noun}s"
    if test.low is not None and train < test.low:
        return f"Over-fitting: {errors}{_best(run)}."
    if mean is not None and train >= mean:
        return f"Under-fitting: {errors}; the mean does as well in training."
    return f"No over-fitting beyond chance: {errors}."
