"""The published training by the dual form, against the textbook loop, its own floor, and on larger photos.

    PELLUCID_DATA_DIR=... python benchmarks/seed_job.py

Everything runs in this one process, one thing after another; nothing else should run beside it.
"""

import platform
import time
from collections.abc import Callable

import numpy as np

import pellucid as pl
from pellucid.textbook import L_layer_model
from pellucid.textbook.published import LEARNING_RATE, N_ITERATIONS, published_costs
from pellucid.training.history import History
from pellucid.workflows.about import blas_kernel

REPEATS = 5


def dual(data: pl.Dataset, key: Callable[[History], float] = lambda history: history.seconds) -> History:
    histories = [pl.train(pl.preset("mlp"), data, n_epochs=N_ITERATIONS, form="dual") for _ in range(REPEATS)]
    return min(histories, key=key)


def k_product_microseconds(m: int, n_out: int) -> float:
    """The product that no step can do without: (m, m) times (m, n_out) in float64."""
    K, C, out = np.ones((m, m)), np.ones((m, n_out)), np.empty((m, n_out))
    best = np.inf
    for _ in range(20):
        started = time.perf_counter()
        for _ in range(500):
            np.dot(K, C, out=out)
        best = min(best, (time.perf_counter() - started) / 500)
    return best * 1e6


def enlarged(data: pl.Dataset, factor: int) -> pl.Dataset:
    return pl.Dataset(data.X.repeat(factor, axis=1).repeat(factor, axis=2), data.y, data.classes)


def main() -> None:
    photos = pl.load_data("catvnoncat").train
    blas, threads = blas_kernel()
    print(
        f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, {blas}, {threads} thr."
    )

    X = photos.X.reshape(len(photos), -1).T / 255.0
    started = time.perf_counter()
    _, costs = L_layer_model(X, photos.y[None], [X.shape[0], 20, 7, 5, 1], LEARNING_RATE, N_ITERATIONS)
    textbook = time.perf_counter() - started

    ours = dual(photos)
    error = max(abs(ours.losses[i] / cost - 1) for i, cost in published_costs().items())
    step = ours.loop_seconds / N_ITERATIONS * 1e6
    print(f"textbook loop       {textbook:8.3f} s, last cost {float(costs[-1])}")
    print(f"dual form           {ours.seconds:8.3f} s, last cost {ours.losses[-1]} (set-up included)")
    print(f"ratio               {textbook / ours.seconds:8.1f}")
    print(f"before and after    {ours.seconds - ours.loop_seconds:8.3f} s of it")
    print(
        f"a step              {step:8.1f} us; the K product alone {k_product_microseconds(len(photos), 20):.1f} us"
    )
    print(f"largest difference  {error:8.1e} relative, over the 26 published costs")

    for factor in (1, 4):
        data = enlarged(photos, factor)
        history = dual(data, key=lambda history: history.loop_seconds)
        loop = history.loop_seconds / N_ITERATIONS * 1000
        side = 64 * factor
        print(
            f"{side}x{side} photos: {loop:.4f} s a 1,000 steps, rest {history.seconds - history.loop_seconds:.3f} s"
        )


if __name__ == "__main__":
    main()
