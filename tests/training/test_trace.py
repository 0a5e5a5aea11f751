"""The numbers of one training step: those of a real one, bit for bit, and those of slopes."""

import copy
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import DataError, OptionError
from pellucid.training.optimizers import SGD
from pellucid.training.trace import take_step
from pellucid.training.trace_records import Trace
from pellucid.types import map_arrays

RNG = np.random.default_rng(3)
X = RNG.standard_normal((6, 4))
PHOTOS = RNG.integers(0, 255, (6, 8, 8, 3), dtype=np.uint8)
Y = np.array([0, 1, 1, 0, 1, 0])
THREE = np.array([0, 1, 2, 0, 1, 2])


def stack() -> pl.Model:
    return pl.Sequential([pl.Dense(5, "tanh"), pl.Dense(3, "relu"), pl.Dense(1)])


def branched() -> pl.Model:
    wide = pl.Parallel([pl.Dense(2, "sigmoid"), pl.Dense(3)])
    return pl.Sequential([pl.Residual(pl.Sequential([pl.Dense(4, "gelu"), pl.Dense(4)])), wide, pl.Dense(3)])


def shared() -> pl.Model:
    layer = pl.Dense(4, "tanh")
    return pl.Sequential([layer, pl.Residual(layer), pl.Dense(1)])


def photos() -> pl.Model:
    convolutions = [pl.Conv2D(4, 3, activation="relu"), pl.MaxPool2D(), pl.Conv2D(4, 3), pl.BatchNorm()]
    layers = [*convolutions, pl.Activation("relu"), pl.Flatten(), pl.Dropout(0.3), pl.Dense(3)]
    return pl.Sequential(layers)


def graph() -> pl.Model:
    nodes = {
        "a": (pl.Dense(3, "tanh"), "left"),
        "b": (pl.Dense(3), "right"),
        "sum": ("add", ["a", "b"]),
        "class": (pl.Dense(1), "sum"),
        "size": (pl.Dense(1), "a"),
    }
    return pl.Graph(["left", "right"], nodes, ["class", "size"])


CASES: dict[str, tuple[Any, Any, Any]] = {
    "stack": (stack, X, Y),
    "branched": (branched, X, THREE),
    "shared": (shared, X, Y),
    "photos": (photos, PHOTOS, THREE),
    "regression": (stack, X, X[:, 0]),
    "graph": (graph, {"left": X, "right": X[:, :2]}, {"class": Y, "size": X[:, 0]}),
}


@every("name", CASES)
def test_it_is_the_step_that_train_takes(name: str) -> None:
    make, inputs, targets = CASES[name]
    traced, trained = make(), make()
    step = pl.trace(traced, (inputs, targets), learning_rate=0.3, dtype="float64", update=True)
    start = make()
    start.initialize(map_arrays(lambda array: array.shape[1:], inputs), seed=1, dtype="float64")
    how: dict[str, Any] = {"learning_rate": 0.3, "dtype": "float64", "form": "direct", "kernels": "numpy"}
    how |= {"n_epochs": 1, "batch_size": 0, "n_threads": 1, "optimizer": "sgd"}
    history = pl.train(trained, (inputs, targets), **how)
    assert step.loss == history["loss"][0]
    assert np.array_equal(traced.theta, trained.theta)
    for own, real in zip(traced._leaves(), trained._leaves(), strict=True):
        for key, value in real.state.items():
            assert np.array_equal(own.state[key], value)
    for layer, arrays in start.params.items():
        for key, before in arrays.items():
            assert np.array_equal(step[layer][key], before)
            assert np.array_equal(step[layer][f"update_{key}"], trained.params[layer][key] - before)
            assert np.array_equal(before - 0.3 * step[layer][f"d{key}"], trained.params[layer][key])


