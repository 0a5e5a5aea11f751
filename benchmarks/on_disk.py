"""Exact full-batch training on data that stay in their file, beside the same steps by PyTorch in memory.

    python -m benchmarks.on_disk [--photos 500] [--side 512] [--steps 2500] [--kind npy]      about two minutes

Photos of random float32 numbers are written to a temporary folder (1.6 GB), and the published network
([.., 20, 7, 5, 1]) is trained on all of them at each step: by pellucid from the file, loading and checking it
included, and by PyTorch from memory, of whose steps some are taken and scaled, on as many threads as it is fastest
on, with denormal numbers flushed to 0. Each has a process of its own. Peak memory is the largest resident set of
that process (VmHWM); the file's pages that the system keeps besides are given up when needed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.harness import machine, n_cores

LEARNING_RATE = 0.0075
KINDS = ("npy", "npz", "h5", "h5-gzip", "zarr")


def write(folder: Path, kind: str, n: int, side: int) -> Path:
    """Write the photos a few at a time, and a small test part."""
    rng, shape = np.random.default_rng(0), (side, side, 3)
    y, path = rng.integers(0, 2, n), folder / f"photos.{kind.split('-')[0]}"
    small: dict[str, Any] = {
        "X_test": rng.random((2, *shape), np.float32),
        "y_test": np.arange(2),
        "y_train": y,
    }
    if kind == "npz":
        raw = write(folder, "npy", n, side)
        np.savez(path, X_train=np.load(raw, mmap_mode="r"), **small)
        raw.unlink()
        return path
    if kind == "npy":
        for name, array in small.items():
            np.save(folder / f"{name}.npy", array)
        path = folder / "X_train.npy"
        target: Any = np.lib.format.open_memmap(path, "w+", np.float32, (n, *shape))
    elif kind == "zarr":
        import zarr

        group = zarr.open_group(path, mode="w")
        for name, array in small.items():
            group.create_array(name, shape=array.shape, dtype=array.dtype)[...] = array
        target = group.create_array("X_train", shape=(n, *shape), dtype="f4", chunks=(1, *shape))
    else:
        import h5py

        file = h5py.File(path, "w")
        for name, array in small.items():
            file[name] = array
        packed = {"chunks": (1, *shape), "compression": "gzip", "compression_opts": 1}
        target = file.create_dataset("X_train", (n, *shape), "f4", **(packed if kind == "h5-gzip" else {}))
    for i in range(n):
        target[i] = (rng.integers(0, 256, shape) / 255).astype(np.float32)
    if kind.startswith("h5"):
        target.file.close()
    elif kind == "npy":
        target.flush()
    return path


def peak_megabytes() -> float:
    """Return the largest resident set that this process has had."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1e3


def ours(path: Path, n_steps: int) -> dict[str, Any]:
    """Train from the file."""
    import pellucid as pl

    before = peak_megabytes()
    start = time.perf_counter()
    data: Any = pl.load_data(path, on_disk=True).train
    loaded = time.perf_counter()
    model = pl.preset("mlp")
    history = pl.train(
        model, data, n_epochs=n_steps, optimizer="sgd", learning_rate=LEARNING_RATE, batch_size=0
    )
    return {
        "seconds": time.perf_counter() - start,
        "loading": loaded - start,
        "set up": history.setup_seconds,
        "steps": history.loop_seconds,
        "form": history.form,
        "losses": history.losses,
        "passes": data.X.base.n_read / data.X.nbytes,
        "imported": before,
        "peak": peak_megabytes(),
    }


def pytorch(path: Path, n_steps: int) -> dict[str, Any]:
    """Take some steps in memory."""
    import torch
    from torch import nn

    import pellucid as pl

    torch.set_flush_denormal(True)
    data = pl.load_data(path).train
    X = torch.from_numpy(np.array(data.X).reshape(len(data), -1))
    y = torch.from_numpy(data.y.astype(np.float32)[:, None])
    model = pl.preset("mlp")
    model.initialize(data.X.shape[1:], seed=1)
    stack: list[nn.Module] = []
    for layer in model._leaves():
        if "W" in layer.params:
            W, b = layer.params["W"], layer.params["b"]
            linear = nn.Linear(*W.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(W.T.copy()))
                linear.bias.copy_(torch.from_numpy(b))
            stack += [linear, nn.ReLU()]
    network, loss_of, losses = nn.Sequential(*stack[:-1]), nn.BCEWithLogitsLoss(), []
    optimizer = torch.optim.SGD(network.parameters(), LEARNING_RATE)
    seconds: dict[int, float] = {}
    for n_threads in range(1, n_cores() + 1):
        torch.set_num_threads(n_threads)
        for step in range(n_steps + 2):
            if step == 2:  # after two to warm up
                start = time.perf_counter()
            optimizer.zero_grad()
            loss = loss_of(network(X), y)
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        seconds[n_threads] = (time.perf_counter() - start) / n_steps
    return {
        "a step": min(seconds.values()),
        "threads": min(seconds, key=lambda n: seconds[n]),
        "losses": losses,
    }


def in_a_process(who: str, path: Path, n_steps: int) -> dict[str, Any]:
    """Return what one of them finds in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.on_disk", "--child", who, str(path), "--steps", str(n_steps)]
    found: dict[str, Any] = json.loads(
        subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
    )
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--side", type=int, default=512, help="pixels")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--torch-steps", type=int, default=10, help="0: without PyTorch")
    parser.add_argument("--kind", choices=KINDS, default="npy", help="of the file")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        who, path = options.child
        print(json.dumps((ours if who == "ours" else pytorch)(Path(path), options.steps)))
        return
    print(machine("h5py", "torch"))
    n, side = options.photos, options.side
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), options.kind, n, side)
        size = n * side * side * 12
        print(
            f"{n} photos of {side} x {side} x 3 in float32, {size / 1e9:.2f} GB; {path.name}, {options.kind}"
        )
        mine = in_a_process("ours", path, options.steps)
        print(
            f"pellucid, from the file, {mine['form']} form: {mine['seconds']:.1f} s for {options.steps:,} steps "
            f"(loading and checking {mine['loading']:.1f} s, first pass {mine['set up']:.1f} s, steps "
            f"{mine['steps']:.1f} s), {mine['passes']:.2f} passes over the file, peak memory {mine['peak']:,.0f} "
            f"MB ({mine['imported']:,.0f} MB of it before the data)"
        )
        if not options.torch_steps:
            return
        theirs = in_a_process("pytorch", path, options.torch_steps)
    total, k = theirs["a step"] * options.steps, min(len(theirs["losses"]), options.steps) - 1
    print(
        f"PyTorch, from memory, {theirs['threads']} threads: {theirs['a step'] * 1e3:.0f} ms a step, scaled "
        f"{total:.0f} s for {options.steps:,}"
    )
    print(f"loss at step {k + 1}: {mine['losses'][k]:.6f} and {theirs['losses'][k]:.6f}")
    print(f"ratio: {total / mine['seconds']:.0f} times as fast")


if __name__ == "__main__":
    main()
