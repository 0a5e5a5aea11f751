"""All that can be said of a trained model on a data set, and how sure one may be of it."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from pellucid.checks.duplicates import find_leaks
from pellucid.data.dataset import Dataset
from pellucid.evaluation.scores.calibration import calibrate, squared_errors, surprises
from pellucid.evaluation.scores.metrics import score
from pellucid.evaluation.scores.one_vs_rest import (
    NO_PROBABILITIES,
    ClassFigures,
    Columns,
    ResampledColumns,
    class_metrics,
    mean_of_defined,
)
from pellucid.evaluation.scores.outputs import Outputs, read_outputs
from pellucid.evaluation.scores.records import ScoresWithIntervals
from pellucid.evaluation.scores.regression import quantity_estimates
from pellucid.nn.model import Model
from pellucid.progress import ProgressCallback, no_progress
from pellucid.stats.bootstrap import N_RESAMPLES, bootstrap
from pellucid.stats.intervals import LEVEL, Estimate, check_level, interval_of, proportion
from pellucid.stats.paired import mcnemar
from pellucid.text import join_some
from pellucid.types import Array

SEED = 1
MEANS = ("precision", "recall", "f1", "roc_auc", "average_precision", "brier", "log_loss")


def assess(
    model: Model,
    data: Dataset,
    *,
    train: Dataset | None = None,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
    progress: ProgressCallback = no_progress,
) -> ScoresWithIntervals:
    """Return what a trained model of any kind is worth on a data set, with intervals.

    Parameters
    ----------
    model : Model
    data : Dataset
        As loaded; the model prepares it.
    train : Dataset, optional
        What it was trained on: then all is said once more without the samples of ``data`` that are in it, exactly
        or, of pictures, nearly: see :mod:`pellucid.checks.check`.
    level : float, optional
        Between 0 and 1.
    n_resamples : int, optional
        Of the bootstrap. Where samples have one class each, every resample keeps how many there are of each: how
        common each class is is taken as given, and no class can be missing from a resample.
    seed : int, optional
        Of the resamples.
    tell : callable, optional
        Told of progress.

    Raises
    ------
    PellucidError
        If model and data do not fit: see :func:`.outputs.read_outputs`; or an option is out of range.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> from pellucid.training.loop import train
    >>> X = np.random.default_rng(0).normal(size=(80, 2))
    >>> data = Dataset(X, (X[:, 0] > X[:, 1]).astype(int), ("left", "right"))
    >>> model = preset("logistic")
    >>> history = train(model, data.take(slice(40)), n_epochs=100)
    >>> result = assess(model, data.take(slice(40, 80)))
    >>> value, low, high, _ = result.estimates["balanced_accuracy"]
    >>> bool(low < value < high)
    True
    """
    check_level("assess", level)
    leaks = () if train is None else tuple(find_leaks(train.X, data.X))
    outputs = read_outputs(model, data, progress=partial(progress, "asking the model"))
    options: dict[str, Any] = {"level": level, "n_resamples": n_resamples, "seed": seed, "progress": progress}
    whole = assess_outputs(outputs, **options)
    if not leaks:
        return whole
    kept = np.setdiff1d(np.arange(len(outputs)), [leak.test for leak in leaks])
    if not len(kept):
        note = "Every sample is also a training sample: none is left to judge the model by."
        return replace(whole, leaks=leaks, notes=(*whole.notes, note))
    return replace(whole, leaks=leaks, without_leaks=assess_outputs(outputs.take(kept), **options))


def assess_outputs(
    outputs: Outputs,
    *,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
    progress: ProgressCallback = no_progress,
) -> ScoresWithIntervals:
    """Return the assessment of answers that are there already: see :func:`assess`."""
    made = partial(ScoresWithIntervals, outputs.kind, len(outputs), level, n_resamples)
    resample = partial(
        bootstrap, n_resamples=n_resamples, seed=seed, progress=partial(progress, "resampling")
    )
    if outputs.kind == "regression":
        return made(quantity_estimates(outputs.y, outputs.predicted, resample=resample, level=level))
    columns = Columns.of(outputs)
    of_columns = ResampledColumns(columns)
    of_samples = _of_samples(outputs, columns)
    table = np.array(list(of_samples.values()))  # (n, m)

    def scores(counts: Array) -> Array:
        return np.concatenate([of_columns(counts), table @ counts / len(outputs)])

    has_classes = outputs.kind == "classification"
    values = resample(scores, len(outputs), strata=outputs.y if has_classes else None)
    names = [*of_columns.names, *((name, None) for name in of_samples)]
    sampled = dict(zip(names, values, strict=True))  # those of samples replace means
    per_class = class_metrics(columns, sampled, level=level)
    means = _means(per_class, of_samples, sampled, level)
    if has_classes:
        return _with_classes(made, outputs, columns, per_class, means, level, seed)
    return _with_labels(made, columns, per_class, means, level)


def _of_samples(outputs: Outputs, columns: Columns) -> dict[str, Array]:
    """Return what each sample adds to a score that is a mean over samples, (m,) each."""
    if outputs.kind == "multi_label":
        return {"label_accuracy": (columns.y_true == columns.y_pred).mean(axis=1)}
    is_right = (outputs.y == outputs.predicted).astype(float)
    if columns.probabilities is None:
        return {"accuracy": is_right}
    k = len(columns.names)
    squares = squared_errors(columns.y_true, columns.probabilities).sum(axis=1)
    true_scores = outputs.scores[np.arange(len(outputs)), outputs.y]
    return {
        "accuracy": is_right,
        "brier": squares / 2 if k == 2 else squares,
        "log_loss": surprises(np.array(True), true_scores),
    }


def _means(
    per_class: tuple[ClassFigures, ...],
    of_samples: dict[str, Array],
    sampled: dict[tuple[str, int | None], Array],
    level: float,
) -> dict[str, Estimate]:
    """Return the means over samples, and of each other score that over the classes that have it."""
    found: dict[str, Estimate] = {}
    for name in dict.fromkeys((*MEANS, *of_samples)):
        if name in of_samples:
            mean, reason = float(of_samples[name].mean()), ""
        else:
            values = [_counted(name, figures) for figures in per_class]
            mean = float(mean_of_defined(np.array(values, float)))
            fullest = max(per_class, key=lambda figures: figures.n_samples)  # "every sample is" says more
            reason = fullest.estimates[name].reason
        resampled = sampled.get((name, None), np.empty(0))
        found[name] = interval_of(None if np.isnan(mean) else mean, resampled, reason, level=level)
    return found


def _counted(name: str, figures: ClassFigures) -> float | None:
    """Return what a class counts in a mean: of one that is there and never named, nothing named is right."""
    value = figures.estimates[name].value
    return 0.0 if name == "precision" and value is None and figures.n_samples else value


def _with_classes(
    made: Any,
    outputs: Outputs,
    columns: Columns,
    per_class: tuple[ClassFigures, ...],
    means: dict[str, Estimate],
    level: float,
    seed: int,
) -> ScoresWithIntervals:
    y, predicted = outputs.y, outputs.predicted
    result = score(y, predicted, outputs.classes)
    always = y == np.bincount(y).argmax()
    calibration, P = None, columns.probabilities
    if P is not None:
        sure = P[np.arange(len(y)), predicted]
        calibration = calibrate(y == predicted, sure, level=level, with_chance=True, seed=seed)
    absent = [figures.name for figures in per_class if not figures.n_samples]
    notes = (
        [f"No sample is {join_some(absent)}: what that leaves undefined counts in no mean."] if absent else []
    )
    if P is None:
        notes.append(f"No calibration, Brier score and log loss: {NO_PROBABILITIES}.")
    found: ScoresWithIntervals = made(
        {
            "accuracy": proportion(result.n_correct, len(y), level=level),
            "baseline": proportion(int(always.sum()), len(y), level=level),
            "balanced_accuracy": means["recall"],
            **{name: means[name] for name in MEANS if name != "recall"},
        },
        evaluation=result,
        per_class=per_class,
        calibration=calibration,
        beside_baseline=mcnemar(y == predicted, always),
        notes=tuple(notes),
    )
    return found


def _with_labels(
    made: Any,
    columns: Columns,
    per_class: tuple[ClassFigures, ...],
    means: dict[str, Estimate],
    level: float,
) -> ScoresWithIntervals:
    hits = columns.y_true == columns.y_pred
    exact = proportion(int(hits.all(axis=1).sum()), len(hits), level=level)
    found: ScoresWithIntervals = made(
        {
            "label_accuracy": means["label_accuracy"],
            "exact_match": exact,
            **{name: means[name] for name in MEANS},
        },
        per_class=per_class,
    )
    return found
