"""What computes a training's steps: one core, or several that each take a part of every batch.

A stack of Dense layers has a kernel of its own, which several cores share. Of all other models every core has a
replica, with a gradient of its own, and works on its samples from the first layer to the last, copies and
elementwise work included, which BLAS threads would leave to one of them. The gradients of the parts add up to the
whole batch's.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from pellucid import dispatch
from pellucid.blas_threads import one_blas_thread
from pellucid.nn.hooks import is_hooked
from pellucid.nn.model import Model
from pellucid.training.executor.dense_stack import DenseStack
from pellucid.training.executor.executor import Executor
from pellucid.training.executor.stack_layers import layers_of
from pellucid.training.executor.thread_shards import ThreadShards
from pellucid.training.ranks import RankShards


@contextmanager
def executor_for(
    model: Model,
    n_threads: int,
    optimizer: Any = None,
    *,
    holds_blas: bool = False,
    over_ranks: bool = False,
) -> Iterator[Executor]:
    """Yield what computes the model's steps on a number of cores, BLAS held to one thread each meanwhile.

    Parameters
    ----------
    model : Model
        Initialized. With one core it works alone, and BLAS keeps its threads unless ``holds_blas``.
    n_threads : int
        Where a layer is hooked it is one.
    optimizer : Optimizer, optional
        What ``update`` will be called with, so that its work can be split too.
    holds_blas : bool, optional
    over_ranks : bool, optional
        Whether batches are parts of one, of which each of several ranks has its own: see :mod:`pellucid.ranks`.
    """
    n_threads = 1 if is_hooked(model) else n_threads
    is_stack = not over_ranks and bool(layers_of(model)) and dispatch.module("dense_stack") is not None
    executor: Executor
    with one_blas_thread() if n_threads > 1 or holds_blas or is_stack else nullcontext():
        if over_ranks:
            executor = RankShards(model, n_threads)
        elif is_stack:
            executor = DenseStack(model, n_threads, optimizer)
        else:
            executor = Executor(model) if n_threads <= 1 else ThreadShards(model, n_threads, optimizer)
        try:
            yield executor
        finally:
            executor.close()
