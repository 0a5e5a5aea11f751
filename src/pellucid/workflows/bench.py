"""Use case: the tutorial's training against the textbook loop and whichever other library is installed."""

import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.dataset import Split
from pellucid.errors import DataError, PellucidError
from pellucid.nn.presets import preset
from pellucid.progress import ProgressCallback, no_progress
from pellucid.textbook.published import LEARNING_RATE, N_ITERATIONS
from pellucid.types import Array
from pellucid.workflows.about import blas_kernel
from pellucid.workflows.bench_worker import CONTESTANTS, DIMS, Task, write_task

_MODULES = {"pytorch": "torch", "jax": "jax", "scikit-learn": "sklearn", "keras": "keras"}


@dataclass(frozen=True)
class BenchRow:
    """One contestant's result."""

    name: str
    version: str
    seconds: float  # the median of its runs
    fastest: float
    slowest: float
    ratio: float  # its seconds over those of our dual form
    final_cost: float
    weight_difference: float  # the largest absolute one to our dual form's weights, over all layers


@dataclass(frozen=True)
class Benchmark:
    """The results of all contestants, and the machine that they were measured on."""

    machine: str
    python: str
    numpy: str
    blas: str
    threads: int
    n_steps: int
    n_repeats: int
    data: str
    rows: tuple[BenchRow, ...]
    absent: tuple[str, ...]
    failed: tuple[str, ...] = ()  # rivals that are installed and do not run here, each with a reason

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold them."""
        return asdict(self)


def contestants() -> tuple[list[str], list[str]]:
    """Return the names of those that can run here, ours first, and of those that are not installed."""
    absent = [name for name, module in _MODULES.items() if importlib.util.find_spec(module) is None]
    return [name for name in ("dual", "direct", "textbook", *_MODULES) if name not in absent], absent


def bench(
    split: Split,
    *,
    n_steps: int = N_ITERATIONS,
    n_repeats: int = 3,
    progress: ProgressCallback = no_progress,
) -> Benchmark:
    """Train the tutorial's network by every contestant, in turn and several times, each in a process of its own.

    Parameters
    ----------
    split : Split
        Two classes; its training part is used.
    n_steps : int, optional
    n_repeats : int, optional
        How often each is timed. All take turns, so that what else the machine does meets all alike.
    progress : callable, optional
        Called before each contestant starts, with its name, how many are done and how many there are.

    Raises
    ------
    DataError
        If the data has other than two classes.
    PellucidError
        If a contestant of ours fails; a rival that does is noted.
    """
    if len(split.classes) != 2:
        raise DataError(f"bench: expected data of two classes, got {len(split.classes)}.")
    m = len(split.train)
    X = split.train.X.reshape(m, -1) / (255.0 if split.train.X.dtype == np.uint8 else 1.0)
    model = preset("mlp")
    model.initialize(X.shape[1:])
    weights = [leaf.params["W"] for leaf in model.leaves() if leaf.params]
    assert tuple(W.shape[1] for W in weights) == DIMS
    present, absent = contestants()
    runs: dict[str, list[dict[str, Array]]] = {name: [] for name in present}
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        task = Path(folder) / "task.npz"
        write_task(str(task), Task(X, split.train.y, n_steps, LEARNING_RATE, weights))
        turns = [name for _ in range(n_repeats) for name in present]
        for i, name in enumerate(turns):
            progress(f"running {name}", i, len(turns))
            if name in failed:
                continue
            try:
                runs[name].append(_run(name, task))
            except PellucidError as error:
                if name not in _MODULES:
                    raise
                failed[name] = str(error).removeprefix("bench: ")
    blas, threads = blas_kernel()
    return Benchmark(
        machine=f"{platform.processor() or platform.machine()}, {platform.system()}",
        python=platform.python_version(),
        numpy=np.__version__,
        blas=blas,
        threads=threads,
        n_steps=n_steps,
        n_repeats=n_repeats,
        data=f"{split.name}, {m} x {X.shape[1]}, float64",
        rows=tuple(_row(name, its, runs["dual"]) for name, its in runs.items() if name not in failed),
        absent=tuple(absent),
        failed=tuple(failed.values()),
    )


def _run(name: str, task: Path) -> dict[str, Array]:
    result = task.with_name(f"{name}.npz")
    assert name in CONTESTANTS
    command = [sys.executable, "-m", "pellucid.workflows.bench_worker", name, str(task), str(result)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    if done.returncode or not result.is_file():
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise PellucidError(f"bench: {name} failed: {lines[-1]}")
    with np.load(result) as file:
        return dict(file)


def _environment() -> dict[str, str]:
    """Return ours, with a backend for Keras that is installed, where none is chosen."""
    usable = [name for name in ("tensorflow", "jax", "torch") if importlib.util.find_spec(name) is not None]
    return {**({"KERAS_BACKEND": usable[0]} if usable else {}), **os.environ}


def _row(name: str, runs: list[dict[str, Array]], ours: list[dict[str, Array]]) -> BenchRow:
    last, times = runs[-1], _times(runs)
    difference = max(float(np.abs(last[f"W{i}"] - ours[-1][f"W{i}"]).max()) for i in range(len(DIMS)))
    seconds = statistics.median(times)
    return BenchRow(
        name,
        str(last["version"]),
        seconds,
        min(times),
        max(times),
        ratio=seconds / statistics.median(_times(ours)),
        final_cost=float(last["final_cost"]),
        weight_difference=difference,
    )


def _times(runs: list[dict[str, Array]]) -> list[float]:
    return [float(run["seconds"]) for run in runs]
