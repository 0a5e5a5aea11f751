"""Every metric wherever it is asked for, a history, an evaluation, a report, an estimator, against scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

import pellucid as pl
from pellucid.ops.metrics import METRICS
from pellucid.prediction.metrics import metrics_of
from pellucid.prediction.predict import predict
from pellucid.types import Array

Score = Callable[[Array, Array], float]


def of_each_label(score: Score) -> Score:
    return lambda y, p: float(np.mean([score(y[:, j], p[:, j]) for j in range(y.shape[1])]))


def macro(score: Any) -> Score:
    return lambda y, p: score(y, p, average="macro", zero_division=0)


CLASSES: dict[str, Score] = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "f1": macro(sk.f1_score),
    "precision": macro(sk.precision_score),
}
LABELS: dict[str, Score] = {
    "accuracy": of_each_label(sk.accuracy_score),
    "label_accuracy": of_each_label(sk.accuracy_score),
    "exact_match": sk.accuracy_score,
    "balanced_accuracy": of_each_label(sk.balanced_accuracy_score),
    "f1": macro(sk.f1_score),
    "precision": macro(sk.precision_score),
    "recall": macro(sk.recall_score),
}
QUANTITIES: dict[str, Score] = {
    "mean_absolute_error": sk.mean_absolute_error,
    "root_mean_squared_error": sk.root_mean_squared_error,
    "r_squared": sk.r2_score,
    "r_squared_variance_weighted": lambda y, p: sk.r2_score(y, p, multioutput="variance_weighted"),
}


def cases() -> dict[str, tuple[Any, Any, Array, dict[str, Score]]]:
    """The estimator, the loss of the network, targets and what scikit-learn says of predictions."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 4))
    noisy = X + rng.normal(0, 1.5, X.shape)
    rare = (noisy > [0.3, 1.9, 0.0, 9.0]).astype(int)  # the last never occurs
    scaled = np.stack([noisy[:, 0], 40 * X[:, 1], np.full(60, 0.5)], axis=1)  # the last never varies
    classifier, regressor = pl.estimators.MLPClassifier, pl.estimators.MLPRegressor
    return {
        "two classes": (classifier, X, (noisy[:, 0] > 0.7).astype(int), CLASSES),
        "three classes": (classifier, X, (noisy[:, 0] > 0).astype(int) + (noisy[:, 1] > 1), CLASSES),
        "labels": (classifier, X, rare, LABELS),
        "a quantity": (regressor, X, noisy[:, 1], QUANTITIES),
        "quantities": (regressor, X, scaled, QUANTITIES),
    }


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_every_metric_is_scikit_learns_wherever_it_is_asked_for() -> None:
    wrong, seen = [], set()
    for what, (estimator, X, y, scores) in cases().items():
        n_out = {"two classes": 1, "three classes": 3, "labels": 4, "a quantity": 1, "quantities": 3}[what]
        model, stopped = (pl.Sequential(pl.Dense(5, "tanh"), pl.Dense(n_out)) for _ in range(2))
        names = [name for name in METRICS if name in scores]
        options: dict[str, Any] = {"n_epochs": 4, "learning_rate": 0.3, "metrics": names}
        history = pl.train(model, (X, y), **options)
        watched = pl.train(stopped, (X[:40], y[:40]), validation=(X[40:], y[40:]), **options)
        of_held = {name: column[-1] for name, column in watched.columns.items()}
        found = pl.evaluate(model, (X, y), metrics=names, n_resamples=4)
        fitted = estimator(hidden_layer_sizes=3, max_iter=300, tol=1, random_state=0).fit(X, y)
        of_estimator = {"r_squared" if scores is QUANTITIES else "exact_match": fitted.score(X, y)}
        if scores is CLASSES:
            of_estimator = {"accuracy": fitted.score(X, y)}
        said, of_stopped, of_fitted = model.predict(X), stopped.predict(X[40:]), fitted.predict(X)
        for door, values, y_true, y_pred in (
            ("history", {name: column[-1] for name, column in history.columns.items()}, y, said),
            ("validation", {name: of_held[f"validation_{name}"] for name in names}, y[40:], of_stopped),
            ("evaluation", {name: one.value for name, one in found.estimates.items()}, y, said),
            ("report", metrics_of(predict(model, pl.Dataset(X, y))), y, said),
            ("function", {name: METRICS[name](y, said) for name in names}, y, said),
            ("estimator", of_estimator, y, of_fitted),
        ):
            for name in values.keys() & scores.keys():
                seen.add((door, name))
                expected = scores[name](y_true, y_pred)
                if values[name] != pytest.approx(expected, rel=1e-5):
                    wrong.append(f"{what}, {door}, {name}: {values[name]}, scikit-learn's {expected}")
    assert not wrong, "\n".join(wrong)
    for door in ("history", "validation", "evaluation", "function"):
        assert {name for where, name in seen if where == door} >= set(METRICS), door
