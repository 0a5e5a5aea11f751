"""The contestants of benchmarks/rivals.py train the same network from the same start to the same weights."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.rivals import CONTESTANTS, DIMS, Task, compare, write_task

import pellucid as pl
from tests.every import every

MODULES = {"pytorch": "torch", "jax": "jax", "scikit-learn": "sklearn", "keras": "keras"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small task, and our dual form's result."""
    folder = tmp_path_factory.mktemp("rivals")
    X = np.random.default_rng(0).integers(0, 256, (20, 108)) / 255.0
    model = pl.preset("mlp")
    model.initialize(X.shape[1:])
    weights = [leaf.params["W"] for leaf in model._leaves() if leaf.params]
    assert tuple(W.shape[1] for W in weights) == DIMS
    write_task(folder / "task.npz", Task(X, np.arange(20) % 2, 50, 0.0075, weights))
    train("dual", folder)
    return folder


def train(name: str, folder: Path) -> None:
    """Let a contestant train, in a process of its own as the benchmark does."""
    command = [sys.executable, "-m", "benchmarks.published", "--child", "rival", name, str(folder), "50", "1"]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(command, input="\n", capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@every("name", sorted(CONTESTANTS))
def test_all_in_float64_reach_the_same_cost_and_weights(name: str, folder: Path) -> None:
    needed = [MODULES.get(name, "numpy"), *(["jax"] if name == "keras" else [])]
    if not all(importlib.util.find_spec(module) for module in needed):
        return  # pip install 'pellucid[bench]' brings them
    train(name, folder)
    cost, difference = compare(folder / f"{name}.npz", folder / "dual.npz")
    ours, _ = compare(folder / "dual.npz", folder / "dual.npz")
    assert cost == pytest.approx(ours, rel=1e-8)  # Keras reports it in float32
    assert difference < 1e-10
