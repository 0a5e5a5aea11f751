"""The exact dual form with its rows on a Dask cluster: products of shards by tasks, steps in the client's process.

The dual form (:mod:`pellucid.training.dual.dense`) takes from the samples the Gram matrix and X W_0 once, and X^T D
at the end. Here each of these is a sum or a block for every shard or pair of shards, a task where the shards lie.

In turn each shard is lent to all workers, who multiply the rows of their own shards by it; of a pair of shards each
owner computes one half of the block, so that workers with as many rows have as much to do. What it costs, of m
samples of n_in values on w workers, with n_out units in the first layer:

- operations: m^2 n_in for the Gram matrix, divided by w, in a task for each shard and worker at least;
- bytes between workers: every shard goes once to each of the others, (w - 1) times the data in their own dtype
  (photos are bytes, 8 times less than float64);
- bytes to the client: 8 m^2 for the Gram matrix, 8 m n_out for X W_0, 8 n_in n_out for W; to every worker: W_0;
- memory of a worker: its shards, ``LENT`` others, a block of at most some 64 MB or of two shards, and 4,096 columns
  of these in float64; of the client: the (m, m + n_out) table and the first layer.

After the death of a worker, Dask loads its shards on the others and computes their blocks again. The sums are the
same, bit for bit: their order depends on how the data are cut, and not on who computes them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.preprocess import Preprocessing
from pellucid.data.stored.base import BLOCK_BYTES
from pellucid.distributed.cutting import large_arguments
from pellucid.distributed.factors import (
    Factor,
    added,
    factors_of,
    inputs_of,
    multiplied,
    projected,
    same,
    transposed,
)
from pellucid.distributed.shards import result_of
from pellucid.distributed.waiting import Tasks
from pellucid.progress import ProgressBar
from pellucid.text import join_some
from pellucid.training.dual.rows import FirstProducts, SlicedRows, centre
from pellucid.training.job import Job
from pellucid.types import Array

LENT = 2  # shards that are with all workers at a time: one is multiplied by while the next arrives


class ClusterRows:
    """Rows in shards: see :class:`pellucid.training.dual.rows.Rows`.

    Parameters
    ----------
    client : distributed.Client
    training, validation : list of Factor
    sample : callable
        Takes numbers of training rows, and returns these.
    """

    def __init__(
        self,
        client: Any,
        training: list[Factor],
        validation: list[Factor],
        sample: Callable[[Array], Array],
    ) -> None:
        self.client, self.training, self.validation, self.sample = client, training, validation, sample
        self.m = sum(len(factor.at) for factor in training)
        self.n_validation = sum(len(factor.at) for factor in validation)

    def __len__(self) -> int:
        return self.m

    def first_products(self, W_0: Array, gram: Array | None = None) -> FirstProducts:
        """Return the products with W_0, and the centred ones unless those of the training rows are known."""
        m, n = self.m, self.m + self.n_validation
        products, Z_0 = np.zeros((n, m + 1)), np.zeros((n, W_0.shape[1]))
        for block, values in self._computed(W_0, has_gram=gram is not None):
            if block.columns is None:
                Z_0[block.rows] = values
                continue
            products[np.ix_(block.rows, block.columns)] = values
            if block.rows[0] < m:
                products[np.ix_(block.columns, block.rows)] = values.T
        centre(products[m if gram is not None else 0 :])
        if gram is not None:
            products[:m] = gram
        return FirstProducts(products, Z_0)

    def transposed_product(self, D: Array) -> Array:
        """Return X^T D, float64, shape (n_in, n_out): the sum over shards, by pairs, pairs of these, and so on."""
        with large_arguments():
            sums = [
                self.client.submit(transposed, each.shard.future, each.recipe(), D[each.at], pure=False)
                for each in self.training
            ]
        while len(sums) > 1:
            pairs = [sums[i : i + 2] for i in range(0, len(sums), 2)]
            sums = [
                self.client.submit(added, *pair, pure=False) if len(pair) > 1 else pair[0] for pair in pairs
            ]
        W: Array = result_of(Tasks(self.client, sums).next(), "the weights of the first layer")
        return W

    def _computed(self, W_0: Array, *, has_gram: bool) -> "Iterator[tuple[_Block, Array]]":
        """Yield blocks of the products as they are computed, and their values."""
        running, waves = Tasks(self.client), self._waves(W_0, has_gram=has_gram)
        tasks: dict[Any, tuple[_Task, set[Any]]] = {}
        open_waves: list[set[Any]] = []
        done, total = 0, len(self.training) + len(self.validation)
        total += sum(1 for j in range(len(self.training)) for _ in self._halves(j, has_gram=has_gram))
        with ProgressBar() as show:
            while True:
                open_waves = [keys for keys in open_waves if keys]
                if len(open_waves) < LENT and (wave := next(waves, None)) is not None:
                    keys = {task.future.key for task in wave}
                    open_waves.append(keys)
                    tasks |= {task.future.key: (task, keys) for task in wave}
                    running.add(task.future for task in wave)
                    continue
                if not tasks:
                    return
                future = running.next()
                task, keys = tasks.pop(future.key)
                keys.discard(future.key)
                yield from zip(task.blocks, result_of(future, task.name), strict=True)
                done += len(task.blocks)
                show("multiplying rows on the cluster", done, total)

    def _waves(self, W_0: Array, *, has_gram: bool) -> "Iterator[list[_Task]]":
        """Yield what is computed with W_0, then with each shard in turn, which is lent to all workers for it."""
        factors = [*self.training, *self.validation]
        owners = _owners(self.client, factors)
        with large_arguments():
            sent = self.client.submit(same, W_0, pure=False)
        whole = [_Product(left, slice(None), slice(None)) for left in factors]
        yield [
            self._task(owner, some, None, projected, sent)
            for owner, some in _together(whole, owners, W_0.shape[1])
        ]
        for j, right in enumerate(self.training):
            lent = self.client.submit(inputs_of, right.shard.future, pure=False)
            products = [
                _Product(factors[i], rows, columns) for i, rows, columns in self._halves(j, has_gram=has_gram)
            ]
            wave = []
            for owner, some in _together(products, owners, len(right.at)):
                columns = [None if each.left is right else each.columns for each in some]
                wave.append(self._task(owner, some, right, multiplied, columns, lent, right.recipe()))
            yield wave

    def _task(
        self, owner: str, products: "list[_Product]", right: Factor | None, function: Any, *others: Any
    ) -> "_Task":
        """Submit a task on shards to their owner, for as long as that lives."""
        shards = [each.left.shard for each in products]
        future = self.client.submit(
            function,
            [shard.future for shard in shards],
            [each.left.recipe(each.rows) for each in products],
            *others,
            pure=False,
            workers=[owner] if owner else None,
            allow_other_workers=bool(owner),
        )
        blocks = [
            _Block(each.left.at[each.rows], None if right is None else right.at[each.columns])
            for each in products
        ]
        return _Task(future, join_some([shard.name for shard in shards], most=3), blocks)

    def _halves(self, j: int, *, has_gram: bool) -> Iterator[tuple[int, slice, slice]]:
        """Yield the factors that are multiplied by factor j, and which rows of them by which of its rows.

        Of the block of two shards, the owner of the first computes the upper half of the rows, and the owner of the
        second the rest, so that both have as much to do.
        """
        n, whole = len(self.training), slice(None)
        for i, left in enumerate(self.training if not has_gram else ()):
            if i > j:
                yield i, whole, slice(self.training[j].middle, None)
            elif i == j:
                yield i, whole, whole
            elif left.middle:
                yield i, slice(left.middle), whole
        for i in range(len(self.validation)):
            yield n + i, whole, whole


@contextmanager
def cluster_rows(job: Job, client: Any, n_shards: int) -> Iterator[ClusterRows]:
    """Give a training's rows, in shards on the workers of a client, for as long as it takes.

    Parameters
    ----------
    job : Job
    client : distributed.Client
    n_shards : int
        That rows are cut into which do not come in shards.

    Raises
    ------
    DataError
        If a shard cannot be loaded.
    ClusterError
        If the cluster is lost, or workers die one after another.
    """
    model = job.model
    rule = model.preprocessing or Preprocessing()
    training = factors_of(job.data.X, client, n_shards, rule=rule, dtype=model.dtype)
    validation: list[Factor] = []
    if job.X_validation is not None:
        validation = factors_of(job.X_validation, client, n_shards, first=len(job.data), dtype=model.dtype)

    def sample(rows: Array) -> Array:
        some = SlicedRows(job.X).sample(rows)
        return some if job.rule is None else job.rule.apply(some, model.dtype)

    yield ClusterRows(client, training, validation, sample)


class _Product(NamedTuple):
    """Rows of a shard that are multiplied by rows of another."""

    left: Factor
    rows: slice
    columns: slice


class _Block(NamedTuple):
    """Where a block of products is."""

    rows: Array
    columns: Array | None  # None: in those with W_0


class _Task(NamedTuple):
    """Blocks that are computed together."""

    future: Any  # of their values
    name: str
    blocks: list[_Block]


def _owners(client: Any, factors: list[Factor]) -> dict[Any, str]:
    """Return a worker that holds each shard, by the key of its future; "" where there is none at the moment."""
    futures = [factor.shard.future for factor in factors]
    holders = client.who_has(futures)
    return {future.key: min(holders.get(future.key) or [""]) for future in futures}


def _together(
    products: list[_Product], owners: dict[Any, str], width: int
) -> Iterator[tuple[str, list[_Product]]]:
    """Yield products that one task can compute, with the worker that holds their shards: some 64 MB, or one."""
    by_owner: dict[str, list[_Product]] = {}
    for each in products:
        by_owner.setdefault(owners[each.left.shard.future.key], []).append(each)
    for owner, its in by_owner.items():
        some: list[_Product] = []
        n_bytes = 0
        for each in its:
            n_bytes += 8 * width * len(each.left.at[each.rows])
            if some and n_bytes > BLOCK_BYTES:
                yield owner, some
                some, n_bytes = [], 8 * width * len(each.left.at[each.rows])
            some.append(each)
        yield owner, some
