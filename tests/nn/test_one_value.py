"""Norms that are given one value to take the mean and the variance of."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid import dispatch
from pellucid.errors import ShapeError
from pellucid.nn.activation import Activation
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.gradient_check import check_gradients
from pellucid.nn.norm import BatchNorm, LayerNorm
from pellucid.nn.sequential import Sequential

WAYS = [
    pytest.param("numba", marks=pytest.mark.skipif(not dispatch._is_installed(), reason="no numba")),
    "numpy",
]


def rows() -> list[Any]:
    return [Dense(8), BatchNorm(), Activation("relu"), Dense(1)]


def images() -> list[Any]:
    return [Conv2D(8, 2, padding="valid"), BatchNorm(), Activation("relu"), Flatten(), Dense(1)]


@pytest.mark.parametrize("way", WAYS)
@every(("layers", "shape"), [(rows, (4,)), (images, (2, 2, 3))])
def test_one_sample_is_trained_on_as_it_will_be_predicted(
    layers: Any, shape: tuple[int, ...], way: str, rng: np.random.Generator
) -> None:
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
