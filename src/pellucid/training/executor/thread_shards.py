"""A batch split over threads, each with a replica of the model that works on its part from end to end."""

from collections.abc import Callable
from typing import Any

from pellucid.errors import TrainingError
from pellucid.nn.model import Model
from pellucid.nn.replica import replica
from pellucid.threads import AllReduce, WorkerLost, Workers, cut
from pellucid.training.executor.executor import Executor
from pellucid.types import Array, n_rows, take_rows

UPDATE_SIZE = 65_536  # parameters from which it pays to divide the optimizer's work


class ThreadShards(Executor):
    """A model's step on several threads; see :func:`pellucid.training.executor.choose.executor_for`.

    If a thread is gone, as in a child that was forked in the middle of a training, the others' work is done here.

    Parameters
    ----------
    model : Model
        Initialized. It is the first shard itself.
    n_shards : int
        2 or more.
    optimizer : Optimizer, optional
        The one that ``update`` will be called with after each step. Its work is divided where that pays, and the
        model's ``grad`` is complete after it only.
    """

    def __init__(self, model: Model, n_shards: int, optimizer: Any = None) -> None:
        super().__init__(model)
        self.n_shards, self.runs_layers = n_shards, n_shards == 1
        self.replicas = [model, *(replica(model) for _ in range(n_shards - 1))]
        self.workers = Workers(n_shards)
        self.all_reduce = AllReduce(self.workers)
        pays = model.theta.size >= UPDATE_SIZE  # and each part can be moved without the whole gradient
        self.is_divided = bool(optimizer and optimizer.is_divisible and optimizer.clip_norm is None and pays)
        self._is_alone = self._is_open = False  # whether gradients wait to be summed
        self._random: tuple[int, int] | None = None
        for shard, one in enumerate(self.replicas[1:], 1):
            tell_layers(one, "reduce", self._reduce(shard))

    def loss_and_grad(self, X: Any, Y: Any, *, weights: Array | None = None) -> float:
        """Do what ``model.loss_and_grad`` does: return the loss, fill the model's ``grad``."""
        self._is_open = False
        if self._is_alone or n_rows(X) < self.n_shards:  # a shard without samples has nothing to bring
            return self._by_itself(X, Y, weights)
        normalizer = float(n_rows(X)) if weights is None else float(weights.sum())
        try:
            loss = self._split(X, Y, weights, normalizer, 0, n_rows(X))
        except WorkerLost:
            self._is_alone = True
            return self._by_itself(X, Y, weights)
        if self.is_divided:
            self._is_open = True
        else:
            self._sum_gradients(slice(None))
        return loss

    def _split(self, X: Any, Y: Any, weights: Array | None, normalizer: float, first: int, m: int) -> float:
        """Have each thread compute a part of rows ``first`` and so on of a batch of m; return the losses' sum."""
        parts, losses = cut(n_rows(X), self.n_shards), [0.0] * self.n_shards

        def step(shard: int) -> None:
            rows, one = parts[shard], self.replicas[shard]
            tell_layers(one, "part", (slice(first + rows.start, first + rows.stop), m))
            own = None if weights is None else weights[rows]
            losses[shard] = one._loss_and_grad_of_encoded(
                take_rows(X, rows), take_rows(Y, rows), weights=own, normalizer=normalizer
            )

        tell_layers(self.model, "reduce", self._reduce(0))  # only here: elsewhere no other part would arrive
        try:
            self.workers.run(step)
        except BaseException:
            self.all_reduce.restart()
            raise
        finally:
            tell_layers(self.model, "reduce", None)
            tell_layers(self.model, "part", None)
        return sum(losses)

    def seed_step(self, seed: int, step: int) -> None:
        """Give each replica's random layers their streams for a step."""
        self._random = (seed, step)
        for shard, one in enumerate(self.replicas):
            one._seed_step(seed, step, part=shard)

    def update(self, optimizer: Any) -> None:
        """Let each thread sum the gradients of its own part of the parameters, and move them."""
        if not self._is_open:
            super().update(optimizer)
            return
        parts = cut(self.model.theta.size, self.n_shards)

        def move(shard: int) -> None:
            self._sum_gradients(parts[shard])
            optimizer.step_part(self.model.theta, self.model.grad, parts[shard])

        optimizer.begin_step()
        try:
            self.workers.run(move)
        except WorkerLost:
            raise TrainingError(
                "train: a thread that shared the work is gone. Train with n_threads=1, or resume from a checkpoint."
            ) from None

    def close(self) -> None:
        """End the threads, and leave the model as it was found."""
        super().close()
        self.workers.close()
        for one in self.replicas:
            tell_layers(one, "reduce", None)
        if self._is_open:
            self._sum_gradients(slice(None))

    def _sum_gradients(self, part: slice) -> None:
        total = self.model.grad[part]
        for one in self.replicas[1:]:
            total += one.grad[part]

    def _by_itself(self, X: Any, Y: Any, weights: Array | None) -> float:
        if self._random is not None:
            self.model._seed_step(*self._random)
        return self.model._loss_and_grad_of_encoded(X, Y, weights=weights)

    def _reduce(self, shard: int) -> Callable[[Array], Array]:
        return lambda part: self.all_reduce.sum(shard, part)


def tell_layers(model: Model, name: str, value: Any) -> None:
    """Set ``part``, the rows that are theirs, or ``reduce``, which sums over the shards, of layers that have it."""
    for leaf in model._uses():
        if leaf._has(name):
            setattr(leaf, name, value)
