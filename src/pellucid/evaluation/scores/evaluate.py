"""Evaluate a trained model on a data set: every score with its confidence interval."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from pellucid.data.coerce import as_dataset
from pellucid.data.dataset import Dataset
from pellucid.data.label_encoding import with_labels
from pellucid.evaluation.scores.advice import advise_model
from pellucid.evaluation.scores.calibration import calibrate, squared_errors
from pellucid.evaluation.scores.one_vs_rest import (
    NO_PROBABILITIES,
    ClassScores,
    Columns,
    Resampled,
    ResampledColumns,
    class_scores,
    mean_of_defined,
)
from pellucid.evaluation.scores.regression import regression_estimates
from pellucid.evaluation.scores.scores import Scores
from pellucid.nn.model import Model, check_trained, number_of_class
from pellucid.ops.metrics import Metric, measured, metrics_by_name
from pellucid.prediction.predict import Compute, Predictions, compute_here, predict
from pellucid.progress import ProgressCallback, no_progress, stage_of
from pellucid.registry import validate_call
from pellucid.stats.bootstrap import N_RESAMPLES, bootstrap
from pellucid.stats.intervals import LEVEL, Estimate, check_level, interval_of, proportion
from pellucid.stats.paired import mcnemar
from pellucid.text import join_some
from pellucid.types import Array

SEED = 1
MEANS = ("precision", "recall", "f1", "roc_auc", "average_precision", "brier", "log_loss")


@validate_call("model", "level", "n_resamples", "seed")
def evaluate(
    model: Model,
    data: Dataset | tuple[Any, Any],
    train: Dataset | tuple[Any, Any] | None = None,
    *,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
    metrics: Any = (),
    positive: str | None = None,
    progress: ProgressCallback = no_progress,
    compute: Compute = compute_here,
) -> Scores:
    """Return a trained model's scores on a data set, with confidence intervals.

    Parameters
    ----------
    model : Model
        Of classes, labels or quantities.
    data : Dataset or (X, y)
        As loaded; the model prepares it. Classes are matched by name: they may be in another order than the
        model's, or fewer.
    train : Dataset or (X, y), optional
        What the model was trained on: then ``without_leaks`` has the scores without the samples of ``data`` that
        are in it, exactly or, of images, nearly: see :mod:`pellucid.checks.check`. The majority-class baseline
        predicts its most common class; by default the one that the model keeps of its training, or else that of
        ``data``.
    level : float, optional
        Of the intervals, between 0 and 1.
    n_resamples : int, optional
        Of the bootstrap. Where samples have one class each, every resample has the same number of samples of each:
        class frequencies are taken as given, and no class can be missing from a resample.
    seed : int, optional
        Of the resamples.
    metrics : sequence of str or callable, optional
        What is measured besides: names of :mod:`pellucid.ops.metrics`, or functions of (y_true, y_pred). Each
        becomes an estimate of its name, with a bootstrap interval.
    positive : str, optional
        Of two classes, the one that sensitivity is of. Default: as the model was trained, else the rarer.
    progress : callable, optional
        Called with a stage, how much of it is done, and of how much.
    compute : callable, optional
        What computes the model's outputs: ``pellucid.distributed.evaluate`` lets a cluster do it.

    Returns
    -------
    Scores
        As the command ``evaluate`` prints and draws them.

    Raises
    ------
    PellucidError
        If model and data do not fit: see :func:`.predictions.predict`; or an option is out of range.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> from pellucid.training.fit import train
    >>> X = np.random.default_rng(0).normal(size=(80, 2))
    >>> data = Dataset(X, (X[:, 0] > X[:, 1]).astype(int), ("left", "right"))
    >>> model = preset("logistic")
    >>> history = train(model, data.take(slice(40)), n_epochs=100)
    >>> scores = evaluate(model, data.take(slice(40, 80)))
    >>> value, low, high, _ = scores["balanced_accuracy"]
    >>> bool(low < value < high)
    True
    """
    check_level("evaluate", level)
    data = as_dataset(data, "evaluate", part="test")
    check_trained("evaluate", model)
    data = with_labels(data, "evaluate", kind=model._loss.kind)
    if train is not None:
        train = with_labels(as_dataset(train, "evaluate: train"), "evaluate: train", kind=model._loss.kind)
    predictions = predict(model, data, train, progress=stage_of(progress, "predicting"), compute=compute)
    if positive is not None:
        number = number_of_class(model, positive, data.classes, "evaluate: positive")
        predictions = replace(predictions, positive=number)
    found = score(predictions, level=level, n_resamples=n_resamples, seed=seed, progress=progress)
    more = further_metrics(predictions, metrics, level=level, n_resamples=n_resamples, seed=seed)
    own = {name: estimate for name, estimate in more.items() if name not in found.estimates}
    advice = advise_model(model, predictions, data)
    return replace(found, estimates={**found.estimates, **own}, further=tuple(own), advice=advice)


def score(
    predictions: Predictions,
    *,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
    progress: ProgressCallback = no_progress,
) -> Scores:
    """Return the scores of predictions: see :func:`evaluate`."""
    options: dict[str, Any] = {"level": level, "n_resamples": n_resamples, "seed": seed, "progress": progress}
    found = _score(predictions, **options)
    if not predictions.leaks:
        return found
    kept = np.setdiff1d(np.arange(len(predictions)), [leak.test for leak in predictions.leaks])
    if not len(kept):
        note = "Every sample is also a training sample: none is left to evaluate the model on."
        return replace(found, about_data=(*found.about_data, note))
    return replace(found, without_leaks=_score(predictions.take(kept), **options))


def _score(
    predictions: Predictions, *, level: float, n_resamples: int, seed: int, progress: ProgressCallback
) -> Scores:
    resample = partial(
        bootstrap, n_resamples=n_resamples, seed=seed, progress=stage_of(progress, "resampling")
    )
    if predictions.kind == "regression":
        estimates = regression_estimates(
            predictions.y_true, predictions.y_pred, resample=resample, level=level
        )
        return Scores(predictions, level, n_resamples, estimates)
    columns = Columns.of(predictions)
    of_columns = ResampledColumns(columns)
    of_samples = _of_samples(predictions, columns)
    table = np.array(list(of_samples.values()))  # (n, m)

    def scores(counts: Array) -> Array:
        return np.concatenate([of_columns(counts), table @ counts / len(predictions)])

    is_classifier = predictions.kind == "classification"
    values = resample(scores, len(predictions), strata=predictions.y_true if is_classifier else None)
    names = [*of_columns.names, *((name, None) for name in of_samples)]
    resampled = dict(zip(names, values, strict=True))  # scores of samples replace means over columns
    every = range(len(columns.names))
    per_class = tuple(class_scores(columns, c, resampled, level) for c in every)
    means = _means(per_class, of_samples, resampled, level)
    if not is_classifier:
        exact = int(predictions.is_correct.all(axis=1).sum())
        estimates = {
            "label_accuracy": means["label_accuracy"],
            "exact_match": proportion(exact, len(predictions), level=level),
            **{name: means[name] for name in MEANS},
        }
    else:
        estimates = {
            "accuracy": proportion(predictions.confusion.n_correct, len(predictions), level=level),
            "baseline": proportion(int(predictions.is_majority.sum()), len(predictions), level=level),
            "balanced_accuracy": means["recall"],
            **{name: means[name] for name in MEANS if name != "recall"},
        }
        if (positive := predictions.positive) is not None:
            recalls = [one.estimates["recall"] for one in per_class]
            estimates |= {"sensitivity": recalls[positive], "specificity": recalls[1 - positive]}
    calibration = None
    if is_classifier and predictions.has_probabilities:
        sure, correct = predictions.confidences, predictions.is_correct
        calibration = calibrate(correct, sure, level=level, with_chance=True, seed=seed)
    return Scores(
        predictions,
        level,
        n_resamples,
        estimates,
        per_class,
        calibration=calibration,
        versus_baseline=mcnemar(predictions.is_correct, predictions.is_majority) if is_classifier else None,
        about_data=_notes(predictions, per_class),
    )


def _of_samples(predictions: Predictions, columns: Columns) -> dict[str, Array]:
    """Return each sample's part of the scores that are means over samples, (m,) each."""
    if predictions.kind == "multi_label":
        return {"label_accuracy": predictions.is_correct.mean(axis=1)}
    correct = predictions.is_correct.astype(float)
    if columns.probabilities is None:
        return {"accuracy": correct}
    squares = squared_errors(columns.y_true, columns.probabilities).sum(axis=1)
    brier = squares / 2 if len(columns.names) == 2 else squares
    return {"accuracy": correct, "brier": brier, "log_loss": predictions.losses}


