"""Trainings on a cluster: ``train`` with the samples on the workers."""

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from pellucid.data.batches import is_on_disk
from pellucid.data.dataset import Dataset
from pellucid.data.preprocess import Preprocessing
from pellucid.distributed.batch_parts import Task
from pellucid.distributed.cluster import check_cluster
from pellucid.distributed.gram import cluster_rows
from pellucid.distributed.rows import ShardedRows, places, unwrapped
from pellucid.distributed.shards import Shards, current_client
from pellucid.distributed.steps import ClusterForm, ClusterSteps, Turns
from pellucid.distributed.waiting import n_workers
from pellucid.distributed.worker_pool import WorkerPool
from pellucid.errors import DataError, OptionError
from pellucid.nn.replica import replica
from pellucid.text import plural
from pellucid.training.choose_form import batches_of, choose_form, is_dual, validation_of
from pellucid.training.features import features_of
from pellucid.training.fit import train as train_here
from pellucid.training.form import Form
from pellucid.training.history import History
from pellucid.training.job import Job, prepares_batches
from pellucid.types import Array

SHARDS_EACH = 4  # of a worker: so that others, or one that comes later, can take some


def train(model: Any, data: Any, *, client: Any = None, **options: Any) -> History:
    """Train a model on the workers of a Dask cluster, in place.

    Parameters
    ----------
    model : Model
    data : Dataset, (X, y), or what :meth:`pellucid.distributed.shards.Shards.of` takes
        The training samples.
    client : distributed.Client, optional
        Default: Dask's current one.
    **options
        As :func:`pellucid.train` takes them.

    Returns
    -------
    History

    Raises
    ------
    PellucidError
        As ``train`` does; ClusterError if the cluster cannot be used.

    Notes
    -----
    Synchronous data-parallel training: the parameters go down a binary tree of workers at each step, and the
    gradients come up, added on the way in a fixed order. In a step each connection carries the parameters once
    each way, and batch norm's sums. What holds, and what happens when a worker is lost: docs/limits.md.

    Examples
    --------
    >>> from pellucid.distributed.cluster import open_cluster
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    >>> model = Sequential([Dense(1)])
    >>> with open_cluster(n_workers=1) as client:
    ...     history = train(model, (X, y), client=client, n_epochs=200, learning_rate=1.0, form="direct")
    >>> model.predict(X)
    array([0, 0, 1, 1])
    """
    cluster = Cluster(client)
    n_workers(cluster.client)  # refuses a closed client
    check_cluster(cluster.client, str(cluster.client.scheduler.address))
    if not isinstance(data, Dataset) and not is_pair_of_arrays(data):
        shards = Shards.of(data, client=cluster.client, n=cluster.n_shards)
        if isinstance(shards.sample_shape, dict):
            raise DataError(
                "train: several inputs by name come from here. Give one Dataset of them, or (X, y)."
            )
        data = Dataset(ShardedRows(shards, cluster.client), shards.y, shards.classes)  # type: ignore[arg-type]
    return train_here(model, data, place=cluster, **options)


class Cluster:
    """Where a training is computed: on the workers of a Dask client."""

    def __init__(self, client: Any) -> None:
        self.client = client or current_client()

    @property
    def n_shards(self) -> int:
        """Into how many shards data are cut that do not come in such."""
        return SHARDS_EACH * max(1, n_workers(self.client))

    @contextlib.contextmanager
    def __call__(self, job: Job, history: History) -> Iterator[Form]:
        """Have the samples on the workers while the training lasts, and record it in the history."""
        if is_dual(job):
            rows_of = partial(cluster_rows, client=self.client, n_shards=self.n_shards)
            with choose_form(job, history, rows_of) as form:
                history.note += f"; its products on {plural(n_workers(self.client), 'worker')}"
                yield form
            return
        check_layers(job.model)
        if job.plan.n_threads not in (None, 1):
            raise OptionError("n_threads: each worker of a cluster computes on one thread. Leave it out.")
        X, rule, part = job.X, job.rule, None
        held_out = job.X_validation
        there = rule  # prepares batches on the workers, which hold the samples as they are loaded
        if is_on_disk(job.data.X) and prepares_batches(job.model, job.data.X, job.plan):
            there = job.model.preprocessing
        if job.part is not job.model:
            part, rule, there = job.part, None, None
            held_out = None if held_out is None else features_of(job.model, held_out)
        rows, numbers, converters = unwrapped(job.data.X)
        if rows is None:
            held = Dataset(job.data.X, np.zeros(len(numbers), np.int64))  # labels go with the task
            shards, converters = Shards.of(held, client=self.client, n=self.n_shards), []
        else:
            shards = rows.shards
        shard_of, row_of = places(shards, numbers if rows is not None else np.arange(len(shards)))
        task = task_of(job, shard_of, row_of, tuple(converters), there)
        pool = WorkerPool(self.client, task, shards.parts)
        try:
            pool.start()
            history.note = f"direct form, on {pool.in_words()}"
            plain = batches_of(job, X, rule)
            turns = Turns(plain, job.plan.augment, job.model)
            steps = ClusterSteps(job.part, pool, job.n_steps)
            yield ClusterForm(turns, validation_of(job, X, held_out, rule, part), steps, part)
            history.note, history.n_threads = f"direct form, on {pool.in_words()}", len(pool.members)
        finally:
            pool.close()


def task_of(
    job: Job, shard_of: Array, row_of: Array, converters: tuple[Any, ...], rule: Preprocessing | None
) -> Task:
    """Return what every worker is told of a training."""
    plan = job.plan
    return Task(
        model=replica(job.model),
        Y=job.Y,
        weights=job.weights,
        batch_size=plan.batch_size,
        seed=plan.seed,
        shuffle=plan.shuffle,
        rule=rule,
        augment=plan.augment,
        shard_of=shard_of,
        row_of=row_of,
        converters=converters,
        kernels=job.kernels,
    )


def is_pair_of_arrays(data: Any) -> bool:
    """Return whether data are (X, y) in memory, which ``train`` reads itself."""
    return isinstance(data, tuple) and len(data) == 2 and not hasattr(data[0], "dask")


def check_layers(model: Any) -> None:
    """Raise OptionError if a layer draws random numbers in a way that depends on how a batch is divided."""
    for leaf in model.leaves():
        if hasattr(leaf, "set_step_rng") and not hasattr(leaf, "part"):
            raise OptionError(
                f"train: {leaf.label} draws random numbers, and cannot draw those of a part of a batch: give it an "
                "attribute `part`, as Dropout has, or train in one process."
            )
