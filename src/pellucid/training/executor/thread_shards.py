"""A batch split over threads: NumPy lets other threads run while it works.

Between two calls of NumPy's the threads hand the interpreter's lock to one another, so that small steps gain
nothing.
"""

import copy
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import numpy as np

from pellucid.nn.model import Model
from pellucid.training.executor.executor import (
    Executor,
    ShardFailure,
    cut,
    normalizer_of,
    part_of_step,
    reducing,
    set_reduce,
)
from pellucid.types import Array, n_rows
from pellucid.workspace import Workspace


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


class ThreadShards(Executor):
    """A model's step on several threads; see :func:`pellucid.training.executor.choose.open_executor`.

    Parameters
    ----------
    model : Model
        Initialized. It is the first shard itself.
    n_shards : int
        2 or more.
    """

    def __init__(self, model: Model, n_shards: int) -> None:
        super().__init__(model)
        self.n_shards = n_shards
        self.replicas = [model, *(replica(model) for _ in range(n_shards - 1))]
        self.exchange = Exchange(n_shards)
        for shard, one in enumerate(self.replicas[1:], 1):
            set_reduce(one, self._reduce(shard))
        self._tasks: list[SimpleQueue[Callable[[], None] | None]] = [SimpleQueue() for _ in range(n_shards)]
        self._results: SimpleQueue[BaseException | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, args=(shard,), daemon=True) for shard in range(1, n_shards)
        ]
        for thread in self._threads:
            thread.start()

    def loss_and_grad(self, X: Any, Y: Any, *, weights: Array | None = None) -> float:
        """Do what ``model.loss_and_grad`` does: return the loss, fill the model's ``grad``."""
        if n_rows(X) < self.n_shards:  # a shard without samples has nothing to bring
            return super().loss_and_grad(X, Y, weights=weights)
        parts, normalizer = cut(n_rows(X), self.n_shards), normalizer_of(X, weights)
        losses = [0.0] * self.n_shards

        def part(shard: int) -> Callable[[], None]:
            def step() -> None:
                one = self.replicas[shard]
                losses[shard] = part_of_step(one, X, Y, weights, parts[shard], normalizer)

            return step

        with reducing(self.model, self._reduce(0)):
            self.run([part(shard) for shard in range(self.n_shards)])
        for one in self.replicas[1:]:
            self.model.grad += one.grad
        return sum(losses)

    def seed_step(self, seed: int, step: int) -> None:
        """Give each replica's random layers their streams for a step; no two shards share one."""
        for shard, one in enumerate(self.replicas):
            one.seed_step(seed, step, part=shard)

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
        for one in self.replicas:
            set_reduce(one, None)

    def _reduce(self, shard: int) -> Callable[[Array], Array]:
        return lambda part: self.exchange.sum(shard, part)

    def _work(self, shard: int) -> None:
        while (task := self._tasks[shard].get()) is not None:
            self._results.put(_outcome(task, lambda: self.exchange.give_up(shard)))


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


def _outcome(task: Callable[[], None], on_failure: Callable[[], None]) -> BaseException | None:
    try:
        task()
    except BaseException as failure:  # handed to the thread that waits
        on_failure()
        return failure
    return None
