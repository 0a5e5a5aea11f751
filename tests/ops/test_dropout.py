"""Dropout: what is dropped, and how often. The contract: test_contract.py."""

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import OptionError
from pellucid.ops.dropout import dropout_forward


@every("rate", [0.0, 0.1, 0.5, 0.9, 0.999])
@every("dtype", [np.float32, np.float64])
def test_numbers_are_dropped_at_the_rate_and_the_rest_made_larger(
    rng: np.random.Generator, rate: float, dtype: type
) -> None:
    X = rng.uniform(1, 2, (400, 501)).astype(dtype)
    Y, cache = dropout_forward(X, rate, rng)
    assert Y.dtype == cache.mask.dtype == dtype
    dropped = Y == 0
    spread = 5 * np.sqrt(rate * (1 - rate) / X.size) + 1e-5  # five standard errors
    assert abs(dropped.mean() - rate) <= spread
    effective = 1 - round(rate * 65536) / 65536
    np.testing.assert_allclose(Y[~dropped], X[~dropped] / effective, rtol=1e-6)
    for axis in (0, 1):  # no row and no column is favoured
        n = X.shape[axis]
        assert abs(dropped.mean(axis) - rate).max() <= 6 * np.sqrt(rate * (1 - rate) / n) + 1e-5


def test_neighbours_are_independent(rng: np.random.Generator) -> None:
    """Four numbers share one 64-bit draw: each pair of positions must still be uncorrelated."""
    kept = dropout_forward(np.ones((50_000, 4)), 0.5, rng)[0] > 0
    correlation = np.corrcoef(kept.T) - np.eye(4)
    assert np.abs(correlation).max() < 5 / np.sqrt(50_000)


def test_the_stream_moves_on_by_the_size_alone() -> None:
    states = set()
    for X, rate in ((np.zeros((3, 3)), 0.1), (np.ones((9,)), 0.9), (np.full((1, 9), -2.0), 0.0)):
        rng = np.random.default_rng(4)
        dropout_forward(X, rate, rng)
        states.add(rng.random())
    assert len(states) == 1


def test_a_part_of_a_batch_has_its_part_of_the_mask() -> None:
    whole = dropout_forward(np.ones(50), 0.4, np.random.default_rng(4))[0]
    parts = {}
    for first in range(14):
        for last in (first, first + 1, 30, 50):
            part = dropout_forward(np.ones(last - first), 0.4, np.random.default_rng(4), skip=first)[0]
            parts[first, last] = np.array_equal(part, whole[first:last])
    assert all(parts.values()), [which for which, is_equal in parts.items() if not is_equal]


@every("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_every_bit_generator_drops_all_four_of_a_draw(bits: type[np.random.BitGenerator]) -> None:
    kept = dropout_forward(np.ones((4000, 4)), 0.5, np.random.Generator(bits(1)))[0] > 0
    assert np.abs(kept.mean(0) - 0.5).max() < 0.05


@every("rate", [-0.1, 1.0, float("nan"), 2])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(OptionError, match=r"dropout_forward: expected a rate from 0 to below 1, got"):
        dropout_forward(np.ones(3), rate, np.random.default_rng(0))
