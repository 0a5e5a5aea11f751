"""A batch split over threads: each has a replica of the model, with a gradient of its own.

NumPy lets other threads run while it works, so that as many shards as cores use the whole machine: matrix products,
copies and elementwise work alike, which BLAS threads would not. The same idea serves processes and machines.
"""

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import numpy as np

from pellucid.nn.model import Model
from pellucid.types import Array, n_rows, take_rows
from pellucid.workspace import Workspace


class ShardFailure(Exception):
    """Another shard failed, so this one cannot go on."""


class Exchange:
    """Where shards meet in the middle of a step: each brings a part, and all leave with the sum.

    The parts are added in the order of the shards, so that the sum is the same in every one and on every run.
    """

    def __init__(self, n_shards: int) -> None:
        self.n_shards = n_shards
        self._parts: list[Array | None] = [None] * n_shards
        self._queues: list[SimpleQueue[bool]] = [SimpleQueue() for _ in range(n_shards)]

    def meet(self, shard: int) -> None:
        """Wait until every shard has come here."""
        for other in range(self.n_shards):
            if other != shard:
                self._queues[other].put(True)
        for _ in range(self.n_shards - 1):
            if not self._queues[shard].get():
                raise ShardFailure

    def sum(self, shard: int, part: Array) -> Array:
        """Return the sum of all shards' parts, which have one shape."""
        self._parts[shard] = part.copy()
        self.meet(shard)
        total = np.zeros_like(part)
        for brought in self._parts:
            assert brought is not None
            total += brought
        self.meet(shard)  # nobody brings the next part before everybody has read this one
        return total

    def give_up(self, shard: int) -> None:
        """Wake whoever waits for this shard."""
        for other in range(self.n_shards):
            if other != shard:
                self._queues[other].put(False)

    def clear(self) -> None:
        """Forget the tokens of a failed step."""
        self._queues = [SimpleQueue() for _ in range(self.n_shards)]


class Shards:
    """A model's step on several threads; see :func:`sharded`.

    Parameters
    ----------
    model : Model
        Initialized. It is the first shard itself.
    n_shards : int
        2 or more.
    """

    def __init__(self, model: Model, n_shards: int) -> None:
        self.model, self.n_shards = model, n_shards
        self.replicas = [model, *(replica(model) for _ in range(n_shards - 1))]
        self.exchange = Exchange(n_shards)
        for shard, one in enumerate(self.replicas):
            _set_reduce(one, self._reduce(shard))
        self._tasks: list[SimpleQueue[Callable[[], None] | None]] = [SimpleQueue() for _ in range(n_shards)]
        self._results: SimpleQueue[BaseException | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, args=(shard,), daemon=True) for shard in range(1, n_shards)
        ]
        for thread in self._threads:
            thread.start()

    def loss_and_grad(self, X: Any, Y: Any, *, weights: Array | None = None) -> float:
        """Do what ``model.loss_and_grad`` does: return the loss, fill the model's ``grad``."""
        m = n_rows(X)
        bounds = [m * shard // self.n_shards for shard in range(self.n_shards + 1)]
        if m < self.n_shards:  # a shard without samples has nothing to bring
            return self._alone(X, Y, weights)
        normalizer = float(m) if weights is None else float(weights.sum())
        losses = [0.0] * self.n_shards

        def part(shard: int) -> Callable[[], None]:
            rows = slice(bounds[shard], bounds[shard + 1])

            def step() -> None:
                own = None if weights is None else weights[rows]
                losses[shard] = self.replicas[shard].loss_and_grad(
                    take_rows(X, rows), take_rows(Y, rows), weights=own, normalizer=normalizer
                )

            return step

        self.run([part(shard) for shard in range(self.n_shards)])
        for one in self.replicas[1:]:
            self.model.grad += one.grad
        return sum(losses)

    def seed_step(self, seed: int, step: int) -> None:
        """Give each replica's random layers their streams for a step; no two shards share one."""
        for shard, one in enumerate(self.replicas):
            one.seed_step(seed, step, shard=shard)

    def run(self, tasks: list[Callable[[], None]]) -> None:
        """Run one task on each thread, the first on this one, and wait for all."""
        for shard in range(1, self.n_shards):
            self._tasks[shard].put(tasks[shard])
        failures = [_outcome(tasks[0], lambda: self.exchange.give_up(0))]
        failures += [self._results.get() for _ in range(1, self.n_shards)]
        raised = [failure for failure in failures if failure is not None]
        if raised:
            self.exchange.clear()
            raise next((failure for failure in raised if not isinstance(failure, ShardFailure)), raised[0])

    def close(self) -> None:
        """End the threads, and leave the model as it was found."""
        for shard in range(1, self.n_shards):
            self._tasks[shard].put(None)
        for thread in self._threads:
            thread.join()
        _set_reduce(self.model, None)

    def _alone(self, X: Any, Y: Any, weights: Array | None) -> float:
        _set_reduce(self.model, None)
        try:
            return self.model.loss_and_grad(X, Y, weights=weights)
        finally:
            _set_reduce(self.model, self._reduce(0))

    def _reduce(self, shard: int) -> Callable[[Array], Array]:
        return lambda part: self.exchange.sum(shard, part)

    def _work(self, shard: int) -> None:
        while (task := self._tasks[shard].get()) is not None:
            self._results.put(_outcome(task, lambda: self.exchange.give_up(shard)))


@contextmanager
def sharded(model: Model, n_shards: int, *, holds_blas: bool = False) -> Iterator[Any]:
    """Yield what computes the model's steps on so many threads, BLAS held to one thread each meanwhile.

    With one shard it is the model itself, and BLAS keeps its threads unless ``holds_blas``.
    """
    if n_shards <= 1 and not holds_blas:
        yield model
        return
    from threadpoolctl import threadpool_limits

    if n_shards <= 1:
        with threadpool_limits(limits=1, user_api="blas"):
            yield model
        return
    shards = Shards(model, n_shards)
    try:
        with threadpool_limits(limits=1, user_api="blas"):
            yield shards
    finally:
        shards.close()


def replica(model: Model) -> Model:
    """Return a copy that shares the model's parameters, and has gradients, state and buffers of its own."""
    shared = {id(model.theta): model.theta}  # deepcopy takes what is here as it is
    for leaf in model.leaves():
        shared |= {id(array): array for array in leaf.params.values()}
        leaf.workspace = Workspace()
    twin = copy.deepcopy(model, shared)
    twin.grad = np.zeros_like(model.grad)
    twin.carve_gradients()
    return twin


def _set_reduce(model: Model, reduce: Callable[[Array], Array] | None) -> None:
    for leaf in model.leaves():
        if hasattr(leaf, "reduce"):
            leaf.reduce = reduce


def _outcome(task: Callable[[], None], on_failure: Callable[[], None]) -> BaseException | None:
    try:
        task()
    except BaseException as failure:  # handed to the thread that waits
        on_failure()
        return failure
    return None