def test_layers_hand_on_what_they_compute() -> None:
    model = stack()
    step = pl.trace(model, (X, Y), dtype="float64")
    first, second, last = step.values()
    assert (first.name, first.kind, list(step)) == ("dense_1", "Dense", ["dense_1", "dense_2", "dense_3"])
    assert np.array_equal(first.Z, X @ first.W + first.b)
    assert np.array_equal(first.A, np.tanh(first.Z))
    assert first.A is not second.X
    assert np.array_equal(first.A, second.X)
    assert np.array_equal(second.dX, first.dA)
    assert np.allclose(first.dZ, first.dA * (1 - first.A**2))
    assert np.array_equal(second.dZ, second.dA * (second.Z > 0))
    assert np.array_equal(second.dW, second.X.T @ second.dZ)
    assert np.array_equal(last.Z, step.Z)
    assert np.array_equal(last.dA, step.dZ)
    assert np.allclose(step.dZ, (step.P[:, 1:] - Y[:, None]) / len(Y))
    assert step.loss == pytest.approx(-np.log(step.P[np.arange(6), Y]).mean())
    assert "dX" not in first.arrays  # the data is not trained


def test_a_shared_layer_has_a_trace_for_each_use() -> None:
    step = pl.trace(shared(), (X, Y), dtype="float64")
    first, again, _ = step.values()
    assert list(step) == ["dense_1", "dense_1 (use 2)", "dense_2"]
    assert "W" not in again.arrays
    assert not np.array_equal(again.dW, first.dW)  # its share, and the whole


def test_the_model_stays_as_it_was() -> None:
    model = photos()
    model.initialize((8, 8, 3))
    kept = model.theta, model.grad, model.layers[3].state["running_mean"]
    before = copy.deepcopy(kept)
    first = pl.trace(model, (PHOTOS, THREE))
    again = pl.trace(model, pl.Dataset(PHOTOS, THREE))
    assert all(map(np.array_equal, kept, before))
    assert model.preprocessing is None
    assert np.array_equal(first["conv2d_1"].dW, again["conv2d_1"].dW)
    assert not any("forward" in vars(layer) for layer in model.layers)
    untouched = stack()
    pl.trace(untouched, (X, Y))
    assert not untouched._is_initialized


def test_frozen_layers_are_passed_through_and_not_moved() -> None:
    model = stack()
    model.initialize((4,), dtype="float64")
    pl.freeze(model, "dense_2")
    step = pl.trace(model, (X, Y))
    assert list(step["dense_2"].arrays) == ["X", "W", "b", "Z", "A"]
    assert np.array_equal(step["dense_3"].X, step["dense_2"].A)
    assert step["dense_3"].update_W.any()


def test_another_optimizer_moves_otherwise() -> None:
    step = pl.trace(stack(), (X, Y), optimizer="adam", learning_rate=0.01, dtype="float64")
    assert np.allclose(np.abs(step["dense_3"].update_W), 0.01, rtol=1e-3)  # Adam's first step has one size
    own = SGD(0.5, weight_decay=1.0)
    decayed = pl.trace(stack(), (X, Y), optimizer=own, dtype="float64")["dense_3"]
    assert np.allclose(decayed.update_W, -0.5 * (decayed.dW + decayed.W))
    assert own.n_steps == 0


def test_the_table_has_every_number_of_small_arrays() -> None:
    model = pl.Sequential([pl.Dense(1)])
    model.initialize((2,), dtype="float64")
    model.params["dense_1"]["W"] = [[0.5], [-0.25]]
    step = pl.trace(model, ([[0.0, 1.0], [1.0, 1.0]], [0, 1]), learning_rate=1.0)
    lines = str(step.table()).splitlines()
    assert lines[0].startswith("One step of SGD(learning_rate=1.0) on 2 samples: loss 0.57")
    assert [line for line in lines if line and " " not in line] == ["forward", "loss", "backward", "update"]
    assert "dense_1  W          (2, 1)  [[0.5] [-0.25]]" in lines
    assert "dense_1  Z          (2, 1)  [[-0.25] [0.25]]" in lines
    assert str(step.table("dense_1")).count("\n") < str(step.table()).count("\n")
    wide = pl.trace(photos(), (PHOTOS, THREE))
    line = next(line for line in str(wide.table()).splitlines() if line.split()[:2] == ["conv2d_1", "X"])
    assert "(6, 8, 8, 3)  min 0, mean 0.5" in line
    assert "norm" in line


