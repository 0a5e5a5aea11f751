"""A batch split over processes that share memory: nothing stands between their steps but the sums they exchange.

Threads of one interpreter hand its lock to each other at every call of NumPy's, which costs more than a small step
takes. Here each shard is a process, forked with everything that the model is. Parameters, gradients, samples and
what the optimizer remembers lie in memory that all of them share, and the optimizer's work is divided, too.
"""

import platform
import sys
from typing import Any

import numpy as np

from pellucid.errors import TrainingError
from pellucid.nn.model import Model
from pellucid.training.executor.executor import Executor
from pellucid.training.executor.shared_memory import WorkerLost, shared_array, shared_copy
from pellucid.training.executor.worker_pool import WorkerPool, arrays_of, move
from pellucid.types import Array, n_rows

CAN_FORK = sys.platform == "linux" and platform.machine() == "x86_64"


class ProcessShards(Executor):
    """A model's step on several processes; see :func:`pellucid.training.executor.choose.open_executor`.

    They are forked at the first step, when the size of a batch is known, and again where a larger one comes. If one
    of them fails or is killed, this process does the step again, and all others, alone: what was an error of the
    model's is raised here then.

    Parameters
    ----------
    model : Model
        Initialized. It is the first shard itself.
    n_shards : int
        2 or more.
    optimizer : Optimizer, optional
        Started; the one that ``update`` will be called with after each step. Its work is divided then, and the
        model's ``grad`` is complete only where it asks for all of it.
    """

    def __init__(self, model: Model, n_shards: int, optimizer: Any = None) -> None:
        super().__init__(model)
        self.n_shards, self.optimizer = n_shards, optimizer
        self._own = model.theta, model.grad
        self._grads = shared_array((n_shards, model.theta.size), model.theta.dtype)
        move(model, shared_copy(model.theta), self._grads[0])
        if optimizer is not None:
            optimizer.move_slots(shared_copy)
        self._crew: WorkerPool | None = None
        self._is_alone = False
        self._random: tuple[int, int] | None = None

    def loss_and_grad(self, X: Any, Y: Any, *, weights: Array | None = None) -> float:
        """Do what ``model.loss_and_grad`` does: return the loss, fill the model's ``grad``."""
        batch = (X, Y, weights)
        is_dense = all(isinstance(array, np.ndarray) for array in arrays_of(batch))
        if (
            self._is_alone or not is_dense or n_rows(X) < self.n_shards
        ):  # without samples there is nothing to bring
            return self._by_itself(X, Y, weights)
        try:
            if self._crew is None or not self._crew.has_room(batch):
                self._end()
                self._crew = WorkerPool(self.model, self._grads, self.optimizer, batch)
            return self._crew.step(batch, self._random)
        except (WorkerLost, OSError):
            self._end()
            self._is_alone = True
            return self._by_itself(X, Y, weights)
        except BaseException:
            self._end()
            raise

    def seed_step(self, seed: int, step: int) -> None:
        """Give each shard's random layers their streams for a step; no two shards share one."""
        self._random = (seed, step)

    def update(self, optimizer: Any) -> None:
        """Let each shard move its own part of the parameters."""
        if self._crew is None or not self._crew.is_divided:
            super().update(optimizer)
            return
        try:
            self._crew.update()
        except WorkerLost:
            self._end()
            raise TrainingError(
                "train: a process that shared the work was killed in the middle of a step, perhaps because memory "
                "ran out. Train with n_threads=1, or resume from a checkpoint."
            ) from None

    def close(self) -> None:
        """End the other processes, and give the model and the optimizer their own memory back."""
        self._end()
        theta, grad = self._own
        grad[...] = self.model.grad
        move(self.model, theta, grad)
        if self.optimizer is not None:
            self.optimizer.move_slots(np.copy)

    def _end(self) -> None:
        if self._crew is not None:
            crew, self._crew = self._crew, None
            crew.end()

    def _by_itself(self, X: Any, Y: Any, weights: Array | None) -> float:
        if self._random is not None:
            self.model.seed_step(*self._random)
        if self._crew is not None:
            self._grads[1:] = 0  # the first's is that of the whole batch
        return self.model.loss_and_grad(X, Y, weights=weights)
