"""Wilson's interval and the bootstrap, beside statsmodels and SciPy."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from pellucid.errors import DataError, OptionError
from pellucid.evaluation.scores.plain_metrics import wilson_bounds
from pellucid.stats import (
    bootstrap,
    bootstrap_interval,
    interval_of,
    percentile_interval,
    proportion,
    wilson_interval,
)

NORMAL_975 = 1.959963984540054


@given(
    st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999)
)
def test_wilson_equals_statsmodels(counts: tuple[int, int], level: float) -> None:
    low, high = wilson_interval(*counts, level=level)
    expected = proportion_confint(*counts, alpha=1 - level, method="wilson")
    np.testing.assert_allclose((low, high), expected, rtol=1e-9, atol=1e-12)
    assert 0 <= low <= counts[0] / counts[1] <= high <= 1


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_equals_its_plain_twin(counts: tuple[int, int]) -> None:
    # The twin's root of a difference loses half the digits where all or none are right.
    np.testing.assert_allclose(wilson_interval(*counts), wilson_bounds(*counts, NORMAL_975), atol=1e-7)


def test_wilson_of_the_published_run() -> None:
    assert [round(bound, 2) for bound in wilson_interval(40, 50)] == [0.67, 0.89]
    assert [round(bound, 2) for bound in wilson_interval(33, 50)] == [0.52, 0.78]


def test_wilson_is_exact_at_none_and_all() -> None:
    assert wilson_interval(0, 7)[0] == 0
    assert wilson_interval(7, 7)[1] == 1
    assert wilson_interval(7, 7)[0] < 0.7


@pytest.mark.parametrize("counts", [(1, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_impossible_counts(counts: tuple[int, int]) -> None:
    with pytest.raises(OptionError, match="number of right answers"):
        wilson_interval(*counts)


@pytest.mark.parametrize("level", [0, 1, -0.5, 95])
def test_levels_out_of_range_are_refused(level: float) -> None:
    with pytest.raises(OptionError, match=r"such as 0\.95"):
        wilson_interval(1, 2, level=level)
    with pytest.raises(OptionError, match=r"such as 0\.95"):
        percentile_interval(np.arange(5.0), level=level)


def test_a_share_of_nothing_is_undefined_with_a_reason() -> None:
    estimate = proportion(0, 0, reason="there is none")
    assert estimate.value is None
    assert estimate.to_dict()["reason"] == "there is none"
    assert set(proportion(1, 2).to_dict()) == {"value", "low", "high"}


def test_percentiles_of_the_same_resamples_equal_scipys(rng: np.random.Generator) -> None:
    sample = rng.exponential(size=30)
    values = bootstrap(lambda counts: sample @ counts / 30, 30)
    for level in (0.9, 0.95):
        scipys = stats.bootstrap(
            (sample,),
            np.mean,
            n_resamples=0,
            bootstrap_result=SimpleNamespace(bootstrap_distribution=values),
            method="percentile",
            confidence_level=level,
        ).confidence_interval
        assert percentile_interval(values, level=level) == pytest.approx(tuple(scipys), abs=1e-12)


def test_intervals_agree_with_scipys_own_resamples(rng: np.random.Generator) -> None:
    sample = rng.exponential(size=50)
    n = 40_000  # the ends of the interval then vary by 0.01 of the mean's standard deviation
    ours = bootstrap_interval(lambda counts: sample @ counts / 50, 50, n_resamples=n)
    scipys = stats.bootstrap((sample,), np.mean, n_resamples=n, method="percentile", rng=rng, batch=2000)
    assert ours == pytest.approx(tuple(scipys.confidence_interval), abs=0.06 * sample.std() / np.sqrt(50))


def test_strata_agree_with_scipys_two_samples(rng: np.random.Generator) -> None:
    y, sample = np.repeat([0, 1], [40, 12]), rng.normal(size=52)
    sample[y == 1] += 1

    def difference(counts: np.ndarray) -> np.ndarray:
        return sample * (y == 1) @ counts / 12 - sample * (y == 0) @ counts / 40

    n = 40_000
    ours = bootstrap_interval(difference, 52, strata=y, n_resamples=n)
    scipys = stats.bootstrap(
        (sample[y == 1], sample[y == 0]),
        lambda a, b, axis: a.mean(axis) - b.mean(axis),
        n_resamples=n,
        method="percentile",
        rng=rng,
        batch=2000,
    )
    assert ours == pytest.approx(tuple(scipys.confidence_interval), abs=0.06 * scipys.standard_error)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(1, 50))
def test_every_resample_is_a_test_set_of_the_same_size(labels: list[int], n_resamples: int) -> None:
    y = np.array(labels)
    counts = bootstrap(lambda counts: counts, len(y), n_resamples=n_resamples)
    assert counts.shape == (len(y), n_resamples)
    np.testing.assert_array_equal(counts.sum(axis=0), len(y))
    stratified = bootstrap(lambda counts: counts, len(y), strata=y, n_resamples=n_resamples)
    for label in set(labels):
        np.testing.assert_array_equal(stratified[y == label].sum(axis=0), (y == label).sum())


def test_each_sample_is_drawn_as_often_as_any_other() -> None:
    counts = bootstrap(lambda counts: counts, 10, n_resamples=20_000)
    np.testing.assert_allclose(counts.mean(axis=1), 1, atol=5 * np.sqrt(0.9 / 20_000))
    np.testing.assert_allclose(counts.var(axis=1), 0.9, rtol=0.08)
    assert abs(np.corrcoef(counts)[0, 1] + 1 / 9) < 0.03  # of a multinomial


def test_the_seed_draws_the_same_resamples_and_another_others() -> None:
    values = [bootstrap(lambda c: np.arange(9.0) @ c, 9, seed=seed, n_resamples=50) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(values[0], values[1])
    assert (values[0] != values[2]).any()


def test_progress_is_told_up_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    bootstrap(
        lambda c: c[:1], 50_000, n_resamples=20, progress=lambda done, total: told.append((done, total))
    )
    assert told == [(0, 20), (8, 20), (16, 20), (20, 20)]


def test_bootstrap_refuses_nothing() -> None:
    with pytest.raises(DataError, match="at least one sample"):
        bootstrap(lambda c: c, 0)
    with pytest.raises(OptionError, match="at least one resample"):
        bootstrap(lambda c: c, 3, n_resamples=0)


def test_undefined_resamples_are_left_out_while_they_are_few() -> None:
    values = np.arange(100.0)
    values[:5] = np.nan
    assert percentile_interval(values) == pytest.approx(tuple(np.quantile(values[5:], (0.025, 0.975))))
    values[5] = np.nan
    assert percentile_interval(values) is None
    assert interval_of(0.5, values, "").reason.startswith("too few samples")


def test_a_point_is_no_interval() -> None:
    estimate = interval_of(1.0, np.full(10, 1.0), "")
    assert (estimate.value, estimate.low) == (1.0, None)
    assert "every resample scores the same" in estimate.reason
