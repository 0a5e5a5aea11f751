"""A training on several ranks: what each has of a batch, and the steps that they take together."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from typing import Any, NamedTuple, final

import numpy as np

from pellucid import ranks
from pellucid.data.augmentation.augment import Augment
from pellucid.data.augmentation.parts import Part, Rehearsal
from pellucid.data.batches import Batch, Batches
from pellucid.nn.model import Model
from pellucid.rng import stream
from pellucid.training.executor.thread_shards import ThreadShards
from pellucid.training.loss_setup import augment_weighted
from pellucid.types import Array, n_rows, take_rows


class BatchPart(NamedTuple):
    """One rank's part of a batch before it is read."""

    inputs: Array | slice  # numbers of the samples to read: this rank's, and those that are mixed with them
    needed: Array  # their places in the batch
    places: slice  # of this rank's samples in the batch
    m: int  # samples of the whole batch
    Y: Any  # of the whole batch, and so the weights
    weights: Array | None


@final
class RankBatches(Batches):
    """Batches of which this rank has the inputs of its own samples, with the targets and weights of all.

    Of a batch with fewer samples than ranks, each rank has the inputs of all.

    Parameters
    ----------
    whole : Batches
        With the inputs of all samples.
    augment : Augment or None
        What changes them.
    model : Model
        What they are for.
    """

    def __init__(self, whole: Batches, augment: Augment | None, model: Model) -> None:
        vars(self).update(vars(whole))
        self._whole, self.augment, self.model = whole, augment, model

    @property
    def whole(self) -> Batches:
        """The batches with the inputs of all samples."""
        return self._whole

    def epoch(self, epoch: int, *, skip: int = 0) -> Iterator[Batch]:
        """Yield this rank's part of each batch of one epoch, all but the first ``skip``."""
        plans = deque[BatchPart]()

        def chosen() -> Iterator[Array | slice]:
            for i, rows in enumerate(islice(self.rows(epoch), skip, None), start=skip):
                plans.append(self._plan(rows, self._stream(epoch, i)))
                yield plans[-1].inputs

        with closing(self.with_inputs(chosen())) as inputs:
            for i, (_, X) in enumerate(inputs, start=skip):
                _, needed, places, m, Y, weights = plans.popleft()
                if self.augment is not None:
                    self.augment.apply_to_part(X, Part(needed, m), self._stream(epoch, i))
                    X = take_rows(X, np.searchsorted(needed, np.arange(m)[places]))
                yield X, Y, weights

    def _stream(self, epoch: int, i: int) -> np.random.Generator:
        return stream(self.seed, "augment", epoch * self.n_steps + i)

    def _plan(self, rows: Any, rng: np.random.Generator) -> BatchPart:
        Y, weights = take_rows(self.Y, rows), None if self.weights is None else self.weights[rows]
        m = n_rows(Y)
        places = ranks.part(m) if m >= ranks.n_ranks() else slice(0, m)
        if self.augment is None or not self.augment.mixes_targets:
            start = rows.start if self.is_in_order else 0
            own = slice(start + places.start, start + places.stop) if self.is_in_order else rows[places]
            return BatchPart(own, np.arange(m)[places], places, m, Y, weights)
        rehearsal: Any = Rehearsal(self.augment.transforms, m, self.model.input_shape, self.model.dtype)
        _, Y, weights = augment_weighted(rehearsal, rows, Y, weights, rng)
        needed = rehearsal.needed(np.arange(m)[places])
        return BatchPart(np.arange(self.n_rows)[rows][needed], needed, places, m, Y, weights)


@final
class RankShards(ThreadShards):
    """A model's step on all ranks: each takes its samples, split over its threads, and gradients are summed.

    Parameters
    ----------
    model : Model
        Initialized, alike on all ranks.
    n_threads : int
        Of this rank.
    """

    def __init__(self, model: Model, n_threads: int) -> None:
        super().__init__(model, n_threads)
        self._on_one_thread = self if n_threads == 1 else RankShards(model, 1)

    def loss_and_grad(self, X: Any, Y: Any, *, weights: Array | None = None) -> float:
        """Return the loss of a batch with targets Y, of which X are this rank's samples; fill ``grad``."""
        model, m = self.model, n_rows(Y)
        if n_rows(X) == m:  # fewer samples than ranks: each takes the same step
            return self._by_itself(X, Y, weights)
        own, reported = ranks.part(m), model._loss_hook
        normalizer = float(m) if weights is None else float(weights.sum())
        weights = None if weights is None else weights[own]
        shards = self if n_rows(X) >= self.n_shards else self._on_one_thread
        model._loss_hook = None  # a penalty counts once
        try:
            loss = shards._split(X, take_rows(Y, own), weights, normalizer, own.start, m)
            shards._sum_gradients(slice(None))
        finally:
            model._loss_hook = reported
        loss = float(ranks.all_sum(np.array([loss]))[0])
        ranks.all_sum(model.grad)
        return loss if reported is None else reported(loss, normalizer)

    def seed_step(self, seed: int, step: int) -> None:
        """Give each replica's random layers their streams for a step."""
        self._random, first = (seed, step), ranks.rank() * self.n_shards
        for shard, one in enumerate(self.replicas):
            one._seed_step(seed, step, part=first + shard)

    def _reduce(self, shard: int) -> Callable[[Array], Array]:
        """Return what sums over this rank's threads, then over the ranks, by the first thread."""

        def reduce(part: Array) -> Array:
            total = self.all_reduce.sum(shard, part)
            total = ranks.all_sum(total) if shard == 0 else np.zeros_like(total)
            return total if self.n_shards == 1 else self.all_reduce.sum(shard, total)

        return reduce
