"""The record of a step: its numbers are those of the trace, and what the page computes of others is the same."""

import json
import math
import re
from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.formats.networks import Reversed
from tests.training.test_trace import CASES, PHOTOS, THREE, X, Y, photos, shared, stack

import pellucid as pl
from pellucid.data.readers.table import split_table
from pellucid.data.readers.table_text import table_of
from pellucid.replaying.record import Replay, replay_of
from pellucid.training.optimizers.adam import Adam
from pellucid.training.trace import take_step, trace_prediction

KINDS = {"f4": "<f4", "f8": "<f8", "u1": "u1", "i4": "<i4"}


class Numbers:
    """The arrays of a replay, read as the page reads them."""

    def __init__(self, replay: Replay) -> None:
        self.header, self.content = replay.header, replay.content
        json.dumps(self.header, allow_nan=False)

    def stored(self, i: int) -> Any:
        start, kind, shape = self.header["arrays"][i]
        n = math.prod(shape)
        return np.frombuffer(self.content, KINDS[kind], n, start).reshape(shape)

    def of(self, step: int, name: str) -> Any:
        given = self.header["steps"][step]["arrays"][name]
        if isinstance(given, list):
            return [self.stored(i) for i in given]
        if isinstance(given, int):
            return self.stored(given)
        if "product" in given:
            X, dZ = (self.of(step, part).astype(np.float64) for part in given["product"])
            return X.T @ dZ
        return given["by"] * self.of(step, given["scaled"]).astype(np.float64)

    def names(self) -> list[str]:
        return [step["name"] for step in self.header["steps"]]


@every("name", CASES)
def test_every_number_of_the_trace_is_in_the_page(name: str) -> None:
    make, inputs, targets = CASES[name]
    step = pl.trace(make(), (inputs, targets), dtype="float64", learning_rate=0.3)
    numbers = Numbers(replay_of(step))
    names = numbers.names()
    for layer, record in step.items():
        for key, array in record.arrays.items():
            found = numbers.of(names.index(layer), key)
            assert np.allclose(found, array, rtol=1e-12, atol=1e-15), (layer, key)
    loss = numbers.header["loss"]
    assert (loss["value"], loss["after"]) == (step.loss, step.loss_after)
    for key in ("Z", "P", "Y", "dZ"):
        given = getattr(step, key)
        for part, array in given.items() if isinstance(given, dict) else [("", given)]:
            place = loss["arrays"][key]
            assert (place is None) == (array is None)
            if array is None:
                continue
            stored = numbers.stored(place[part] if part else place)
            if key == "Y" and stored.ndim > array.ndim:  # a class: a row with a single 1
                assert np.array_equal(stored.sum(axis=1), np.ones(len(array)))
                stored = stored.argmax(axis=1)
            assert np.array_equal(stored, array)
    assert numbers.header["samples"][0]["name"] in ("sample 1", "photo 1")


@every("name", CASES)
def test_gradients_flow_through_joins(name: str) -> None:
    make, inputs, targets = CASES[name]
    numbers = Numbers(replay_of(pl.trace(make(), (inputs, targets), dtype="float64")))
    network, loss = numbers.header["network"], numbers.header["loss"]["arrays"]["dZ"]
    flows: dict[str, Any] = {}
    for i, step in enumerate(network["steps"]):
        arrays = numbers.header["steps"][i]["arrays"]
        parts = numbers.of(i, "dX") if arrays.get("dX") is not None else []
        for source, part in zip(step["from"], parts if isinstance(parts, list) else [parts], strict=False):
            flows[source] = flows.get(source, 0) + part
    for output, value in network["outputs"].items():
        flows[value] = flows.get(value, 0) + numbers.stored(loss[output] if output else loss)
    for i, step in enumerate(network["steps"]):
        assert np.allclose(numbers.of(i, "dA"), flows[step["to"]], rtol=1e-12), step
        value = numbers.of(i, "A")
        for j, user in enumerate(network["steps"]):
            for k, source in enumerate(user["from"]):
                if source == step["to"]:
                    taken = numbers.of(j, "X")
                    assert np.array_equal(taken[k] if isinstance(taken, list) else taken, value)


def test_the_loss_after_the_step_is_that_of_the_new_parameters() -> None:
    model = photos()
    model.initialize((8, 8, 3), dtype="float64")
    step = pl.trace(model, (PHOTOS, THREE), learning_rate=0.1)
    assert step.loss_after < step.loss
    again = pl.trace(model, (PHOTOS, THREE), learning_rate=0.1, update=True)
    assert (again.loss, again.loss_after) == (step.loss, step.loss_after)
    assert pl.trace(model, (PHOTOS, THREE)).loss == again.loss_after  # same mask, the batch's statistics


