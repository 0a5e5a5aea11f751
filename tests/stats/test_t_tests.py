"""Means over folds and over starts, against SciPy and the formulas written out."""

import math

import numpy as np
import pytest

from pellucid.errors import OptionError, ShapeError
from pellucid.stats.t_tests import corrected_t_interval, welch_difference

stats = pytest.importorskip("scipy.stats")


def test_the_corrected_t_interval_is_nadeau_and_bengios() -> None:
    x = np.random.default_rng(1).normal(0.02, 0.05, 15)
    result = corrected_t_interval(x, 0.25)
    error = math.sqrt((1 / 15 + 0.25) * x.var(ddof=1))
    low, high = stats.t.interval(0.95, 14, loc=x.mean(), scale=error)
    assert (result.mean, result.low, result.high) == pytest.approx((x.mean(), low, high), rel=1e-10)
    assert result.p_value == pytest.approx(2 * stats.t.sf(abs(x.mean()) / error, 14), rel=1e-10)
    plain = stats.ttest_1samp(x, 0)
    assert result.p_value > plain.pvalue, "folds that share samples must make it more careful"


def test_folds_that_say_nothing() -> None:
    one = corrected_t_interval(np.array([0.7]), 0.25)
    assert (one.mean, one.low, one.high, one.p_value) == (0.7, None, None, None)
    for value in (0.0, 0.1):  # alike in every fold: no spread to judge by, not certainty
        same = corrected_t_interval(np.full(5, value), 0.25)
        assert same.mean == pytest.approx(value, abs=1e-15)
        assert (same.low, same.high, same.p_value) == (None, None, None)
    with pytest.raises(ShapeError, match="n at least 1"):
        corrected_t_interval(np.zeros(0), 0.25)
    with pytest.raises(OptionError, match="test_to_train"):
        corrected_t_interval(np.ones(3), 0)


def test_welch_agrees_with_scipy() -> None:
    rng = np.random.default_rng(4)
    for n_a, n_b in ((2, 2), (10, 30), (100, 7)):
        a, b = rng.normal(0.7, 0.05, n_a), rng.normal(0.74, 0.02, n_b)
        ours = welch_difference(a, b)
        low, high = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
        assert (ours.mean, ours.low, ours.high) == pytest.approx((b.mean() - a.mean(), low, high), rel=1e-9)
        wins = stats.mannwhitneyu(b, a).statistic / (n_a * n_b)
        assert ours.wins + ours.ties / 2 == pytest.approx(wins, rel=1e-12)


def test_one_group_may_be_constant() -> None:
    scores = np.array([0.5, 0.52, 0.54])
    difference = welch_difference(np.full(4, 0.5), scores)
    expected = stats.ttest_1samp(scores, 0.5).confidence_interval(0.95)
    assert (difference.low, difference.high) == pytest.approx((expected.low - 0.5, expected.high - 0.5))


def test_pairs_are_counted_one_by_one() -> None:
    result = welch_difference(np.array([1.0, 2.0]), np.array([2.0, 2.0, 0.0]))
    assert (result.wins, result.ties) == (2 / 6, 2 / 6)
    alone = welch_difference(np.array([1.0]), np.array([2.0, 3.0]))
    assert (alone.mean, alone.low, alone.high) == (1.5, None, None)
    still = welch_difference(np.ones(3), np.ones(3))
    assert (still.mean, still.low, still.high) == (0, None, None)
    with pytest.raises(ShapeError, match="two arrays"):
        welch_difference(np.zeros(0), np.ones(2))
