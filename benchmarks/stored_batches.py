"""What reading samples from their file costs: an epoch of mini-batches, and the columns that the dual form needs.

    python -m benchmarks.stored_batches [--photos 400] [--side 128]      about a minute

Prints seconds of an epoch of batches of 32, in order and shuffled, for each kind of file, nothing else being done;
then, for compressed photos, the dual form's first pass by way of an uncompressed copy, and without it, where each
slice of columns decodes all photos again. All take turns; the least of three rounds counts.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from benchmarks.harness import machine

import pellucid as pl
from pellucid.data.batches import Batches
from pellucid.data.stored.files import with_cheap_columns
from pellucid.training.dual.rows import SlicedRows

N_ROUNDS = 3


def seconds_of(work: Callable[[], Any]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def epoch(X: Any, shuffle: bool) -> None:
    """Read every sample once."""
    for batch, _, _ in Batches(X, np.arange(len(X)), 32, 1, shuffle=shuffle).epoch(0):
        float(batch[0, 0, 0, 0])


def by_copy(X: Any, W: Any) -> None:
    """Compute the first products from an uncompressed copy."""
    with with_cheap_columns(X) as rows:
        SlicedRows(rows).first_products(W)


def write(folder: Path, X: Any) -> dict[str, Path]:
    """Write the photos in every kind of file."""
    y = np.arange(len(X)) % 2
    parts = {"X_train": X, "y_train": y, "X_test": X[:2], "y_test": y[:2]}
    for name, array in parts.items():
        np.save(folder / f"{name}.npy", array)
    found = {"npy": folder / "X_train.npy"}
    for name, rows, packed in (
        ("h5, a photo a chunk", 1, None),
        ("h5, gzip, 1", 1, "gzip"),
        ("h5, gzip, 32", 32, "gzip"),
    ):
        found[name] = folder / f"{name.replace(' ', '-')}.h5"
        with h5py.File(found[name], "w") as file:
            for key, array in parts.items():
                if key == "X_train":
                    file.create_dataset(key, data=array, chunks=(rows, *X.shape[1:]), compression=packed)
                else:
                    file[key] = array
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=400)
    parser.add_argument("--side", type=int, default=128, help="pixels")
    options = parser.parse_args()
    print(machine("h5py"))
    rng = np.random.default_rng(0)
    shape = (options.photos, options.side, options.side, 3)
    X = (rng.integers(0, 64, shape) / 255).astype(np.float32)
    print(
        f"{options.photos} photos of {options.side} x {options.side} x 3, {X.nbytes / 1e6:.0f} MB in float32"
    )
    with tempfile.TemporaryDirectory() as folder:
        paths = write(Path(folder), X)
        stored = {name: pl.load_data(path, on_disk=True).train.X for name, path in paths.items()}
        arrays = {"memory": X, **stored}
        least: dict[tuple[str, bool], float] = {}
        for _ in range(N_ROUNDS):
            for name, array in arrays.items():
                for shuffle in (False, True):
                    taken = seconds_of(lambda a=array, s=shuffle: epoch(a, s))  # type: ignore[misc]
                    least[name, shuffle] = min(taken, least.get((name, shuffle), taken))
        for name in arrays:
            print(f"{name:20} in order {least[name, False]:7.3f} s   shuffled {least[name, True]:7.3f} s")
        packed, W = stored["h5, gzip, 1"], np.zeros((int(np.prod(shape[1:])), 20))
        copied = min(seconds_of(lambda: by_copy(packed, W)) for _ in range(N_ROUNDS))
        direct = min(seconds_of(lambda: SlicedRows(packed).first_products(W)) for _ in range(N_ROUNDS))
        plain = min(seconds_of(lambda: SlicedRows(stored["npy"]).first_products(W)) for _ in range(N_ROUNDS))
        print(
            f"first products: {plain:.2f} s of npy; of gzip {copied:.2f} s by a copy, {direct:.2f} s without"
        )


if __name__ == "__main__":
    main()
