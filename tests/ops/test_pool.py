"""Pooling, plain and fast: against loops and PyTorch, ties, and what is refused. The contract: test_contract.py."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.every import every
from tests.ops import loops
from tests.ops.problems import poolings

from pellucid.dispatch.ops import (
    average_pool_forward,
    max_pool_backward,
    max_pool_forward,
)
from pellucid.errors import ShapeError
from pellucid.ops import pool
from pellucid.ops.conv_geometry import NO_PADDING


@settings(deadline=None, max_examples=100)
@given(problem=poolings(), ties=st.booleans(), seed=st.integers(0, 99))
def test_the_plain_max_pool_equals_loops(problem: Any, ties: bool, seed: int) -> None:
    (shape, options), rng = problem, np.random.default_rng(seed)
    X = rng.integers(-2, 1, shape).astype(float) if ties else rng.standard_normal(shape)
    Z, cache = pool.max_pool_forward(X, **options)
    expected, winner = loops.max_pool(X, **options)
    np.testing.assert_array_equal(Z, expected)
    np.testing.assert_array_equal(cache.winner, winner)


@settings(deadline=None, max_examples=100)
@given(problem=poolings(), count=st.booleans(), seed=st.integers(0, 99))
def test_the_plain_average_pool_equals_loops(problem: Any, count: bool, seed: int) -> None:
    (shape, options), rng = problem, np.random.default_rng(seed)
    X = rng.standard_normal(shape)
    Z, _ = pool.average_pool_forward(X, **options, count_include_pad=count)
    expected = loops.average_pool(X, **options, count_include_pad=count)
    np.testing.assert_allclose(Z, expected, rtol=0, atol=1e-14)


def test_nan_comes_through_the_plain_max_pool() -> None:
    X = np.array([1.0, np.nan, 2.0, np.nan]).reshape(1, 2, 2, 1)
    Z, cache = pool.max_pool_forward(X, size=(2, 2), padding=((1, 1), (0, 0)), stride=(1, 1))
    np.testing.assert_array_equal(np.isnan(Z.ravel()), [True, True, True])
    np.testing.assert_array_equal(cache.winner.ravel(), [3, 1, 1])
    assert np.isnan(pool.max_pool_backward(np.full_like(Z, np.nan), cache)).any()


def test_one_winner_a_window_and_ties_go_to_the_first(kernels: str) -> None:
    X = np.array([[1.0, 1, 0, 0], [1, 1, 0, 7], [0, -np.inf, -np.inf, 7], [0, 0, -np.inf, 7]])[
        None, :, :, None
    ]
    Z, cache = max_pool_forward(X, size=(2, 2))
    np.testing.assert_array_equal(
        max_pool_backward(np.ones_like(Z), cache)[0, :, :, 0],
        [[1, 0, 0, 0], [0, 0, 0, 1], [1, 0, 0, 1], [0, 0, 0, 0]],
    )
    lowest = np.full((1, 3, 3, 1), -np.inf)  # nothing is larger than the padding: still a pixel wins
    Z, cache = max_pool_forward(lowest, size=(2, 2), stride=(1, 1), padding=((1, 1), (1, 1)))
    assert max_pool_backward(np.ones_like(Z), cache).sum() == Z.size


@every("forward", [max_pool_forward, average_pool_forward])
def test_windows_that_do_not_fit_are_named(kernels: str, forward: Any) -> None:
    with pytest.raises(ShapeError, match="does not fit into images of 1x4"):
        forward(np.zeros((1, 1, 4, 1)), size=(2, 2))
    with pytest.raises(ShapeError, match="expected padding less than the 2x2 window"):
        forward(np.zeros((1, 4, 4, 1)), size=(2, 2), padding=((2, 0), (0, 0)))
    with pytest.raises(ShapeError, match="expected X of shape"):
        forward(np.zeros((4, 4)), size=(2, 2))
    with pytest.raises(ShapeError, match="expected out of shape"):
        forward(np.zeros((1, 4, 4, 1)), size=(2, 2), out=np.zeros((1, 2, 2, 2)))
    assert forward(np.zeros((1, 4, 4, 1)), size=(2, 2), padding=NO_PADDING)[0].shape == (1, 2, 2, 1)
