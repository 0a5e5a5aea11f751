"""Rank correlation."""

import numpy as np
import pytest

from pellucid.stats.ranks import rank_correlation


def test_ties_get_the_mean_of_their_ranks() -> None:
    assert rank_correlation(np.array([1, 1, 2]), np.array([5.0, 7.0, 9.0])) == pytest.approx(np.sqrt(3) / 2)
    assert rank_correlation(np.arange(6.0).reshape(2, 3), -np.arange(6.0).reshape(2, 3)) == -1


def test_a_constant_has_no_rank_correlation() -> None:
    assert rank_correlation(np.zeros(3), np.arange(3.0)) is None
    assert rank_correlation(np.arange(3.0), np.zeros(3)) is None