def test_tied_layers_have_their_own_shares_and_the_sum() -> None:
    numbers = Numbers(replay_of(pl.trace(shared(), (X, Y), dtype="float64")))
    first, use = (numbers.names().index(name) for name in ("dense_1", "dense_1 (use 2)"))
    assert numbers.header["steps"][use]["use_of"] == "dense_1"
    assert numbers.header["steps"][first]["use_of"] is None
    assert np.array_equal(numbers.of(use, "W"), numbers.of(first, "W"))
    assert np.allclose(numbers.of(first, "own_dW") + numbers.of(use, "dW"), numbers.of(first, "dW"))
    places = [numbers.header["arrays"][numbers.header["steps"][i]["arrays"]["W"]][0] for i in (first, use)]
    assert places[0] == places[1]  # stored once


def test_masks_and_statistics_are_those_of_the_step() -> None:
    step = pl.trace(photos(), (PHOTOS, THREE), dtype="float64")
    norm, drop = step["batchnorm_1"], step["dropout_1"]
    assert np.allclose(norm.mean, norm.X.mean(axis=(0, 1, 2)))
    assert np.allclose(norm.var, norm.X.var(axis=(0, 1, 2)))
    assert np.array_equal(norm.running_mean, np.zeros(4))  # before the step
    assert np.array_equal(drop.A, drop.X * drop.mask)
    assert 0 < (drop.mask == 0).mean() < 1
    rows = pl.trace(pl.Sequential([pl.Dense(4), pl.LayerNorm(), pl.Dense(1)]), (X, Y), dtype="float64")
    assert rows["layernorm_1"].mean.shape == (6,)
    assert np.allclose(rows["layernorm_1"].var, rows["layernorm_1"].X.var(axis=1))


def test_a_prediction_is_a_forward_pass_as_in_inference() -> None:
    model = photos()
    pl.trace(model, (PHOTOS, THREE), update=True)
    model.classes = ("cat", "dog", "owl")
    prepared = (PHOTOS / 255).astype(np.float32)
    trace = trace_prediction(model, prepared)
    assert np.array_equal(trace.Z, model(prepared))
    assert "mask" not in trace["dropout_1"].arrays
    assert "mean" not in trace["batchnorm_1"].arrays
    assert np.array_equal(trace["batchnorm_1"].running_var, model.layers[3].state["running_var"])
    header = Numbers(replay_of(trace)).header
    assert (header["kind"], header["optimizer"], header["loss"]["value"]) == ("prediction", None, None)
    assert not any(name.startswith("d") for step in header["steps"] for name in step["arrays"])
    verdicts = [sample["verdict"].split()[0] for sample in header["samples"]]
    assert verdicts == [model.classes[i] for i in model.predict(PHOTOS)]
    assert {sample["is_right"] for sample in header["samples"]} == {None}
    assert "Prediction of 6 samples" in repr(trace)
    assert "forward" in str(trace.table())


def test_samples_have_pictures_labels_losses_and_verdicts_also_in_prediction() -> None:
    model = photos()
    model.classes = ("cat", "dog", "owl")
    pl.trace(model, (PHOTOS, THREE), update=True)
    data = pl.Dataset(PHOTOS, THREE, model.classes)
    numbers = Numbers(replay_of(pl.trace(model, data, seed=3), names=list("abcdef")))
    samples = numbers.header["samples"]
    prepared = (PHOTOS / 255).astype(np.float32)
    predicted = replay_of(trace_prediction(model, prepared)).header["samples"]
    assert [one["in_prediction"] for one in samples] == [one["verdict"] for one in predicted]
    for i, one in enumerate(samples):
        assert np.array_equal(numbers.stored(one["picture"]), PHOTOS[i])
        assert (one["name"], one["label"]) == ("abcdef"[i], model.classes[THREE[i]])
        assert one["is_right"] == (one["verdict"].split()[0] == one["label"])
        assert one["verdict"].endswith(f" in this step, {one['in_prediction']} in prediction")
    losses = [one["loss"] for one in samples]
    assert np.mean(losses) == pytest.approx(numbers.header["loss"]["value"], rel=1e-6)
    assert np.std(losses) > 0
    plain = replay_of(pl.trace(stack(), (X, Y))).header["samples"]
    assert {one["in_prediction"] for one in plain} == {None}


def test_of_a_tie_the_verdict_is_the_class_that_predict_names() -> None:
    for n, targets, loss in [
        (3, THREE, None),
        (2, Y, None),
        (1, Y, None),
        (1, Y, "hinge"),
        (3, THREE, "hinge"),
    ]:
        model = pl.Sequential([pl.Dense(n)])
        model.initialize((4,))
        model.theta[...] = 0
        trace = pl.trace(model, (X, targets), loss=loss)
        for sample, y in zip(replay_of(trace).header["samples"], targets, strict=True):
            assert re.match(r"0 \((50.0 %, |33.3 %, )?equal to 1(, 2)?\)", sample["verdict"])
            assert sample["is_right"] == (y == 0)
        if loss is None:
            assert {one.label for one in pl.predict(model, X, progress=False)} == {"0"}


