"""Squeeze and excitation of one image, and networks of it and of shortcuts: equal to their layers."""

import importlib
from itertools import product
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid import dispatch
from pellucid.nn.activation import Activation
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense
from pellucid.nn.layer import Layer
from pellucid.nn.pooling import GlobalAvgPool2D
from pellucid.nn.sequential import Sequential
from pellucid.ops.activations import ACTIVATIONS, get_activation
from pellucid.ops.fused import DenseLink, squeeze_excite
from pellucid.threads import Workers, helped_by
from pellucid.workspace import Workspace

kernel = pytest.importorskip(
    "pellucid.kernels.squeeze", reason="kernels are compiled by Numba, which is not installed"
).squeeze_excite

WAITS = importlib.import_module("pellucid.kernels.waits").WAITS
ACTIVATED: list[Any] = [
    None,
    *(ACTIVATIONS[name] for name in ("relu", "relu6", "hard_swish", "hard_sigmoid")),
    get_activation("hard_sigmoid", slope=0.2),
    get_activation("relu6", high=0.5),
]


def links_of(first: Any, second: Any, dtype: str = "float32") -> list[DenseLink]:
    rng = np.random.default_rng(0)
    sizes = ((9, 5, first), (5, 9, second))
    return [
        DenseLink(rng.standard_normal((n, k)).astype(dtype), rng.standard_normal(k).astype(dtype), op)
        for n, k, op in sizes
    ]


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
@every("n", [1, 2, 3])
@every("waits", [None, WAITS])
def test_it_is_the_plain_formula(n: int, waits: Any, dtype: str) -> None:
    rng = np.random.default_rng(1)
    for first in ACTIVATED:
        for second in ACTIVATED:
            links, workspace = links_of(first, second, dtype), Workspace()
            for _ in range(2):
                X = rng.standard_normal((1, 6, 4, 9)).astype(dtype)
                wanted = squeeze_excite(X, links)
                with Workers(n, waits) as workers, helped_by(workers):
                    np.testing.assert_allclose(kernel(X, links, workspace=workspace), wanted, 1e-4, 1e-5)
                links[0].W[...] *= 2  # in place


def test_what_it_does_not_serve() -> None:
    X, links = np.ones((1, 2, 2, 9), np.float32), links_of(None, ACTIVATIONS["tanh"])
    assert kernel(X, links) is NotImplemented
    assert kernel(np.ones((2, 2, 2, 9), np.float32), links_of(None, None)) is NotImplemented
    assert kernel(X.astype(float), links_of(None, None)) is NotImplemented


def gated(gate: str) -> list[Layer]:
    inner = Sequential(GlobalAvgPool2D(), Dense(4, activation="relu"), Dense(16, activation=gate))
    return [Parallel([Activation("linear"), inner], merge="multiply")]


def with_shortcuts(after: str) -> list[Layer]:
    body = Sequential(Conv2D(16, 3, padding="same", activation="relu"), Conv2D(16, 3, padding="same"))
    around = Residual(Conv2D(8, 1), shortcut=Conv2D(8, 1))
    return [Residual(body), Activation(after), around, Activation(after)]


def bare(after: str) -> list[Layer]:
    """Return convolutions of one shape, without an activation and with one: each is computed."""
    return [Conv2D(16, 1), Conv2D(16, 1, activation=after), Conv2D(16, 1), Activation(after)]


@every(
    ("part", "name"),
    [
        *product([bare], ["relu", "hard_swish", "tanh"]),
        *product([gated], ["hard_sigmoid", "sigmoid"]),
        *product([with_shortcuts], ["relu", "hard_swish", "tanh"]),
    ],
)
def test_a_network_predicts_as_by_its_layers(part: Any, name: str) -> None:
    layers = [Conv2D(16, 3, activation="relu"), *part(name), Conv2D(16, 3), GlobalAvgPool2D(), Dense(3)]
    model = Sequential(*layers)
    model.initialize((10, 10, 3), seed=1)
    X, rng = np.random.default_rng(0).random((3, 10, 10, 3), dtype=np.float32), np.random.default_rng(2)
    for m in (1, 3):
        for _ in range(2):
            with dispatch.use("plain"):
                wanted = model.forward(X[:m]).copy()
                dX = model.backward(np.ones_like(wanted))
            with dispatch.use("numba"):
                np.testing.assert_allclose(model.forward(X[:m]), wanted, 1e-4, 1e-5)
                grad = model.grad.copy()
                model.forward(X[:m])
                assert (model.backward(np.ones_like(wanted)) is None) == (dX is None)
            np.testing.assert_allclose(model.grad, grad, 1e-3, 1e-4)
            model.theta[...] += 0.01 * rng.standard_normal(model.theta.shape).astype(model.theta.dtype)
