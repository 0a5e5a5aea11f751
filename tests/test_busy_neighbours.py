"""Predictions and a training have the same numbers beside processes that never rest as on a quiet machine."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
import pytest

import pellucid as pl
from pellucid import dispatch
from pellucid.nn.model import Model
from pellucid.training.history import History
from pellucid.types import Array
from tests.every import every

KERNELS = ("plain", "numpy", "numba")


@contextmanager
def busy_processes(n: int = 2) -> Iterator[None]:
    """Let processes that never rest run beside the block."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@cache
def photos() -> tuple[Array, Array]:
    """Return drawn photos of 32x32 and their labels."""
    data = pl.load_data("drawn-cats").train
    return data.X[:96, ::2, ::2], data.y[:96]


def trained(kernels: str) -> tuple[Model, History]:
    """Return `cnn` after three epochs, and its history."""
    history = pl.train("cnn", photos(), n_epochs=3, batch_size=32, seed=3, kernels=kernels)
    return history.model, history


@every("kernels", KERNELS)
def test_predictions_are_the_same_beside_busy_processes(kernels: str) -> None:
    if kernels == "numba":
        pytest.importorskip("numba")
    X, _ = photos()
    model, _ = trained("numpy")
    with dispatch.use(kernels):
        one, all_at_once = [model.predict_proba(x[None])[0] for x in X], model.predict_proba(X)
        with busy_processes():
            for _ in range(5):
                assert np.array_equal([model.predict_proba(x[None])[0] for x in X], one)
                assert np.array_equal(model.predict_proba(X), all_at_once)


@every("kernels", KERNELS)
def test_a_training_is_the_same_beside_busy_processes(kernels: str) -> None:
    if kernels == "numba":
        pytest.importorskip("numba")
    model, history = trained(kernels)
    with busy_processes():
        beside, history_beside = trained(kernels)
    assert history_beside["loss"] == history["loss"]
    assert [
        name for name in model.params if not np.array_equal(beside.params[name], model.params[name])
    ] == []
