"""Dropout: what is dropped, how often, and the gradient."""

import numpy as np
import pytest

from pellucid.errors import OptionError
from pellucid.ops.dropout import dropout_backward, dropout_forward
from pellucid.ops.finite_difference import gradcheck


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
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


def test_gradient(rng: np.random.Generator) -> None:
    X, upstream = rng.standard_normal((2, 6, 5))

    def loss(X: np.ndarray) -> float:
        return float(np.vdot(dropout_forward(X, 0.4, np.random.default_rng(3))[0], upstream))

    dX = dropout_backward(upstream, dropout_forward(X, 0.4, np.random.default_rng(3))[1])
    assert gradcheck(loss, {"X": dX}, {"X": X}, rng)["X"] < 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_contract_of_buffers_and_seeds(rng: np.random.Generator, dtype: type) -> None:
    X = rng.standard_normal((7, 3)).astype(dtype)
    before = X.copy()
    Y, cache = dropout_forward(X, 0.5, np.random.default_rng(1))
    out, mask = np.empty_like(X), np.empty_like(X)
    again, second = dropout_forward(X, 0.5, np.random.default_rng(1), out=out, mask=mask)
    assert again is out
    assert second.mask is mask
    np.testing.assert_array_equal(again, Y)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(dropout_forward(X, 0.5, np.random.default_rng(1), out=X)[0], Y)
    dY = before.copy()
    dX = dropout_backward(dY, cache)
    np.testing.assert_array_equal(dY, before)
    np.testing.assert_array_equal(dropout_backward(dY, cache, dX=dY), dX)
    assert dX.dtype == dtype


def test_the_stream_moves_on_by_the_size_alone() -> None:
    states = set()
    for X, rate in ((np.zeros((3, 3)), 0.1), (np.ones((9,)), 0.9), (np.full((1, 9), -2.0), 0.0)):
        rng = np.random.default_rng(4)
        dropout_forward(X, rate, rng)
        states.add(rng.random())
    assert len(states) == 1


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_every_bit_generator_drops_all_four_of_a_draw(bits: type[np.random.BitGenerator]) -> None:
    kept = dropout_forward(np.ones((4000, 4)), 0.5, np.random.Generator(bits(1)))[0] > 0
    assert np.abs(kept.mean(0) - 0.5).max() < 0.05


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan"), 2])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(OptionError, match=r"dropout_forward: expected a rate from 0 to below 1, got"):
        dropout_forward(np.ones(3), rate, np.random.default_rng(0))