def _means(
    per_class: tuple[ClassScores, ...], of_samples: dict[str, Array], resampled: Resampled, level: float
) -> dict[str, Estimate]:
    """Return the means over samples, and of each other score the mean over the classes that have it."""
    found: dict[str, Estimate] = {}
    for name in dict.fromkeys((*MEANS, *of_samples)):
        if name in of_samples:
            mean, reason = float(of_samples[name].mean()), ""
        else:
            values = [one.estimates[name].value for one in per_class]
            if name in ("precision", "recall", "f1"):  # as in scikit-learn, 0 where undefined
                is_zero = [one.is_label or (name == "precision" and one.n_samples > 0) for one in per_class]
                values = [0.0 if v is None and z else v for v, z in zip(values, is_zero, strict=True)]
            mean = float(mean_of_defined(np.array(values, float)))
            fullest = max(per_class, key=lambda one: one.n_samples)  # "every sample is" says more
            reason = fullest.estimates[name].reason
        values_resampled = resampled.get((name, None), np.empty(0))
        found[name] = interval_of(None if np.isnan(mean) else mean, values_resampled, reason, level=level)
    return found


def _notes(predictions: Predictions, per_class: tuple[ClassScores, ...]) -> tuple[str, ...]:
    absent = [one.name for one in per_class if not one.n_samples]
    notes = []
    if absent:
        counts = (
            "as 0 in the means of precision, recall and F1, as in scikit-learn, and in no other mean"
            if predictions.kind == "multi_label"
            else "in no mean"
        )
        notes.append(f"No sample is {join_some(absent)}: scores that are undefined for it count {counts}.")
    if not predictions.has_probabilities:
        notes.append(f"No calibration, Brier score and log loss: {NO_PROBABILITIES}.")
    return tuple(notes)


