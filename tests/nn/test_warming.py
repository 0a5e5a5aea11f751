"""Predictions change over to kernels once a process has predicted enough; whatever was chosen stays."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

from pellucid import dispatch
from pellucid.nn import warming
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.sequential import Sequential

pytest.importorskip("numba")


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Sequential:
    monkeypatch.delenv(dispatch.VARIABLE, raising=False)
    monkeypatch.setattr(warming, "WORTH", 1e4)
    monkeypatch.setattr(warming, "allowed_threads", lambda: 2)
    model = Sequential([Conv2D(4, activation="relu"), Flatten(), Dense(3)])
    model.initialize((6, 6, 3), seed=1)
    return model


def test_it_changes_at_a_calls_edge_and_only_where_nothing_was_chosen(
    model: Sequential, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, ways = rng.standard_normal((20, 6, 6, 3)).astype(np.float32), []
    forward = Sequential.forward
    monkeypatch.setattr(
        Sequential,
        "forward",
        lambda self, X, **more: (
            (self is model and ways.append(dispatch.current())) or forward(self, X, **more)
        ),
    )
    first = model._raw_outputs(X)
    assert ways == ["numpy"]
    model._warming._thread.join()  # type: ignore[union-attr]
    assert model._warming.is_ready
    np.testing.assert_allclose(model._raw_outputs(X), first, rtol=0, atol=1e-5)
    for way in ("numpy", "plain"):
        with dispatch.use(way):
            model._raw_outputs(X)
    with dispatch.use_for(1.0):  # small work is free to change
        model._raw_outputs(X)
    monkeypatch.setenv(dispatch.VARIABLE, "numpy")
    model._raw_outputs(X)
    assert ways == ["numpy", "numba", "numpy", "plain", "numba", "numpy"]
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert not copied._warming.is_ready


def test_little_work_compiles_nothing(model: Sequential, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "WORTH", 1e12)
    model._raw_outputs(np.zeros((20, 6, 6, 3), np.float32))
    assert model._warming._thread is None
    assert model._warming.n_operations == 20 * model._n_operations


@pytest.mark.slow
def test_a_process_that_ends_meanwhile_ends_well(tmp_path: object) -> None:
    code = """
import numpy as np, pellucid as pl
from pellucid.nn import warming
warming.WORTH, warming.allowed_threads = 1.0, lambda: 2
model = pl.preset("cnn")
model.initialize((32, 32, 3))
print(model._raw_outputs(np.zeros((1, 32, 32, 3), np.float32)).shape)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "(1, 1)\n", "")
