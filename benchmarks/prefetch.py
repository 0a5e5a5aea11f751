"""What it gives to change the next batch on the core that a training leaves free: augmented photos of 64x64.

    python benchmarks/prefetch.py            about half a minute

Small networks, whose step is not worth splitting over the cores, are trained on drawn-cats with the augmentation
"photo". With and without prefetching they do the same work, bit for bit, in turn, several rounds in one process;
the least and the median seconds an epoch are printed, and the ratio of the medians.
"""

import os
import platform
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import pellucid as pl
from pellucid.data.augmentation.augment import augment_preset
from pellucid.training.events import EpochEnd

ROUNDS, EPOCHS, BATCH = 5, 6, 32  # the first epoch of each is not counted


def small_cnn() -> pl.Sequential:
    blocks = [[pl.Conv2D(width, stride=2, activation="relu")] for width in (4, 8, 8)]
    return pl.Sequential([*(layer for block in blocks for layer in block), pl.GlobalAvgPool2D(), pl.Dense(1)])


MODELS = {
    "mlp, float64": lambda: pl.preset("mlp"),
    "two-layer, float64": lambda: pl.preset("two-layer"),
    "small convolutions": small_cnn,
}


def seconds(name: str, data: pl.Dataset, n_threads: int | None) -> tuple[list[float], np.ndarray]:
    """Return the seconds of each epoch, and the parameters at the end; one thread, asked for, does not prefetch."""
    times: list[float] = []

    def clock(event: object) -> None:
        if isinstance(event, EpochEnd):
            times.append(time.perf_counter())

    model = MODELS[name]()
    pl.train(
        model,
        data,
        optimizer=pl.optimizers.SGD(0.01),
        n_epochs=EPOCHS,
        batch_size=BATCH,
        augment=augment_preset("photo"),
        n_threads=n_threads,
        callbacks=[clock],
    )
    return np.diff(times).tolist(), model.theta


def main() -> None:
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}"
    )
    data = pl.load_data("drawn-cats").train
    print(f"{len(data)} photos, batch {BATCH}{'':18} without: min median   with: min median   ratio")
    for name in MODELS:
        plain, ahead = [], []
        for _ in range(ROUNDS):
            one, theta = seconds(name, data, 1)
            two, same = seconds(name, data, None)
            assert np.array_equal(theta, same)
            plain += one
            ahead += two
        a, b = np.median(plain), np.median(ahead)
        print(f"{name:44} {min(plain):6.3f} {a:6.3f}        {min(ahead):6.3f} {b:6.3f}   {a / b:5.2f}")


if __name__ == "__main__":
    main()
