"""How long one optimizer step takes: 110,000 float32 parameters, ours against PyTorch's, one thread each.

    python benchmarks/optimizer_step.py            about ten seconds

PyTorch holds them as the six tensors of a 784-128-64-10 network, as its users do, and as one flat tensor; for each
rule the faster of its default and its fused implementation counts. The two take turns in rounds within one
process, and the best round of each is printed: on a busy machine the others measure the neighbours.
"""

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from benchmarks import harness

from pellucid.training.optimizers.base import OPTIMIZERS

SHAPES = ((784, 128), (128,), (128, 64), (64,), (64, 10), (10,))
RULES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "sgd": ("SGD", {"momentum": 0.9}, {"momentum": 0.9, "lr": 0.01}),
    "rmsprop": ("RMSprop", {}, {}),
    "adagrad": ("Adagrad", {}, {}),
    "adam": ("Adam", {}, {}),
    "adamw": ("AdamW", {}, {}),
}


def our_step(name: str, options: dict[str, Any]) -> Callable[[], None]:
    """Return a step of ours on one flat array; the gradient is copied in first, as a backward would write it."""
    p = sum(int(np.prod(shape)) for shape in SHAPES)
    theta, source = np.random.default_rng(0).standard_normal((2, p)).astype(np.float32)
    grad = source.copy()
    mask = np.concatenate([np.full(int(np.prod(shape)), len(shape) == 2) for shape in SHAPES]).astype(
        np.float32
    )
    optimizer = OPTIMIZERS.make(name, **options)
    optimizer.start(theta, mask)

    def step() -> None:
        np.copyto(grad, source)
        optimizer.step(theta, grad)

    return step


def torch_step(kind: str, options: dict[str, Any], shapes: tuple[tuple[int, ...], ...]) -> Callable[[], Any]:
    """Return a step of PyTorch's, with the same copy of the gradient."""
    parameters = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    sources = [torch.randn(shape) for shape in shapes]
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    optimizer = getattr(torch.optim, kind)(parameters, **options)

    def step() -> None:
        for parameter, source in zip(parameters, sources, strict=True):
            assert parameter.grad is not None
            parameter.grad.copy_(source)
        optimizer.step()

    return step


def contest(steps: dict[str, Callable[[], Any]], n_rounds: int, n_steps: int = 50) -> dict[str, float]:
    """Return the best round's microseconds a step for each, all taking turns."""
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(n_rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            for _ in range(n_steps):
                step()
            best[name] = min(best[name], (time.perf_counter() - start) / n_steps * 1e6)
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    n_rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    flat = ((sum(int(np.prod(shape)) for shape in SHAPES),),)
    print(f"{harness.machine('torch')}; {flat[0][0]:,} float32 parameters")
    print(
        f"{'microseconds a step':<22}{'ours':>8}{'default':>10}{'fused':>8}{'flat fused':>12}{'times faster':>14}"
    )
    for name, (kind, ours, theirs) in RULES.items():
        steps = {"ours": our_step(name, ours), "default": torch_step(kind, theirs, SHAPES)}
        if name != "rmsprop":  # which PyTorch has not fused
            steps["fused"] = torch_step(kind, {**theirs, "fused": True}, SHAPES)
            steps["flat fused"] = torch_step(kind, {**theirs, "fused": True}, flat)
        best = contest(steps, n_rounds)
        rival = min(best[way] for way in ("default", "fused") if way in best)
        cells = [
            f"{best[way]:.0f}" if way in best else "-" for way in ("ours", "default", "fused", "flat fused")
        ]
        print(
            f"{name:<22}{cells[0]:>8}{cells[1]:>10}{cells[2]:>8}{cells[3]:>12}{rival / best['ours']:>14.2f}"
        )


if __name__ == "__main__":
    main()
