"""Predictions on several threads are those of the model as it is now, whatever was done to it in between."""

import copy
import gc
import pickle
import weakref
from collections.abc import Callable

import numpy as np
import pytest
from tests.every import every

from pellucid import dispatch
from pellucid.nn import model as module
from pellucid.nn import replica as replicas
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.hooks import hook
from pellucid.nn.norm import BatchNorm
from pellucid.nn.sequential import Sequential
from pellucid.threads import side_by_side

pytest.importorskip("numba", reason="needs Numba")


@pytest.fixture(autouse=True)
def three_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Split every prediction over three threads, where kernels are used."""
    monkeypatch.setattr(module, "SPLIT_OPERATIONS", 0)
    monkeypatch.setattr(module, "allowed_threads", lambda: 3)


def network() -> Sequential:
    model = Sequential([Conv2D(4, activation="relu"), BatchNorm(), Flatten(), Dense(2)], dtype="float64")
    model.initialize((6, 6, 3), seed=1)
    return model


@pytest.fixture
def X(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((17, 6, 6, 3))


def check(model: Sequential, X: np.ndarray) -> None:
    """Compare with the model alone."""
    with dispatch.use("numba"):
        together = model._raw_outputs(X)
    np.testing.assert_allclose(together, model._raw_outputs(X), rtol=0, atol=1e-12)
    assert len(together) == len(X)


@every("m", [1, 2, 3, 4, 17])
@every("rows", [2, 256])
def test_any_number_of_samples(monkeypatch: pytest.MonkeyPatch, X: np.ndarray, m: int, rows: int) -> None:
    monkeypatch.setattr(module, "PREDICT_ROWS", rows)
    check(network(), X[:m])


CHANGES: dict[str, Callable[[Sequential], object]] = {
    "parameters": lambda model: model.theta.fill(0.1),
    "statistics": lambda model: model.forward(np.ones((3, 6, 6, 3)), training=True),
    "new statistics": lambda model: model.layers[1].state.update(running_mean=np.full(4, 0.3)),
    "other memory": lambda model: model._bind(),
    "a layer": lambda model: exchange(model),
}


def exchange(model: Sequential) -> None:
    other = network()
    other.theta *= 2
    model._keep("layers", (*model.layers[:3], other.layers[3]))
    model._bind()
    model._mark_input_gradient(False)


@every("change", CHANGES)
def test_what_is_changed_afterwards_counts(X: np.ndarray, change: str) -> None:
    model = network()
    check(model, X)
    before = model._raw_outputs(X)
    CHANGES[change](model)
    check(model, X)
    assert (change == "other memory") == np.array_equal(before, model._raw_outputs(X))


def test_a_hook_sees_every_sample(X: np.ndarray) -> None:
    model, seen = network(), []
    check(model, X)
    with (
        dispatch.use("numba"),
        hook(model.layers[1], forward=lambda plain, A, training: seen.append(len(A)) or plain(A)),
    ):
        model._raw_outputs(X)
    assert seen == [17]


def test_replicas_are_kept_for_the_model_alone(X: np.ndarray) -> None:
    model = network()
    check(model, X)
    kept = replicas._KEPT[model].twins
    check(model, X)
    assert replicas._KEPT[model].twins is kept
    assert copy.deepcopy(model) not in replicas._KEPT
    assert all(one.theta is model.theta for one in kept)
    pickled = pickle.dumps(model)
    gone = weakref.ref(model), weakref.ref(kept[0])
    del replicas._KEPT[model]
    assert pickle.dumps(model) == pickled
    del model, kept
    gc.collect()
    assert [one() for one in gone] == [None, None]


def test_numpy_and_jobs_side_by_side_take_one_thread(X: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(module, "SPLIT_OPERATIONS", 0)
    model = network()
    with dispatch.use("numpy"):
        model._raw_outputs(X)
    with dispatch.use("numba"), side_by_side():
        model._raw_outputs(X)
    assert model not in replicas._KEPT
