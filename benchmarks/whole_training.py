"""One whole training of `cnn` on the published photos: time, first compile, start, memory, the loop's cost.

    PELLUCID_DATA_DIR=... python -m benchmarks.whole_training

A process each, start to end: one epoch with an empty cache of compiled code and with a full one, against one
without kernels; a whole training with its augmentation, and its largest memory, children included. The loop's cost
is what `pl.train` spends around its steps, batches gathered, on random photos. `--quick` trains for 3 epochs.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import harness
from benchmarks.zoo import NETWORKS

CHOICES = ("numba", "numpy")
N_STEPS = 7  # of an epoch of 209 photos


class Outcome(NamedTuple):
    """What one process took."""

    first_step: float  # seconds from its start to the end of the first step
    loop: float
    total: float
    memory: float  # MB, the largest sum over its processes, shared pages counted once


def train(n_epochs: str) -> None:
    """Train, and print when the first step was done, how long the steps took and how long everything."""
    import pellucid as pl
    from pellucid.training.events import StepEnd

    first: list[float] = []

    def clock(event: object) -> None:
        if isinstance(event, StepEnd) and not first:
            first.append(time.time())

    history = pl.train(
        pl.preset("cnn"), pl.load_data("catvnoncat").train, n_epochs=int(n_epochs), callbacks=[clock]
    )
    print(first[0], history.loop_seconds, time.time())


def run(n_epochs: int, kernels: str, cache: str | None = None) -> Outcome:
    """Return what a training in a process of its own takes."""
    environment = {**os.environ, **harness.with_kernels(kernels)}
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = cache
    command = [sys.executable, "-m", "benchmarks.whole_training", "--child", "train", str(n_epochs)]
    started = time.time()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    largest = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, largest), daemon=True)
    watcher.start()
    output, _ = process.communicate()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"whole_training: a training with {kernels} failed.")
    first, loop, ended = map(float, output.split())
    return Outcome(first - started, loop, ended - started, largest[0])


def _watch(process: "subprocess.Popen[str]", largest: list[float]) -> None:
    while process.poll() is None:
        largest[0] = max(largest[0], memory_of_group(process.pid))
        time.sleep(0.25)


def memory_of_group(group: int) -> float:
    """Return the proportional memory, in MB, of a group of processes; 0 where the system does not say."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == group:
                lines = (folder / "smaps_rollup").read_text().splitlines()
                total += next(float(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total / 1024


def loop(n_epochs: str) -> None:
    """Train without augmentation, and print seconds a step in the executor, and seconds a step around it."""
    import pellucid as pl
    from pellucid.training.executor.thread_shards import ThreadShards

    network, inside, n_batches = NETWORKS["cnn"], [0.0], 10

    def clocked(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            started = time.perf_counter()
            result = method(*args, **options)
            inside[0] += time.perf_counter() - started
            return result

        return call

    for name in ("loss_and_grad", "update"):
        setattr(ThreadShards, name, clocked(getattr(ThreadShards, name)))
    data = network.samples(n_batches * network.batch, 2)
    for n in (1, int(n_epochs)):  # the first warms up
        inside[0] = 0.0
        options: dict[str, Any] = {"n_epochs": n, "batch_size": network.batch, "n_threads": 2}
        history = pl.train(network.build(), data, augment="none", **options)
    n_steps = n_batches * int(n_epochs)
    print(inside[0] / n_steps, (history.loop_seconds - inside[0]) / n_steps)


def loop_cost(kernels: str, n_epochs: int) -> tuple[float, float]:
    """Return seconds a step of cnn takes, and seconds that the loop adds to it."""
    command = [sys.executable, "-m", "benchmarks.whole_training", "--child", "loop", str(n_epochs)]
    environment = {**os.environ, **harness.with_kernels(kernels)}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    step, around = map(float, done.stdout.split())
    return step, around


def main() -> None:
    """Measure and print."""
    options = harness.arguments(__doc__ or "").parse_args()
    if options.child:
        who, *arguments = options.child
        {"train": train, "loop": loop}[who](*arguments)
        return
    if "PELLUCID_DATA_DIR" not in os.environ:
        raise SystemExit("benchmarks.whole_training: set PELLUCID_DATA_DIR to the published photos.")
    lock, n_rounds = harness.Lock(options.lock), 1 if options.quick else options.rounds
    n_epochs = 3 if options.quick else 120
    print(harness.machine())
    with tempfile.TemporaryDirectory() as cache:
        with lock.exclusive():
            empty = run(1, "numba", cache)
            warm = [run(1, "numba", cache).first_step for _ in range(n_rounds + 1)]
            plain = [run(1, "numpy", cache).first_step for _ in range(n_rounds + 1)]
        with_cache, without = statistics.median(warm), statistics.median(plain)
        print("\nfrom the start of a process to the end of the first step:")
        compiling = empty.first_step - with_cache
        print(f"{empty.first_step:.1f} s with nothing compiled, {compiling:.1f} s of it compiling")
        print(
            f"{with_cache:.2f} s with a cache, {without:.2f} s without kernels: {with_cache - without:+.2f} s"
        )
        print(f"\n{n_epochs} epochs of {N_STEPS} steps by the recipe, augmented, in a process of their own:")
        for kernels in CHOICES:
            with lock.exclusive():
                whole = run(n_epochs, kernels, cache)
            print(
                f"{kernels}: {whole.total:.1f} s, {whole.loop:.1f} s of it in the steps, "
                f"{1e3 * whole.loop / n_epochs / N_STEPS:.1f} ms each; {whole.memory:.0f} MB at most",
                flush=True,
            )
    print("\nthe loop's cost: steps of cnn within pl.train, batch 32, not augmented:")
    for kernels in CHOICES:
        with lock.exclusive():
            step, around = loop_cost(kernels, 3 if options.quick else 15)
        print(
            f"{kernels}: {1e3 * step:.1f} ms a step, {1e3 * around:.2f} around it: {100 * around / step:+.1f} %"
        )


if __name__ == "__main__":
    main()
