"""Layers that run as one step: which they are, and that a model gives the same either way."""

from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.ops.cases import HAS_NUMBA

from pellucid import dispatch
from pellucid.nn.activation import Activation
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.fusion import ConvBlock, fused
from pellucid.nn.layer import Layer
from pellucid.nn.norm import BatchNorm
from pellucid.nn.pooling import GlobalAvgPool2D, MaxPool2D
from pellucid.nn.sequential import Sequential

needs_numba = pytest.mark.skipif(not HAS_NUMBA, reason="needs Numba: pip install 'pellucid[fast]'")


def test_only_what_fits_is_fused() -> None:
    def run(
        conv: Layer | None = None, activation: Layer | None = None, pool: Layer | None = None
    ) -> list[Layer]:
        return [conv or Conv2D(4), BatchNorm(), activation or Activation("relu"), pool or MaxPool2D()]

    def lengths(layers: list[Layer], shape: tuple[int, ...] = (8, 8, 3)) -> list[int]:
        Sequential([*layers, GlobalAvgPool2D(), Dense(1)]).initialize(shape)
        return [len(step.layers) if isinstance(step, ConvBlock) else 0 for step in fused(layers)]

    assert lengths(run()) == [4]
    assert lengths(run() + run()) == [4, 4]
    assert lengths([Conv2D(4, activation="relu"), MaxPool2D(), Conv2D(4)]) == [2, 0]
    assert lengths([Conv2D(4), Activation("relu"), Conv2D(4, activation="tanh")]) == [2, 0]
    assert lengths(run(conv=Conv2D(4, activation="relu"))) == [1, 0, 0, 0]
    assert lengths(run(activation=Activation("tanh"))) == [2, 0, 0]
    assert lengths(run(pool=MaxPool2D(3))) == [3, 0]
    assert lengths(run(pool=MaxPool2D(2, stride=1))) == [3, 0]
    assert lengths(run(), (9, 8, 3)) == [3, 0]
    assert ConvBlock(run()).params == {}


@needs_numba
@every("use_bias", [False, True])
def test_a_prediction_follows_what_is_written_into_any_array(
    use_bias: bool, rng: np.random.Generator
) -> None:
    X = rng.standard_normal((1, 6, 6, 3)).astype(np.float32)
    layers: list[Any] = [Conv2D(4, padding="same", use_bias=use_bias), BatchNorm(), Activation("relu")]
    model = Sequential([*layers, Flatten(), Dense(2)])
    model.initialize((6, 6, 3))
    conv, norm = layers[:2]
    arrays = [*conv.params.values(), *norm.params.values(), *norm.state.values()]
    for array in arrays:
        for place in (0, -1):
            array.reshape(-1)[place] += 0.5
            with dispatch.use("numba"):
                compiled = [model.decision_function(X) for _ in range(2)]
            with dispatch.use("plain"):
                plain = model.decision_function(X)
            np.testing.assert_allclose(compiled, [plain] * 2, rtol=1e-4, atol=1e-5)
    norm.state = {**norm.state, "running_mean": norm.state["running_mean"] + 1}  # others in their place
    norm.epsilon = 0.5
    with dispatch.use("numba"):
        compiled = [model.decision_function(X)]
    with dispatch.use("plain"):
        np.testing.assert_allclose(compiled[0], model.decision_function(X), rtol=1e-4, atol=1e-5)
