"""Residual, Parallel and Graph: gradients, nesting, shapes, configurations, and what is refused."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import OptionError, ShapeError
from pellucid.nn.activation import Activation
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.graph import Graph
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model, model_from_config
from pellucid.nn.pooling import GlobalAvgPool2D
from pellucid.nn.sequential import Sequential
from pellucid.ops.finite_difference import gradcheck


def nested() -> Sequential:
    inside = Parallel([Dense(3, activation="relu"), Residual(Dense(4, activation="sigmoid"))])
    return Sequential(
        [Flatten(), Dense(4), Residual(Sequential([inside, Dense(4)])), Dense(1)], dtype="float64"
    )


def merged() -> Sequential:
    branches = [Dense(3), Sequential([Dense(5, activation="relu"), Dense(3)])]
    return Sequential([Flatten(), Dense(4), Parallel(branches, merge="add"), Dense(1)], dtype="float64")


def first_is_a_structure() -> Sequential:
    return Sequential(
        [Residual(Dense(6), shortcut=Dense(6)), Parallel([Dense(2), Dense(2)]), Dense(1)], dtype="float64"
    )


def graph() -> Graph:
    return Graph(
        ["x"],
        {
            "a": (Dense(4, activation="relu"), "x"),
            "b": (Dense(4), "a"),
            "c": ("add", ["a", "b"]),  # a is used three times
            "d": ("concat", ["c", "a"]),
            "z": (Dense(1), "d"),
        },
        "z",
        dtype="float64",
    )


def squeezed() -> Sequential:
    """Channels weighed by what the whole picture says, and pixels by a map."""
    by_channel = Sequential([GlobalAvgPool2D(), Dense(3, activation="relu"), Dense(4, activation="sigmoid")])
    by_pixel = Conv2D(1, 1, activation="sigmoid")
    added = Parallel([Conv2D(4), GlobalAvgPool2D()], merge="add")
    weighed = Parallel([Activation("linear"), by_channel, by_pixel], merge="multiply")
    return Sequential([Conv2D(4, activation="tanh"), weighed, added, Flatten(), Dense(1)], dtype="float64")


def product() -> Graph:
    nodes: Any = {
        "a": (Dense(4, activation="tanh"), "x"),
        "b": (Dense(4), "a"),
        "c": ("multiply", ["a", "b", "a"]),
        "z": (Dense(1), "c"),
    }
    return Graph(["x"], nodes, "z", dtype="float64")


@every("make", [nested, merged, first_is_a_structure, graph, product, squeezed])
def test_gradients_of_parameters_and_input(rng: np.random.Generator, make: Any) -> None:
    model: Model = make()
    shape = (4, 5, 2) if make is squeezed else (6,)
    model.initialize(shape, seed=1)
    model.theta[...] = rng.standard_normal(model.theta.size)
    X, y = rng.standard_normal((7, *shape)), rng.integers(0, 2, 7)

    def loss(theta: np.ndarray, X: np.ndarray) -> float:
        model.theta[...] = theta
        return model.loss_and_grad(X, y)

    theta = model.theta.copy()
    model.loss_and_grad(X, y)
    errors = gradcheck(loss, {"theta": model.grad.copy()}, {"theta": theta, "X": X}, rng)
    assert errors["theta"] < 1e-6
    model.theta[...] = theta
    model._mark_input_gradient(True)
    Z = model.forward(X, training=True)
    upstream = rng.standard_normal(Z.shape)
    dX = model.backward(upstream.copy())
    assert dX is not None
    dX = dX.copy()

    def contracted(X: np.ndarray) -> float:
        return float(np.vdot(model.forward(X, training=True), upstream))

    assert gradcheck(contracted, {"X": dX}, {"X": X}, rng)["X"] < 1e-6


def two_inputs(outputs: Any = "z") -> Graph:
    return Graph(
        ["photo", "facts"],
        {
            "flat": (Flatten(), "photo"),
            "seen": (Dense(3, activation="relu"), "flat"),
            "both": ("concat", ["seen", "facts"]),
            "z": (Dense(1), "both"),
            "size": (Dense(2), "seen"),
        },
        outputs,
        dtype="float64",
    )


def test_two_inputs_reach_the_output_and_get_gradients(rng: np.random.Generator) -> None:
    model = two_inputs()
    model.initialize({"photo": (2, 2), "facts": (3,)}, seed=1)
    X = {"photo": rng.standard_normal((4, 2, 2)), "facts": rng.standard_normal((4, 3))}
    model._mark_input_gradient(True)
    Z = model.forward(X)
    assert Z.shape == (4, 1)
    dX = model.backward(np.ones_like(Z))
    for name in X:
        v, h = rng.standard_normal(X[name].shape), 1e-6
        plus = model.forward({**X, name: X[name] + h * v}).sum()
        minus = model.forward({**X, name: X[name] - h * v}).sum()
        assert (plus - minus) / (2 * h) == pytest.approx(np.vdot(dX[name], v), rel=1e-6)


def test_a_node_that_no_output_needs_has_no_gradient(rng: np.random.Generator) -> None:
    model = two_inputs()
    model.initialize({"photo": (2, 2), "facts": (3,)})
    model.grad[...] = 7
    X = {"photo": rng.standard_normal((4, 2, 2)), "facts": rng.standard_normal((4, 3))}
    model.loss_and_grad(X, np.array([0, 1, 1, 0]))
    size = next(leaf for leaf in model._leaves() if leaf.output_shape == (2,))
    assert (size.grads["W"] == 0).all()


def test_shapes_that_do_not_fit_are_named_at_build_time() -> None:
    with pytest.raises(ShapeError, match=r"body gives \(4,\) and the shortcut \(6,\)"):
        Residual(Dense(4)).initialize((6,))
    with pytest.raises(ShapeError, match=r"one shape to add, got \(2,\), \(3,\)"):
        Parallel([Dense(2), Dense(3)], merge="add").initialize((6,))
    with pytest.raises(ShapeError, match="differ in the last axis only"):
        Parallel([Flatten(), AsItIs()]).initialize((6, 2))
    with pytest.raises(ShapeError, match="expected shapes for photo, facts, got photo"):
        two_inputs().initialize({"photo": (2, 2)})


class AsItIs(Layer):
    """Keeps shape and values."""

    def forward(self, X: np.ndarray, *, training: bool = False) -> np.ndarray:
        return X

    def backward(self, dY: np.ndarray) -> np.ndarray:
        return dY


def test_bad_graphs_name_what_is_wrong() -> None:
    with pytest.raises(OptionError, match="Did you mean 'photo'"):
        Graph(["photo"], {"z": (Dense(1), "foto")}, "z")
    with pytest.raises(OptionError, match="unknown output 'y'"):
        Graph(["x"], {"z": (Dense(1), "x")}, "y")
    with pytest.raises(OptionError, match="takes one source, got 2"):
        Graph(["a", "b"], {"z": (Dense(1), ["a", "b"])}, "z")
    with pytest.raises(OptionError, match="called 'x'"):
        Graph(["x"], {"x": (Dense(1), "x")}, "x")
    with pytest.raises(OptionError, match="Did you mean 'concat'"):
        Graph(["x"], {"z": ("conkat", ["x"])}, "z")
    with pytest.raises(OptionError, match="at least one branch"):
        Parallel([])
    with pytest.raises(OptionError, match="expected a structure"):
        model_from_config({"type": "Flatten"})