def further_metrics(
    predictions: Predictions, metrics: Any, *, level: float, n_resamples: int, seed: int
) -> dict[str, Estimate]:
    """Return metrics of predictions by name, each with the percentile interval of its resamples.

    Parameters
    ----------
    predictions : Predictions
    metrics : sequence of str or callable
        As :func:`pellucid.ops.metrics.metrics_by_name` takes them.
    level, n_resamples, seed
        As for :func:`.measure.evaluate`.

    Examples
    --------
    >>> y = np.array([[1.0], [3.0], [4.0]])
    >>> predictions = Predictions("regression", y, y + 1, np.empty((3, 0)), False, ())
    >>> further_metrics(predictions, ["mean_absolute_error"], level=0.95, n_resamples=10, seed=1)
    {'mean_absolute_error': Estimate(value=1.0, ...)}
    """
    y_true, y_pred = (y[:, 0] if y.shape[1:] == (1,) else y for y in (predictions.y_true, predictions.y_pred))
    strata = predictions.y_true if predictions.kind == "classification" else None
    found = {}
    for name, function in metrics_by_name(metrics).items():

        def of_resamples(counts: Array, name: str = name, function: Metric = function) -> Array:
            rows = [np.repeat(np.arange(len(y_true)), column.astype(int)) for column in counts.T]
            return np.array([measured(name, function, y_true[some], y_pred[some]) for some in rows])

        value = measured(name, function, y_true, y_pred)
        values = bootstrap(of_resamples, len(y_true), strata=strata, n_resamples=n_resamples, seed=seed)
        undefined = "it is undefined for these samples" if np.isnan(value) else ""
        found[name] = interval_of(None if undefined else value, values, undefined, level=level)
    return found