def test_a_verdict_on_each_kind_of_output() -> None:
    labels = np.array([[0, 1], [1, 1], [0, 0], [1, 0], [0, 1], [1, 1]])
    for n, targets, loss, kind in (
        (1, Y, None, "probabilities"),
        (3, THREE, None, "probabilities"),
        (2, labels, None, "answers"),
        (2, X[:, :2], None, "values"),
        (1, Y, "hinge", "scores"),
    ):
        header = replay_of(pl.trace(pl.Sequential([pl.Dense(n)]), (X, targets), loss=loss)).header
        assert header["reads"][""]["kind"] == kind
        for sample in header["samples"]:
            assert sample["verdict"]
            assert sample["label"]
            assert (sample["is_right"] is None) == (kind == "values")


def test_a_row_of_a_table_has_its_columns() -> None:
    rows = [{"kg": i % 9, "coat": "ab"[i % 2], "pet": "dog" if i % 9 > 4 else "cat"} for i in range(90)]
    pets = split_table(table_of(rows), target="pet", name="pets", seed=1, test_fraction=0.5)
    model = pl.train("linear", pets, n_epochs=2, progress=False).model
    header = replay_of(pl.trace(model, pets.test.take(slice(0, 3)))).header
    assert [name for name, _ in header["samples"][0]["columns"]] == ["kg", "coat"]
    assert header["samples"][0]["columns"][1][1] in ("a", "b")


def test_a_layer_of_ones_own_shows_its_values_alone() -> None:
    replay = replay_of(pl.trace(pl.Sequential([pl.Dense(3), Reversed(), pl.Dense(1)]), (X, Y)))
    numbers = Numbers(replay)
    assert numbers.header["network"]["steps"][1]["do"] is None
    assert np.array_equal(numbers.of(1, "A"), numbers.of(1, "X")[:, ::-1])
    assert 1 in {one["step"] for one in numbers.header["remarks"] if "layer of your own" in one["text"]}


def test_a_frozen_layer_is_marked_and_has_no_gradients() -> None:
    model = stack()
    model.initialize((4,))
    pl.freeze(model, "dense_2")
    header = replay_of(pl.trace(model, (X, Y))).header
    assert [step["is_frozen"] for step in header["steps"]] == [True, True, False]
    assert not any(name.startswith(("d", "update")) for name in header["steps"][0]["arrays"])


@every(
    "options",
    [
        {"type": "sgd", "momentum": 0.9, "nesterov": True},
        {"type": "sgd", "weight_decay": 0.1},
        {"type": "sgd", "clip_norm": 0.01},
        {"type": "adam"},
        {"type": "sgd"},
    ],
)
def test_updates_are_stored_unless_they_are_gradients_times_the_rate(options: dict[str, Any]) -> None:
    step = pl.trace(stack(), (X, Y), optimizer=options, dtype="float64")
    numbers = Numbers(replay_of(step))
    given = numbers.header["steps"][0]["arrays"]["update_W"]
    assert isinstance(given, dict) == (options == {"type": "sgd"})
    assert np.allclose(numbers.of(0, "update_W"), step["dense_1"].update_W, atol=1e-15)
    assert numbers.header["optimizer"]["numbers"]["n_steps"] == 1
    assert numbers.header["steps"][0]["decays"] == (["W"] if "weight_decay" in options else [])


def test_float64_models_keep_their_digits() -> None:
    for dtype, kind in (("float32", "f4"), ("float64", "f8")):
        header = replay_of(pl.trace(stack(), (X, Y), dtype=dtype)).header
        kinds = {header["arrays"][i][1] for i in header["steps"][0]["arrays"].values() if isinstance(i, int)}
        assert kinds == {kind}


