"""Wilson's interval and percentiles, against statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint
from tests.every import every

from pellucid.errors import OptionError
from pellucid.stats.intervals import interval_of, percentile_interval, proportion, wilson_interval


@given(
    st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999)
)
def test_wilson_equals_statsmodels(counts: tuple[int, int], level: float) -> None:
    low, high = wilson_interval(*counts, level=level)
    expected = proportion_confint(*counts, alpha=1 - level, method="wilson")
    np.testing.assert_allclose((low, high), expected, rtol=1e-9, atol=1e-12)
    assert 0 <= low <= counts[0] / counts[1] <= high <= 1


def test_wilson_is_exact_at_none_and_all() -> None:
    assert wilson_interval(0, 7)[0] == 0
    assert wilson_interval(7, 7)[1] == 1
    assert wilson_interval(7, 7)[0] < 0.7


@every("counts", [(1, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_impossible_counts(counts: tuple[int, int]) -> None:
    with pytest.raises(OptionError, match="number of correct answers"):
        wilson_interval(*counts)


@every("level", [0, 1, -0.5, 95])
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
