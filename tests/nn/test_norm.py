"""Norms, dropout and activations as layers: running statistics, single values, and what they refuse."""

from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.nn.examples import built

from pellucid import dispatch
from pellucid.errors import OptionError, PellucidError, ShapeError
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.gradient_check import check_gradients
from pellucid.nn.norm import BatchNorm, LayerNorm
from pellucid.nn.sequential import Sequential


@every("shape", [(5, 4), (3, 6, 5, 2)])
def test_running_statistics_and_predictions_equal_pytorch(
    rng: np.random.Generator, shape: tuple[int, ...]
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    c = shape[-1]
    layer = built(BatchNorm(momentum=0.2, epsilon=1e-3), *shape[1:])
    theirs = torch.nn.BatchNorm1d(c, eps=1e-3, momentum=0.2, dtype=torch.float64)
    for _ in range(4):
        X = 2 * rng.standard_normal(shape) + 3
        layer.forward(X, training=True)
        theirs(torch.tensor(X).reshape(-1, c))
    np.testing.assert_allclose(layer.state["running_mean"], theirs.running_mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(layer.state["running_var"], theirs.running_var.numpy(), rtol=1e-12)
    theirs.eval()
    expected = theirs(torch.tensor(X).reshape(-1, c)).detach().numpy().reshape(shape)
    np.testing.assert_allclose(layer.forward(X), expected, rtol=0, atol=1e-12)


def test_predicting_moves_no_statistics_and_its_backward_is_of_the_fixed_map(
    rng: np.random.Generator,
) -> None:
    layer = built(BatchNorm(), 3)
    X = rng.standard_normal((6, 3))
    layer.forward(X, training=True)
    state = {key: array.copy() for key, array in layer.state.items()}
    layer.forward(X)
    np.testing.assert_array_equal(layer.state["running_mean"], state["running_mean"])
    np.testing.assert_array_equal(layer.state["running_var"], state["running_var"])
    dX = layer.backward(np.ones((6, 3)))
    np.testing.assert_allclose(dX, np.tile(1 / np.sqrt(state["running_var"] + 1e-5), (6, 1)), rtol=1e-12)


def test_reduce_is_used_forwards_and_backwards(rng: np.random.Generator) -> None:
    """A reduce that doubles every sum stands for a twin shard: the result is that of the doubled batch."""
    X, dY = rng.standard_normal((2, 4, 3))
    one, two = built(BatchNorm(), 3), built(BatchNorm(), 3)
    one.reduce = lambda partial: 2 * partial
    Y = two.forward(np.concatenate([X, X]), training=True)
    np.testing.assert_allclose(one.forward(X, training=True), Y[:4], rtol=0, atol=1e-14)
    np.testing.assert_allclose(one.state["running_var"], two.state["running_var"], rtol=1e-14)
    dX = two.backward(np.concatenate([dY, dY]))
    np.testing.assert_allclose(one.backward(dY.copy()), dX[:4], rtol=0, atol=1e-14)
    np.testing.assert_allclose(2 * one.grads["gamma"], two.grads["gamma"], rtol=1e-12)


def test_float32_models_stay_float32(rng: np.random.Generator) -> None:
    layers = [BatchNorm(), LayerNorm(), Activation("relu"), Dropout(0.2), Flatten(), Dense(1)]
    model = Sequential(layers)
    model.initialize((4, 4, 3))
    layers[3].set_step_rng(rng)  # type: ignore[attr-defined]
    X = rng.random((5, 4, 4, 3), dtype=np.float32)
    model.loss_and_grad(X, np.array([0, 1, 0, 1, 1]))
    assert model.forward(X).dtype == model.forward(X, training=True).dtype == np.float32
    assert model.grad.dtype == np.float32
    assert np.isfinite(model.grad).all()


def test_norms_are_not_decayed() -> None:
    model = Sequential([BatchNorm(), LayerNorm(), Dense(1)])
    model.initialize((3,))
    np.testing.assert_array_equal(model._flat_decay_mask(), [0] * 12 + [1, 1, 1, 0])


def test_dropout_needs_a_generator_in_training_and_none_elsewhere(rng: np.random.Generator) -> None:
    model = Sequential([Dropout(0.5), Dense(1)], dtype="float64")
    model.initialize((4,))
    X = rng.standard_normal((3, 4))
    assert model.layers[0].forward(X) is X
    with pytest.raises(PellucidError, match=r"dropout_1: training needs .*set_step_rng"):
        model.forward(X, training=True)
    layer = model.layers[0]
    assert isinstance(layer, Dropout)
    layer.set_step_rng(np.random.default_rng(1))
    first = layer.forward(X, training=True).copy()
    layer.set_step_rng(np.random.default_rng(1))
    np.testing.assert_array_equal(layer.forward(X, training=True), first)
    np.testing.assert_array_equal(layer.backward(X.copy()), first)  # the same mask


def test_bad_options_are_refused() -> None:
    with pytest.raises(OptionError, match=r"Activation: unknown activation 'rellu'\. Did you mean 'relu'"):
        Activation("rellu")
    with pytest.raises(ShapeError, match=r"BatchNorm: expected samples of shape \(..., channels\), got \(\)"):
        built(BatchNorm())


def rows() -> list[Any]:
    return [Dense(8), BatchNorm(), Activation("relu"), Dense(1)]


def images() -> list[Any]:
    return [Conv2D(8, 2, padding="valid"), BatchNorm(), Activation("relu"), Flatten(), Dense(1)]


@pytest.mark.parametrize("way", dispatch.WAYS[1:])
@every(("layers", "shape"), [(rows, (4,)), (images, (2, 2, 3))])
def test_one_sample_is_trained_on_as_it_will_be_predicted(
    layers: Any, shape: tuple[int, ...], way: str, rng: np.random.Generator
) -> None:
    if way == "numba":
        pytest.importorskip("numba", reason="needs Numba")
    model = Sequential(layers(), dtype="float64")
    model.initialize(shape)
    X = rng.standard_normal((1, *shape))
    with dispatch.use(way):
        expected = model.forward(X).copy()
        np.testing.assert_allclose(model.forward(X, training=True), expected, rtol=1e-12)
        model.loss_and_grad(X, np.ones(1))
        assert np.abs(model._leaves()[0].grads["W"]).max() > 0
    assert check_gradients(model, shape, n_samples=1).is_ok


@every("shape", [(1,), (4, 4, 1)])
def test_a_layer_norm_of_one_value_is_refused(shape: tuple[int, ...]) -> None:
    model = Sequential([LayerNorm(), Flatten(), Dense(1)])
    with pytest.raises(ShapeError, match="layernorm_1: expected samples with at least 2 channels, got"):
        model.initialize(shape)
