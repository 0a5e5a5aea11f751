"""What training on a cluster costs and gains: steps on one and two workers of this machine, one thread each.

    python -m benchmarks.cluster_training [--rounds 5] [--kernels numba]      about three minutes

Presets train on drawn-cats: in one process on one thread, on a cluster of one worker, on one of two, and in one
process on two threads, whose gain is what two cores that share the memory's bandwidth have to give; in turns.
A step is the time from the end of one to the end of the next; the first ten of a training are left out. Printed are
medians over all rounds, the ratio of one worker to two, what a step on one worker costs beyond one in this process,
and the bytes that each connection carries in a step: parameters down, gradients up, and batch norm's sums.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from benchmarks.harness import machine

import pellucid as pl
from pellucid.data.dataset import Dataset
from pellucid.distributed.cluster import open_cluster
from pellucid.distributed.training import train
from pellucid.training.events import StepEnd

WARM_UP = 10  # steps
STEPS = {"cnn": 105, "mlp": 100}
WHERE = ("one process", "one worker", "two workers", "two threads")


def step_seconds(preset: str, data: Dataset, kernels: str, run: Callable[..., Any]) -> list[float]:
    """Return the seconds of each step of a training."""
    model, ends = pl.preset(preset), list[float]()

    def note(event: Any) -> None:
        if isinstance(event, StepEnd):
            ends.append(time.perf_counter())

    batch = 32 if preset == "cnn" else 0
    n_epochs = STEPS[preset] * batch // len(data) if batch else STEPS[preset]
    run(
        model,
        data,
        n_epochs=n_epochs,
        batch_size=batch,
        form="direct",
        kernels=kernels,
        callbacks=[note],
        progress=False,
    )
    return [stop - start for start, stop in zip(ends[WARM_UP:-1], ends[WARM_UP + 1 :], strict=True)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kernels", choices=("numba", "numpy"), default="numba")
    parser.add_argument("--presets", nargs="+", choices=tuple(STEPS), default=list(STEPS))
    options = parser.parse_args()
    print(machine("dask", "distributed"))
    data = pl.load_data("drawn-cats").train
    with ExitStack() as stack:
        clients = [stack.enter_context(open_cluster(n_workers=n)) for n in (1, 2)]
        runs: dict[str, Callable[..., Any]] = {
            WHERE[0]: lambda *args, **given: pl.train(*args, n_threads=1, **given),
            WHERE[1]: lambda *args, **given: train(*args, client=clients[0], **given),
            WHERE[2]: lambda *args, **given: train(*args, client=clients[1], **given),
            WHERE[3]: lambda *args, **given: pl.train(*args, n_threads=2, **given),
        }
        for preset in options.presets:
            found: dict[str, list[float]] = {name: [] for name in runs}
            for i in range(options.rounds + 1):
                for name in list(runs)[:: -1 if i % 2 else 1]:
                    seconds = step_seconds(preset, data, options.kernels, runs[name])
                    if i:  # the first round compiles
                        found[name] += seconds
            report(preset, found)


def report(preset: str, found: dict[str, list[float]]) -> None:
    """Print a preset's figures."""
    here, one, two, threads = (1e3 * statistics.median(found[name]) for name in WHERE)
    print(f"\n{preset}, milliseconds a step (least, median):")
    for name, seconds in found.items():
        print(f"  {name:12}  {1e3 * min(seconds):7.2f}  {1e3 * statistics.median(seconds):7.2f}")
    print(f"  two workers are {one / two:.2f} times as fast as one, {here / two:.2f} times as one process")
    print(f"  two threads of one process: {here / threads:.2f} times as fast as one")
    print(
        f"  overhead: {one - here:.2f} ms a step on one worker, {two - here / 2:.2f} ms on two beyond half a step"
    )
    model = pl.preset(preset)
    model.initialize((64, 64, 3))
    n_bytes = model.theta.nbytes
    print(f"  {2 * n_bytes / 1e6:.2f} MB a step over each connection: {n_bytes:,} bytes each way")


if __name__ == "__main__":
    main()
