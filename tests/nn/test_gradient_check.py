"""The gradient check: right networks pass, and whatever is broken is found where it is."""

import json
import re
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.every import every
from tests.nn.examples import EXAMPLES

from pellucid.errors import OptionError, ShapeError
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.blocks import Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.gradient_check import GradientCheck, check_gradients
from pellucid.nn.graph import Graph
from pellucid.nn.initializers import StartRandom
from pellucid.nn.layer import Layer
from pellucid.nn.norm import BatchNorm
from pellucid.nn.preset_size import smallest_side
from pellucid.nn.presets import PRESETS, preset
from pellucid.nn.sequential import Sequential
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.losses.base import LOSSES
from pellucid.ops.losses.regression import MeanSquaredError
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
        if "mean" in self.fault:
            self.grads["b"] /= len(dY)
        return dY if "flow" in self.fault else dY * self.params["w"]


def wrong(model: Any, shape: Any, **options: Any) -> list[str]:
    return [row.name for row in check_gradients(model, shape, **options).rows if not row.is_ok]


def network_rows(result: GradientCheck) -> list[str]:
    return [row.name for row in result.rows if row.stage == "network"]


@pytest.mark.slow
@every("name", sorted(PRESETS.keys() - {"pretrained"}))
def test_presets_are_right(name: str) -> None:
    side = max(8, smallest_side(name, 3) or 0)
    result = check_gradients(preset(name), (side, side, 3), n_samples=3)
    assert result.is_ok, result
    assert all(row.error < 1e-6 for row in result.rows)


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
    assert network_rows(result)[:2] == ["input x", "input f"]


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
        ("flow", ["scale_1 input"]),
        ("mean flow", ["scale_1 input", "scale_1.b"]),
    ],
)
def test_a_broken_layer_is_found_where_it_is_broken(fault: str, found: list[str], seed: int) -> None:
    """Each layer is looked at alone, so that two faults in one blame no other."""
    chain = Sequential([Dense(6, activation="relu"), Scale(fault), Dense(4, activation="relu"), Dense(1)])
    inside = Sequential([Dense(6), Residual(Scale(fault)), Dense(1)])
    graph = Graph(
        ["x", "f"], {"a": (Scale(fault), "x"), "b": ("concat", ["a", "f"]), "z": (Dense(1), "b")}, "z"
    )
    for model, shape in ((chain, (5,)), (inside, (5,)), (graph, {"x": (4,), "f": (2,)})):
        result = check_gradients(model, shape, seed=seed)
        assert [row.name for row in result.rows if row.outcome == "WRONG"] == found
        assert result.is_ok if not found else result.headline.startswith("WRONG: scale_1 (")
        assert not any(row.outcome == "undecided" for row in result.rows)


def test_what_is_wrong_is_said() -> None:
    first, second = check_gradients(Scale("mean flow"), (5,)).notes
    assert first == "scale_1 input: Look at what backward returns."
    assert (
        "0.25 times what it should be: look at what it writes to grads['b']. A mean over the samples"
        in second
    )


class Broken(Scale):
    """Breaks a promise of choice."""

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        if self.fault != "no shapes":
            super().build(input_shape, rng)
        self.calls = 0
        if self.fault == "shapes":
            self.output_shape = (9,)
        if self.fault == "no arrays":
            self.params["b"] = [0.0]  # type: ignore[assignment]
        if self.fault == "build":
            np.ones(3) @ np.ones(4)

    def forward(self, X: Array, *, training: bool = False) -> Any:
        Y = super().forward(X, training=training)
        self.calls += 1
        if self.fault == "in place":
            X *= 2
        return {
            "none": None,
            "dtype": Y.astype("float64"),
            "chance": Y * np.random.default_rng().uniform(),
            "before": Y * self.calls,
            "fixed": Y + np.zeros((4, 1)) if self.fault == "fixed" else Y,
            "axes": Y.T,
            "key": self.params["W" if self.fault == "key" else "w"],
        }.get(self.fault, Y)

    def backward(self, dY: Array) -> Any:
        dX = super().backward(dY)
        if self.fault in ("missing", "wrong key"):
            db = self.grads.pop("b")
            self.grads |= {"bias": db} if self.fault == "wrong key" else {}
        if self.fault == "replaced":
            self.grads["b"] = dY.sum(axis=0)
        if self.fault == "wide":
            self.grads["b"] = dY
        if self.fault == "narrow":
            self.grads["b"][...] = np.ones(3)
        if self.fault == "moves":
            self.params["w"] -= 0.1
        return {"no dX": None, "dX": dX.sum(axis=0), "dX dtype": dX.astype("float32")}.get(self.fault, dX)


