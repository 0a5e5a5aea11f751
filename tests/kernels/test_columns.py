"""Sums of columns, widened and in blocks, against math.fsum and plain NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.kernels.uncompiled import columns


@settings(deadline=None, max_examples=60)
@given(n=st.integers(0, 700), c=st.integers(1, 40), seed=st.integers(0, 99))
def test_sums_and_dots_equal_exact_ones(n: int, c: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    A, B = rng.standard_normal((n, c)), rng.standard_normal((n, c))
    sums, dots = columns.column_sums_and_dots(A, B)
    exact = [math.fsum(A[:, j]) for j in range(c)]
    np.testing.assert_allclose(columns.column_sums(A), exact, rtol=0, atol=1e-12)
    np.testing.assert_allclose(sums, exact, rtol=0, atol=1e-12)
    np.testing.assert_allclose(dots, [math.fsum(A[:, j] * B[:, j]) for j in range(c)], rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(n=st.integers(1, 10_000), c=st.integers(1, 2000), itemsize=st.sampled_from([4, 8]))
def test_joined_rows_divide_the_table_and_stay_short(n: int, c: int, itemsize: int) -> None:
    r = columns.n_joined(n, c, itemsize)
    assert n % r == 0
    assert r == 1 or r * c * itemsize <= columns.WIDE_BYTES


def test_many_float32_rows_lose_no_digits(rng: np.random.Generator) -> None:
    A = rng.random((200_000, 8), dtype=np.float32)
    exact = A.sum(axis=0, dtype=np.float64)
    np.testing.assert_allclose(columns.column_sums(A), exact, rtol=1e-7)


@pytest.mark.parametrize("shape", [(6, 5), (3, 4, 7), (1, 1), (4096, 24)])
def test_elementwise_helpers_equal_broadcasting(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    A, B = rng.standard_normal(shape), rng.standard_normal(shape)
    a, b, shift = rng.standard_normal((3, shape[-1]))
    out = np.empty(shape)
    columns.multiply_add(A, a, shift, out)
    np.testing.assert_array_equal(out, A * a + shift)
    columns.combine(A, a, B, b, shift, out)
    np.testing.assert_array_equal(out, A * a + (B * b + shift))
    squares = columns.center(A, shift, out)
    np.testing.assert_array_equal(out, A - shift)
    np.testing.assert_allclose(squares, ((A - shift) ** 2).reshape(-1, shape[-1]).sum(0), rtol=1e-12)


def test_an_output_that_is_not_contiguous_is_written_too(rng: np.random.Generator) -> None:
    A = rng.standard_normal((4, 6, 3))
    out = np.full((6, 4, 3), np.nan).transpose(1, 0, 2)
    columns.multiply_add(A, np.full(3, 2.0), np.ones(3), out)
    np.testing.assert_array_equal(out, 2 * A + 1)
