"""One worker's part of every batch: which samples it computes, where they are, and how they are prepared.

Every worker derives the same division from the seed and the step, so that nobody has to be told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.augmentation.augment import Augment
from pellucid.data.augmentation.parts import Part
from pellucid.data.batches import Batches
from pellucid.data.preprocess import Preprocessing
from pellucid.nn.model import Model
from pellucid.rng import stream
from pellucid.training.loss_setup import augment_weighted
from pellucid.types import Array, map_arrays, take_rows
from pellucid.workspace import Workspace

CACHE_BYTES = 256_000_000  # of other workers' samples that a worker keeps


@dataclass(frozen=True, eq=False)
class Task:
    """What all workers of a training are given once.

    Attributes
    ----------
    model : Model
        A copy of what is trained.
    Y : targets, as the loss wants them, m rows
    weights : Array, shape (m,), or None
    batch_size, seed, shuffle
        Of the batches.
    rule : Preprocessing or None
        Prepares each batch's samples; None: shards are prepared when they are loaded.
    augment : Augment or None
    shard_of, row_of : Array of int, shape (m,)
        The shard that holds each training sample, and its row there.
    kernels : {"numba", "numpy"}
    converters : tuple of callable
        What brings a shard's samples into the range of those that the model was trained on before.
    """

    model: Model
    Y: Any
    weights: Array | None
    batch_size: int | None
    seed: int
    shuffle: bool
    rule: Preprocessing | None
    augment: Augment | None
    shard_of: Array
    row_of: Array
    kernels: str
    converters: tuple[Callable[[Array, Any], Array], ...] = ()

    @cached_property
    def batches(self) -> Batches:
        """The batches, of the samples' numbers."""
        rows = np.arange(len(self.shard_of))
        return Batches(rows, rows, self.batch_size, self.seed, shuffle=self.shuffle)

    def rows(self, epoch: int, i: int) -> Array:
        """Return the numbers of the samples of an epoch's batch number i."""
        if epoch != self.__dict__.get("_epoch"):
            self.__dict__.update(_epoch=epoch, _order=self.batches.order(epoch))
        order: Array = self.__dict__["_order"]
        size = self.batch_size or len(order)
        return order[i * size : (i + 1) * size]


class Share(NamedTuple):
    """A worker's part of a batch, prepared."""

    X: Any  # the samples; None: this worker has nothing to do in this step
    Y: Any
    weights: Array | None
    normalizer: float  # of the whole batch
    places: Array  # in the batch
    m: int  # samples of the whole batch
    is_alone: bool  # whether one worker computes the whole batch


