"""One training over MPI: steps of two ranks of one thread, against one process of one thread and of two.

    python -m benchmarks.mpi_training [--rounds 5] [--presets cnn mlp]          about two minutes

Presets train on drawn-cats; each contestant is a process, or two under mpiexec, and they take turns. A step is the
time from the end of one to the end of the next; the first ten of a training are left out. Two threads of one
process, and two processes that train on half of each batch and exchange nothing, show what two cores that share a
memory have to give. Below it: what a step sends, and how long that takes
between two ranks of this machine (the gradient, and the sums of batch norm), and how far a step in float32 is from
that of one process. On other machines:

    mpiexec -n 8 ... python -m benchmarks.mpi_training --sends
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.harness import machine

import pellucid as pl
from pellucid import ranks
from pellucid.nn.norm import BatchNorm
from pellucid.threads import side_by_side
from pellucid.training.events import StepEnd

WARM_UP, STEPS, BATCH = 10, 105, 32
PRESETS = ("cnn", "cnn-small", "resnet-small", "mlp")
CONTESTANTS = {  # ranks and threads of each, and how many are started at the same time
    "one process": (1, 1, 1),
    "two ranks": (2, 1, 1),
    "two threads": (1, 2, 1),
    "two apart": (1, 1, 2),
}


def step_seconds(preset: str, n_threads: int, batch_size: int) -> list[float]:
    """Return the seconds of each step of a training."""
    data, ends = pl.load_data("drawn-cats").train.take(slice(0, 6 * BATCH)), list[float]()  # no short batch

    def note(event: Any) -> None:
        if isinstance(event, StepEnd):
            ends.append(time.perf_counter())

    options: dict[str, Any] = {
        "form": "direct",
        "kernels": "numba",
        "n_threads": n_threads,
        "progress": False,
    }
    n_epochs = STEPS * batch_size // len(data)
    pl.train(pl.preset(preset), data, n_epochs=n_epochs, batch_size=batch_size, callbacks=[note], **options)
    return [stop - start for start, stop in zip(ends[WARM_UP:-1], ends[WARM_UP + 1 :], strict=True)]


def sends(presets: list[str]) -> None:
    """Print what a step of each preset sends, and how long it takes between these ranks."""
    rows = []
    for name in presets:
        model = pl.preset(name)
        model.initialize((64, 64, 3))
        widths = [leaf.params["gamma"].size for leaf in model._leaves() if isinstance(leaf, BatchNorm)]
        sums = [size for n in widths for size in (n + 1, n, 2 * n)]
        grad = _seconds([model.grad])
        rows.append((name, model.grad.nbytes, grad, 8 * sum(sums), _seconds([np.zeros(n) for n in sums])))
    distances = {name: distance(name) for name in presets}
    if ranks.rank() == 0:
        print(f"\nwhat each of {ranks.n_ranks()} ranks sends in a step, and how long it takes:")
        for name, n_bytes, seconds, n_more, more in rows:
            of_norm = f", batch norm {n_more:9,} bytes {1e3 * more:6.2f} ms" if n_more else ""
            print(f"  {name:12} gradient {n_bytes:12,} bytes {1e3 * seconds:7.2f} ms{of_norm}")
        print("how far float32 parameters are from those of one process after one step, of what they moved:")
        for name, part in distances.items():
            print(f"  {name:12} {part:.1e}")


def distance(preset: str) -> float:
    """Return how far float32 parameters are from those of one process after one step, of what they moved."""
    data, found = pl.load_data("drawn-cats").train.take(slice(0, BATCH)), []
    for context in (nullcontext(), side_by_side()):  # in which each rank trains alone
        model = pl.preset(preset)
        model.initialize((64, 64, 3), seed=1)
        start = model.theta.copy()
        with context:
            pl.train(model, data, n_epochs=1, batch_size=BATCH, form="direct", n_threads=1, progress=False)
        found.append(model.theta.copy())
    return float(abs(found[0] - found[1]).max() / abs(found[1] - start).max())


def _seconds(arrays: list[Any]) -> float:
    """Return the median time of summing arrays over the ranks, one after another."""
    found = []
    for _ in range(50):
        start = time.perf_counter()
        for array in arrays:
            ranks.all_sum(array)
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=["cnn", "mlp"])
    parser.add_argument("--sends", action="store_true", help="Only what a step sends, between these ranks.")
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)  # of a contestant
    parser.add_argument("--batch", type=int, default=BATCH, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sends:
        sends(options.presets)
        return
    if options.threads:
        found = step_seconds(options.presets[0], options.threads, options.batch)
        if ranks.rank() == 0:
            print(json.dumps(found))
        return
    print(machine("mpi4py", "numba"))
    for preset in options.presets:
        report(preset, options.rounds)
    print(*run(2, "--sends", "--presets", *PRESETS))


def run(n: int, *arguments: str, at_a_time: int = 1) -> list[str]:
    """Return what this script prints in n ranks, or in several processes at the same time."""
    start = [str(Path(sys.executable).with_name("mpiexec")), "-n", str(n)] if n > 1 else []
    command = [*start, sys.executable, "-m", "benchmarks.mpi_training", *arguments]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # of several processes none may take both cores
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(at_a_time)
    ]
    found = [process.communicate()[0] for process in started]
    assert not any(process.returncode for process in started)
    return found


def report(preset: str, n_rounds: int) -> None:
    """Measure a preset in turns, and print its figures."""
    found: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    for i in range(n_rounds):
        for name in list(CONTESTANTS)[:: -1 if i % 2 else 1]:
            n, n_threads, at_a_time = CONTESTANTS[name]
            arguments = "--threads", str(n_threads), "--presets", preset, "--batch", str(BATCH // at_a_time)
            for printed in run(n, *arguments, at_a_time=at_a_time):
                found[name] += json.loads(printed)
    one = statistics.median(found["one process"])
    print(
        f"\n{preset}, batches of {BATCH}: milliseconds a step (least, median), times as fast as one process by each"
    )
    for name, seconds in found.items():
        least, median = min(seconds), statistics.median(seconds)
        fast = min(found["one process"]) / least, one / median
        print(f"  {name:12}  {1e3 * least:7.2f}  {1e3 * median:7.2f}  {fast[0]:5.2f}  {fast[1]:5.2f}")


if __name__ == "__main__":
    main()
