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
from pellucid.nn.fusion import ConvBlock, ConvRun, fused, fused_for_prediction
from pellucid.nn.layer import Layer
from pellucid.nn.norm import BatchNorm
from pellucid.nn.pooling import GlobalAvgPool2D, MaxPool2D, ZeroPad2D
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


def separable() -> list[Layer]:
    """Expand, depthwise, project, with padding as a layer of its own."""
    wide = [Conv2D(24, 1, use_bias=False), BatchNorm(), Activation("relu6")]
    depthwise = [Conv2D(24, padding="valid", groups=24, stride=2), BatchNorm(), Activation("relu6", high=2.0)]
    return [*wide, ZeroPad2D(((0, 1), (0, 1))), *depthwise, Conv2D(6, 1, activation="hard_swish")]


def test_what_runs_together_in_a_prediction() -> None:
    def lengths(layers: list[Layer]) -> list[list[int] | int]:
        Sequential([*layers, GlobalAvgPool2D(), Dense(1)]).initialize((8, 8, 3))
        steps = fused_for_prediction(layers)
        return [
            [len(block.layers) for block in step.blocks]
            if isinstance(step, ConvRun)
            else len(step.layers)
            if isinstance(step, ConvBlock)
            else 0
            for step in steps
        ]

    assert lengths(separable()) == [[3, 4, 1]]
    assert lengths([*separable(), *separable()]) == [[3, 4, 1], [3, 4, 1]]  # it widens again
    assert lengths([Conv2D(4, activation="tanh"), Conv2D(4)]) == [0, [1]]
    assert lengths([Conv2D(16, activation="relu"), MaxPool2D()]) == [2]
    assert lengths([Conv2D(16), Conv2D(16), Conv2D(16, activation="relu"), Conv2D(600)]) == [[1], 1, 1, 1]
    assert lengths([Conv2D(16), Conv2D(4000), ZeroPad2D(), Conv2D(2)]) == [[1], [1, 2]]


@needs_numba
def test_a_run_predicts_and_has_gradients_as_its_layers(rng: np.random.Generator) -> None:
    model = Sequential([*separable(), GlobalAvgPool2D(), Dense(2)])
    model.initialize((9, 8, 3))
    model._mark_input_gradient(True)
    X, dZ = rng.standard_normal((2, 9, 8, 3)).astype(np.float32), np.ones((2, 2), np.float32)
    found = []
    for kernels in ("plain", "numba"):
        with dispatch.use(kernels):
            Z = model.forward(X).copy()
            dX = model.backward(dZ.copy())
            assert dX is not None
            found.append((Z, dX.copy(), model.grad.copy()))
    for expected, got in zip(*found, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4)


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
    with dispatch.use("numba"):
        compiled = [model.decision_function(X)]
    with dispatch.use("plain"):
        np.testing.assert_allclose(compiled[0], model.decision_function(X), rtol=1e-4, atol=1e-5)
