"""What computes a training's steps: one core, or several that each take a part of every batch.

Every core has a replica of the model, with a gradient of its own, and works on its samples from the first layer to
the last, copies and elementwise work included, which BLAS threads would leave to one of them. The gradients of the
parts add up to the whole batch's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from pellucid.nn.model import Model
from pellucid.training.executor.executor import Executor
from pellucid.training.executor.process_shards import CAN_FORK, ProcessShards
from pellucid.training.executor.shared_memory import shared_array
from pellucid.training.executor.thread_shards import ThreadShards
from pellucid.workspace import Workspace

SPLIT_OPERATIONS = 5e7 if CAN_FORK else 2e8  # of a step, from which it pays to split it over cores


@contextmanager
def open_executor(
    model: Model, n_threads: int, optimizer: Any = None, *, holds_blas: bool = False
) -> Iterator[Executor]:
    """Yield what computes the model's steps on a number of cores, BLAS held to one thread each meanwhile.

    Parameters
    ----------
    model : Model
        Initialized. With one core it works alone, and BLAS keeps its threads unless ``holds_blas``.
    n_threads : int
        Cores: processes where the machine lets them share memory without locks, else threads, bit for bit the same.
    optimizer : Optimizer, optional
        Started; what ``update`` will be called with, so that its work can be split too.
    holds_blas : bool, optional
    """
    if n_threads <= 1 and not holds_blas:
        yield Executor(model)
        return
    with _libraries().limit(limits=1, user_api="blas"):
        executor = _executor(model, n_threads, optimizer)
        try:
            yield executor
        finally:
            executor.close()


def batch_workspace(n_threads: int) -> Workspace | None:
    """Return where batches are to be written so that all cores can read them; None: anywhere."""
    return Workspace(shared_array) if n_threads > 1 and CAN_FORK else None


@lru_cache
def _libraries() -> Any:
    """Return what limits the threads of libraries: found once, which takes longer than a short training."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _executor(model: Model, n_threads: int, optimizer: Any) -> Executor:
    if n_threads <= 1:
        return Executor(model)
    return ProcessShards(model, n_threads, optimizer) if CAN_FORK else ThreadShards(model, n_threads)