def test_a_large_page_leaves_out_samples_first_then_the_largest_arrays() -> None:
    inputs = np.random.default_rng(0).random((40, 2000), np.float32)
    step = pl.trace(pl.Sequential([pl.Dense(30, "relu"), pl.Dense(1)]), (inputs, np.arange(40) % 2))
    whole = Numbers(replay_of(step))
    assert whole.header["batch"] == {"m": 40, "shown": 40}
    assert whole.header["left_out"] == []
    some = Numbers(replay_of(step, most_mb=1.0))
    shown = some.header["batch"]["shown"]
    assert 1 <= shown < 40
    assert len(some.of(0, "X")) == shown == len(some.header["samples"])
    assert np.array_equal(some.of(0, "dW"), step["dense_1"].dW)  # over the whole batch, so that it is stored
    assert "--most-mb" in some.header["left_out"][0]
    wanted = int(re.findall(r"parameter needs: --most-mb (\d+)\.", some.header["left_out"][0])[0])
    assert replay_of(step, most_mb=wanted).header["left_out"] == []
    few = Numbers(replay_of(step, most_mb=0.5))
    assert len(few.content) * 4 / 3 < 0.5e6
    assert few.header["steps"][0]["arrays"]["W"] is None
    (said,) = (text for text in few.header["left_out"] if "too large for the page: " in text)
    assert "W of dense_1" in said
    wanted = int(re.findall(r"--most-mb (\d+)", said)[0])
    assert not any("too large" in text for text in replay_of(step, most_mb=wanted).header["left_out"])
    three = replay_of(step, samples=3).header
    assert three["batch"]["shown"] == 3
    assert "needs: --samples 40." in three["left_out"][0]
    assert len(replay_of(step, most_mb=0.05).header["left_out"]) == 2  # of samples, and of arrays


def test_arrays_that_begin_and_end_alike_count_each() -> None:
    inputs = np.zeros((1, 4000), np.float32)
    inputs[:, 1000:3000] = 1  # and so is a gradient 0 at both ends
    model = pl.Sequential([pl.Dense(50), pl.Dense(1)])
    first = pl.trace(model, (inputs, [1]), optimizer="adam", update=True)
    memory = first.optimizer.state()
    second = take_step(model, first.X, first.Y, None, Adam(), seed=1, step=1, memory=memory)
    for most_mb in (2.0, 4.0):
        assert len(replay_of(second, most_mb=most_mb).content) * 4 / 3 < most_mb * 1e6


def test_a_network_of_a_thousand_layers_has_a_page() -> None:
    model = pl.Sequential([pl.Dense(4, "tanh") for _ in range(1000)] + [pl.Dense(1)])
    header = Numbers(replay_of(pl.trace(model, (X, Y)))).header
    assert len(header["steps"]) == 1001
    assert any("vanishes" in each["text"] or "explodes" in each["text"] for each in header["remarks"])


def remarks(model: pl.Model, inputs: Any = X, targets: Any = Y, **options: Any) -> Any:
    return replay_of(pl.trace(model, (inputs, targets), **options)).header["remarks"]


def test_what_is_odd_is_said_where_it_stands() -> None:
    model = stack()
    assert remarks(model) == []
    model.initialize((4,))
    model.layers[1].params["b"][...] = -100
    (dead, *_) = remarks(model)
    assert (dead["step"], dead["part"]) == (1, "forward")
    assert "3 of 3 units are 0 for each of these 6 samples" in dead["text"]
    assert "0 for this sample" in remarks(model, X[:1], Y[:1])[0]["text"]
    many = np.tile(X, (10, 1)), np.tile(Y, 10)
    assert "0 for every sample (dead)" in remarks(model, *many)[0]["text"]
    model.initialize((4,))
    model.layers[0].params["W"] *= 1000
    assert any(each["step"] == 0 and "saturated" in each["text"] for each in remarks(model))
    model.initialize((4,))
    model.layers[0].params["W"][1, 2] = np.nan
    (broken,) = remarks(model)
    assert (broken["step"], broken["part"]) == (0, "forward")
    assert re.search(r"W .*\[1, 2\]", broken["text"])
    assert "diverged" not in broken["text"]
    assert any("too long" in each["text"] for each in remarks(stack(), learning_rate=1000.0))


def test_overflow_names_the_operation_that_made_it() -> None:
    model = stack()
    model.initialize((4,))
    model.layers[1].params["W"][...] = 3e38
    (broken,) = remarks(model)
    assert broken["step"] == 1
    assert re.search(r"Z .*began here", broken["text"])
    header = replay_of(pl.trace(model, (X, Y))).header
    assert header["loss"]["value"] in ("NaN", "Infinity")
    assert any("not finite" in sample["verdict"] for sample in header["samples"])


def test_batch_norm_of_one_value_is_said_and_a_frozen_one_is_not() -> None:
    model = pl.Sequential([pl.Dense(4), pl.BatchNorm(), pl.Dense(1)])
    for n, words in ((1, "no variance"), (2, "two values a channel")):
        (said,) = remarks(model, X[:n], Y[:n])
        assert (said["step"], words in said["text"]) == (1, True)
    assert not remarks(model)
    body = pl.Sequential([pl.Dense(4), pl.BatchNorm(), pl.Dense(1)])
    body.initialize((4,), dtype="float64")
    pl.freeze(body, "batchnorm_1")
    assert not remarks(body, X[:1], Y[:1])
