"""The one loop: what it computes, what it tells, what it refuses."""

import ast
import importlib
import inspect
import sys
from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.ops.cases import HAS_NUMBA

from pellucid import Dataset, Dense, Flatten, Sequential, preset, train
from pellucid.errors import DataError, OptionError, ShapeError, TrainingError
from pellucid.textbook import L_layer_model
from pellucid.training.callbacks.base import Callback
from pellucid.training.events import EpochEnd, StepEnd, StepsEnd, TrainEnd, TrainStart
from pellucid.training.optimizers.sgd import SGD

pytestmark = pytest.mark.kernels


@pytest.fixture
def data(rng: np.random.Generator) -> Dataset:
    X = rng.integers(0, 256, (30, 4, 4, 3), dtype=np.uint8)
    return Dataset(X, (X.reshape(30, -1).mean(axis=1) > 127).astype(np.int64), ("dark", "bright"))


@every("form", ["direct", "dual"])
def test_mlp_equals_the_textbook_costs_and_weights(data: Dataset, form: str) -> None:
    model = preset("mlp")
    history = train(model, data, n_epochs=301, form=form)
    X, Y = data.X.reshape(len(data), -1).T / 255.0, data.y[None]
    parameters, costs = L_layer_model(X, Y, [48, 20, 7, 5, 1], num_iterations=301)
    np.testing.assert_allclose(list(history.marks().values()), costs, rtol=1e-12)
    layers = [layer for layer in model.layers if layer.params]
    for number, layer in enumerate(layers, start=1):
        np.testing.assert_allclose(layer.params["W"], parameters[f"W{number}"].T, rtol=0, atol=1e-12)
        np.testing.assert_allclose(layer.params["b"], parameters[f"b{number}"][:, 0], rtol=0, atol=1e-12)


def test_a_callback_hears_everything_in_order(data: Dataset) -> None:
    heard: list[Any] = []
    train(preset("logistic"), data, n_epochs=2, batch_size=20, callbacks=[heard.append])
    kinds = [type(event) for event in heard]
    assert kinds == [TrainStart, StepEnd, StepEnd, EpochEnd, StepEnd, StepEnd, EpochEnd, StepsEnd, TrainEnd]
    assert [event.step for event in heard if isinstance(event, StepEnd)] == [0, 1, 2, 3]


@every("weigh", ["nothing", "samples", "classes", "samples, ordered"])
def test_an_epochs_loss_is_the_mean_by_weights(weigh: str) -> None:
    """As the full batch has it; each batch divides by its own sum of weights, which says nothing of the others'."""
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((23, 4, 4, 3)), rng.integers(0, 2, 23)
    weights = rng.exponential(size=23) ** 3
    given: dict[str, Any] = {"shuffle": "ordered" not in weigh}
    if weigh == "classes":
        given["class_weight"] = {0: 1, 1: 20}
    elif weigh != "nothing":
        given["sample_weight"] = weights
    costs = []
    for batch_size in (0, 4):
        model = Sequential([Flatten(), Dense(1)])
        model.initialize((4, 4, 3), seed=1, dtype="float64")
        still = {"n_epochs": 1, "optimizer": SGD(1e-300), "batch_size": batch_size}
        costs += train(model, Dataset(X, y, ("a", "b")), **still, **given).losses
    np.testing.assert_allclose(costs[1], costs[0], rtol=1e-12)


def test_batches_without_any_weight_do_not_count() -> None:
    X, y = np.arange(6.0)[:, None], np.array([0, 1, 0, 1, 0, 1])
    options: dict[str, Any] = {"n_epochs": 1, "optimizer": SGD(1e-300), "shuffle": False, "batch_size": 2}
    weights = np.array([0.0, 0.0, 1.0, 2.0, 0.0, 0.0])
    whole, middle = (
        train(Sequential([Dense(1)]), (X[rows], y[rows]), **options, sample_weight=weights[rows]).losses
        for rows in (slice(None), slice(2, 4))
    )
    assert whole == middle


