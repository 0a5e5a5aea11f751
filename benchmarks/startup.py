"""How long it takes to start: importing, `--help`, a photo's class from a model's file, and the whole `run`.

    python -m benchmarks.startup

Processes take turns; their medians are printed, with the least, and the least processor time, which other programs
disturb less. All find their modules compiled, as pip leaves them: where Python is told not to write bytecode, the
first start of each does nevertheless, since compiling ours again each time takes 70 ms. `pellucid predict` is a
whole process, from its start to its end, with a model of four dense layers for photos of 64x64 (the preset `mlp`,
float64) and a JPEG. Below it is what one photo takes in a process that has loaded the model: `model.predict` of an
array, beside the same formulas written out in NumPy; in float32, too. Nothing can be faster than the first layer's
product alone, which reads 2 MB of weights in float64 and is bound by that.
"""

import argparse
import importlib.util
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks import harness

SHAPE = (64, 64, 3)
IMPORTS = ("numpy", "numpy, PIL.Image", "numpy, PIL.JpegImagePlugin", "pellucid", "onnxruntime", "torch")


def seconds_of(command: Sequence[str], cwd: str | None = None) -> tuple[float, float]:
    """Return how long a process takes, and the processor time that it uses."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=cwd, env=environment)
    passed, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return passed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def in_turn(n: int, commands: dict[str, Sequence[str]], cwd: str) -> dict[str, list[tuple[float, float]]]:
    """Return the seconds of each command, which take turns."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for command in commands.values():
        seconds_of(command, cwd)  # so that files are in memory, and modules compiled
    for _ in range(n):
        for name, command in commands.items():
            times[name].append(seconds_of(command, cwd))
    return times


def save_model(folder: Path, dtype: str) -> None:
    """Write a model of four layers, and a photo."""
    from PIL import Image

    import pellucid as pl

    photo = np.random.default_rng(0).integers(0, 256, (1, *SHAPE), np.uint8)
    model = pl.Sequential(*pl.preset("mlp").layers, dtype=dtype)
    pl.train(model, pl.Dataset(np.repeat(photo, 4, axis=0), np.arange(4) % 2, ("cat", "no cat")), n_epochs=1)
    pl.save(model, folder / f"{dtype}.safetensors")
    Image.fromarray(photo[0]).save(folder / "photo.jpg")


def written_out(model: Any) -> Callable[[Any], Any]:
    """Return the model's formulas in NumPy, without any check."""
    divisor = np.dtype(model.dtype).type(255)
    *hidden, last = [(layer.params["W"], layer.params["b"]) for layer in model.layers[1:]]

    def predict(X: Any) -> Any:
        A = X.reshape(len(X), -1) / divisor
        for W, b in hidden:
            A = np.maximum(A @ W + b, 0)
        return (A @ last[0] + last[1])[:, 0] > 0

    return predict


def print_one_photo(folder: Path, dtype: str, n: int) -> None:
    """Print what one photo takes in process."""
    import pellucid as pl

    model: Any = pl.load(folder / f"{dtype}.safetensors")
    X = np.random.default_rng(0).integers(0, 256, (1, *SHAPE), np.uint8)
    W = model.layers[1].params["W"]
    row, out = (X.reshape(1, -1) / 255).astype(W.dtype), np.empty((1, W.shape[1]), W.dtype)
    ways: dict[str, Callable[[Any], Any]] = {
        "model.predict": model.predict,
        "in NumPy": written_out(model),
        "first product": lambda X: np.dot(row, W, out=out),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(n):
        for name, predict in ways.items():
            started = time.perf_counter()
            predict(X)
            times[name].append(time.perf_counter() - started)
    found = (
        f"{name} {1e6 * statistics.median(seconds):.0f} us ({1e6 * min(seconds):.0f})"
        for name, seconds in times.items()
    )
    print(f"one photo, loaded, {dtype}: {', '.join(found)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=11, help="how often each process is started")
    parser.add_argument("--run", action="store_true", help="and the whole `pellucid run`, three times")
    options = parser.parse_args()
    print(harness.machine())
    command = str(Path(sys.executable).parent / "pellucid")
    with tempfile.TemporaryDirectory() as folder:
        for dtype in ("float64", "float32"):
            save_model(Path(folder), dtype)
        known = [name for name in IMPORTS if importlib.util.find_spec(name.partition(",")[0])]
        times = in_turn(
            options.rounds,
            {
                "python": [sys.executable, "-c", ""],
                **{f"import {name}": [sys.executable, "-c", f"import {name}"] for name in known},
                "pellucid predict": [command, "predict", "float64.safetensors", "photo.jpg"],
                "pellucid predict --json": [command, "predict", "float64.safetensors", "photo.jpg", "--json"],
                "pellucid --help": [command, "--help"],
            },
            folder,
        )
        for name, found in times.items():
            seconds, used = zip(*found, strict=True)
            print(
                f"{name:<26} {1e3 * statistics.median(seconds):5.0f} ms  (least {1e3 * min(seconds):.0f}; "
                f"processor {1e3 * min(used):.0f})"
            )
        for dtype in ("float64", "float32"):
            print_one_photo(Path(folder), dtype, 3000)
        if options.run:
            runs = [seconds_of([command, "run"], folder)[0] for _ in range(3)]
            print(f"pellucid run {min(runs):.2f} s, report included")


if __name__ == "__main__":
    main()
