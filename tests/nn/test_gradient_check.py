"""The gradient check: right networks pass, and whatever is broken is found where it is."""

import json
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import OptionError, ShapeError
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.blocks import Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.gradient_check import check_gradients
from pellucid.nn.graph import Graph
from pellucid.nn.initializers import StartRandom
from pellucid.nn.layer import Layer
from pellucid.nn.norm import BatchNorm, LayerNorm
from pellucid.nn.pooling import AvgPool2D, GlobalAvgPool2D, MaxPool2D, UpSample2D, ZeroPad2D
from pellucid.nn.preset_size import smallest_side
from pellucid.nn.presets import PRESETS, preset
from pellucid.nn.sequential import Sequential
from pellucid.ops.losses.base import LOSSES
from pellucid.types import Array, Shape


class Scale(Layer):
    """Y = X * w, w one number for each entry, with a fault of choice in its backward."""

    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.fault = fault

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        super().build(input_shape, rng)
        self.params = {"w": np.ones(input_shape), "b": np.zeros(input_shape)}

    def forward(self, X: Array, *, training: bool = False) -> Array:
        self.X = X.copy()
        return X * self.params["w"] + self.params["b"]

    def backward(self, dY: Array) -> Array:
        if self.fault != "unwritten":
            self.grads["w"][...] = (dY * self.X).sum(axis=0)
        self.grads["b"][...] = dY.sum(axis=0)
        if self.fault == "factor":
            self.grads["w"] *= 1.00001
        if self.fault == "one entry":
            self.grads["w"][0] *= 1.001
        if self.fault == "mean":
            self.grads["b"] /= len(dY)
        return dY if self.fault == "flow" else dY * self.params["w"]


def wrong(model: Any, shape: Any, **options: Any) -> list[str]:
    return [row.name for row in check_gradients(model, shape, **options).rows if not row.is_ok]


@pytest.mark.slow
@every("name", sorted(PRESETS.keys() - {"pretrained"}))
def test_presets_are_right(name: str) -> None:
    side = max(8, smallest_side(name, 3) or 0)
    result = check_gradients(preset(name), (side, side, 3), n_samples=3)
    assert result.is_ok, result
    assert all(row.error < 1e-6 for row in result.rows)


@every("seed", range(6))
def test_kinks_of_relu_and_max_pool_are_no_faults(seed: int) -> None:
    layers = [Conv2D(8, activation="relu"), MaxPool2D(), Conv2D(8, activation="relu"), MaxPool2D(), Flatten()]
    assert not wrong(Sequential([*layers, Dense(20, activation="relu"), Dense(3)]), (16, 16, 3), seed=seed)