@every(
    ("fault", "name", "words"),
    [
        ("no shapes", "build", r"Expected input_shape \(5,\) .* got \(\).* Begin with super\(\)\.build"),
        ("shapes", "forward", r"to return Y of shape \(4, 9\), got \(4, 5\)\. Set self\.output_shape"),
        ("no arrays", "build", r"an array as params\['b'\], got a list"),
        ("build", "build", r"samples of shape \(5,\), expected .*, got ValueError: .*mismatch.* w \(5,\), b"),
        ("in place", "forward", r"changes its input X in place\. Work on a copy"),
        ("none", "forward", r"an array of shape \(4, 5\), got None"),
        ("dtype", "forward", r"Y of dtype float32, as X, got float64\. .*astype"),
        ("chance", "forward", r"same outputs for the same X.* set_step_rng"),
        ("before", "forward", r"same outputs for the same X.* depends on the call before"),
        ("fixed", "forward", r"X of shape \(5, 5\), expected a result, got ValueError"),
        ("axes", "forward", r"Y of shape \(4, 5\), got \(5, 4\)"),
        ("key", "forward", r"got KeyError: 'W'\. Its parameters: w \(5,\), b \(5,\)"),
        (
            "missing",
            "b",
            r"an entry 'b' in grads, of shape \(5,\), got none\. .*self\.grads\['b'\]\[\.{3}\] =",
        ),
        ("wrong key", "bias", r"the keys of params in grads, 'w' and 'b', got 'bias' besides"),
        ("replaced", "b", r"write into grads\['b'\], got another one in its place"),
        ("wide", "b", r"grads\['b'\] of shape \(5,\), as params\['b'\], got \(4, 5\)"),
        ("narrow", "backward", r"dY of shape \(4, 5\), expected a result, got ValueError: could not"),
        ("moves", "w", r"changes params\['w'\]\. Leave parameters to the optimizer"),
        ("no dX", " input", r"dX, an array of shape \(4, 5\), got None\. Return the gradient"),
        ("dX", " input", r"dX of shape \(4, 5\), got \(5,\)"),
        ("dX dtype", " input", r"dX of dtype float64, as X, got float32"),
    ],
)
def test_a_broken_promise_is_a_sentence(fault: str, name: str, words: str) -> None:
    result = check_gradients(Sequential([Dense(5), Broken(fault), Dense(2)]), (3,))
    row = next(row for row in result.rows if not row.is_ok)
    assert row.layer == "broken_1"
    assert row.name == (f"broken_1{name}" if name.startswith(" ") else f"broken_1.{name}")
    assert re.search(words, row.note), row.note


def test_a_layer_that_misleads_the_next_one_is_named() -> None:
    class Flat(Layer):
        """Flattens, and does not say so."""

        def forward(self, X: Array, *, training: bool = False) -> Array:
            self.shape = X.shape
            return X.reshape(len(X), -1)

        def backward(self, dY: Array) -> Array:
            return dY.reshape(self.shape)

    result = check_gradients(Sequential([Flat(), Dense(2)]), (2, 2, 1))
    assert "flat_1.forward: Expected forward to return Y of shape (4, 2, 2, 1), got (4, 4)" in result.notes[0]
    with pytest.raises(ShapeError, match="dense_1"):  # here it is the layer itself that does not fit
        check_gradients(Sequential([Dense(2)]), (2, 2, 1))


def test_a_layer_that_takes_what_is_above_0_alone() -> None:
    class Log(Layer):
        def forward(self, X: Array, *, training: bool = False) -> Array:
            self.X = X
            return np.log(X)

        def backward(self, dY: Array) -> Array:
            return dY / self.X

    assert not wrong(Sequential([Dense(3, activation="sigmoid"), Log(), Dense(1)]), (4,))


