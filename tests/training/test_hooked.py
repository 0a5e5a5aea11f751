"""Hooks are called in every kind of training, and change nothing but what they say."""

import importlib.util
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import OptionError
from pellucid.nn.freezing import freeze
from pellucid.training.events import StepEnd, TrainStart

KERNELS = ("auto", "plain", "numpy", *(("numba",) if importlib.util.find_spec("numba") else ()))
N_EPOCHS = 3


@cache
def wide() -> tuple[np.ndarray, np.ndarray]:
    """Few rows of many numbers: by default they are trained in the dual form."""
    X = np.random.default_rng(1).standard_normal((30, 500)).astype(np.float32)
    return X, (X[:, 0] > 0).astype(int)


@cache
def photos() -> tuple[np.ndarray, np.ndarray]:
    X = np.random.default_rng(2).random((24, 8, 8, 3), dtype=np.float32)
    return X, np.arange(24) % 2


def stack() -> pl.Model:
    return pl.Sequential(pl.Dense(8, "relu"), pl.Dense(1))


def convolutions() -> pl.Model:
    return pl.Sequential(
        pl.Conv2D(6, use_bias=False), pl.BatchNorm(), pl.Activation("relu"), pl.MaxPool2D(),
        pl.Residual(pl.Conv2D(6, activation="relu")), pl.Conv2D(4, 1), pl.Flatten(), pl.Dense(1),
    )  # fmt: skip


def frozen() -> pl.Model:
    model = convolutions()
    model.initialize((8, 8, 3), seed=1)
    freeze(model, "batchnorm_1")
    return model


KINDS: dict[str, tuple[Callable[[], pl.Model], Any, dict[str, Any]]] = {
    "dual form": (stack, wide, {}),
    "dual form, mini-batches": (stack, wide, {"batch_size": 10, "validation": 0.2}),
    "Dense stack": (stack, wide, {"batch_size": 10, "optimizer": "adam"}),
    "Dense stack on threads": (stack, wide, {"batch_size": 10, "optimizer": "adam", "n_threads": 2}),
    "L-BFGS": (stack, wide, {"optimizer": "lbfgs"}),
    "layers": (convolutions, photos, {"batch_size": 8, "optimizer": "adam"}),
    "layers on threads": (convolutions, photos, {"batch_size": 8, "n_threads": 2}),
    "frozen layers": (frozen, photos, {"batch_size": 8}),
    "augmentation": (convolutions, photos, {"batch_size": 8, "augment": "photo"}),
}
CASES = [(kind, kernels) for kind in KINDS for kernels in KERNELS]


def trained(kind: str, kernels: str, enter: Callable[[Any, pl.Model], Any] | None = None) -> tuple[Any, Any]:
    """Train by a kind, within what ``enter`` enters; return the history and what that gave."""
    make, data, options = KINDS[kind]
    model, (X, y) = make(), data()
    with ExitStack() as entered, np.errstate(all="ignore"):
        given = None if enter is None else enter(entered, model)
        history = pl.train(model, (X, y), **{"n_epochs": N_EPOCHS, "kernels": kernels, "seed": 3, **options})
    return history, given


@every("kind, kernels", CASES)
def test_forward_and_backward_hooks_are_called_at_each_step(kind: str, kernels: str) -> None:
    told: list[str] = []

    def enter(entered: Any, model: pl.Model) -> None:
        def forward(plain: Any, X: Any, training: bool) -> Any:
            told.append("training" if training else "predicting")
            return plain(X, training=training)

        def backward(plain: Any, dY: Any) -> Any:
            told.append("backward")
            return plain(dY)

        entered.enter_context(pl.hook(model.layers[0], forward=forward))
        entered.enter_context(pl.hook(model.layers[-1], backward=backward))

    alone, _ = trained(kind, kernels)
    history, _ = trained(kind, kernels, enter)
    n = history.n_steps
    n_forward = told.count("training" if kind != "frozen layers" else "predicting")
    assert (n_forward, told.count("backward")) == (n, n) if kind != "L-BFGS" else min(n_forward, n) > 0
    assert history.form == "direct"
    np.testing.assert_allclose(history.losses, alone.losses, rtol=2e-3)


