"""Every metric, and every metric of a resample, against its plain twin and scikit-learn."""

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve
from tests.evaluation.scores import plain_metrics as plain

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


@settings(deadline=None, max_examples=60)
@given(predictions())
def test_figures_of_classes_equal_their_twins(outputs: Predictions) -> None:
    y, predicted, P, k = outputs.y_true, outputs.y_pred, outputs.probabilities, len(outputs.classes)
    result = score(outputs, n_resamples=8)
    assert result.confusion is not None
    np.testing.assert_array_equal(result.confusion.counts, plain.confusion_matrix(y, predicted, k))
    assert result.calibration is not None
    estimates = result.estimates
    same(estimates["accuracy"], plain.accuracy(y, predicted))
    same(estimates["baseline"], max(plain.accuracy(y, np.full_like(y, c)) for c in range(k)))
    same(estimates["balanced_accuracy"], plain.balanced_accuracy(y, predicted))
    same(estimates["brier"], plain.brier_score(y, P))
    same(estimates["log_loss"], plain.log_loss(y, P))
    for c, figures in enumerate(result.per_class):
        so, said, scores = y == c, predicted == c, outputs.scores[:, c]
        same(figures.estimates["precision"], plain.precision(so, said))
        same(figures.estimates["recall"], plain.recall(so, said))
        same(figures.estimates["f1"], plain.f1(so, said))
        same(figures.estimates["roc_auc"], plain.roc_area(so, scores))
        same(figures.estimates["average_precision"], plain.average_precision(so, scores))
        same(
            figures.estimates["brier"],
            plain.brier_score(so.astype(int), np.stack([1 - P[:, c], P[:, c]], axis=1)),
        )
        assert figures.calibration is not None
        assert figures.calibration.error == pytest.approx(plain.calibration_error(so, P[:, c], 10), abs=1e-12)
    sure = P[np.arange(len(y)), predicted]
    error = plain.calibration_error(y == predicted, sure, 10)
    assert result.calibration.error == pytest.approx(error, abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(predictions(has_probabilities=False))
def test_without_probabilities_the_rest_remains(outputs: Predictions) -> None:
    result = score(outputs, n_resamples=8)
    assert result.calibration is None
    assert result.estimates["brier"].value is None
    assert "no probabilities" in result.estimates["log_loss"].reason
    for c, figures in enumerate(result.per_class):
        same(figures.estimates["roc_auc"], plain.roc_area(outputs.y_true == c, outputs.scores[:, c]))


@settings(deadline=None, max_examples=60)
@given(predictions(), st.integers(0, 1000))
def test_scores_of_resamples_equal_the_twins_on_the_samples_drawn(outputs: Predictions, seed: int) -> None:
    columns = Columns.of(outputs)
    statistic, m, k = ResampledColumns(columns), len(outputs), len(outputs.classes)
    rows = np.random.default_rng(seed).integers(0, m, (3, m))
    counts = np.stack([np.bincount(drawn, minlength=m) for drawn in rows], axis=1).astype(float)
    values = dict(zip(statistic.names, statistic(counts), strict=True))
    P = outputs.probabilities
    for b, drawn in enumerate(rows):
        y, predicted = outputs.y_true[drawn], outputs.y_pred[drawn]
        expected: dict[str, list[float]] = {"f1": [], "roc_auc": [], "average_precision": [], "brier": []}
        expected |= {"precision": [], "recall": [], "log_loss": []}
        for c in range(k):
            so, said, scores = y == c, predicted == c, outputs.scores[drawn, c]
            p = plain.precision(so, said)
            expected["precision"].append(0.0 if math.isnan(p) and so.any() else p)
            expected["recall"].append(plain.recall(so, said))
            expected["f1"].append(plain.f1(so, said))
            expected["roc_auc"].append(plain.roc_area(so, scores))
            expected["average_precision"].append(plain.average_precision(so, scores))
            pair = np.stack([1 - P[drawn, c], P[drawn, c]], axis=1)
            expected["brier"].append(plain.brier_score(so.astype(int), pair))
            expected["log_loss"].append(plain.log_loss(so.astype(int), pair))
        for name, by_class in expected.items():
            for c in range(k) if name not in ("precision", "recall") else ():
                assert values[name, c][b] == pytest.approx(by_class[c], abs=1e-12, nan_ok=True), name
            defined = [value for value in by_class if not math.isnan(value)]
            mean = float(np.mean(defined)) if defined else math.nan
            assert values[name, None][b] == pytest.approx(mean, abs=1e-12, nan_ok=True), name


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=25).filter(
        lambda pairs: len({so for so, _ in pairs}) == 2
    )
)
def test_curves_pass_through_their_twins_points(pairs: list[tuple[bool, int]]) -> None:
    so, scores = (np.array(column) for column in zip(*pairs, strict=True))
    roc, area, pr, precision = curves_of(so, scores)
    points = plain.roc_points(so, scores)
    for point in zip(roc.false_positive_rate.tolist(), roc.true_positive_rate.tolist(), strict=True):
        assert min(abs(point[0] - x) + abs(point[1] - y) for x, y in points) < 1e-12
    assert np.trapezoid(roc.true_positive_rate, roc.false_positive_rate) == pytest.approx(area)
    points = [*plain.precision_recall_points(so, scores), (1.0, 0.0)]
    for point in zip(pr.precision.tolist(), pr.recall.tolist(), strict=True):
        assert min(abs(point[0] - x) + abs(point[1] - y) for x, y in points) < 1e-12
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


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=40), st.integers(1, 12))
def test_calibration_equals_scikit_learns(pairs: list[tuple[bool, float]], n_bins: int) -> None:
    so, p = np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])
    ours = calibrate(so, p, n_bins=n_bins)
    fraction_positive, mean_predicted = calibration_curve(so, p, n_bins=n_bins, pos_label=True)
    np.testing.assert_allclose(ours.fraction_positive, fraction_positive, atol=1e-12)
    np.testing.assert_allclose(ours.mean_predicted, mean_predicted, atol=1e-12)
    assert ours.counts.sum() == len(so)
    assert ours.bins.shape == ours.counts.shape
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
