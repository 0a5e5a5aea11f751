"""Layers that run as one step: which they are, and that a model gives the same either way."""

import numpy as np
import pytest

from pellucid import dispatch
from pellucid.nn.activation import Activation
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense
from pellucid.nn.fusion import ConvNormReluPool, NormReluPool, fused
from pellucid.nn.layer import Layer
from pellucid.nn.norm import BatchNorm
from pellucid.nn.pooling import GlobalAvgPool2D, MaxPool2D
from pellucid.nn.sequential import Sequential


def network(*, needs: bool = False, n_blocks: int = 2, **options) -> Sequential:
    layers: list[Layer] = []
    for width in (5, 6)[:n_blocks]:
        layers += [Conv2D(width, use_bias=False, **options), BatchNorm(), Activation("relu"), MaxPool2D()]
    model = Sequential([*layers, GlobalAvgPool2D(), Dense(1)], dtype="float64")
    model.needs_input_gradient = needs
    model.initialize((8, 8, 3), seed=1)
    model.theta[...] = np.random.default_rng(5).standard_normal(model.theta.size)  # gammas of both signs
    return model


@pytest.mark.parametrize("n_blocks", [1, 2])
@pytest.mark.parametrize("choice", dispatch.WAYS[:2])
def test_a_model_gives_the_same_with_and_without(
    n_blocks: int, choice: str, rng: np.random.Generator
) -> None:
    X, y = rng.standard_normal((6, 8, 8, 3)), rng.integers(0, 2, 6)
    together, separate = network(n_blocks=n_blocks), network(n_blocks=n_blocks)
    separate.is_fused = False
    loss = separate.loss_and_grad(X, y)
    with dispatch.use(choice):
        assert together.loss_and_grad(X, y) == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(together.grad, separate.grad, rtol=0, atol=1e-11)
    for one, two in zip(together.leaves(), separate.leaves(), strict=True):
        for key in one.state:
            np.testing.assert_allclose(one.state[key], two.state[key], rtol=1e-12)
    np.testing.assert_array_equal(together.predict(X), separate.predict(X))


def test_only_what_fits_is_fused() -> None:
    def kinds(layers: list[Layer], shape: tuple[int, ...] = (8, 8, 3)) -> list[str]:
        Sequential([*layers, GlobalAvgPool2D(), Dense(1)]).initialize(shape)
        return [type(step).__name__ for step in fused(layers)]

    def run(
        conv: Layer | None = None, activation: Layer | None = None, pool: Layer | None = None
    ) -> list[Layer]:
        return [conv or Conv2D(4), BatchNorm(), activation or Activation("relu"), pool or MaxPool2D()]

    together = ["Conv2D", "NormReluPool"]
    separate = ["Conv2D", "BatchNorm", "Activation", "MaxPool2D"]
    assert kinds(run()) == together
    assert kinds(run() + run()) == together * 2
    assert kinds(run(conv=Conv2D(4, activation="relu"))) == separate
    assert kinds(run(activation=Activation("tanh"))) == separate
    assert kinds(run(pool=MaxPool2D(3))) == separate
    assert kinds(run(pool=MaxPool2D(2, stride=1))) == separate
    assert kinds(run(), (9, 8, 3)) == separate
    assert NormReluPool(BatchNorm()).params == {}


def test_only_a_first_convolution_of_few_inputs_is_taken_in() -> None:
    assert isinstance(network()._steps[0], ConvNormReluPool)
    for model in (network(needs=True), network(kernel_size=5), network(groups=1, dilation=2)):
        assert isinstance(model._steps[0], Conv2D)
        assert isinstance(model._steps[1], NormReluPool)
