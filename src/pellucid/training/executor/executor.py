"""The protocol of what computes a training's steps, and the case of one core."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from pellucid.nn.model import Model
from pellucid.types import Array, n_rows, take_rows


class ShardFailure(Exception):
    """Another shard failed, so this one cannot go on."""


class Executor:
    """A model's steps, computed by the model alone; other executors split them.

    Parameters
    ----------
    model : Model
        Initialized.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def loss_and_grad(self, X: Any, Y: Any, *, weights: Array | None = None) -> float:
        """Do what ``model.loss_and_grad`` does: return the loss, fill the model's ``grad``."""
        return self.model.loss_and_grad(X, Y, weights=weights)

    def seed_step(self, seed: int, step: int) -> None:
        """Give the layers that draw random numbers their streams for a step."""
        self.model.seed_step(seed, step)

    def update(self, optimizer: Any) -> None:
        """Let an optimizer move the model's parameters by the model's ``grad``, which it may overwrite."""
        optimizer.step(self.model.theta, self.model.grad)

    def close(self) -> None:
        """Leave the model as it was found."""


def n_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def part_of_step(
    model: Model, X: Any, Y: Any, weights: Array | None, rows: slice, normalizer: float
) -> float:
    """Return one shard's part of the loss, and fill its ``grad`` with that of the gradient."""
    own = None if weights is None else weights[rows]
    return model.loss_and_grad(take_rows(X, rows), take_rows(Y, rows), weights=own, normalizer=normalizer)


def normalizer_of(X: Any, weights: Array | None) -> float:
    """Return what a batch's sum of losses is divided by."""
    return float(n_rows(X)) if weights is None else float(weights.sum())


def cut(size: int, n_parts: int) -> list[slice]:
    """Return slices that divide a length as evenly as possible.

    Examples
    --------
    >>> cut(5, 2)
    [slice(0, 2, None), slice(2, 5, None)]
    """
    bounds = [size * part // n_parts for part in range(n_parts + 1)]
    return [slice(a, b) for a, b in pairwise(bounds)]


@contextmanager
def reducing(model: Model, reduce: Callable[[Array], Array]) -> Iterator[None]:
    """Add up over the shards only while all of them take a step: nobody would bring a part to anything else."""
    set_reduce(model, reduce)
    try:
        yield
    finally:
        set_reduce(model, None)


def set_reduce(model: Model, reduce: Callable[[Array], Array] | None) -> None:
    """Give the layers that need sums over the whole batch what adds them up over the shards."""
    for leaf in model.leaves():
        if hasattr(leaf, "reduce"):
            leaf.reduce = reduce