def test_every_callback_runs_and_one_true_stops_after_the_step(data: Dataset) -> None:
    heard: list[Any] = []

    def stop(event: Any) -> bool:
        return isinstance(event, StepEnd) and event.step == 3

    history = train(preset("logistic"), data, n_epochs=50, callbacks=[stop, heard.append])
    assert [event.step for event in heard if isinstance(event, StepEnd)] == [0, 1, 2, 3]
    assert len(history.losses) == 4
    assert not history.is_complete
    middle = train(preset("logistic"), data, n_epochs=50, batch_size=10, callbacks=[stop])
    assert len(middle.losses) == 1  # the second epoch was cut short and has no mean


def test_without_shuffling_the_seed_says_nothing_of_the_order(data: Dataset) -> None:
    how: dict[str, Any] = {"batch_size": 7, "shuffle": False}
    first, second = (train(preset("logistic"), data, n_epochs=3, seed=seed, **how).losses for seed in (1, 2))
    assert first == second
    by_hand, optimizer = preset("logistic"), SGD()
    by_hand.initialize((4, 4, 3))
    optimizer.start(by_hand.theta, by_hand._flat_decay_mask())
    for start in range(0, 30, 7):
        by_hand.loss_and_grad(data.X[start : start + 7] / 255.0, data.y[start : start + 7])
        optimizer.step(by_hand.theta, by_hand.grad)
    model = preset("logistic")
    train(model, data, n_epochs=1, **how)
    np.testing.assert_allclose(model.theta, by_hand.theta, rtol=1e-12)


def test_a_validation_set_that_is_refused_changes_nothing(rng: np.random.Generator) -> None:
    X, y, model = rng.random((20, 4, 4, 3)), np.arange(20) % 2, Sequential([Flatten(), Dense(1)])
    with pytest.raises(DataError, match="validation"):
        train(model, (X, y), n_epochs=1, validation=(X * 1e5, y))
    assert not model._is_initialized
    assert model.inputs_seen is None


def test_validation_given_and_held_out(data: Dataset, rng: np.random.Generator) -> None:
    held = Dataset(rng.integers(0, 256, (8, 4, 4, 3), dtype=np.uint8), rng.integers(0, 2, 8), data.classes)
    model = preset("logistic")
    history = train(model, data, n_epochs=5, validation=held)
    assert len(history.validation_losses) == 5
    P = model.predict_proba(held.X)[np.arange(8), held.y]
    assert history.validation_losses[-1] == pytest.approx(-np.log(P).mean(), rel=1e-12)
    share = train(preset("logistic"), data, n_epochs=5, validation=0.2, form="direct")
    assert len(share.validation_losses) == 5


def test_training_goes_on_from_where_it_was(data: Dataset) -> None:
    whole, halves = preset("mlp"), preset("mlp")
    train(whole, data, n_epochs=40)
    train(halves, data, n_epochs=20)
    train(halves, data, n_epochs=20)
    np.testing.assert_allclose(halves.theta, whole.theta, rtol=0, atol=1e-13)


@every("batch_size", [None, 7])
@every("kernels", ["plain", "numpy", "numba"] if HAS_NUMBA else ["plain", "numpy"])
@every("form", ["direct", "dual"])
def test_a_diverging_training_stops_with_a_clear_line_and_keeps_the_model(
    data: Dataset, form: str, kernels: str, batch_size: int | None
) -> None:
    """By the layers, by a compiled stack of Dense layers, and by compiled steps of the dual form."""
    if form == "dual" and kernels == "plain":
        pytest.skip("plain is direct")
    model = Sequential([Flatten(), Dense(4, activation="relu"), Dense(3)])
    options: Any = {"n_epochs": 50, "form": form, "kernels": kernels, "batch_size": batch_size}
    words = r"the loss became (nan|inf) at step \d+ .*It began.*smaller learning rate"
    with pytest.raises(TrainingError, match=words):
        train(model, (data.X, data.y), optimizer=SGD(1e30), **options)
    assert model.theta.size == 48 * 4 + 4 + 4 * 3 + 3


