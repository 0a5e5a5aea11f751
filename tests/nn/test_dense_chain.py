"""Rows of Dense layers in prediction: what the layers do one after another, bit for bit."""

import copy

import numpy as np
import pytest
from tests.every import every

from pellucid import dispatch
from pellucid.errors import ShapeError
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.dense_chain import DenseChain
from pellucid.nn.freezing import freeze
from pellucid.nn.hooks import hooked, input_gradient, unfused
from pellucid.nn.sequential import Sequential
from pellucid.types import Array


@pytest.fixture(params=["float32", "float64"])
def model(request: pytest.FixtureRequest) -> Sequential:
    made = Sequential(Flatten(), Dense(5, "relu"), Dense(4, "gelu"), Dense(4, "softmax"), Dense(3))
    made.initialize((2, 3), dtype=request.param)
    made.theta += np.random.default_rng(2).normal(size=made.theta.size)
    return made


def samples(model: Sequential, m: int) -> Array:
    return np.random.default_rng(m).normal(size=(m, *model.input_shape)).astype(model.dtype)


@every("m", [1, 4, 300])
def test_predicts_what_its_layers_do(model: Sequential, m: int) -> None:
    X = samples(model, m)
    Z = model.forward(X).copy()
    assert isinstance(model._ran[-1], DenseChain)
    with unfused(model):
        np.testing.assert_array_equal(Z, model.forward(X))


def test_takes_batches_of_other_sizes_and_changed_parameters(model: Sequential) -> None:
    for m in (3, 1, 5, 1):
        model.theta *= 1.1
        X = samples(model, m)
        Z = model.forward(X).copy()
        with unfused(model):
            np.testing.assert_array_equal(Z, model.forward(X))


def test_has_the_gradients_of_its_layers(model: Sequential) -> None:
    X, dY = samples(model, 4), np.ones(3, model.dtype)
    _, dX = input_gradient(model, X, dY)
    grad = model.grad.copy()
    with unfused(model):
        np.testing.assert_array_equal(dX, input_gradient(model, X, dY)[1])
    np.testing.assert_array_equal(grad, model.grad)


def test_trains_by_the_layers_themselves(model: Sequential) -> None:
    model.forward(samples(model, 4))
    model.forward(samples(model, 4), training=True)
    assert not any(isinstance(step, DenseChain) for step in model._ran)


def test_hooks_are_called(model: Sequential) -> None:
    X = samples(model, 2)
    with hooked(model.layers[2], forward=lambda plain, X, training: 0 * plain(X, training=training)):
        without = model.forward(X).copy()
        model.backward(np.ones_like(without))
    assert (without == without[0]).all()
    assert (model.forward(X) != without).any()


def test_copies_have_arrays_of_their_own(model: Sequential) -> None:
    X = samples(model, 1)
    Z = model.forward(X)
    before, twin = Z.copy(), copy.deepcopy(model)
    twin.theta[...] = 0
    assert not twin.forward(X).any()
    np.testing.assert_array_equal(Z, before)
    np.testing.assert_array_equal(model.forward(X), before)


def test_frozen_layers_are_a_row_of_their_own(model: Sequential) -> None:
    freeze(model, "dense_2")
    X = samples(model, 3)
    Z = model.forward(X).copy()
    with unfused(model):
        np.testing.assert_array_equal(Z, model.forward(X))
    assert all(
        len({layer.is_frozen for layer in step.layers}) == 1
        for step in model._ran
        if isinstance(step, DenseChain)
    )


def test_kernels_serve_the_layers_themselves(model: Sequential) -> None:
    pytest.importorskip("numba")
    X = samples(model, 3)
    Z = model.forward(X).copy()
    with dispatch.use("numba"):
        np.testing.assert_allclose(model.forward(X), Z, rtol=1e-4 if model.dtype == "float32" else 1e-11)


def test_refuses_samples_of_another_width() -> None:
    model = Sequential(Dense(5, "relu"), Dense(4))
    model.initialize((6,))
    with pytest.raises(ShapeError, match="transposed"):
        model.forward(np.ones((6, 2), np.float32))
