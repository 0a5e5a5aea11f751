"""Trainings at the same time, in threads and in processes of every kind, give the bits that each gives alone."""

import gc
import importlib.util
import multiprocessing
import os
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.training.callbacks import Checkpoint, StopOnInterrupt
from pellucid.training.optimizers import SGD, Adam

HAS_FORK = "fork" in multiprocessing.get_all_start_methods()


@cache
def photos() -> pl.Dataset:
    rng = np.random.default_rng(5)
    X = rng.integers(0, 256, (60, 12, 12, 3), dtype=np.uint8)
    return pl.Dataset(X, np.arange(60) % 2, ("a", "b"))


def dual() -> dict[str, Any]:
    return {"model": [pl.Flatten(), pl.Dense(7, "relu"), pl.Dense(1)], "optimizer": SGD(0.01), "form": "dual"}


def full_batch() -> dict[str, Any]:
    layers = [pl.Flatten(), pl.Dense(300, "relu"), pl.Dense(1)]
    return {"model": layers, "optimizer": SGD(0.01), "form": "direct"}


def batches() -> dict[str, Any]:
    layers = [pl.Flatten(), pl.Dense(90, activation="relu"), pl.BatchNorm(), pl.Dropout(0.3), pl.Dense(1)]
    return {"model": layers, "optimizer": Adam(0.01), "batch_size": 16, "augment": "photo"}


def split() -> dict[str, Any]:
    layers = [pl.Conv2D(4, 3), pl.BatchNorm(), pl.Flatten(), pl.Dense(1)]
    return {"model": layers, "optimizer": Adam(0.01), "batch_size": 20, "n_threads": 2, "n_epochs": 3}


KINDS: dict[str, Callable[[], dict[str, Any]]] = {f.__name__: f for f in (dual, full_batch, batches, split)}
HAS_NUMBA = importlib.util.find_spec("numba") is not None
JOBS = [(kind, kernels) for kind in KINDS for kernels in (("numpy", "numba") if HAS_NUMBA else ("numpy",))]


def bits(job: tuple[str, str]) -> bytes:
    """Return the trained parameters of a kind of training."""
    kind, kernels = job
    options = {"n_epochs": 12, **KINDS[kind]()}
    model = pl.Sequential(options.pop("model"))
    with np.errstate(all="warn"):
        history = pl.train(model, photos(), **options, kernels=kernels)
    return model.theta.tobytes() + np.array(history.losses).tobytes()


@pytest.fixture(scope="module")
def alone() -> dict[tuple[str, str], bytes]:
    return {job: bits(job) for job in JOBS}


def assert_equal(jobs: Any, found: list[bytes], alone: dict[tuple[str, str], bytes]) -> None:
    wrong = {job for job, one in zip(jobs, found, strict=True) if one != alone[job]}
    assert not wrong


@pytest.mark.slow
def test_in_threads_of_one_process(alone: dict[tuple[str, str], bytes]) -> None:
    jobs = JOBS * 3
    with ThreadPoolExecutor(6) as pool:
        assert_equal(jobs, list(pool.map(bits, jobs)), alone)
    assert_equal(JOBS, [bits(job) for job in JOBS], alone)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", *(["fork"] if HAS_FORK else [])])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_in_daemon_processes(alone: dict[tuple[str, str], bytes], method: str) -> None:
    with multiprocessing.get_context(method).Pool(2) as pool:  # of daemons, which may have no children
        assert_equal(JOBS, pool.map(bits, JOBS, chunksize=4), alone)


@pytest.mark.slow
@pytest.mark.skipif(not HAS_FORK, reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_in_a_child_forked_while_others_train(alone: dict[tuple[str, str], bytes]) -> None:
    job = ("batches", "numpy")
    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(bits, other) for other in JOBS]
        children = []
        for _ in range(3):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    code = 0 if bits(job) == alone[job] else 2
                finally:
                    os._exit(code)
            children.append(child)
        codes = [os.waitpid(child, 0)[1] for child in children]
        assert_equal(JOBS, [other.result() for other in others], alone)
    assert codes == [0, 0, 0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "kernels"), [("dual", "numpy"), ("batches", JOBS[-1][1]), ("split", "numpy")]
)
def test_many_trainings_leave_nothing(kind: str, kernels: str, tmp_path: Path) -> None:
    """Neither memory nor threads nor open files, checkpoints included: in a process that does nothing else."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        alone.submit(leave_nothing, kind, kernels, tmp_path).result()


def leave_nothing(kind: str, kernels: str, folder: Path) -> None:
    """Train many times, and compare what is in use."""

    def fit_some(n: int) -> None:
        for _ in range(n):
            callbacks = [Checkpoint(folder, every_steps=1000), StopOnInterrupt()]
            options = {**KINDS[kind](), "n_epochs": 1, "kernels": kernels, "callbacks": callbacks}
            pl.train(pl.Sequential(options.pop("model")), photos(), **options)

    def in_use() -> tuple[int, int, int]:
        gc.collect()
        n_files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
        return tracemalloc.get_traced_memory()[0], threading.active_count(), n_files

    tracemalloc.start()
    try:
        fit_some(20)
        memory, *others = in_use()
        grown = []
        for _ in range(3):
            fit_some(40)
            later, *others_later = in_use()
            grown.append(later - memory)
            memory = later
    finally:
        tracemalloc.stop()
    # A leak shows each time; a module that a thread imports meanwhile, once
    assert min(grown) < 40 * 250, f"bytes that 40 trainings left behind, three times: {grown}"
    assert all(later <= before for later, before in zip(others_later, others, strict=True))
