"""Residual, Parallel and Graph: gradients, nesting, shapes, configurations, and what is refused."""

from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.nn.networks import NETWORKS

from pellucid.errors import OptionError, ShapeError
from pellucid.nn.activation import Activation
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.gradient_check import check_gradients
from pellucid.nn.graph import Graph
from pellucid.nn.layer import Layer
from pellucid.nn.model import model_from_config
from pellucid.nn.pooling import GlobalAvgPool2D
from pellucid.nn.sequential import Sequential


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


@every(("make", "shape"), [*NETWORKS.values(), (product, (6,)), (squeezed, (4, 5, 2))])
def test_gradients_of_parameters_and_input(make: Any, shape: tuple[int, ...]) -> None:
    result = check_gradients(make(), shape)
    assert result.is_ok, result


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


def test_two_inputs_reach_the_output_and_get_gradients() -> None:
    result = check_gradients(two_inputs(), {"photo": (2, 2), "facts": (3,)})
    assert result.is_ok, result
    network = [row.name for row in result.rows if row.stage == "network"]
    assert network[:2] == ["input photo", "input facts"]


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
