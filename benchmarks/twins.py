"""What each twin of a plain op gains: a forward and a backward, plain, by faster NumPy and compiled, one thread.

    python benchmarks/twins.py            about twenty seconds, and some to compile the first time

Shapes are those of `cnn` on a batch of 32 photos of 64x64, of a small convolutional network and of a
784-128-64-10 network at batch 32; float32. The ways take turns in rounds within one process, and the best round of
each counts. A faster NumPy stays where small networks, which nothing is compiled for, would be slower without it.
"""

import inspect
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from pellucid import dispatch
from pellucid.dispatch import all_twins
from pellucid.dispatch.losses import loss_and_gradient
from pellucid.ops import linear
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.losses.cross_entropy import CategoricalCrossEntropy
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.types import Shape
from pellucid.workspace import Workspace

TWINS = all_twins()
N_ROUNDS = 7
SAME = ((1, 1), (1, 1))
PHOTOS, SMALL, ROWS = (32, 32, 32, 48), (16, 16, 16, 8), (32, 128)


class Job(NamedTuple):
    """An op that has twins, the shapes of its arguments, and its options."""

    op: str
    shapes: tuple[Shape, ...]
    options: dict[str, Any] = {}  # noqa: RUF012


def _norm(op: str, shape: Shape) -> Job:
    return Job(op, (shape, shape[-1:], shape[-1:]))


JOBS = {
    "linear, 784 to 128": Job("linear", ((32, 784), (784, 128), (128,))),
    "convolution 3x3, 3 to 24": Job("conv2d", ((32, 64, 64, 3), (3, 3, 3, 24)), {"padding": SAME}),
    "convolution 3x3, 24 to 48": Job("conv2d", ((32, 32, 32, 24), (3, 3, 24, 48)), {"padding": SAME}),
    "convolution 3x3, 3 to 8, small": Job("conv2d", ((16, 16, 16, 3), (3, 3, 3, 8)), {"padding": SAME}),
    "convolution 3x3, depthwise": Job("conv2d", (PHOTOS, (3, 3, 1, 48)), {"padding": SAME, "groups": 48}),
    "batch norm": _norm("batch_norm", PHOTOS),
    "batch norm, small": _norm("batch_norm", SMALL),
    "batch norm, rows": _norm("batch_norm", ROWS),
    "layer norm": _norm("layer_norm", PHOTOS),
    "layer norm, rows": _norm("layer_norm", ROWS),
    "max pool 2x2": Job("max_pool", (PHOTOS,), {"size": (2, 2)}),
    "max pool 2x2, small": Job("max_pool", (SMALL,), {"size": (2, 2)}),
    "average pool 2x2": Job("average_pool", (PHOTOS,), {"size": (2, 2)}),
    "average pool 2x2, small": Job("average_pool", (SMALL,), {"size": (2, 2)}),
    "global average": Job("global_average", ((32, 8, 8, 96),)),
    **{
        f"bias and {name}": Job("bias_activation", (PHOTOS, (48,)), {"activation": ACTIVATIONS[name]})
        for name in ("relu", "tanh", "silu", "gelu")
    },
    "bias and relu, rows": Job("bias_activation", (ROWS, (128,)), {"activation": ACTIVATIONS["relu"]}),
}


def one_pass(job: Job) -> Callable[[], None]:
    """Return a function that does one forward and one backward, with the buffers of a layer."""
    rng = np.random.default_rng(0)
    arguments = [rng.standard_normal(shape).astype(np.float32) for shape in job.shapes]
    forward, backward = (
        getattr(dispatch, f"{job.op}_{way}", None) or getattr(linear, f"{job.op}_{way}")
        for way in ("forward", "backward")
    )
    twins = TWINS.get(f"{job.op}_forward")
    fast = () if twins is None else (twins.numpy, twins.kernel or twins.plain)
    takes = any("workspace" in inspect.signature(one).parameters for one in fast)
    extra = {"workspace": Workspace()} if takes else {}

    def run() -> None:
        Z, *_, cache = forward(*arguments, **job.options, **extra)
        backward(np.ones_like(Z), cache)

    return run


def loss_step() -> Callable[[], None]:
    """Return a function that does one loss with its gradient."""
    rng = np.random.default_rng(0)
    loss, Z, y = (
        CategoricalCrossEntropy(),
        rng.standard_normal((32, 10)).astype(np.float32),
        np.arange(32) % 10,
    )
    return lambda: loss_and_gradient(loss, Z, y) and None


def optimizer_step(name: str, p: int) -> Callable[[], None]:
    """Return a function that does one step of so many parameters."""
    theta, grad = np.random.default_rng(0).standard_normal((2, p)).astype(np.float32)
    optimizer = OPTIMIZERS.make(name, weight_decay=0.01)
    optimizer.start(theta, np.ones_like(theta))
    return lambda: optimizer.step(theta, grad)


def milliseconds(function: Callable[[], None], choice: str) -> float:
    """Return how long one call takes."""
    with dispatch.use(choice):
        start = time.perf_counter()
        function()
        return 1e3 * (time.perf_counter() - start)


def has_faster_numpy(op: str) -> bool:
    """Return whether a forward or a backward has one."""
    found = (TWINS.get(f"{op}_{way}") for way in ("forward", "backward"))
    return any(pair is not None and pair.numpy is not pair.plain for pair in found)


if __name__ == "__main__":
    work = {name: (one_pass(job), has_faster_numpy(job.op)) for name, job in JOBS.items()}
    work["softmax loss, rows"] = loss_step(), False
    for name in ("sgd", "adam"):
        for p in (1_000, 110_000):
            work[f"{name}, {p:,} parameters"] = optimizer_step(name, p), False
    print(f"{'':32}{'plain, ms':>11}{'NumPy':>9}{'ratio':>7}{'compiled':>10}{'ratio':>7}")
    for name, (run, has_numpy) in work.items():
        rounds = [{way: milliseconds(run, way) for way in dispatch.WAYS} for _ in range(N_ROUNDS + 1)]
        plain, numpy, numba = (min(each[way] for each in rounds[1:]) for way in dispatch.WAYS)
        faster = f"{numpy:9.3f}{plain / numpy:7.1f}" if has_numpy else f"{'-':>9}{'-':>7}"
        print(f"{name:32}{plain:11.3f}{faster}{numba:10.3f}{plain / numba:7.1f}")
