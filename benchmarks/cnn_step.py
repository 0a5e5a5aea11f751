"""One training step of the cnn preset with Adam, batch 32 of 64x64x3 float32, against PyTorch at its best.

    python benchmarks/cnn_step.py

Each contestant runs in a process of its own, in turn, several rounds; the least and the median are printed.
PyTorch is tried with channels_last and with its default layout, and with glibc's allocator told to keep blocks.
"""

import json
import os
import platform
import subprocess
import sys
import time

import numpy as np

M, SIDE, WIDTHS = 32, 64, (24, 48, 96, 96)
ROUNDS, WARM_UP, STEPS = 3, 5, 30
TUNED = {
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TRIM_THRESHOLD_": "8000000000",
    "MALLOC_TOP_PAD_": "500000000",
}


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((M, SIDE, SIDE, 3), dtype=np.float32), rng.integers(0, 2, M)


def clock(step) -> list[float]:
    for _ in range(WARM_UP):
        step()
    times = []
    for _ in range(STEPS):
        started = time.perf_counter()
        step()
        times.append(time.perf_counter() - started)
    return times


def ours(n_threads: int) -> list[float]:
    import pellucid as pl
    from pellucid.training.executor.choose import open_executor

    X, y = data()
    model = pl.preset("cnn")
    model.initialize(X.shape[1:])
    Y = model.encode(y)
    optimizer = pl.optimizers.Adam(0.001)
    optimizer.start(model.theta, model.flat_decay_mask())
    with open_executor(model, n_threads, optimizer=optimizer) as stepper:

        def step() -> None:
            stepper.loss_and_grad(X, Y)
            stepper.update(optimizer)

        return clock(step)


def pytorch(channels_last: bool, n_threads: int) -> list[float]:
    import torch

    torch.set_num_threads(n_threads)
    X, y = data()
    layers, before = [], 3
    for width in WIDTHS:
        layers += [torch.nn.Conv2d(before, width, 3, padding=1, bias=False), torch.nn.BatchNorm2d(width)]
        layers += [torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
        before = width
    network = torch.nn.Sequential(
        *layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(before, 1)
    )
    inputs = torch.from_numpy(X.transpose(0, 3, 1, 2).copy())
    if channels_last:
        network, inputs = (
            network.to(memory_format=torch.channels_last),
            inputs.contiguous(memory_format=torch.channels_last),
        )
    targets = torch.from_numpy(y[:, None].astype(np.float32))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001, fused=True)
    criterion = torch.nn.BCEWithLogitsLoss()

    def step() -> None:
        optimizer.zero_grad()
        criterion(network(inputs), targets).backward()
        optimizer.step()

    return clock(step)


CONTESTANTS = {
    "pellucid, 2 cores": (lambda: ours(2), {}),
    "pellucid, 1 core": (lambda: ours(1), {"OPENBLAS_NUM_THREADS": "1"}),
    "PyTorch channels_last, tuned allocator, 2 threads": (lambda: pytorch(True, 2), TUNED),
    "PyTorch channels_last, 2 threads": (lambda: pytorch(True, 2), {}),
    "PyTorch default layout, tuned allocator, 2 threads": (lambda: pytorch(False, 2), TUNED),
    "PyTorch channels_last, tuned allocator, 1 thread": (lambda: pytorch(True, 1), TUNED),
}


def roofline() -> None:
    """The arithmetic and memory that a step needs, and how fast this machine does them."""
    import pellucid as pl

    model = pl.preset("cnn")
    model.initialize((SIDE, SIDE, 3))
    rows = model.summary().layers
    first = next(row for row in rows if row.kind == "Conv2D")
    forward = sum(row.n_operations for row in rows if row.kind in ("Conv2D", "Dense"))
    step = M * (3 * forward - first.n_operations)  # forward, and both gradients; the first layer needs one
    tensors = M * 4 * sum(int(np.prod(row.output_shape)) for row in rows)
    A = np.random.default_rng(0).random((1024, 1024), dtype=np.float32)
    best = min(_seconds(lambda: A @ A) for _ in range(10))
    rate = 2 * 1024**3 / best
    print(
        f"a step: {step / 1e9:.2f} G operations by the plain algorithm, {tensors / 1e6:.0f} MB of layer outputs"
    )
    print(
        f"matrix products here: {rate / 1e9:.0f} G operations a second: a step in {1000 * step / rate:.1f} ms"
    )


def _seconds(function) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(CONTESTANTS[sys.argv[1]][0]()))
        return
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}"
    )
    times: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    for _ in range(ROUNDS):
        for name, (_, environment) in CONTESTANTS.items():
            done = subprocess.run(
                [sys.executable, __file__, name],
                capture_output=True,
                text=True,
                env={**os.environ, **environment},
            )
            if done.returncode:
                print(f"{name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                continue
            times[name] += json.loads(done.stdout)
    print(f"{'ms a step':52}    min  median")
    for name, seconds in times.items():
        if seconds:
            print(f"{name:52} {1000 * min(seconds):6.1f}  {1000 * float(np.median(seconds)):6.1f}")
    best = min(
        np.median(seconds) for name, seconds in times.items() if name.startswith("PyTorch") and seconds
    )
    print(f"PyTorch's best median over ours: {best / np.median(times['pellucid, 2 cores']):.2f}")
    roofline()


if __name__ == "__main__":
    main()
