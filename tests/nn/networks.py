"""Networks of every structure, for tests that go through several; those of SHARED use layers more than once."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.graph import Graph
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm
from pellucid.nn.pooling import GlobalAvgPool2D, MaxPool2D
from pellucid.nn.sequential import Sequential
from pellucid.types import map_arrays


def stack() -> Model:
    return Sequential([Dense(6), BatchNorm(), Activation("relu"), Dropout(0.5), Dense(5, "tanh"), Dense(2)])


def convolutions() -> Model:
    block = [Conv2D(4, initializer="he"), BatchNorm(), Activation("relu"), MaxPool2D()]
    return Sequential([*block, Conv2D(3), BatchNorm(), Activation("relu"), Flatten(), Dense(2)])


def nested() -> Model:
    inner = Parallel([Dense(3, "relu"), Residual(Dense(6, "sigmoid"))])
    body = Sequential([Dense(6), BatchNorm(), inner, Dense(6, "tanh")])
    return Sequential([Sequential([Dense(6), BatchNorm()]), Residual(body, Dense(6)), Dense(2)])


def branches() -> Model:
    added = Parallel([Dense(3, "tanh"), Sequential([Dense(5, "relu"), Dense(3), BatchNorm()])], merge="add")
    return Sequential([Residual(Dense(4), Dense(4)), added, Parallel([Dense(2), Dense(2)]), Dense(2)])


def graph() -> Model:
    """A photo that goes two ways, which meet again, one of them used twice."""
    nodes: dict[str, Any] = {
        "a": (Conv2D(4, activation="tanh"), "photo"),
        "b": (BatchNorm(), "a"),
        "c": (Conv2D(4, 1), "b"),
        "sum": ("add", ["a", "c"]),
        "both": ("concat", ["sum", "photo"]),
        "mean": (GlobalAvgPool2D(), "both"),
        "out": (Dense(3), "mean"),
    }
    return Graph(["photo"], nodes, "out")


NETWORKS: dict[str, tuple[Callable[[], Model], tuple[int, ...]]] = {
    "stack": (stack, (4,)),
    "convolutions": (convolutions, (8, 8, 2)),
    "nested": (nested, (4,)),
    "branches": (branches, (4,)),
    "graph": (graph, (8, 8, 3)),
}


def chain() -> Model:
    dense, relu = Dense(5), Activation("relu")
    return Sequential([dense, relu, Dense(5), relu, dense, Dense(7), relu, Dense(1)])


def chain_of_blocks() -> Model:
    """A convolution, a norm, an activation and pooling, which are fused, twice; and the norm once more."""
    block: list[Layer] = [Conv2D(4), BatchNorm(), Activation("relu"), MaxPool2D()]
    return Sequential([Conv2D(4, 1), *block, *block, block[1], block[2], Flatten(), Dense(1)])


def body_and_shortcut() -> Model:
    conv, norm = Conv2D(3, activation="relu"), BatchNorm()
    return Sequential(
        [conv, Residual(Sequential([conv, norm, conv]), conv), norm, Residual(conv), Flatten(), Dense(1)]
    )


def shared_branches() -> Model:
    conv, inner = Conv2D(3), Sequential([Conv2D(3), BatchNorm(), Activation("relu")])
    both = Parallel([inner, conv, inner, Sequential([conv, inner])], merge="add")
    return Sequential([both, inner, Parallel([conv, inner]), GlobalAvgPool2D(), Dense(1)])


def siamese() -> Model:
    conv = Conv2D(4, activation="relu")
    encoder = Sequential(
        [Conv2D(4), BatchNorm(), Activation("relu"), MaxPool2D(), conv, conv, Flatten(), Dense(3)]
    )
    nodes: dict[str, Any] = {
        "one": (encoder, "left"),
        "two": (encoder, "right"),
        "more": (conv, "wide"),
        "flat": (Flatten(), "more"),
        "all": ("concat", ["one", "two", "flat"]),
        "logit": (Dense(1), "all"),
    }
    return Graph(inputs=["left", "right", "wide"], nodes=nodes, outputs="logit")


SHARED: dict[str, tuple[Callable[[], Model], Any]] = {
    "chain": (chain, (5,)),
    "chain of blocks": (chain_of_blocks, (8, 8, 3)),
    "body and shortcut": (body_and_shortcut, (6, 6, 3)),
    "branches": (shared_branches, (6, 6, 3)),
    "siamese": (siamese, {"left": (8, 8, 3), "right": (8, 8, 3), "wide": (3, 3, 4)}),
}


def made(name: str, dtype: str = "float64") -> Model:
    """Return a network of the first table that is nowhere special."""
    make, shape = NETWORKS[name]
    model = make()
    model.initialize(shape, seed=2, dtype=dtype)
    rng = np.random.default_rng(1)
    for leaf in model._leaves():
        for array in (*leaf.params.values(), *leaf.state.values()):
            array += 0.1 * rng.random(array.shape)
    return model


def samples(model: Model, m: int, rng: np.random.Generator) -> Any:
    """Return prepared samples for a model, by name where it has several inputs."""
    shape: Any = model.input_shape
    return map_arrays(lambda one: rng.standard_normal((m, *one)).astype(model.dtype), shape)
