"""What a training step costs while another program keeps one core busy.

::

    python -m benchmarks.busy [--model cnn] [--batch-size 32] [--kernels numba]

Prints the median step on all cores of a quiet machine, and beside one process per core but one that never
rests: where it takes one of two cores, a step on both takes about twice as long, if no thread waits by spinning.
"""

import argparse
import statistics
import subprocess
import sys
import time

import numpy as np

import pellucid as pl
from pellucid import dispatch
from pellucid.threads import n_cores
from pellucid.training.executor.choose import executor_for

ENDLESS = "while True: pass"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--kernels", choices=dispatch.CHOICES, default="numba")
    parser.add_argument("--threads", type=int, default=n_cores())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="Of each measurement.")
    options = parser.parse_args()
    kernels = dispatch.resolve(options.kernels)
    quiet, beside = [], []
    for _ in range(options.rounds):
        quiet.append(step_seconds(options, kernels))
        others = [subprocess.Popen([sys.executable, "-c", ENDLESS]) for _ in range(max(1, n_cores() - 1))]
        try:
            time.sleep(0.3)
            beside.append(step_seconds(options, kernels))
        finally:
            for other in others:
                other.kill()
                other.wait()
    alone, shared = statistics.median(quiet), statistics.median(beside)
    print(
        f"{options.model}, batch {options.batch_size}, {kernels}, {options.threads} threads on {n_cores()} cores"
    )
    print(f"quiet machine: {alone * 1e3:.2f} ms a step ({' '.join(f'{t * 1e3:.2f}' for t in quiet)})")
    print(f"beside busy processes: {shared * 1e3:.2f} ms ({' '.join(f'{t * 1e3:.2f}' for t in beside)})")
    print(f"ratio: {shared / alone:.2f}")


def step_seconds(options: argparse.Namespace, kernels: str) -> float:
    """Return the mean time of a step."""
    model, rng = pl.preset(options.model), np.random.default_rng(0)
    model.initialize((64, 64, 3), seed=1)
    X = rng.standard_normal((options.batch_size, 64, 64, 3)).astype(np.float32)
    Y = rng.integers(0, 2, (options.batch_size, 1)).astype(np.float32)
    optimizer = pl.optimizers.Adam()
    optimizer.start(model.theta, model._flat_decay_mask())
    with dispatch.use(kernels), executor_for(model, options.threads, optimizer) as executor:
        for _ in range(3):
            executor.loss_and_grad(X, Y)
            executor.update(optimizer)
        started, n = time.perf_counter(), 0
        while (passed := time.perf_counter() - started) < options.seconds:
            executor.loss_and_grad(X, Y)
            executor.update(optimizer)
            n += 1
    return passed / n


if __name__ == "__main__":
    main()
