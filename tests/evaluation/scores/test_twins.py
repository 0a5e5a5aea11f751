"""Every metric, and every metric of a resample, against scikit-learn and its formula."""

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from pellucid.evaluation.scores.calibration import calibrate, cross_entropies
from pellucid.evaluation.scores.evaluate import score
from pellucid.evaluation.scores.one_vs_rest import Columns, ResampledColumns
from pellucid.evaluation.scores.regression import regression_estimates
from pellucid.evaluation.scores.roc import curves_of, sums_over
from pellucid.prediction.metrics import regression_metrics
from pellucid.prediction.predict import Predictions, log_odds
from pellucid.stats.intervals import Estimate
from pellucid.types import Array


@st.composite
def predictions(draw: st.DrawFn, *, has_probabilities: bool = True) -> Predictions:
    """Labels and logits of a classifier of 2 to 4 classes; logits of few values, so that ties are common."""
    k = draw(st.integers(2, 4))
    m = draw(st.integers(1, 25))
    y = np.array(draw(st.lists(st.integers(0, k - 1), min_size=m, max_size=m)))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    Z = rng.integers(-3, 4, (m, k)) * 0.7 if draw(st.booleans()) else rng.normal(size=(m, k))
    if k == 2:
        Z = np.stack([-Z[:, 1], Z[:, 1]], axis=1)
    scores = Z if k == 2 or not has_probabilities else log_odds(Z)
    return Predictions("classification", y, Z.argmax(axis=1), scores, has_probabilities, tuple("abcd"[:k]))


def same(estimate: Estimate, expected: float) -> None:
    if math.isnan(expected):
        assert estimate.value is None
        assert estimate.reason
    else:
        assert estimate.value == pytest.approx(expected, abs=1e-12)


def expected(outputs: Predictions, rows: Array) -> dict[str, list[float]]:
    """What scikit-learn and the formulas say of samples, for each class; NaN where a fraction is of nothing."""
    found: dict[str, list[float]] = {}
    for c in range(len(outputs.classes)):
        true, predicted = outputs.y_true[rows] == c, outputs.y_pred[rows] == c
        scores = outputs.scores[rows, c]
        precision, recall, f1, _ = sk.precision_recall_fscore_support(
            true, predicted, average="binary", zero_division=np.nan
        )
        has_both = 0 < true.sum() < len(true)
        one = {
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "roc_auc": sk.roc_auc_score(true, scores) if has_both else math.nan,
            "average_precision": sk.average_precision_score(true, scores) if has_both else math.nan,
        }
        if outputs.has_probabilities:
            one["brier"] = np.mean((outputs.probabilities[rows, c] - true) ** 2)
            one["log_loss"] = np.mean(np.logaddexp(0, np.where(true, -scores, scores)))
        for name, value in one.items():
            found.setdefault(name, []).append(value)
    return found


@settings(deadline=None, max_examples=40)
@given(predictions())
def test_scores_of_classes_are_scikit_learns(outputs: Predictions) -> None:
    y, predicted, P, k = outputs.y_true, outputs.y_pred, outputs.probabilities, len(outputs.classes)
    result = score(outputs, n_resamples=8)
    assert result.confusion is not None
    matrix = sk.confusion_matrix(y, predicted, labels=range(k))
    np.testing.assert_array_equal(result.confusion.counts, matrix)
    estimates, by_class = result.estimates, expected(outputs, np.arange(len(y)))
    squares = ((P - np.eye(k)[y]) ** 2).sum(axis=1)
    same(estimates["accuracy"], np.trace(matrix) / len(y))
    same(estimates["baseline"], matrix.sum(axis=1).max() / len(y))
    same(estimates["balanced_accuracy"], float(np.nanmean(by_class["recall"])))
    same(estimates["brier"], float(squares.mean() / (2 if k == 2 else 1)))
    same(estimates["log_loss"], float(-np.log(P[np.arange(len(y)), y]).mean()))
    for c, figures in enumerate(result.per_class):
        for name, values in by_class.items():
            same(figures.estimates[name], values[c])


@settings(deadline=None, max_examples=20)
@given(predictions(has_probabilities=False))
def test_without_probabilities_the_rest_remains(outputs: Predictions) -> None:
    result = score(outputs, n_resamples=8)
    assert result.calibration is None
    assert result.estimates["brier"].value is None
    assert "no probabilities" in result.estimates["log_loss"].reason
    areas = expected(outputs, np.arange(len(outputs)))["roc_auc"]
    for figures, area in zip(result.per_class, areas, strict=True):
        same(figures.estimates["roc_auc"], area)


