"""How long an exported script takes from its start to its first prediction, beside importing NumPy and Pillow.

::

    python -m benchmarks.exported [--model mlp] [--runs 21]

Prints medians of whole processes: on the clock, and of processor time, which other programs disturb less. Then
the size of what was exported.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

import pellucid as pl

IMPORTS = "import numpy, PIL.Image"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="mlp", help="A preset.")
    parser.add_argument("--runs", type=int, default=21)
    options = parser.parse_args()
    model = pl.preset(options.model)
    pl.train(model, pl.load_data("drawn-cats").train, n_epochs=2, progress=False)
    with tempfile.TemporaryDirectory() as folder:
        script, photo = Path(folder) / "predict.py", Path(folder) / "photo.jpg"
        pl.export_script(model, script)
        pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(pixels).save(photo)
        commands = {
            "import NumPy and Pillow": [sys.executable, "-c", IMPORTS],
            "script, one photo of 64 x 64": [sys.executable, str(script), str(photo)],
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(options.runs):
            for name, command in commands.items():
                times[name].append(seconds(command))
        medians = {
            name: [statistics.median(column) * 1e3 for column in zip(*found, strict=True)]
            for name, found in times.items()
        }
        print(f"{options.model}, {model.n_params:,} parameters, {options.runs} runs each, in turn")
        for name, (wall, used) in medians.items():
            print(f"{name:<30} {wall:6.1f} ms   {used:6.1f} ms of processor time")
        (base, base_used), (own, own_used) = medians.values()
        print(f"{'more than the imports':<30} {own - base:6.1f} ms   {own_used - base_used:6.1f} ms")
        print(f"script: {script.stat().st_size / 1e6:.2f} MB")


def seconds(command: list[str]) -> tuple[float, float]:
    """Return how long a process takes, and the processor time that it uses."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    passed, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return passed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
