"""Norm, relu and pooling in one go equal the three one after another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.nn.activation import Activation
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense
from pellucid.nn.fusion import NormReluPool, fused
from pellucid.nn.layer import Layer
from pellucid.nn.norm import BatchNorm
from pellucid.nn.pooling import GlobalAvgPool2D, MaxPool2D
from pellucid.nn.sequential import Sequential
from pellucid.ops import norm_pool
from pellucid.ops.activations import relu_backward, relu_forward
from pellucid.ops.batch_norm import batch_norm_backward, batch_norm_forward
from pellucid.ops.norm_pool import norm_relu_pool_backward, norm_relu_pool_forward
from pellucid.ops.pool import max_pool_backward, max_pool_forward


def plain(Z: np.ndarray, gamma: np.ndarray, beta: np.ndarray, upstream: np.ndarray) -> tuple[np.ndarray, ...]:
    Y, mean, var, norm = batch_norm_forward(Z, gamma, beta)
    A, bend = relu_forward(Y)
    P, pool = max_pool_forward(A, size=(2, 2), stride=(2, 2), padding=((0, 0), (0, 0)))
    dY = relu_backward(max_pool_backward(upstream, pool), bend)
    dZ, dgamma, dbeta = batch_norm_backward(dY, norm)
    return P, mean, var, dZ, dgamma, dbeta


@settings(deadline=None, max_examples=40)
@given(
    m=st.integers(1, 5),
    h=st.integers(1, 4),
    w=st.integers(1, 4),
    c=st.integers(1, 5),
    offset=st.sampled_from([0.0, 3.0, 1e4]),
    small_blocks=st.booleans(),
    seed=st.integers(0, 99),
)
def test_equals_the_three_ops(
    m: int, h: int, w: int, c: int, offset: float, small_blocks: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((m, 2 * h, 2 * w, c)) + offset
    gamma, beta = rng.standard_normal(c), rng.standard_normal(c)
    upstream = rng.standard_normal((m, h, w, c))
    wanted = plain(Z.copy(), gamma, beta, upstream.copy())
    bytes_before = norm_pool.BLOCK_BYTES
    norm_pool.BLOCK_BYTES = 1 if small_blocks else bytes_before
    try:
        A, mean, var, count, cache = norm_relu_pool_forward(Z, gamma, beta)
        dZ, dgamma, dbeta = norm_relu_pool_backward(upstream.copy(), cache)
    finally:
        norm_pool.BLOCK_BYTES = bytes_before
    assert count == Z.size / c
    loose = 1e-7 if offset == 1e4 else 1e-10  # a large offset costs digits in either way of doing it
    for ours, theirs in zip((A, mean, var, dZ, dgamma, dbeta), wanted, strict=True):
        scale = max(1.0, float(np.abs(theirs).max()))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=loose * scale)


def network(dtype: str = "float64") -> Sequential:
    layers: list[Layer] = []
    for width in (5, 6):
        layers += [Conv2D(width, use_bias=False), BatchNorm(), Activation("relu"), MaxPool2D()]
    model = Sequential([*layers, GlobalAvgPool2D(), Dense(1)], dtype=dtype)
    model.initialize((8, 8, 3), seed=1)
    return model


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
    np.testing.assert_array_equal(together.predict(X), apart.predict(X))


def test_only_what_fits_is_fused() -> None:
    def kinds(layers: list[Layer], shape: tuple[int, ...] = (8, 8, 3)) -> list[str]:
        Sequential([*layers, GlobalAvgPool2D(), Dense(1)]).initialize(shape)
        return [type(step).__name__ for step in fused(layers)]

    def run(conv: Layer | None = None, bend: Layer | None = None, pool: Layer | None = None) -> list[Layer]:
        return [conv or Conv2D(4), BatchNorm(), bend or Activation("relu"), pool or MaxPool2D()]

    together = ["Conv2D", "NormReluPool"]
    apart = ["Conv2D", "BatchNorm", "Activation", "MaxPool2D"]
    assert kinds(run()) == together
    assert kinds(run() + run()) == together * 2
    assert kinds(run(conv=Conv2D(4, activation="relu"))) == apart
    assert kinds(run(bend=Activation("tanh"))) == apart
    assert kinds(run(pool=MaxPool2D(3))) == apart
    assert kinds(run(pool=MaxPool2D(2, stride=1))) == apart
    assert kinds(run(), (9, 8, 3)) == apart
    assert NormReluPool(BatchNorm()).params == {}