@settings(deadline=None, max_examples=40)
@given(predictions(), st.integers(0, 1000))
def test_scores_of_resamples_are_those_of_the_samples_drawn(outputs: Predictions, seed: int) -> None:
    statistic, m = ResampledColumns(Columns.of(outputs)), len(outputs)
    rows = np.random.default_rng(seed).integers(0, m, (3, m))
    counts = np.stack([np.bincount(drawn, minlength=m) for drawn in rows], axis=1).astype(float)
    values = dict(zip(statistic.names, statistic(counts), strict=True))
    for b, drawn in enumerate(rows):
        by_class = expected(outputs, drawn)
        occurs = [bool((outputs.y_true[drawn] == c).any()) for c in range(len(outputs.classes))]
        pairs = zip(by_class["precision"], occurs, strict=True)
        by_class["precision"] = [0.0 if math.isnan(p) and yes else p for p, yes in pairs]
        for name, ours in by_class.items():
            for c, value in enumerate(ours) if name not in ("precision", "recall") else ():
                assert values[name, c][b] == pytest.approx(value, abs=1e-12, nan_ok=True), name
            defined = [value for value in ours if not math.isnan(value)]
            mean = float(np.mean(defined)) if defined else math.nan
            assert values[name, None][b] == pytest.approx(mean, abs=1e-12, nan_ok=True), name


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=25).filter(
        lambda pairs: len({so for so, _ in pairs}) == 2
    )
)
def test_curves_are_scikit_learns(pairs: list[tuple[bool, int]]) -> None:
    so, scores = (np.array(column) for column in zip(*pairs, strict=True))
    roc, area, pr, precision = curves_of(so, scores)
    theirs = sk.precision_recall_curve(so, scores, drop_intermediate=True)
    for ours, of_sklearn in zip((*roc, *pr), (*sk.roc_curve(so, scores), *theirs), strict=True):
        np.testing.assert_allclose(ours, of_sklearn, rtol=1e-15)
    assert area == pytest.approx(sk.roc_auc_score(so, scores), abs=1e-14)
    assert precision == pytest.approx(sk.average_precision_score(so, scores), abs=1e-14)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), max_size=20))
def test_sums_over_groups_need_no_scipy(places: list[tuple[int, int]]) -> None:
    rows, samples = np.array(places, int).reshape(-1, 2).T
    counts = np.arange(15.0).reshape(5, 3)
    with_scipy = sums_over(rows, samples, 7, 5)(counts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "scipy.sparse", None)
        np.testing.assert_array_equal(sums_over(rows, samples, 7, 5)(counts), with_scipy)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=40))
def test_calibration_equals_scikit_learns(pairs: list[tuple[bool, float]]) -> None:
    so, p = np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])
    ours = calibrate(so, p)
    fraction_positive, mean_predicted = calibration_curve(so, p, n_bins=10, pos_label=True)
    np.testing.assert_allclose(ours.fraction_positive, fraction_positive, atol=1e-12)
    np.testing.assert_allclose(ours.mean_predicted, mean_predicted, atol=1e-12)
    assert ours.counts.sum() == len(so)
    assert ours.error == pytest.approx(np.abs(fraction_positive - mean_predicted) @ ours.counts / len(so))
    assert (ours.low <= ours.fraction_positive).all()
    assert (ours.fraction_positive <= ours.high).all()


def test_chance_gives_a_calibrated_model_the_errors_it_is_said_to(rng: np.random.Generator) -> None:
    p = rng.random(60)
    errors = [calibrate(rng.random(60) < p, p).error for _ in range(400)]
    chance_range = calibrate(rng.random(60) < p, p, with_chance=True).chance_range
    assert chance_range is not None
    low, high = chance_range
    assert 0.9 < np.mean([low <= error <= high for error in errors]) < 0.99


def test_log_odds_are_exact_where_probabilities_round_to_one() -> None:
    Z = np.array([[1000.0, 0.0, -5.0], [0.1, 0.2, 0.3], [3.0, 3.0, 3.0], [-800.0, 800.0, 0.0]])
    odds = log_odds(Z)
    P = np.exp(Z[1:3]) / np.exp(Z[1:3]).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(odds[1:3], np.log(P / (1 - P)), rtol=1e-12)
    np.testing.assert_allclose(odds[0], [1000, -1000, -1005], atol=0.01)
    np.testing.assert_allclose(odds[3], [-1600, 800, -800])
    assert cross_entropies(np.array([True]), odds[3, :1])[0] == 1600


def test_quantities_of_resamples_equal_their_twins(rng: np.random.Generator) -> None:
    y, predicted = rng.normal(size=(2, 12, 2)) + 100
    rows = rng.integers(0, 12, (5, 12))
    counts = np.stack([np.bincount(drawn, minlength=12) for drawn in rows], axis=1).astype(float)
    seen: list[Array] = []

    def resample(statistic: Any, n: int) -> Array:
        seen.append(statistic(counts))
        return np.repeat(seen[0], 20, axis=1)

    regression_estimates(y, predicted, resample=resample)
    for b, drawn in enumerate(rows):
        ours = regression_metrics(y[drawn], predicted[drawn])
        np.testing.assert_allclose(seen[0][:, b], list(ours.values()), rtol=1e-9)
