"""What each fast twin gains: a forward and a backward of every op that has one, plain against fast, one thread.

    python benchmarks/twins.py            about ten seconds

Shapes are those of `cnn` on a batch of 32 photos of 64x64, and of a 784-128-64-10 network at batch 32; float32.
The two take turns in rounds within one process, and the best round of each counts.
"""

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from pellucid import dispatch
from pellucid.types import Shape
from pellucid.workspace import Workspace

N_ROUNDS = 7
SAME = ((1, 1), (1, 1))


class Job(NamedTuple):
    """An op with a fast twin, the shapes of its arguments, and its options."""

    op: str
    shapes: tuple[Shape, ...]
    options: dict[str, Any] = {}  # noqa: RUF012


JOBS = {
    "linear, 784 to 128": Job("linear", ((32, 784), (784, 128), (128,))),
    "convolution 3x3, 3 to 24": Job("conv2d", ((32, 64, 64, 3), (3, 3, 3, 24)), {"padding": SAME}),
    "convolution 3x3, 24 to 48": Job("conv2d", ((32, 32, 32, 24), (3, 3, 24, 48)), {"padding": SAME}),
    "convolution 3x3, depthwise": Job(
        "conv2d", ((32, 32, 32, 48), (3, 3, 1, 48)), {"padding": SAME, "groups": 48}
    ),
    "batch norm": Job("batch_norm", ((32, 32, 32, 48), (48,), (48,))),
    "layer norm": Job("layer_norm", ((32, 32, 32, 48), (48,), (48,))),
    "max pool 2x2": Job("max_pool", ((32, 32, 32, 48),), {"size": (2, 2)}),
    "average pool 2x2": Job("average_pool", ((32, 32, 32, 48),), {"size": (2, 2)}),
    "norm, relu and pool": Job("norm_relu_pool", ((32, 32, 32, 48), (48,), (48,))),
}


def one_pass(job: Job, choice: str) -> Callable[[], None]:
    """Return a function that does one forward and one backward, with the buffers of a layer."""
    rng = np.random.default_rng(0)
    arguments = [rng.standard_normal(shape).astype(np.float32) for shape in job.shapes]
    forward, backward = (getattr(dispatch, f"{job.op}_{way}") for way in ("forward", "backward"))
    takes = dispatch.TWINS[f"{job.op}_forward"].numpy.__kwdefaults__
    extra = {"workspace": Workspace()} if "workspace" in takes else {}

    def run() -> None:
        with dispatch.use(choice):
            Z, *_, cache = forward(*arguments, **job.options, **extra)
            backward(np.ones_like(Z), cache)

    return run


def milliseconds(function: Callable[[], None]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    function()
    return 1e3 * (time.perf_counter() - start)


if __name__ == "__main__":
    print(f"{'':28}{'plain, ms':>10}{'fast, ms':>10}{'ratio':>8}")
    for name, job in JOBS.items():
        passes = {choice: one_pass(job, choice) for choice in ("plain", "numpy")}
        rounds = [{choice: milliseconds(run) for choice, run in passes.items()} for _ in range(N_ROUNDS + 1)]
        plain, fast = (min(each[choice] for each in rounds[1:]) for choice in ("plain", "numpy"))
        print(f"{name:28}{plain:10.2f}{fast:10.2f}{plain / fast:8.1f}")
