"""The processes of a training, and what they share: see :mod:`pellucid.training.executor.process_shards`."""

import os
import signal
import warnings
from contextlib import suppress
from typing import Any

import numpy as np

from pellucid.nn.model import Model
from pellucid.training.executor.executor import cut, normalizer_of, part_of_step, reducing, set_reduce
from pellucid.training.executor.shared_memory import Counters, Mailbox, WorkerLost, is_shared, shared_array
from pellucid.types import Array, map_arrays, n_rows
from pellucid.workspace import Workspace

EXCHANGE_BYTES = 262_144  # of a sum that is exchanged at a time
UPDATE_SIZE = 16_384  # parameters from which the optimizer's work is divided


class WorkerPool:
    """The processes of a training, from fork to end, and what they share.

    Where ``is_divided``, each adds up its own part of the gradient when the optimizer's step comes, and the model's
    ``grad`` is the first shard's alone until then.

    The first is the one that was there before. It writes a message to the others and starts with its own part; each
    counts the tasks that it has done, and the sums to which it has brought its part.
    """

    def __init__(self, model: Model, grads: Array, optimizer: Any, batch: tuple[Any, ...]) -> None:
        self.model, self.grads, self.optimizer = model, grads, optimizer
        self.n_shards = n_shards = len(grads)
        self.shard, self.n_tasks, self.n_sums = 0, 0, 0
        self.parent, self.children = os.getpid(), list[int]()
        self.is_divided = optimizer is not None and _can_divide(optimizer, model.theta.size)
        self.batch = tuple(part if part is None else map_arrays(_room_for, part) for part in batch)
        self.losses = shared_array((n_shards,), np.float64)
        self.parts = shared_array((2, n_shards, EXCHANGE_BYTES), np.uint8)
        self.tasks, self.sums = Counters(n_shards, self._check), Counters(n_shards, self._check)
        self.mailbox = Mailbox()
        try:
            for shard in range(1, n_shards):
                self._fork(shard)
        except OSError:
            self.end()
            raise

    def _fork(self, shard: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: BLAS looks after its own
            child = os.fork()
        if child:
            self.children.append(child)
            return
        try:
            self._serve(shard)
        finally:
            os._exit(1)  # the first finds out by looking

    def _serve(self, shard: int) -> None:
        """Do what the messages say, until this process is killed or the first one is gone."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first one's to answer
        self.shard, self.children = shard, []
        move(self.model, self.model.theta, self.grads[shard])
        set_reduce(self.model, self.sum)
        self.model.reported = None  # the first reports
        while True:
            self.n_tasks += 1
            self.tasks.wait(0, self.n_tasks)
            name, *details = self.mailbox.read()
            if name == "step":
                self.losses[shard] = self._part_of_step(self.batch, *details)
            else:
                self._part_of_update(*details)
            self.tasks.add(shard)

    def step(self, batch: tuple[Any, ...], random: tuple[int, int] | None) -> float:
        """Return the loss of a batch, and fill the model's ``grad``."""
        m = n_rows(batch[0])
        rest = slice(cut(m, self.n_shards)[0].stop, m)
        for room, arrays in zip(self._rooms(), arrays_of(batch), strict=True):
            if room is not arrays:
                room[rest] = arrays[rest]
        task = (m, normalizer_of(batch[0], batch[2]), random)
        self._tell("step", *task)
        with reducing(self.model, self.sum):
            loss = self._part_of_step(batch, *task)
        self._wait_for_others()
        if not self.is_divided:
            for other in self.grads[1:]:
                self.grads[0] += other
        return loss + float(self.losses[1:].sum())

    def _part_of_step(
        self, batch: tuple[Any, ...], m: int, normalizer: float, random: tuple[int, int] | None
    ) -> float:
        if random is not None:
            self.model.seed_step(*random, part=self.shard)
        X, Y, weights = batch
        return part_of_step(self.model, X, Y, weights, cut(m, self.n_shards)[self.shard], normalizer)

    def update(self) -> None:
        """Take a step of the optimizer's."""
        self.optimizer.begin_step()
        self._tell("update", self.optimizer.numbers())
        self._part_of_update({})
        self._wait_for_others()

    def _part_of_update(self, numbers: dict[str, Any]) -> None:
        vars(self.optimizer).update(numbers)
        part = cut(self.model.theta.size, self.n_shards)[self.shard]
        own = self.grads[self.shard, part]
        # Into memory of this process's own: writing into another's cache takes long.
        brought = [
            own.copy() if shard == self.shard > 1 else self.grads[shard, part]
            for shard in range(self.n_shards)
        ]
        np.add(brought[0], brought[1], out=own)
        for one in brought[2:]:
            own += one
        self.optimizer.step_part(self.model.theta, self.grads[self.shard], part)

    def sum(self, part: Array) -> Array:
        """Return the sum of all shards' parts, which have one shape, added in the order of the shards."""
        flat = part.ravel()
        total, length = np.zeros_like(flat), EXCHANGE_BYTES // flat.itemsize
        for start in range(0, flat.size, length):
            piece = flat[start : start + length]
            # Two places take turns: who is one meeting ahead must not write where others still read.
            brought = self.parts[self.n_sums % 2].view(flat.dtype)[:, : piece.size]
            brought[self.shard] = piece
            self._meet()
            for one in brought:
                total[start : start + length] += one
        return total.reshape(part.shape)

    def has_room(self, batch: tuple[Any, ...]) -> bool:
        """Return whether a batch is like the first one and no larger."""
        rooms, arrays = self._rooms(), arrays_of(batch)
        return len(rooms) == len(arrays) and all(
            room is array
            or (room.dtype == array.dtype and room.shape[1:] == array.shape[1:] and len(room) >= len(array))
            for room, array in zip(rooms, arrays, strict=True)
        )

    def end(self) -> None:
        """End the others."""
        for child in self.children:
            with suppress(ProcessLookupError, ChildProcessError):  # somebody's handler may have met it first
                os.kill(child, signal.SIGKILL)  # it has nothing to tidy up
                os.waitpid(child, 0)
        self.children = []
        self.tasks.check = self.sums.check = nothing  # else crew and counters would keep each other in memory

    def _rooms(self) -> list[Array]:
        return arrays_of(self.batch)

    def _tell(self, *message: Any) -> None:
        self.n_tasks += 1
        self.mailbox.write(*message)
        self.tasks.add(0)

    def _wait_for_others(self) -> None:
        for shard in range(1, self.n_shards):
            self.tasks.wait(shard, self.n_tasks)

    def _meet(self) -> None:
        self.n_sums += 1
        self.sums.add(self.shard)
        for shard in range(self.n_shards):
            self.sums.wait(shard, self.n_sums)

    def _check(self) -> None:
        """Raise where another process is gone."""
        if self.shard and os.getppid() != self.parent:
            raise WorkerLost
        try:
            gone = [child for child in self.children if os.waitpid(child, os.WNOHANG) != (0, 0)]
        except ChildProcessError:
            raise WorkerLost from None
        if gone:
            self.children = [child for child in self.children if child not in gone]
            raise WorkerLost


def nothing() -> None:
    """Do nothing."""


def move(model: Model, theta: Array, grad: Array) -> None:
    """Let a model's parameters and gradients lie in these arrays, and forget what is made of views of others."""
    model.move(theta, grad)
    for leaf in model.leaves():
        leaf.workspace = Workspace()


def _can_divide(optimizer: Any, size: int) -> bool:
    """Return whether each shard can move a part of the parameters without the whole gradient."""
    return optimizer.is_divisible and optimizer.clip_norm is None and size >= UPDATE_SIZE


def _room_for(array: Array) -> Array:
    return array if is_shared(array) else shared_array(array.shape, array.dtype)


def arrays_of(batch: tuple[Any, ...]) -> list[Any]:
    """Return all arrays of inputs, targets and weights."""
    parts = (list(part.values()) if isinstance(part, dict) else [part] for part in batch)
    return [array for arrays in parts for array in arrays if array is not None]