def test_every_layer_is_right() -> None:
    picture = [ZeroPad2D(1), Conv2D(4, stride=2), UpSample2D(2), AvgPool2D(), LayerNorm(), BatchNorm()]
    activations = [
        Activation(name) for name in ("leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "softmax")
    ]
    model = Sequential([*picture, Dropout(0.3), *activations, GlobalAvgPool2D(), Dropout(), Dense(2)])
    assert not wrong(model, (6, 6, 2))


@every("loss", LOSSES)
@every("units", [1, 3])
def test_every_loss(loss: str, units: int) -> None:
    if (loss, units) in (("binary_cross_entropy", 3), ("categorical_cross_entropy", 1)):
        with pytest.raises((ShapeError, OptionError), match=loss):
            check_gradients(Sequential([Dense(units)]), (4,), loss=loss)
        return
    result = check_gradients(Sequential([Dense(5, activation="tanh"), Dense(units)]), (4,), loss=loss)
    assert result.is_ok, result
    assert result.loss == loss


def test_outputs_that_no_loss_takes() -> None:
    pictures = check_gradients(Sequential([Conv2D(2)]), (4, 4, 1))
    assert pictures.is_ok
    assert "random weights" in pictures.loss
    several = Graph(
        ["x", "f"], {"a": (Dense(3), "x"), "b": ("concat", ["a", "f"]), "c": (Dense(2), "b")}, ["a", "c"]
    )
    result = check_gradients(several, {"x": (4,), "f": (2,)})
    assert result.is_ok
    assert [row.name for row in result.rows[:2]] == ["input x", "input f"]


def test_parameters_without_effect_are_right() -> None:
    """The bias before BatchNorm and a head that nobody asks for have gradient 0: rounding must not fail them."""
    assert not wrong(Sequential([Conv2D(3), BatchNorm(), Activation("relu"), Flatten(), Dense(1)]), (5, 5, 2))
    graph = Graph(["x"], {"a": (Dense(3), "x"), "unused": (Dense(2), "a"), "z": (Dense(1), "a")}, "z")
    assert not wrong(graph, (4,))


@every("seed", range(3))
@every(
    ("fault", "found"),
    [
        ("", []),
        ("factor", ["scale_1.w"]),
        ("one entry", ["scale_1.w"]),
        ("mean", ["scale_1.b"]),
        ("unwritten", ["scale_1.w"]),
        ("flow", ["input", "dense_1.W", "dense_1.b"]),
    ],
)
def test_a_broken_layer_is_found_where_it_is_broken(fault: str, found: list[str], seed: int) -> None:
    model = Sequential([Dense(6, activation="relu"), Scale(fault), Dense(4, activation="relu"), Dense(1)])
    assert wrong(model, (5,), seed=seed) == found
    rows = check_gradients(model, (5,), seed=seed).rows
    assert not any(row.note for row in rows if fault != "unwritten")  # it is sure: no kink was in the way


def test_the_hint_says_where_to_look() -> None:
    def hint(*layers: Layer) -> str:
        return check_gradients(Sequential([Dense(4), *layers, Dense(3), Dense(1)]), (5,)).hint

    assert hint(Scale()) == ""
    assert hint(Scale("factor")) == "Look at what backward writes to grads in scale_1."
    flow = hint(Scale("flow"))
    assert flow == "Every gradient up to dense_1.b is wrong: look at what backward returns in scale_1."
    assert hint(Residual(Scale("factor"))) == "Look at what backward writes to grads in scale_1."


class Forgetful(Layer):
    """Draws from a generator of its own, so that nothing comes out twice."""

    rng = np.random.default_rng(0)

    def forward(self, X: Array, *, training: bool = False) -> Array:
        return X * self.rng.uniform(0.9, 1.1)

    def backward(self, dY: Array) -> Array:
        return dY


def test_what_cannot_be_decided_is_not_called_right() -> None:
    result = check_gradients(Sequential([Dense(3), Forgetful(), Dense(1)]), (4,))
    assert not any(row.is_ok for row in result.rows)
    assert {row.note for row in result.rows} == {"no step without a kink was found"}
    assert "set_step_rng" in result.hint


def test_a_loss_that_is_not_finite_is_not_right() -> None:
    class Explodes(Layer):
        def forward(self, X: Array, *, training: bool = False) -> Array:
            return np.exp(X * 1e5)

        def backward(self, dY: Array) -> Array:
            return dY

    result = check_gradients(Sequential([Dense(3), Explodes(), Dense(1)]), (4,), loss="mean_squared_error")
    assert not result.is_ok
    json.dumps(result.to_dict(), allow_nan=False)


def test_the_model_is_left_alone_and_the_answer_is_the_same_again() -> None:
    model = Sequential([Dense(4), BatchNorm(), Dropout(), Dense(1)])
    model.initialize((3,), seed=5)
    before, dtype = model.theta.copy(), model.dtype
    first, again = check_gradients(model), check_gradients(model)
    assert first == again
    assert first != check_gradients(model, seed=2)
    assert np.array_equal(model.theta, before)
    assert model.dtype == dtype
    assert not model.layers[1].state["running_mean"].any()


def test_bad_use() -> None:
    with pytest.raises(OptionError, match="n_samples"):
        check_gradients(Sequential([Dense(1)]), (3,), n_samples=0)
    with pytest.raises(OptionError, match="the shape of the input is not known"):
        check_gradients(Sequential([Dense(1)]))
    with pytest.raises(OptionError, match="Did you mean 'huber'"):
        check_gradients(Sequential([Dense(1)]), (3,), loss="hubert")


def test_to_dict_is_json() -> None:
    result = check_gradients(Sequential([Scale("unwritten"), Dense(1)]), (3,))
    as_read = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert as_read["is_ok"] is False
    assert as_read["rows"][1]["error"] is None
    assert as_read["rows"][1]["note"] == "never written, or not finite"


def test_a_check_shows_itself_in_a_notebook() -> None:
    found = check_gradients(Sequential([Dense(1)]), (3,))
    assert repr(found) == "GradientCheck(3 gradients of binary_cross_entropy: none wrong)"
    assert "Every gradient is right." in str(found)
    assert "<td>dense_1.W</td>" in found._repr_html_()
