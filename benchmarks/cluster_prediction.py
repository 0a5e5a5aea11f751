"""Photos a second that one worker and two workers of a Dask cluster predict, and the memory of each process.

    python -m benchmarks.cluster_prediction [--photos 100000] [--rounds 3]      about 20 minutes

The photos are drawings of the built-in set, shifted, as JPEG of 64x64. Workers are processes of this machine with
one thread each; one and two take turns, and the median of the rounds counts. Starting the cluster, and a first
folder that loads and compiles what is needed, are not timed; listing the photos and writing the file are. Memory is
the resident set of each process at every fifth of a run: flat, where it is the same throughout.
"""

import os
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks import harness
from PIL import Image

import pellucid as pl
from pellucid import dispatch
from pellucid.distributed import open_cluster, predict

PER_FOLDER = 1000
LOOK_SECONDS = 0.2


def make_photos(root: Path, n: int) -> None:
    """Write n photos, a thousand in each sub-folder."""
    X = pl.load_data("drawn-cats").train.X
    for i in range(n):
        path = root / f"{i // PER_FOLDER:04}" / f"{i:07}.jpg"
        if i % PER_FOLDER == 0:
            path.parent.mkdir()
        Image.fromarray(np.roll(X[i % len(X)], i // len(X), axis=1)).save(path, quality=85)


def resident(pid: int) -> float:
    """Return a process's resident set, in MB; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process, all of its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Watch:
    """Samples the memory of processes while they work."""

    def __init__(self, pids: dict[str, int]) -> None:
        self.pids, self.seen = pids, [dict.fromkeys(pids, 0.0)]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.seen.append({name: resident(pid) for name, pid in self.pids.items()})

    def fifths(self, name: str) -> str:
        """Return the largest of each fifth of the time, in MB."""
        values = [seen[name] for seen in self.seen[1:]] or [0.0]
        parts = np.array_split(values, min(5, len(values)))
        return " ".join(f"{part.max():.0f}" for part in parts)


def run(n_workers: int, model: Path, photos: Path, out: Path, n: int) -> float:
    """Predict all photos once, print what it took, and return the seconds."""
    network = pl.load(model)
    kernels = dispatch.resolve(None, float(n) * network._n_operations)
    with open_cluster(n_workers=n_workers) as client, dispatch.use(kernels):
        for i in range(2 * n_workers):  # until each of them has had some
            predict(model, photos / "0000", client=client, out=out / f"first-{i}.jsonl", overwrite=True)
        pids: dict[str, int] = {"this process": os.getpid()}
        pids |= {f"worker {i}": pid for i, pid in enumerate(client.run(os.getpid).values(), 1)}
        before = {name: processor_seconds(pid) for name, pid in pids.items()}
        harness.wait_until_idle()
        with Watch(pids) as watch:
            start = time.perf_counter()
            found = predict(model, photos, client=client, out=out / "all.jsonl", overwrite=True)
            seconds = time.perf_counter() - start
        assert found.n_written == n
        busy: dict[str, Any] = {name: processor_seconds(pid) - before[name] for name, pid in pids.items()}
    print(
        f"{n_workers} worker{'s' * (n_workers > 1)}, {kernels}: {seconds:.1f} s, {n / seconds:,.0f} photos a second"
    )
    w = 1e3 * busy["this process"] / n
    r = 1e3 * sum(busy.values()) / n - w
    print(
        f"  r {r:.3f} ms, w {w:.3f} ms of processor time a photo: more than {r / w:.0f} workers gain nothing"
    )
    for name in pids:
        print(
            f"  {name}: {busy[name]:.1f} s of processor time; MB by fifths: {watch.fifths(name)}", flush=True
        )
    return seconds


def main() -> None:
    """Measure and print."""
    parser = harness.arguments(__doc__ or "")
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--model", default="cnn", help="a preset")
    options = parser.parse_args()
    n = min(options.photos, 3000) if options.quick else options.photos
    n_rounds, lock = 1 if options.quick else options.rounds, harness.Lock(options.lock)
    print(harness.machine("dask", "distributed", "pillow"))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "photos").mkdir()
        with lock.shared():
            make_photos(root / "photos", n)
            model = pl.preset(options.model)
            pl.train(model, pl.load_data("drawn-cats").train, n_epochs=2)
            pl.save(model, root / "m.safetensors")
        print(f"{n:,} photos of 64x64, model {options.model}")
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for i in range(n_rounds):
            for n_workers in (1, 2) if i % 2 == 0 else (2, 1):
                with lock.exclusive():
                    seconds[n_workers].append(
                        run(n_workers, root / "m.safetensors", root / "photos", root, n)
                    )
    one, two = (statistics.median(seconds[n_workers]) for n_workers in (1, 2))
    print(f"two workers: {one / two:.2f} times one")


if __name__ == "__main__":
    main()
