"""A batch split over the cores of the machine: each has a replica of the model, with a gradient of its own.

Every core then works on its own samples from the first layer to the last, copies and elementwise work included,
which BLAS threads would leave to one of them. The gradients of the parts add up to the whole batch's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from pellucid.nn.model import Model
from pellucid.training.executor.executor import Stepper
from pellucid.training.executor.process_shards import CAN_FORK, ProcessShards
from pellucid.training.executor.thread_shards import ThreadShards


@contextmanager
def sharded(
    model: Model, n_shards: int, optimizer: Any = None, *, holds_blas: bool = False
) -> Iterator[Stepper]:
    """Yield what computes the model's steps on so many cores, BLAS held to one thread each meanwhile.

    Parameters
    ----------
    model : Model
        Initialized. With one shard it works alone, and BLAS keeps its threads unless ``holds_blas``.
    n_shards : int
        Processes where the machine lets them share memory without locks, else threads: to the bit the same.
    optimizer : Optimizer, optional
        Started; what ``update`` will be called with, so that its work can be split too.
    holds_blas : bool, optional
    """
    if n_shards <= 1 and not holds_blas:
        yield Stepper(model)
        return
    with _libraries().limit(limits=1, user_api="blas"):
        stepper = _stepper(model, n_shards, optimizer)
        try:
            yield stepper
        finally:
            stepper.close()


@lru_cache
def _libraries() -> Any:
    """Return what holds the libraries that have threads: found once, as that takes longer than a short training."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _stepper(model: Model, n_shards: int, optimizer: Any) -> Stepper:
    if n_shards <= 1:
        return Stepper(model)
    return ProcessShards(model, n_shards, optimizer) if CAN_FORK else ThreadShards(model, n_shards)
