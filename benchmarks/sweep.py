"""Many trainings in one process, in joblib's processes and on a Dask cluster of this machine, in turn.

    python -m benchmarks.sweep              8 trials on digits, three times each: a minute and a half
    python -m benchmarks.sweep --workers 4

Prints the machine and, of each way, the median of its seconds, with and without the start of its processes, and the
ratio to one process. The scores must be the same; the processor time of all trainings together is printed beside.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from benchmarks.harness import machine

import pellucid as pl

SPACE = {"learning_rate": {"log": [1e-3, 1e-1]}, "batch_size": [16, 32, 64]}


Block = Callable[[], AbstractContextManager[None]]


def timed(block: Block, n_jobs: int, n_trials: int) -> tuple[float, float, list[float | None]]:
    """Return the seconds in all, those once the processes are there, and the scores."""
    started = time.perf_counter()
    with block():
        ready = time.perf_counter()
        found = pl.sweep(data, "mlp-small", SPACE, n_trials=n_trials, n_jobs=n_jobs, n_epochs=30)
        ended = time.perf_counter()
    return time.perf_counter() - started, ended - ready, [trial.score("accuracy") for trial in found.trials]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    print(machine("distributed", "joblib"))
    data = pl.load_data("digits")
    ways: dict[str, tuple[Block, int]] = {
        "one process": (nullcontext, 1),
        f"{asked.workers} processes of joblib": (nullcontext, asked.workers),
        f"{asked.workers} workers of Dask": (lambda: pl.jobs_on(n_workers=asked.workers), 1),
    }
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    scores = []
    for _ in range(asked.repeats):
        for name, (block, n_jobs) in ways.items():
            in_all, working, found = timed(block, n_jobs, asked.trials)
            seconds[name].append((in_all, working))
            scores.append(found)
    assert all(found == scores[0] for found in scores), "the scores differ"
    alone = statistics.median(in_all for in_all, _ in seconds["one process"])
    for name, measured in seconds.items():
        in_all, working = (statistics.median(column) for column in zip(*measured, strict=True))
        print(
            f"{name:<24}{in_all:7.2f} s, without its start {working:6.2f} s; {alone / in_all:5.2f} times as fast"
        )