def test_a_wrong_loss_blames_no_layer() -> None:
    class Doubled(MeanSquaredError):
        def backward(self, cache: Any, *, dZ: Any = None) -> Array:
            return 2 * super().backward(cache, dZ=dZ)

    class Fails(MeanSquaredError):
        def backward(self, cache: Any, *, dZ: Any = None) -> Array:
            return np.ones(3) @ np.ones(4)

    for loss, words in (
        (Doubled(), "2 times what it should be"),
        (Fails(), "outputs of shape (4, 2).*ValueError"),
    ):
        result = check_gradients(Sequential([Dense(3), Dense(2)]), (4,), loss=loss)
        assert [(row.stage, row.name) for row in result.rows if not row.is_ok] == [
            ("loss", "mean_squared_error")
        ]
        assert re.search(words.replace("(4, 2)", r"\(4, 2\)"), result.notes[0])


def test_the_losses_of_several_outputs() -> None:
    model = Graph(["x"], {"a": (Dense(3), "x"), "b": (Dense(1), "x")}, ["a", "b"])
    model.set_loss({"a": "categorical_cross_entropy", "b": "mean_squared_error"})
    result = check_gradients(model, (4,))
    named = [row.name for row in result.rows if row.stage == "loss"]
    assert (result.is_ok, named) == (True, ["categorical_cross_entropy a", "mean_squared_error b"])


@pytest.mark.parametrize("seeds", [range(4), pytest.param(range(4, 30), marks=pytest.mark.slow)], ids=str)
def test_no_layer_of_the_library_is_accused(seeds: range) -> None:
    """Every registered layer and activation, with kinks and without."""
    cases, accused = [*EXAMPLES, *((Activation(name), (40,)) for name in ACTIVATIONS)], []
    for seed in seeds:
        results = [(layer, check_gradients(layer, shape, seed=seed)) for layer, shape in cases]
        accused += [(layer, seed, str(result)) for layer, result in results if not result.is_ok]
        assert all(result.rows for _, result in results)
    assert not accused


def test_the_hint_says_where_to_look() -> None:
    """What is right alone and wrong together, as a cache that two layers share."""

    class Shares(Scale):
        kept: ClassVar = [np.empty(0)]

        def forward(self, X: Array, *, training: bool = False) -> Array:
            self.kept[0] = X.copy()
            return super().forward(X, training=training)

        def backward(self, dY: Array) -> Array:
            self.X = self.kept[0]
            return super().backward(dY)

    result = check_gradients(Sequential([Dense(4), Shares(), Shares(), Dense(1)]), (5,))
    assert [row.name for row in result.rows if not row.is_ok] == ["shares_1.w"]
    assert result.hint == "Look at what backward writes to grads in shares_1."


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


def test_rows_json_and_what_is_printed() -> None:
    result = check_gradients(Sequential([Scale("unwritten"), Dense(1)]), (3,))
    as_read = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert as_read["is_ok"] is False
    assert as_read["headline"] == "WRONG: scale_1 (scale_1.w)."
    assert as_read["rows"][0] | {"note": ""} == {
        "stage": "layer alone",
        "name": "scale_1.w",
        "layer": "scale_1",
        "shape": [],
        "error": None,
        "step": 0.0,
        "is_ok": False,
        "note": "",
        "outcome": "WRONG",
    }
    assert result.to_rows()[0]["note"].startswith("Expected backward to write all of grads['w']")
    assert max(map(len, str(result).split("\n\n")[1].splitlines())) < 80  # sentences stand below the table
    right = check_gradients(Sequential([Dense(1)]), (3,))
    assert right.headline == "Every gradient is right: 1 layer alone, the network and binary_cross_entropy."
    assert right.headline in repr(right)
    assert "<td>dense_1.W</td>" in right._repr_html_()


def test_rows_as_a_frame() -> None:
    pytest.importorskip("pandas")
    frame = check_gradients(Dense(1), (3,)).to_frame()
    assert list(frame["outcome"]) == ["ok"] * 3
