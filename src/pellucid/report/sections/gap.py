"""The gap between training and new samples in a sentence: over-fitting, under-fitting, or nothing beyond chance."""

import math
from typing import NamedTuple

import numpy as np

from pellucid.evaluation.scores.advice import GAP
from pellucid.evaluation.scores.regression import regression_estimates
from pellucid.prediction.metrics import regression_metrics
from pellucid.report.sections.recipe import first_number, is_step_by_step
from pellucid.runs.run import Run
from pellucid.shares import share
from pellucid.stats.intervals import wilson_interval

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


def gap_in_words(run: Run) -> str:
    """Return what training samples and others say together: mistakes on both, and why they differ."""
    if run.kind == "regression":
        return _of_errors(run)
    gap, noun = _gap(run), run.noun
    n = min(len(run.split.train), gap.n_other)
    words = (
        f"Mistakes on training {noun}s: {share(1 - gap.train, n)}, on {gap.part} {noun}s: "
        f"{share(1 - gap.other, n)}"
    )
    if gap.train > gap.interval[1] and gap.train - gap.other >= GAP:
        return f"{words}. This is over-fitting, or the {gap.part} {noun}s differ: {_why(run)}."
    counts = run.split.train.counts
    if gap.train <= counts.max() / counts.sum():
        return (
            f"{words}. This is under-fitting: even of the {noun}s that it was trained on it classifies no more "
            "correctly than always the most common class would."
        )
    if gap.train > gap.interval[1]:
        return f"{words}: a small gap, as is usual."
    if gap.train > gap.other:
        few = f"{gap.n_other:,} {gap.part} {noun}{'s' if gap.n_other != 1 else ''}"
        return f"{words}; with {few} chance explains the gap, so this shows no over-fitting."
    return f"{words}: no over-fitting."


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


def _why(run: Run) -> str:
    """Return what made the network learn its samples by heart, as far as the run shows it."""
    noun, options = run.noun, run.config.options
    held_out = math.ceil((options.validation or 0) * len(run.split.train))
    n_seen, n_params = len(run.split.train) - held_out, run.model.theta.size
    if n_params > n_seen:
        reason = f"the {n_params:,} parameters can learn {n_seen:,} {noun}s by heart"
    else:
        reason = f"it has learned some of its {n_seen:,} {noun}s by heart"
    if run.has_photos and options.augment is None and options.batch_size >= 0:
        reason += f", each shown {len(run.history.losses):,} times unchanged"
    return reason + _rise(run)


def _rise(run: Run) -> str:
    best, losses = best_epoch(run), run.history.validation_losses
    if best is None or not losses[-1] > (1 + FALLS_BY) * losses[best]:
        return ""
    kept = ", whose weights were kept" if run.config.options.patience is not None else ""
    word = "step" if is_step_by_step(run) else "epoch"
    return f"; its validation loss was lowest at {word} {best + first_number(run)}{kept}, and rose from there"


def _of_errors(run: Run) -> str:
    noun, found = run.noun, run.test_predictions
    name = "root_mean_squared_error"
    train = regression_metrics(run.train_predictions.y_true, run.train_predictions.y_pred)[name]
    test = regression_estimates(found.y_true, found.y_pred)[name]
    assert train is not None
    assert test.value is not None
    words = f"Root mean squared error on training {noun}s: {train:.3g}, on test {noun}s: {test.value:.3g}"
    if test.low is not None and train < test.low:
        return f"{words}. This is over-fitting, or the test {noun}s differ: {_why(run)}."
    mean = regression_metrics(run.train_predictions.y_true, run.train_predictions.y_pred)["baseline"]
    if mean is not None and train >= mean:
        return (
            f"{words}. This is under-fitting: even on the training {noun}s it is no better than their mean."
        )
    return f"{words}: chance explains the difference, so this shows no over-fitting."
