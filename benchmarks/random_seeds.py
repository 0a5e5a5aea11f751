"""The published run from 100 random seeds, side by side over processes, against one after the other.

    PELLUCID_DATA_DIR=... python benchmarks/random_seeds.py [STARTS]

Nothing else should run next to it. The network of every start is the same bit for bit in both ways.
"""

import argparse
import os
import platform
import time

import numpy as np

import pellucid as pl
from pellucid.evaluation.comparison.candidates import find_candidate
from pellucid.evaluation.comparison.seeds import SeedComparison, compare_seeds
from pellucid.textbook.published import N_ITERATIONS
from pellucid.threads import n_cores
from pellucid.workflows.about import blas_kernel

N_ALONE = 10  # starts that are trained one after the other, to have the time of one


def timed(split: pl.Split, n_seeds: int, n_jobs: int) -> tuple[float, SeedComparison]:
    """Return the seconds, start of the processes included, and what came of it."""
    candidate = find_candidate("A", "mlp", data=split.name, n_epochs=N_ITERATIONS, form="dual")
    started = time.perf_counter()
    found = compare_seeds(split, [candidate], n_seeds, n_jobs=n_jobs)
    return time.perf_counter() - started, found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("starts", nargs="?", type=int, default=100)
    n_seeds = max(2, parser.parse_args().starts)
    photos, cores = pl.load_data("catvnoncat"), n_cores()
    blas, _ = blas_kernel()
    print(
        f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, NumPy {np.__version__}, {blas}"
    )
    n_alone = min(N_ALONE, n_seeds)
    timed(photos, 2, 1)  # imports, and the first touch of the photos
    alone, one = timed(photos, n_alone, 1)
    print(
        f"one after the other   {alone / n_alone:8.3f} s a start ({n_alone} starts of {N_ITERATIONS:,} steps)"
    )
    before = os.times()
    seconds, found = timed(photos, n_seeds, cores)
    after = os.times()
    work = after.children_user + after.children_system - before.children_user - before.children_system
    print(
        f"{cores} processes           {seconds:8.1f} s for {n_seeds} starts, {seconds / n_seeds:.3f} s each"
    )
    print(
        f"their processor time  {work:8.1f} s, which an idle machine of {cores} cores does in {work / cores:.1f} s"
    )
    print(f"ratio                 {alone / n_alone * n_seeds / seconds:8.2f}")
    same = [start.theta_sha256 for start in one.runs[0].starts]
    print(
        f"same bits             {same == [start.theta_sha256 for start in found.runs[0].starts[:n_alone]]!s:>8}"
    )
    print(found.finding)


if __name__ == "__main__":
    main()
