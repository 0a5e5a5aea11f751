"""How long it takes to read a folder of photos, beside plain loops of Pillow's.

    python -m benchmarks.reading [--photos 1000] [--size 800x600] [--to 64x64]      about a minute

The photos are drawings of the built-in set, enlarged, with grain, as JPEG of quality 85. All take turns, and the
least of some rounds counts. Processor time is that of all threads and processes; on a busy machine it says more
than the clock. Processes share no interpreter lock: threads that take no longer than they lose nothing by it.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import PIL
from benchmarks.harness import machine
from PIL import Image

from pellucid import threads
from pellucid.data.readers import reading
from pellucid.data.readers.folder import read_folder
from pellucid.data.source import load_data
from pellucid.types import Array


def make_folder(root: Path, n: int, height: int, width: int) -> None:
    """Write that many photos in two sub-folders."""
    X, rng = load_data("drawn-cats").train.X, np.random.default_rng(1)
    for i in range(n):
        soft = np.asarray(Image.fromarray(X[i % len(X)]).resize((width, height))).astype(np.int16)
        grainy = np.clip(soft + rng.integers(-8, 9, (height, width, 1)), 0, 255).astype(np.uint8)
        path = root / ("cat" if i % 2 else "other") / f"{i:05}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(grainy).save(path, quality=85)


def plain(paths: Sequence[Path], height: int, width: int, spare: int = 0) -> Array:
    """Read as anybody would write it; with ``spare`` by ``draft`` at that many times the size."""
    images = []
    for path in paths:
        with Image.open(path) as image:
            if spare:
                image.draft(None, (spare * width, spare * height))
            images.append(np.asarray(image.convert("RGB").resize((width, height))))
    return np.stack(images)


def in_processes(paths: Sequence[Path], height: int, width: int, n: int) -> Array:
    """Read as ``plain`` with draft, every n-th photo in each of n processes."""
    with ProcessPoolExecutor(n) as pool:
        parts = pool.map(partial(plain, height=height, width=width, spare=2), [paths[i::n] for i in range(n)])
        X = np.empty((len(paths), height, width, 3), np.uint8)
        for i, part in enumerate(parts):
            X[i::n] = part
    return X


def processor_seconds() -> float:
    """Return the processor time of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def ours(root: Path, height: int, width: int, n_threads: int | None = None) -> Array:
    """Read as the commands do, on all cores or some."""
    before = reading.MOST_THREADS
    reading.MOST_THREADS = n_threads or before
    try:
        X: Array = read_folder(root, image_size=(height, width)).train.X
        return X
    finally:
        reading.MOST_THREADS = before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--size", default="800x600", help="WIDTHxHEIGHT of the files")
    parser.add_argument("--to", default="64x64", help="HEIGHTxWIDTH to read them at")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    rows, columns = map(int, options.to.split("x"))
    print(machine("pillow"))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_folder(root, options.photos, height, width)
        n_bytes = sum(path.stat().st_size for path in root.glob("*/*"))
        print(
            f"{options.photos:,} JPEG files of {options.size}, {n_bytes / options.photos / 1000:.0f} kB each, "
            f"to {options.to}; Pillow {PIL.__version__}, {os.cpu_count()} cores"
        )
        paths, n_cores = sorted(root.glob("*/*")), threads.n_cores()
        contestants: dict[str, Callable[[], Array]] = {
            "Pillow, one thread": lambda: plain(paths, rows, columns),
            "Pillow, draft at the size": lambda: plain(paths, rows, columns, 1),
            "Pillow, draft at twice the size": lambda: plain(paths, rows, columns, 2),
            "Pillow, the same, a process a core": lambda: in_processes(paths, rows, columns, n_cores),
            "pellucid, one thread": lambda: ours(root, rows, columns, 1),
            "pellucid": lambda: ours(root, rows, columns),
        }
        seconds: dict[str, list[float]] = {name: [] for name in contestants}
        processor: dict[str, list[float]] = {name: [] for name in contestants}
        pixels: dict[str, Array] = {}
        for _ in range(options.rounds):
            for name, read in contestants.items():
                start, used = time.perf_counter(), processor_seconds()
                pixels[name] = read()
                seconds[name].append(time.perf_counter() - start)
                processor[name].append(processor_seconds() - used)
    exact = pixels["Pillow, one thread"].astype(int)
    print(
        f"\n{'':34}{'s, least':>10}{'s, most':>10}{'processor s':>13}{'mean |difference|':>20}{'largest':>10}"
    )
    for name, found in seconds.items():
        difference = np.abs(pixels[name] - exact)
        times = f"{min(found):10.2f}{max(found):10.2f}{min(processor[name]):13.2f}"
        print(f"{name:34}{times}{difference.mean():20.2f}{difference.max():10}", flush=True)


if __name__ == "__main__":
    main()