def test_a_notebook_shows_the_table_in_little_text() -> None:
    deep = pl.trace(pl.preset("resnet-small"), (PHOTOS, Y))
    assert len(deep._repr_html_()) < 20_000
    assert "more rows: print(trace.table()) shows all" in deep._repr_html_()
    assert len(repr(deep)) < 1000
    assert "<td" in pl.trace(graph(), CASES["graph"][1:])._repr_html_()


@every(
    ("call", "words"),
    [
        (lambda: pl.trace(stack(), (X, Y))["dense1"], "unknown layer 'dense1'. Did you mean 'dense_1'"),
        (lambda: pl.trace(stack(), (X, Y))["dense_1"]["dw"], "unknown array 'dw'"),
        (lambda: pl.trace(stack(), (X, Y), optimizer="lbfgs"), "takes single steps, got LBFGS"),
        (lambda: pl.trace(stack(), (X, Y), optimizer="adm"), "Did you mean 'adam'"),
        (lambda: pl.trace(stack(), (X, Y), optimizer=SGD(), learning_rate=1.0), "give it to SGD"),
        (lambda: pl.trace("mpl", (X, Y)), "Did you mean 'mlp'"),
        (lambda: pl.trace(stack(), (X, Y[:3])), "X has 6 samples and y has 3"),
    ],
)
def test_what_does_not_fit_is_answered(call: Any, words: str) -> None:
    with pytest.raises((OptionError, DataError)) as caught:
        call()
    assert words in str(caught.value)


def test_an_attribute_that_does_not_exist_names_those_that_do() -> None:
    step = pl.trace(stack(), (X, Y))
    assert isinstance(copy.deepcopy(step), Trace)
    with pytest.raises(AttributeError, match=r"dense_1: unknown array 'dw'.*Known: A, W"):
        _ = step["dense_1"].dw
    assert "dW" in dir(step["dense_1"])
    assert step.get("dense_9") is None


def test_dead_units_and_a_backward_pass_of_zeros_are_remarked_on() -> None:
    """Of a healthy network nothing is said; one sample's zeros are no dead units."""
    rows = np.random.default_rng(1).standard_normal((30, 4))
    data = rows, (rows[:, 0] > 0).astype(int)
    model = pl.Sequential(pl.Dense(6, "relu"), pl.Dense(4), pl.Dense(1))
    model.initialize((4,), seed=2)
    assert pl.trace(model, data).remarks() == []
    assert pl.trace(model, (rows[:1], [1])).remarks() == []
    model.params["dense_1"]["b"][:2] = -100
    (dead,) = pl.trace(model, data).remarks()
    assert dead.startswith("dense_1: 2 of 6 units are 0 for every sample (dead)")
    model.params["dense_3"]["W"][...] = 0
    dead, zeros = pl.trace(model, data).remarks()
    assert zeros.startswith("dense_3: it passes back only zeros")
    table = pl.trace(model, data).table()
    assert dead in str(table).splitlines()
    assert zeros in table._repr_html_()
    model.params["dense_3"]["b"][...] = 1e4
    assert pl.trace(model, (rows, np.ones(30, int))).remarks()[-1].startswith("The gradient of the loss is 0")


def test_photos_are_prepared_for_frozen_layers_too() -> None:
    model = pl.Sequential([pl.Flatten(), pl.Dense(4, "relu"), pl.Dense(1)])
    model.initialize((8, 8, 3), dtype="float64")
    pl.freeze(model, "dense_1")
    step = pl.trace(model, (PHOTOS, Y))
    assert np.array_equal(step["flatten_1"].X, PHOTOS / 255)


def test_an_optimizer_with_a_memory_shows_it() -> None:
    model = stack()
    model.initialize((4,), dtype="float64")
    optimizer = pl.optimizers.Adam(learning_rate=0.1)
    first = take_step(model, X, Y[:, None].astype(float), None, optimizer, seed=1)
    assert not first["dense_1"].memory
    state = optimizer.state()
    second = take_step(model, X, Y[:, None].astype(float), None, optimizer, seed=1, step=1, memory=state)
    assert np.allclose(second["dense_1"].memory["first_moment_W"], 0.1 * first["dense_1"].dW)
    assert optimizer.n_steps == 2
    assert "first_moment_W" in str(second.table("dense_1"))
