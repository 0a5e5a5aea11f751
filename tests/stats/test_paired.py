"""McNemar's test, against statsmodels and counting."""

import itertools

import pytest
from scipy.stats import binom
from tests.stats.test_bootstrap import pairs

from pellucid.errors import ShapeError
from pellucid.stats.paired import McNemar, _at_most, mcnemar

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
        ours = mcnemar(*pairs(*counts))
        assert (ours.both, ours.only_a, ours.only_b, ours.neither) == counts
        if only_a + only_b == 0:  # 0 / 0 there
            assert ours == McNemar(both, 0, 0, neither, 1.0)
            continue
        table = [[both, only_a], [only_b, neither]]
        assert ours.p_value == pytest.approx(tables.mcnemar(table, exact=True).pvalue, rel=1e-12), counts


def test_what_does_not_fit_is_refused() -> None:
    a, b = pairs(1, 1, 1, 1)
    with pytest.raises(ShapeError, match="same samples"):
        mcnemar(a, b[:3])
    with pytest.raises(ShapeError, match="m at least 1"):
        mcnemar(a[:0], b[:0])


def test_the_binomial_tail_is_scipys() -> None:
    """scipy.stats.binom's own, for few and for many samples; far tails fade to 0 without a warning."""
    for n in (1, 2, 7, 40, 1001, 60_000, 200_000):
        for k in (0, n // 3, n // 2 - int(n**0.5), n // 2):
            k = max(k, 0)
            assert _at_most(k, n) == pytest.approx(binom.cdf(k, n, 0.5), rel=1e-9), (n, k)
