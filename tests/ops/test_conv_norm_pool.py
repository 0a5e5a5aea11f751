"""The first convolution with norm, relu and pooling in one go equals the ops one after another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.nn.activation import Activation
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense
from pellucid.nn.fusion import ConvNormReluPool, NormReluPool
from pellucid.nn.norm import BatchNorm
from pellucid.nn.pooling import GlobalAvgPool2D, MaxPool2D
from pellucid.nn.sequential import Sequential
from pellucid.ops import conv_norm_pool
from pellucid.ops.conv import conv2d_backward, conv2d_forward
from pellucid.ops.conv_norm_pool import conv_norm_relu_pool_backward, conv_norm_relu_pool_forward
from pellucid.ops.norm_pool import norm_relu_pool_backward, norm_relu_pool_forward


def plain(X, W, gamma, beta, padding, upstream):
    Z, conv = conv2d_forward(X, W, None, stride=(1, 1), padding=padding)
    A, mean, var, count, cache = norm_relu_pool_forward(Z, gamma, beta)
    A = A.copy()
    dZ, dgamma, dbeta = norm_relu_pool_backward(upstream.copy(), cache)
    return A, mean, var, conv2d_backward(dZ, conv, needs_dX=False)[1], dgamma, dbeta, count


@settings(deadline=None, max_examples=60)
@given(
    m=st.integers(1, 5),
    sides=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    channels=st.tuples(st.integers(1, 3), st.integers(1, 5)),
    before=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    offset=st.sampled_from([0.0, 3.0, 1e3]),
    small=st.booleans(),
    seed=st.integers(0, 99),
)
def test_equals_the_ops_one_after_another(m, sides, kernel, channels, before, offset, small, seed) -> None:
    rng = np.random.default_rng(seed)
    padding = tuple((min(b, k - 1), k - 1 - min(b, k - 1)) for b, k in zip(before, kernel, strict=True))
    X = rng.standard_normal((m, 2 * sides[0], 2 * sides[1], channels[0])) + offset
    W = rng.standard_normal((*kernel, *channels))
    gamma, beta = rng.standard_normal(channels[1]), rng.standard_normal(channels[1])
    upstream = rng.standard_normal((m, *sides, channels[1]))
    wanted = plain(X, W, gamma, beta, padding, upstream)
    bytes_before, product_before = conv_norm_pool.BLOCK_BYTES, conv_norm_pool.SMALL_PRODUCT
    if small:
        conv_norm_pool.BLOCK_BYTES = conv_norm_pool.SMALL_PRODUCT = 1
    try:
        A, mean, var, count, cache = conv_norm_relu_pool_forward(X, W, gamma, beta, padding=padding)
        grads = conv_norm_relu_pool_backward(upstream.copy(), cache, dW=np.empty_like(W))
    finally:
        conv_norm_pool.BLOCK_BYTES, conv_norm_pool.SMALL_PRODUCT = bytes_before, product_before
    if (
        wanted[2] < 1e-9 * (1 + offset**2)
    ).any():  # one value a channel: nothing but rounding is left of Z - mean
        return
    loose = 1e-6 if offset == 1e3 else 1e-9
    for ours, theirs in zip((A, mean, var, *grads, count), wanted, strict=True):
        scale = max(1.0, float(np.abs(theirs).max()))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=loose * scale)


def test_nothing_is_modified_and_float32_stays(rng: np.random.Generator) -> None:
    X, W = rng.standard_normal((2, 4, 4, 3)).astype("f"), rng.standard_normal((3, 3, 3, 4)).astype("f")
    gamma, beta = np.ones(4, "f"), np.zeros(4, "f")
    kept = X.copy(), W.copy()
    A, *_, cache = conv_norm_relu_pool_forward(X, W, gamma, beta, padding=((1, 1), (1, 1)))
    dW, dgamma, dbeta = conv_norm_relu_pool_backward(np.ones_like(A), cache, dW=np.empty_like(W))
    assert {array.dtype for array in (A, dW, dgamma, dbeta)} == {np.dtype("f")}
    np.testing.assert_array_equal(X, kept[0])
    np.testing.assert_array_equal(W, kept[1])


def network(*, needs: bool = False, **options) -> Sequential:
    block = [Conv2D(5, use_bias=False, **options), BatchNorm(), Activation("relu"), MaxPool2D()]
    model = Sequential([*block, GlobalAvgPool2D(), Dense(1)], dtype="float64")
    model.needs_input_gradient = needs
    model.initialize((8, 8, 3), seed=1)
    return model


def test_only_a_first_convolution_of_few_inputs_is_taken_in() -> None:
    assert isinstance(network()._steps[0], ConvNormReluPool)
    for model in (network(needs=True), network(kernel_size=5), network(groups=1, dilation=2)):
        assert isinstance(model._steps[0], Conv2D)
        assert isinstance(model._steps[1], NormReluPool)


def test_a_model_gives_the_same_with_and_without(rng: np.random.Generator) -> None:
    X, y = rng.standard_normal((6, 8, 8, 3)), rng.integers(0, 2, 6)
    together, apart = network(), network()
    apart.is_fused = False
    for model in (together, apart):
        model.theta[...] = np.random.default_rng(5).standard_normal(model.theta.size)  # gammas of both signs
    assert together.loss_and_grad(X, y) == pytest.approx(apart.loss_and_grad(X, y), rel=1e-12)
    np.testing.assert_allclose(together.grad, apart.grad, rtol=0, atol=1e-11)
    for one, two in zip(together.leaves(), apart.leaves(), strict=True):
        for key in one.state:
            np.testing.assert_allclose(one.state[key], two.state[key], rtol=1e-12)