@every("kind, kernels", CASES)
def test_a_hook_that_changes_outputs_changes_the_training(kind: str, kernels: str) -> None:
    """Outputs that are always 0 have the loss of guessing, whatever is trained."""

    def enter(entered: Any, model: pl.Model) -> None:
        def nothing(plain: Any, X: Any, training: bool) -> Any:
            return 0 * plain(X, training=training)

        entered.enter_context(pl.hook(model.layers[-1], forward=nothing))

    losses = trained(kind, kernels, enter)[0].losses
    np.testing.assert_allclose(losses, np.log(2), rtol=1e-5)


@every("kind, kernels", CASES)
def test_record_has_seen_the_last_batch(kind: str, kernels: str) -> None:
    _, watch = trained(
        kind, kernels, lambda entered, model: entered.enter_context(pl.record(model.layers[-1]))
    )
    assert watch.input is not None
    assert watch.gradient.shape[1:] == watch.output.shape[1:] == (1,)


@every("kind, kernels", CASES)
def test_a_hook_in_the_middle_of_a_training_is_called_or_refused(kind: str, kernels: str) -> None:
    make, data, options = KINDS[kind]
    model, told, stack = make(), [], ExitStack()

    def forward(plain: Any, X: Any, training: bool) -> Any:
        told.append(training)
        return plain(X, training=training)

    def enter(event: Any) -> None:
        if isinstance(event, StepEnd) and event.step == 0:
            stack.enter_context(pl.hook(model.layers[0], forward=forward))

    how = {"n_epochs": 6, "kernels": kernels, "callbacks": [enter], **options}
    refusal = ""
    try:
        with stack, np.errstate(all="ignore"):
            pl.train(model, data(), **how)
    except OptionError as error:
        refusal = str(error)
    assert ("Enter it before pl.train" in refusal) == (not told)


def test_the_networks_of_a_mean_are_trained_under_their_hooks() -> None:
    branches = [pl.Sequential(pl.Dense(3, "relu"), pl.Dense(1)) for _ in range(2)]
    model = pl.Sequential(pl.Flatten(), pl.Parallel(branches, merge="mean"))
    X, y = wide()
    with pl.record(branches[0].layers[0]) as first, pl.record(branches[1].layers[0]) as second:
        pl.train(model, (X, y), n_epochs=2)
    assert first.gradient is not None
    assert second.gradient is not None
    for layer in (model, model.layers[1]):
        with pl.record(layer), pytest.raises(OptionError, match="Hook a layer of one of them"):
            pl.train(model, (X, y), n_epochs=2)


def test_what_trains_or_traces_a_copy_has_the_hooks_of_the_model() -> None:
    model, (X, y) = stack(), wide()
    model.initialize((500,))
    told: list[bool] = []

    def forward(plain: Any, X: Any, training: bool) -> Any:
        told.append(training)
        return plain(X, training=training)

    with pl.hook(model.layers[0], forward=forward):
        for call in (
            lambda: pl.trace(model, (X, y)),
            lambda: pl.trace(model, (X, y), update=True),
            lambda: pl.find_learning_rate(model, (X, y), n_epochs=2, n_rates=3, progress=False),
        ):
            told.clear()
            call()
            assert any(told)


def test_a_hook_of_another_thread_is_not_called() -> None:
    from concurrent.futures import ThreadPoolExecutor

    model, (X, y) = stack(), wide()
    model.initialize((500,))
    plain = model.predict_proba(X)
    with (
        pl.hook(model.layers[1], forward=lambda inner, A, training: 0 * inner(A, training=training)),
        ThreadPoolExecutor(1) as pool,
    ):
        np.testing.assert_array_equal(pool.submit(model.predict_proba, X).result(), plain)
        assert (model.predict_proba(X) == 0.5).all()
        history = pool.submit(lambda: pl.train(model, (X, y), n_epochs=50)).result()
    assert history.form == "dual"


def test_a_hook_entered_when_the_training_starts_counts() -> None:
    told, stack_of, (X, y) = [], ExitStack(), photos()
    model = convolutions()

    def enter(event: Any) -> None:
        if isinstance(event, TrainStart):
            stack_of.enter_context(pl.record(model.layers[0]))
            told.append(event)

    with stack_of:
        pl.train(model, (X, y), n_epochs=1, batch_size=8, callbacks=[enter], n_threads=1)
    assert told