@every("form", ["direct", "dual"])
def test_an_error_in_a_callback_leaves_a_whole_model(data: Dataset, form: str) -> None:
    model = preset("mlp")

    def fail(event: Any) -> None:
        if isinstance(event, StepEnd) and event.step == 5:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        train(model, data, n_epochs=10, form=form, callbacks=[fail])
    assert [type(layer).__name__ for layer in model.layers] == ["Flatten", "Dense", "Dense", "Dense", "Dense"]
    assert model.predict(data.X).shape == (30,)


@every("validation", [None, 0.5])
def test_a_batch_larger_than_the_data_is_the_data(data: Dataset, validation: float | None) -> None:
    known, size = [], 31 if validation is None else 16
    for batch_size in (0, size):
        known.append(preset("logistic"))
        history = train(known[-1], data, n_epochs=3, batch_size=batch_size, validation=validation)
        assert history.n_steps == 3
    np.testing.assert_array_equal(known[0].theta, known[1].theta)


def test_bad_options_and_bad_data(data: Dataset) -> None:
    model = preset("logistic")
    with pytest.raises(OptionError, match="shuffle to be true or false, got 'no'"):
        train(model, data, batch_size=7, shuffle="no")  # type: ignore[arg-type]
    for wrong, words in (
        (data.take(slice(0)), "at least one sample"),
        (Dataset(data.X, data.y[:-1]), "30 samples and y has 29"),
        (Dataset(np.where(data.X > 250, np.nan, data.X), data.y), "NaN or infinite"),
        (Dataset(data.X, np.arange(30) % 3), r"labels 0 and 1, also got \[2\]"),
    ):
        with pytest.raises(DataError, match=words):
            train(model, wrong)
    train(model, data, n_epochs=1)
    with pytest.raises(ShapeError, match=r"expected samples of shape \(4, 4, 3\)"):
        train(model, Dataset(data.X[:, :3], data.y))
    model.theta[3] = np.nan
    with pytest.raises(DataError, match="weights hold NaN"):
        train(model, data)


@pytest.mark.parametrize("form", ["dual", "direct"])
def test_a_callback_is_told_when_it_asks_to_be(form: str) -> None:
    """In every executor: steps that are one call end where one wants to be told, or hears of an epoch's end."""

    class At(Callback):
        def __init__(self, *due: int) -> None:
            self.due, self.seen, self.epochs = due, list[int](), list[int]()

        def next_step(self, step: int) -> int:
            return min((n for n in self.due if n > step), default=sys.maxsize)

        def step_end(self, event: StepEnd) -> None:
            self.seen.append(event.step + 1)

    class Epochs(At):
        def epoch_end(self, event: EpochEnd) -> None:
            self.epochs.append(event.epoch)

    wrong, X = [], np.random.default_rng(0).standard_normal((20, 6))
    for kernels in ("plain", "numpy", "numba") if HAS_NUMBA else ("plain", "numpy"):
        if form == "dual" and kernels == "plain":
            continue
        for batch_size in (0, 6):
            losses = []
            for callbacks in ([], [At(3, 7)], [At(3, 7), Epochs(5)], [lambda event: None]):
                model = Sequential([Dense(8, "relu"), Dense(1)])
                options = {"batch_size": batch_size, "form": form, "kernels": kernels, "n_epochs": 9}
                history = train(model, (X, np.arange(20) % 2), callbacks=callbacks, **options)
                losses.append(history.losses)
                for one in callbacks:
                    if isinstance(one, At) and not {*one.due} <= {*one.seen}:
                        wrong.append((kernels, batch_size, one.seen))
                    if isinstance(one, Epochs) and one.epochs != [*range(9)]:
                        wrong.append((kernels, batch_size, one.epochs))
            if any(other != losses[0] for other in losses[1:]):
                wrong.append((kernels, batch_size, losses))
    assert not wrong
    with pytest.raises(OptionError, match="Write next_step"):
        type("Old", (Callback,), {"needs_every_step": False})


def test_there_is_one_loop() -> None:
    source = inspect.getsource(importlib.import_module("pellucid.training.loop"))
    kinds = [type(node) for node in ast.walk(ast.parse(source))]
    assert kinds.count(ast.While) == 1
    assert source.count("isfinite") == 1
    assert source.count("EpochEnd(") == 1
