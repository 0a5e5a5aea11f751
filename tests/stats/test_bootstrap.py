"""The bootstrap, of single samples and of pairs, against SciPy."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.stats.bootstrap import bootstrap, paired_bootstrap
from pellucid.stats.intervals import percentile_interval
from pellucid.types import Array


def test_strata_agree_with_scipys_two_samples(rng: np.random.Generator) -> None:
    y, sample = np.repeat([0, 1], [40, 12]), rng.normal(size=52)
    sample[y == 1] += 1

    def difference(counts: np.ndarray) -> np.ndarray:
        return sample * (y == 1) @ counts / 12 - sample * (y == 0) @ counts / 40

    n = 40_000
    ours = percentile_interval(bootstrap(difference, 52, strata=y, n_resamples=n))
    scipys = stats.bootstrap(
        (sample[y == 1], sample[y == 0]),
        lambda a, b, axis: a.mean(axis) - b.mean(axis),
        n_resamples=n,
        method="percentile",
        rng=rng,
        batch=2000,
    )
    assert ours == pytest.approx(tuple(scipys.confidence_interval), abs=0.06 * scipys.standard_error)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(1, 50))
def test_every_resample_is_a_test_set_of_the_same_size(labels: list[int], n_resamples: int) -> None:
    y = np.array(labels)
    counts = bootstrap(lambda counts: counts, len(y), n_resamples=n_resamples)
    assert counts.shape == (len(y), n_resamples)
    np.testing.assert_array_equal(counts.sum(axis=0), len(y))
    stratified = bootstrap(lambda counts: counts, len(y), strata=y, n_resamples=n_resamples)
    for label in set(labels):
        np.testing.assert_array_equal(stratified[y == label].sum(axis=0), (y == label).sum())


def test_the_seed_draws_the_same_resamples_and_another_others() -> None:
    values = [bootstrap(lambda c: np.arange(9.0) @ c, 9, seed=seed, n_resamples=50) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(values[0], values[1])
    assert (values[0] != values[2]).any()


def test_progress_is_shown_up_to_the_end() -> None:
    shown: list[tuple[int, int]] = []
    bootstrap(
        lambda c: c[:1], 50_000, n_resamples=20, progress=lambda done, total: shown.append((done, total))
    )
    assert shown == [(0, 20), (8, 20), (16, 20), (20, 20)]


def test_bootstrap_refuses_nothing() -> None:
    with pytest.raises(DataError, match="at least one sample"):
        bootstrap(lambda c: c, 0)
    with pytest.raises(OptionError, match="at least one resample"):
        bootstrap(lambda c: c, 3, n_resamples=0)


def pairs(both: int, only_a: int, only_b: int, neither: int) -> tuple[Array, Array]:
    """Whether each of two models is right, on given numbers of samples."""
    counts = [both, only_a, only_b, neither]
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


def test_paired_bootstrap_agrees_with_scipy() -> None:
    for a, b in (pairs(30, 5, 8, 7), pairs(300, 20, 45, 35)):
        theirs = stats.bootstrap(
            (a, b),
            lambda x, y, axis: y.mean(axis=axis) - x.mean(axis=axis),
            paired=True,
            method="percentile",
            n_resamples=20_000,
            rng=np.random.default_rng(0),
        ).confidence_interval
        assert paired_bootstrap(a, b) == pytest.approx(tuple(theirs), abs=1.001 / len(a))


def test_paired_bootstrap_keeps_pairs_and_refuses_what_is_none() -> None:
    a, b = pairs(20, 10, 10, 10)
    assert paired_bootstrap(a, a) is None  # unpaired, it would be as wide as for any two models
    with pytest.raises(ShapeError, match="same samples"):
        paired_bootstrap(a, b[:3])
    with pytest.raises(ShapeError, match="m at least 1"):
        paired_bootstrap(a[:0], b[:0])
