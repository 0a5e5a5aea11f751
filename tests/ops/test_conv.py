"""Convolution, plain and fast, against loops and PyTorch, and what it refuses."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.every import every
from tests.ops import loops
from tests.ops.problems import assert_close, convolutions, drawn

from pellucid.dispatch.ops import conv2d_backward, conv2d_forward
from pellucid.errors import ShapeError
from pellucid.ops import conv
from pellucid.ops.conv_winograd import conv_winograd


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(problem=convolutions(largest=6, channels=2), seed=st.integers(0, 99))
def test_the_plain_forward_equals_loops(problem: Any, seed: int) -> None:
    X, W, b, _ = drawn(np.random.default_rng(seed), *problem, np.float64)
    assert_close(
        "Z", conv.conv2d_forward(X, W, b, **problem[2])[0], loops.conv2d(X, W, b, **problem[2]), 1e-12
    )


@every("shape", [(2, 6, 8, 3), (1, 3, 3, 1), (3, 5, 4, 2), (2, 7, 9, 4)])
@every(("dtype", "limit"), [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_winograds_convolution_is_the_plain_one(
    shape: Any, dtype: Any, limit: float, rng: np.random.Generator
) -> None:
    X = rng.standard_normal(shape).astype(dtype)
    W = rng.standard_normal((3, 3, shape[3], 5)).astype(dtype)
    Z, expected = conv_winograd(X, W), conv.conv2d_forward(X, W)[0]
    assert (Z.shape, Z.dtype) == (expected.shape, dtype)
    assert np.abs(Z - expected).max() <= limit * np.abs(expected).max()


def test_no_images_give_no_output_and_zero_gradients(kernels: str) -> None:
    W, b = np.ones((3, 2, 2, 6)), np.ones(6)
    Z, cache = conv2d_forward(np.zeros((0, 7, 6, 4)), W, b, groups=2)
    assert Z.shape == (0, 5, 5, 6)
    dX, dW, db = conv2d_backward(Z, cache, dW=np.full_like(W, np.nan), db=np.full_like(b, np.nan))
    assert dX.shape == (0, 7, 6, 4)
    assert not dW.any()
    assert not db.any()


def test_without_bias_the_rest_is_the_same(kernels: str, rng: np.random.Generator) -> None:
    X, W, b, dZ = drawn(rng, (3, 7, 6, 2), (3, 2, 2, 6), {}, np.float64)
    Z, cache = conv2d_forward(X, W, b)
    Z_plain, cache_plain = conv2d_forward(X, W)
    np.testing.assert_allclose(Z_plain + b, Z, rtol=0, atol=1e-12)
    dX, dW, db = conv2d_backward(dZ, cache_plain)
    assert db is None
    for one, two in zip((dX, dW), conv2d_backward(dZ, cache)[:2], strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-11)


def test_a_view_of_a_larger_array_is_read_correctly(kernels: str, rng: np.random.Generator) -> None:
    large, W = rng.standard_normal((2, 10, 12, 20)), rng.standard_normal((3, 3, 16, 16))
    X = large[:, 1:9, ::2, 2:18]
    Z, cache = conv2d_forward(X, W)
    expected, twin = conv2d_forward(X.copy(), W)
    np.testing.assert_allclose(Z, expected, rtol=0, atol=1e-12)
    turned = np.asfortranarray(Z)
    np.testing.assert_allclose(conv2d_backward(turned, cache)[1], conv2d_backward(Z, twin)[1], atol=1e-10)


BAD = [
    (((2, 8, 8), (3, 3, 3, 4), {}), "expected X of shape"),
    (((2, 8, 8, 3), (3, 3, 3), {}), "expected W of shape"),
    (((2, 3, 8, 8), (3, 3, 3, 4), {}), "Channels are the last axis"),
    (((2, 8, 8, 4), (3, 3, 4, 4), {"groups": 2}), "with 2 groups"),
    (((2, 8, 8, 4), (3, 3, 2, 3), {"groups": 2}), "with 2 groups"),
    (((2, 2, 8, 3), (3, 3, 3, 4), {}), "does not fit into images of 2x8"),
    (((2, 8, 8, 3), (3, 3, 3, 4), {"stride": (0, 1)}), "of 1 or more"),
    (((2, 8, 8, 3), (3, 3, 3, 4), {"padding": ((-1, 0), (0, 0))}), "padding of 0 or more"),
]


@every(("problem", "message"), BAD)
def test_shapes_that_do_not_fit_are_named(kernels: str, problem: Any, message: str) -> None:
    X_shape, W_shape, options = problem
    with pytest.raises(ShapeError, match=message):
        conv2d_forward(np.zeros(X_shape), np.zeros(W_shape), **options)


def test_wrong_buffers_and_biases_are_named(kernels: str) -> None:
    X, W = np.zeros((1, 5, 5, 2)), np.zeros((3, 3, 2, 4))
    with pytest.raises(ShapeError, match=r"expected b of shape \(4,\)"):
        conv2d_forward(X, W, np.zeros(3))
    with pytest.raises(ShapeError, match="contiguous out of shape"):
        conv2d_forward(X, W, out=np.zeros((1, 3, 3, 8))[..., ::2])
    Z, cache = conv2d_forward(X, W, np.zeros(4))
    with pytest.raises(ShapeError, match="expected dZ of shape"):
        conv2d_backward(Z[:, 1:], cache)
    with pytest.raises(ShapeError, match="contiguous dW of shape"):
        conv2d_backward(Z, cache, dW=np.zeros((3, 3, 2, 5)))
