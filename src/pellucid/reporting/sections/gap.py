"""The gap between training and new samples: over-fitting, under-fitting, or nothing beyond chance."""

import math

import numpy as np

from pellucid.evaluation.scores.advice import GAP
from pellucid.evaluation.scores.scores import Scores
from pellucid.prediction.metrics import metrics_of
from pellucid.reporting.sections.recipe import is_step_by_step
from pellucid.runs.run import Run
from pellucid.shares import share
from pellucid.stats.intervals import exceeds
from pellucid.text import plural

FALLS_BY = 0.03  # of the lowest validation loss: a later rise by more is told


def best_epoch(run: Run) -> int | None:
    """Return the epoch of the lowest validation loss, its place in the history; None where none was measured."""
    losses = run.history.validation_losses
    return int(np.nanargmin(losses)) if losses and np.isfinite(losses).any() else None


def gap_line(run: Run, scores: Scores | None = None) -> str:
    """Return the errors on training samples and on others, and what they say together.

    The others are validation samples where the history has their accuracy, else the test part. Of a regression,
    ``scores`` are needed.
    """
    if scores is not None and run.kind == "regression":
        name, trained = "root_mean_squared_error", metrics_of(run.train_predictions)
        test, train, baseline = scores[name], trained[name], trained["baseline"]
        words = f"root mean squared error {train:.3g} in training, {test.value:.3g} on the test {run.noun}s"
        is_over, is_under = test.low is not None and train < test.low, train >= baseline
        is_chance = not is_over
    else:
        train, n_train, other, n, part = _accuracies(run)
        digits, counts = min(n_train, n), run.split.train.counts
        errors = share(1 - train, digits), share(1 - other, digits)
        words = f"{errors[0]} errors in training, {errors[1]} on {plural(n, f'{part} {run.noun}')}"
        is_clear = exceeds(train, n_train, other, n)
        is_over, is_under = is_clear and train - other >= GAP, train <= counts.max() / counts.sum()
        is_chance = other < train and not is_clear
    if is_over:
        best, losses, rise = best_epoch(run), run.history.validation_losses, ""
        if best is not None and losses[-1] > (1 + FALLS_BY) * losses[best]:
            kept = ", whose weights were kept" if run.config.options.patience is not None else ""
            word, at = ("step", best) if is_step_by_step(run) else ("epoch", best + 1)
            rise = f"; lowest validation loss at {word} {at}{kept}"
        return f"Over-fitting: {words}{rise}."
    if is_under:
        return f"Under-fitting: {words}; the baseline does as well in training."
    if run.kind == "classification" and run.test_predictions.too_few:
        return f"Whether it over-fits cannot be told: {words}."
    return f"No over-fitting{' beyond chance' if is_chance else ''}: {words}."


def _accuracies(run: Run) -> tuple[float, int, float, int, str]:
    """Return the accuracy on training samples and their number, likewise of others, and what these are."""
    options = run.config.options
    train, held_out = (run.history.columns.get(name) for name in ("accuracy", "validation_accuracy"))
    if train and held_out and isinstance(options.validation, float | int):
        kept = best_epoch(run) if options.patience is not None else None  # whose weights were kept
        at = -1 if kept is None else kept
        n = math.ceil(options.validation * len(run.split.train))
        return train[at], len(run.split.train) - n, held_out[at], n, "validation"
    trained, test = run.train_confusion, run.test_confusion
    return trained.accuracy, trained.n_samples, test.accuracy, test.n_samples, "test"
