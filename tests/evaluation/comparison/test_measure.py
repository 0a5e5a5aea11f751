"""McNemar's test and the paired bootstrap, against statsmodels and SciPy."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from pellucid.errors import OptionError, ShapeError
from pellucid.evaluation.comparison.measure import McNemar, chance_in_words, mcnemar, paired_bootstrap
from pellucid.types import Array


def answers(both: int, only_a: int, only_b: int, neither: int) -> tuple[Array, Array]:
    """Two models that are right on so many samples each."""
    parts = (
        [(True, True)] * both
        + [(True, False)] * only_a
        + [(False, True)] * only_b
        + [(False, False)] * neither
    )
    a, b = np.array(parts).T
    return a, b


TABLES = [
    *itertools.product((0, 30), range(7), range(7), (1, 9)),
    (300, 41, 70, 12),
    (5, 0, 400, 2),
    (0, 3, 900, 0),
]


def test_mcnemar_agrees_with_statsmodels() -> None:
    tables = pytest.importorskip("statsmodels.stats.contingency_tables", reason="needs statsmodels")
    for counts in TABLES:
        both, only_a, only_b, neither = counts
        ours = mcnemar(*answers(*counts))
        assert (ours.both, ours.only_a, ours.only_b, ours.neither) == counts
        if only_a + only_b == 0:  # 0 / 0 there
            assert ours == McNemar(both, 0, 0, neither, 1.0, 1.0, 0.0, 1.0)
            continue
        table = [[both, only_a], [only_b, neither]]
        exact, approximate = (tables.mcnemar(table, exact=exact) for exact in (True, False))
        assert ours.p_value == pytest.approx(exact.pvalue, rel=1e-12), counts
        assert ours.chi_square == pytest.approx(approximate.statistic, rel=1e-12), counts
        assert ours.chi_square_p == pytest.approx(approximate.pvalue, rel=1e-10), counts


@pytest.mark.parametrize(("only_a", "only_b"), list(itertools.product(range(8), range(8))))
def test_p_values_are_the_counted_ones(only_a: int, only_b: int) -> None:
    n = only_a + only_b
    ours = mcnemar(*answers(3, only_a, only_b, 2))
    uneven = abs(only_a - only_b)
    chance = {k: math.comb(n, k) / 2**n for k in range(n + 1)}
    more = sum(p for k, p in chance.items() if abs(n - 2 * k) > uneven)
    same = sum(p for k, p in chance.items() if abs(n - 2 * k) == uneven)
    assert ours.p_value == pytest.approx(more + same, rel=1e-12)
    assert ours.mid_p == pytest.approx(more + same / 2 if n else 1.0, rel=1e-12, abs=1e-15)


def test_a_and_b_change_places() -> None:
    a, b = answers(30, 2, 9, 9)
    one, other = mcnemar(a, b), mcnemar(b, a)
    assert (one.only_a, one.only_b) == (other.only_b, other.only_a)
    assert (one.p_value, one.mid_p, one.chi_square) == (other.p_value, other.mid_p, other.chi_square)


def ends(a: Array, b: Array, **options: Any) -> tuple[float, float]:
    interval = paired_bootstrap(a, b, **options)
    assert interval is not None
    return interval


def exact_distribution(a: Array, b: Array) -> tuple[Array, Array]:
    """Every mean difference that m draws can give, and its chance: m sums of one draw."""
    m = len(a)
    one = np.array([np.mean(b < a), np.mean(a == b), np.mean(b > a)])
    chance = np.ones(1)
    for _ in range(m):
        chance = np.convolve(chance, one)
    return np.arange(-m, m + 1) / m, chance


@pytest.mark.parametrize("counts", [(30, 5, 8, 7), (10, 1, 12, 4), (40, 0, 3, 7)])
def test_paired_bootstrap_is_the_distribution_of_m_draws(counts: tuple[int, int, int, int]) -> None:
    a, b = answers(*counts)
    values, chance = exact_distribution(a, b)
    below = np.cumsum(chance)
    low, high = ends(a, b, n_resamples=40_000)
    for end, share in ((low, 0.025), (high, 0.975)):
        i = int(np.argmin(np.abs(values - end)))  # ends lie on the grid of 1/m, or between two neighbours
        assert below[max(0, i - 2)] - 0.005 < share < below[min(i + 1, len(below) - 1)] + 0.005


def test_paired_bootstrap_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(3)
    cases = [answers(30, 5, 8, 7), answers(300, 20, 45, 35), (rng.normal(0, 1, 80), rng.normal(0.3, 1, 80))]
    for a, b in cases:
        a, b = a.astype(float), b.astype(float)
        theirs = stats.bootstrap(
            (a, b),
            lambda x, y, axis: y.mean(axis=axis) - x.mean(axis=axis),
            paired=True,
            method="percentile",
            n_resamples=20_000,
            rng=np.random.default_rng(0),
        ).confidence_interval
        step = (
            1 / len(a) if set(np.unique(a)) <= {0.0, 1.0} else 0.06 * float(np.std(b - a)) / math.sqrt(len(a))
        )
        assert paired_bootstrap(a, b, n_resamples=20_000) == pytest.approx(tuple(theirs), abs=step + 1e-9)


def test_paired_bootstrap_keeps_pairs_and_its_seed() -> None:
    a, b = answers(20, 10, 10, 10)
    assert paired_bootstrap(a, a) is None  # unpaired, it would be as wide as for any two models
    assert paired_bootstrap(np.zeros(9), np.full(9, 0.1)) is None  # a point is no interval
    assert paired_bootstrap(a, b, seed=2) == paired_bootstrap(a, b, seed=2)
    low, high = ends(a, b)
    narrower = ends(a, b, level=0.5)
    assert low < narrower[0] < narrower[1] < high


def test_what_does_not_fit_is_refused() -> None:
    a, b = answers(1, 1, 1, 1)
    for test in (mcnemar, paired_bootstrap):
        with pytest.raises(ShapeError, match="same samples"):
            test(a, b[:3])
        with pytest.raises(ShapeError, match="m at least 1"):
            test(a[:0], b[:0])
    with pytest.raises(OptionError, match="finite"):
        paired_bootstrap(np.array([np.nan, 1.0]), np.ones(2))
    with pytest.raises(OptionError, match=r"0\.95"):
        paired_bootstrap(a, b, level=95)
    with pytest.raises(OptionError, match="n_resamples"):
        paired_bootstrap(a, b, n_resamples=3)


def test_chance_in_words_grows_with_p() -> None:
    words = [chance_in_words(p).partition(":")[0] for p in (0.0001, 0.03, 0.1, 0.6)]
    assert len(set(words)) == 4
    assert chance_in_words(0.0499).endswith("p = 0.050")
    assert chance_in_words(1.0) == "that is well within chance: p = 1.00"