def divide(owners: Array, n: int) -> list[Array]:
    """Return the places in a batch that each worker computes, as many for each but for one: its own where possible.

    A batch smaller than the number of workers is the first one's.

    Parameters
    ----------
    owners : Array of int, shape (m,)
        The worker that holds each sample.
    n : int

    Examples
    --------
    >>> [part.tolist() for part in divide(np.array([0, 0, 0, 1]), 2)]
    [[0, 1], [2, 3]]
    """
    m = len(owners)
    if m < n:
        return [np.arange(m), *[np.arange(0)] * (n - 1)]
    quotas = np.diff([m * part // n for part in range(n + 1)])
    own = [np.flatnonzero(owners == worker) for worker in range(n)]
    spare = np.sort(np.concatenate([places[quota:] for places, quota in zip(own, quotas, strict=True)]))
    parts = []
    for places, quota in zip(own, quotas, strict=True):
        missing = quota - min(len(places), quota)
        parts.append(np.sort(np.concatenate([places[:quota], spare[:missing]])))
        spare = spare[missing:]
    return parts


class Shares:
    """Makes one worker's part of any batch.

    Parameters
    ----------
    task : Task
    rank : int
        This worker's number.
    owners : Array of int
        The worker that holds each shard.
    shards : dict of samples, by the shards' numbers
        Those of this worker: arrays, or where a model has several inputs, dictionaries of arrays.
    fetch : callable
        Takes a worker and numbers of samples, and returns the samples as that worker holds them.
    """

    def __init__(
        self,
        task: Task,
        rank: int,
        owners: Sequence[int],
        shards: dict[int, Any],
        fetch: Callable[[int, Array], Any],
    ) -> None:
        self.task, self.rank = task, rank
        self.owners, self.shards, self.fetch = np.asarray(owners), shards, fetch
        self._kept: dict[int, Any] = {}
        self._n_bytes = 0
        self._is_once = task.batch_size is None and task.augment is None  # every batch is the first
        self._full: Share | None = None
        self._next: tuple[tuple[int, int, int], Share] | None = None
        self._workspace = Workspace()

    def prepare_next(self, epoch: int, i: int, n: int) -> None:
        """Make the part of the batch that comes after an epoch's number i, while others are still at work."""
        following = (epoch, i + 1) if i + 1 < self.task.batches.n_steps else (epoch + 1, 0)
        self._next = (*following, n), self.of(*following, n)

    def of(self, epoch: int, i: int, n: int) -> Share:
        """Return the part of an epoch's batch number i, divided among n workers.

        Valid until the next one: both may lie in the same memory.
        """
        if self._full is not None:
            return self._full
        ahead, self._next = self._next, None
        if ahead is not None and ahead[0] == (epoch, i, n):
            return ahead[1]
        task = self.task
        rows = task.rows(epoch, i)
        m, places = len(rows), divide(self.owners[task.shard_of[rows]], n)[self.rank]
        Y, weights = take_rows(task.Y, rows), None if task.weights is None else task.weights[rows]
        needed, step = places, epoch * task.batches.n_steps + i
        if task.augment is not None and task.augment.mixes_targets:
            model: Any = task.model
            rehearsal: Any = task.augment.rehearse(m, model.input_shape, model.dtype)
            _, Y, weights = augment_weighted(rehearsal, rows, Y, weights, stream(task.seed, "augment", step))
            needed = rehearsal.needed(places)
        normalizer = float(m) if weights is None else float(weights.sum())
        X = self._prepared(rows[needed]) if len(places) else None
        if task.augment is not None and X is not None:
            task.augment.apply_to_part(X, Part(needed, m), stream(task.seed, "augment", step))
            X = X if len(needed) == len(places) else take_rows(X, np.searchsorted(needed, places))
        share = Share(
            X,
            take_rows(Y, places),
            None if weights is None else weights[places],
            normalizer,
            places,
            m,
            m < n,
        )
        if self._is_once:
            self._full = share
        return share

    def _prepared(self, rows: Array) -> Any:
        X, rule, dtype = self._gathered(rows), self.task.rule, self.task.model.dtype
        if rule is None:
            return X

        def prepared(array: Array, name: str = "X") -> Array:
            out = self._workspace.take(f"{name} {len(rows)}", array.shape, dtype)
            return rule.apply(array, dtype, out=out)

        if isinstance(X, dict):
            return {name: prepared(array, f"X.{name}") for name, array in X.items()}
        return prepared(X)

    def _gathered(self, rows: Array) -> Any:
        """Return samples: this worker's own from its shards, others kept from before or fetched."""
        owners = self.owners[self.task.shard_of[rows]]
        if (owners == self.rank).all():
            return self.held(rows)
        parts = []
        for owner in np.unique(owners):
            here = owners == owner
            own = owner == self.rank
            parts.append((here, self.held(rows[here]) if own else self._of_others(int(owner), rows[here])))
        return placed(parts)

    def held(self, rows: Array) -> Any:
        """Return samples that lie in this worker's shards, by their numbers."""
        numbers, local = self.task.shard_of[rows], self.task.row_of[rows]
        kinds = np.unique(numbers)
        if len(kinds) == 1:
            return take_rows(self.shards[int(kinds[0])], local)
        every = [(numbers == shard, self.shards[int(shard)]) for shard in kinds]
        return placed([(here, take_rows(shard, local[here])) for here, shard in every])

    def _of_others(self, owner: int, rows: Array) -> Any:
        found = {row: self._kept[row] for row in rows.tolist() if row in self._kept}
        missing = [row for row in rows.tolist() if row not in found]
        if missing:
            samples = self.fetch(owner, np.array(missing))
            if len(missing) == len(rows) and self._is_once:
                return samples
            fresh = {row: map_arrays(np.copy, take_rows(samples, i)) for i, row in enumerate(missing)}
            found |= fresh
            self._keep(fresh)
        every = [found[row] for row in rows.tolist()]
        if isinstance(every[0], dict):
            return {name: np.stack([one[name] for one in every]) for name in every[0]}
        return np.stack(every)

    def _keep(self, samples: dict[int, Any]) -> None:
        """Keep samples for later epochs, in the place of those kept longest."""
        for row, sample in samples.items():
            self._kept[row] = sample
            self._n_bytes += n_bytes(sample)
        while self._n_bytes > CACHE_BYTES:
            self._n_bytes -= n_bytes(self._kept.pop(next(iter(self._kept))))


def placed(parts: Sequence[tuple[Array, Any]]) -> Any:
    """Return samples put together from parts: each with a mask of the places that it takes.

    Examples
    --------
    >>> placed([(np.array([True, False]), np.array([1])), (np.array([False, True]), np.array([2]))])
    array([1, 2])
    """
    here, first = parts[0]
    if isinstance(first, dict):
        return {name: placed([(places, samples[name]) for places, samples in parts]) for name in first}
    X = np.empty((len(here), *first.shape[1:]), first.dtype)
    for places, samples in parts:
        X[places] = samples
    return X


def n_bytes(sample: Any) -> int:
    """Return the bytes of a sample, of several inputs or one."""
    return sum(array.nbytes for array in (sample.values() if isinstance(sample, dict) else [sample]))
