"""How fast is a convolution? Forward and backward of four layers, ours beside PyTorch's.

    python benchmarks/convolution.py                about two minutes
    python benchmarks/convolution.py --rounds 1     a first look

Batch 32, float32, 3x3 kernels, stride 1, one pixel of padding, with bias. Each library runs in processes of its own
(two thread pools in one process fight), and they take turns, so that a change of load meets both. The smallest and
the median time of all rounds are printed. PyTorch runs with channels_last, its faster layout here, with its default
allocator and with one tuned to keep memory. On two threads, PyTorch uses its own; ours are two Python threads with
half of the batch each.

The 3-channel layer is the network's first: it needs no input gradient.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LAYERS = [(3, 24, 64), (24, 48, 32), (48, 96, 16), (96, 96, 8)]  # channels in, channels out, image size
BATCH, N_STEPS = 32, 30
TUNED = {
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TRIM_THRESHOLD_": "8000000000",
    "MALLOC_TOP_PAD_": "500000000",
}
RIVALS = {  # name -> (what runs, environment)
    "PyTorch": ("torch", {}),
    "PyTorch, tuned": ("torch", TUNED),
    "pellucid": ("auto", {}),
    "pellucid, im2col": ("im2col", {}),
}


def milliseconds(step: Callable[[], object]) -> list[float]:
    """Return the time of each step, after three to warm up."""
    times = []
    for _ in range(N_STEPS + 3):
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return times[3:]


def time_torch(n_threads: int) -> list[list[float]]:
    """Return the times of every layer in PyTorch."""
    import torch

    torch.set_num_threads(n_threads)
    results = []
    for c_in, c_out, size in LAYERS:
        X = torch.randn(BATCH, c_in, size, size).to(memory_format=torch.channels_last)
        X.requires_grad_(c_in != LAYERS[0][0])
        layer = torch.nn.Conv2d(c_in, c_out, 3, padding=1).to(memory_format=torch.channels_last)
        dZ = torch.randn(BATCH, c_out, size, size).to(memory_format=torch.channels_last)

        def step(layer=layer, X=X, dZ=dZ) -> None:
            layer.zero_grad()
            X.grad = None
            layer(X).backward(dZ)

        results.append(milliseconds(step))
    return results


def time_ours(n_threads: int, algorithm: str) -> list[list[float]]:
    """Return the times of every layer in pellucid, the batch split over Python threads."""
    with ThreadPoolExecutor(1) as pool:
        results = []
        for layer in LAYERS:
            first, *others = [our_step(*layer, BATCH // n_threads, algorithm) for _ in range(n_threads)]

            def step(first=first, others=others) -> None:
                waiting = [pool.submit(other) for other in others]
                first()
                for one in waiting:
                    one.result()

            results.append(milliseconds(step))
    return results


def our_step(c_in: int, c_out: int, size: int, m: int, algorithm: str) -> Callable[[], object]:
    """Return a function that does one forward and backward of m images, with buffers used again."""
    import numpy as np

    from pellucid.kernels.uncompiled.conv import conv2d_backward, conv2d_forward
    from pellucid.workspace import Workspace

    rng = np.random.default_rng(0)
    shapes = {
        "X": (m, size, size, c_in),
        "W": (3, 3, c_in, c_out),
        "b": (c_out,),
        "Z": (m, size, size, c_out),
    }
    X, W, b, dZ = (rng.standard_normal(shape).astype(np.float32) for shape in shapes.values())
    Z, dX, dW, db, workspace = *map(np.empty_like, (dZ, X, W, b)), Workspace()
    needs_dX = c_in != LAYERS[0][0]

    def step() -> None:
        _, cache = conv2d_forward(
            X, W, b, padding=((1, 1), (1, 1)), out=Z, workspace=workspace, algorithm=algorithm
        )
        conv2d_backward(dZ, cache, dX=dX, dW=dW, db=db, needs_dX=needs_dX, workspace=workspace)

    return step


def gemm_rate() -> float:
    """Return the machine's rate of float32 matrix products on one core, billions of operations a second."""
    import numpy as np

    A = np.ones((1024, 1024), np.float32)
    out = np.empty_like(A)
    return 2 * 1024**3 / (1e6 * min(milliseconds(lambda: np.matmul(A, A, out=out))))


def in_a_process(*arguments: str, environment: dict[str, str]) -> object:
    """Return what this file prints when it is run with these arguments."""
    command = [sys.executable, __file__, *arguments]
    single = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": arguments[2]}
    done = subprocess.run(
        command, env={**os.environ, **single, **environment}, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


def main() -> None:
    """Run every rival in turn and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often every rival has its turn")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, n_threads = options.child[0], int(options.child[1])
        if what == "gemm":
            print(json.dumps(gemm_rate()))
        else:
            print(json.dumps(time_torch(n_threads) if what == "torch" else time_ours(n_threads, what)))
        return
    report(options.rounds)


def report(n_rounds: int) -> None:
    """Measure and print."""
    import numpy as np
    import torch

    rate = in_a_process("--child", "gemm", "1", environment={})
    print(
        f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {rate:.0f} GF/s on one core"
    )
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, PyTorch {torch.__version__}\n")
    for n_threads in (1, 2):
        times: dict[str, list[list[float]]] = {name: [[] for _ in LAYERS] for name in RIVALS}
        for _ in range(n_rounds):
            for name, (what, environment) in RIVALS.items():
                results = in_a_process("--child", what, str(n_threads), environment=environment)
                for all_times, new in zip(times[name], results, strict=True):
                    all_times += new
        print(f"{n_threads} thread{'s' * (n_threads > 1)}: milliseconds, smallest (median)")
        print(f"{'':14}" + "".join(f"{name:>20}" for name in RIVALS) + f"{'times as fast':>18}")
        for i, (c_in, c_out, size) in enumerate(LAYERS):
            cells = [
                f"{min(times[name][i]):.2f} ({statistics.median(times[name][i]):.2f})" for name in RIVALS
            ]
            best = min(min(times[name][i]) for name in RIVALS if name.startswith("PyTorch"))
            label = f"{c_in} -> {c_out} at {size}"
            ratio = best / min(times["pellucid"][i])
            print(f"{label:14}" + "".join(f"{cell:>20}" for cell in cells) + f"{ratio:>18.2f}")
        print(flush=True)


if __name__ == "__main__":
    main()
