"""One whole training of `cnn` on the published photos: time, first compile, start, memory, the loop's cost.

    PELLUCID_DATA_DIR=... python -m benchmarks.whole_training

A process each, start to end: one epoch with an empty cache of compiled code and with a full one, against one
without kernels; a whole training with its augmentation, and its largest memory, children included. The loop's cost
is what `pl.train` takes over the bare step, in milliseconds a step on random photos. `--quick` trains for 3 epochs.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks import harness, networks

CHOICES = ("numba", "numpy")
N_STEPS = 7  # of an epoch of 209 photos


class Outcome(NamedTuple):
    """What one process took."""

    first_step: float  # seconds from its start to the end of the first step
    loop: float
    total: float
    memory: float  # MB, the largest sum over its processes, shared pages counted once


def child(n_epochs: str) -> None:
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
    command = [sys.executable, "-m", "benchmarks.whole_training", "--child", str(n_epochs)]
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


def loop_cost(n_rounds: int, lock: harness.Lock) -> dict[str, harness.Times]:
    """Return the times of a bare step of cnn and of one within pl.train."""
    contestants = {
        f"{kernels}, {way}": harness.Contestant(("ours", "cnn", way, "1.0"), harness.with_kernels(kernels))
        for kernels in CHOICES
        for way in ("step", "train")
    }
    return harness.contest(networks.MODULE, contestants, n_rounds, lock)[0]


def main() -> None:
    """Measure and print."""
    options = harness.arguments(__doc__ or "").parse_args()
    if options.child:
        child(*options.child)
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
    times = loop_cost(n_rounds, lock)
    harness.print_times("the loop's cost: a step of cnn, batch 32, not augmented", times, "numba, step")
    for kernels in CHOICES:
        cost = times[f"{kernels}, train"].median / times[f"{kernels}, step"].median - 1
        print(f"{kernels}: pl.train costs {100 * cost:+.1f} % over the bare step")


if __name__ == "__main__":
    main()
