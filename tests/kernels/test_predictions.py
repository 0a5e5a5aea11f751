"""Random networks of convolutions predict on kernels as by plain ops: alone, together, on threads."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid import dispatch
from pellucid.errors import PellucidError
from pellucid.nn.layer import Layer
from pellucid.threads import Workers, helped_by

pytest.importorskip("numba")

SHAPE = (16, 14, 3)
CHANNELS = (4, 8, 12, 16)
ACTIVATIONS = (None, None, "relu", "relu6", "hard_swish", "tanh", "leaky_relu")
LIMIT = 2e-4  # of the largest output


class Drawn:
    """Layers one after another, drawn at random."""

    def __init__(self, seed: int) -> None:
        self.rng, self.c = np.random.default_rng(seed), SHAPE[2]

    def one_of(self, values: tuple[Any, ...]) -> Any:
        return values[self.rng.integers(len(values))]

    def conv(self, filters: int | None = None, *, keeps: bool = True) -> pl.Conv2D:
        """Return a convolution; one that keeps the size of images where they have to be added."""
        padding = "same" if keeps else self.one_of(("same", 0))
        stride, size = (1, 1) if keeps else self.one_of(((1, 1), (2, 2))), self.one_of((1, 1, 3, 3, 5))
        activation = self.one_of(ACTIVATIONS)
        filters = filters or self.one_of(CHANNELS)
        return pl.Conv2D(filters, size, stride=stride, padding=padding, activation=activation)

    def layer(self) -> Layer:
        """Return the next layer."""
        kind = self.one_of(
            (*["conv"] * 6, "depthwise", "activation", "norm", "pad", "pool", "residual", "gate", "two")
        )
        if kind == "conv":
            conv = self.conv(keeps=False)
            self.c = conv.filters
            return conv
        if kind == "depthwise":
            return pl.Conv2D(self.c, 3, padding="same", groups=self.c, activation=self.one_of(ACTIVATIONS))
        if kind == "residual":
            body = [self.conv(), pl.BatchNorm(), self.conv(self.c)]
            return pl.Residual(pl.Sequential(*body), shortcut=self.one_of((None, pl.Conv2D(self.c, 1))))
        if kind == "gate":
            gate = self.one_of(("hard_sigmoid", "sigmoid", "relu"))
            dense = pl.Dense(4, activation="relu"), pl.Dense(self.c, activation=gate)
            weights = pl.Sequential(pl.GlobalAvgPool2D(), *dense)
            return pl.Parallel([pl.Activation("linear"), weights], merge="multiply")
        if kind == "two":
            self.c = 12
            return pl.Parallel([self.conv(8), self.conv(4)])
        others: dict[str, Layer] = {"norm": pl.BatchNorm(), "pad": pl.ZeroPad2D(1), "pool": pl.MaxPool2D(2)}
        return others.get(kind) or pl.Activation(
            self.one_of(("relu", "relu6", "hard_swish", "tanh", "linear"))
        )

    def model(self) -> pl.Sequential | None:
        """Return a network whose parameters and statistics are random; None where its images vanish."""
        layers = [self.layer() for _ in range(self.rng.integers(2, 9))]
        model = pl.Sequential(*layers, pl.GlobalAvgPool2D(), pl.Dense(3))
        try:
            model.initialize(SHAPE, seed=1)
        except PellucidError:
            return None
        model.theta[...] += 0.1 * self.rng.standard_normal(model.theta.shape).astype(model.theta.dtype)
        for leaf in model._leaves():
            for state in leaf.state.values():
                state[...] = 0.5 + self.rng.random(state.shape)
        return model


@pytest.mark.parametrize("first", [0, pytest.param(150, marks=pytest.mark.slow)])
def test_random_networks(first: int) -> None:
    n_tried = 0
    with dispatch.use("numba"):
        waits = dispatch.waits()
    assert waits is not None
    with Workers(2, waits) as two, Workers(3, waits) as three:
        for seed in range(first, first + 150 * (1 + 5 * (first > 0))):
            drawn = Drawn(seed)
            model = drawn.model()
            if model is None:
                continue
            for m in (1, 3):
                X = drawn.rng.random((m, *SHAPE), dtype=np.float32)
                with dispatch.use("plain"):
                    wanted = model.forward(X).copy()
                found = []
                with dispatch.use("numba"):
                    found += [model.forward(X).copy() for _ in range(2)]
                    for workers in (two, three):
                        with helped_by(workers):
                            found.append(model.forward(X).copy())
                size = np.abs(wanted).max() + 1e-3
                for i, Z in enumerate(found):
                    assert np.abs(Z - wanted).max() < LIMIT * size, (
                        f"seed {seed}, {m} samples, way {i}: {model}"
                    )
                n_tried += 1
    assert n_tried > 200


def gated(gate: str) -> list[Layer]:
    inner = pl.Sequential(pl.GlobalAvgPool2D(), pl.Dense(4, activation="relu"), pl.Dense(16, activation=gate))
    return [pl.Parallel([pl.Activation("linear"), inner], merge="multiply")]


def with_shortcuts(after: str) -> list[Layer]:
    body = pl.Sequential(
        pl.Conv2D(16, 3, padding="same", activation="relu"), pl.Conv2D(16, 3, padding="same")
    )
    around = pl.Residual(pl.Conv2D(8, 1), shortcut=pl.Conv2D(8, 1))
    return [pl.Residual(body), pl.Activation(after), around, pl.Activation(after)]


def bare(after: str) -> list[Layer]:
    """Return convolutions of one shape, without an activation and with one: each is computed."""
    return [pl.Conv2D(16, 1), pl.Conv2D(16, 1, activation=after), pl.Conv2D(16, 1), pl.Activation(after)]


@every(
    ("part", "name"),
    [
        *product([bare], ["relu", "hard_swish", "tanh"]),
        *product([gated], ["hard_sigmoid", "sigmoid"]),
        *product([with_shortcuts], ["relu", "hard_swish", "tanh"]),
    ],
)
def test_a_network_predicts_as_by_its_layers(part: Any, name: str) -> None:
    layers = [
        pl.Conv2D(16, 3, activation="relu"),
        *part(name),
        pl.Conv2D(16, 3),
        pl.GlobalAvgPool2D(),
        pl.Dense(3),
    ]
    model = pl.Sequential(*layers)
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
