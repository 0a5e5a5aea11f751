"""Independent jobs, such as trainings, on the workers of a Dask cluster."""

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from pellucid.data.readers.reading import quiet_logs
from pellucid.distributed.cluster import open_cluster
from pellucid.distributed.map_unordered import kept, kept_by_workers, map_unordered
from pellucid.job_threads import Stopped, stopped_by
from pellucid.parallel import jobs_run_by
from pellucid.registry import explain_call

Job = TypeVar("Job")
Result = TypeVar("Result")


@explain_call
@contextmanager
def cluster(address: str | None = None, n_workers: int | None = None) -> Iterator[None]:
    """Let what runs side by side in this block run on a cluster; where none is named, on this machine as ever.

    Parameters
    ----------
    address, n_workers : optional
        As for :func:`pellucid.distributed.cluster.open_cluster`, of which at most one may be given.

    Raises
    ------
    PellucidError
        If Dask is not installed, or the cluster cannot be reached or used.

    Examples
    --------
    >>> from pellucid.parallel import run_jobs
    >>> with cluster():
    ...     list(run_jobs(lambda shared, job: shared + job, 10, [1, 2]))
    [(1, 11), (2, 12)]
    """
    if address is None and n_workers is None:
        yield
        return
    # It is left to our own messages to say what is lost: Dask's log would fill the terminal.
    quiet = quiet_logs(*map(logging.getLogger, ("distributed", "distributed.client", "distributed.core")))
    with quiet, open_cluster(address, n_workers) as client, jobs_run_by(partial(run_on, client)):
        yield


def run_on(
    client: Any, function: Callable[[Any, Job], Result], shared: Any, jobs: Sequence[Job]
) -> Generator[tuple[Job, Result], None, None]:
    """Yield each job with ``function(shared, job)``, in the order in which they are done, each exactly once.

    Parameters
    ----------
    client : distributed.Client
    function : callable
    shared : object
        What all jobs need; sent to a worker once.
    jobs : sequence

    Raises
    ------
    ClusterError
        As :func:`.map_unordered` does. An exception of a job is passed on unchanged.

    Notes
    -----
    If the caller closes the generator, jobs that run end at their next ``stop_if_cancelled``.
    """
    with kept_by_workers(client, (function, shared)) as key:
        yield from map_unordered(client, partial(do_job, key), jobs)


def do_job(key: str, job: Any) -> Any:
    """Do a job on a worker, by the kernels that the command was asked for; it ends early where it is cancelled."""
    from distributed import get_worker

    worker = get_worker()
    tasks, own = worker.state.tasks, worker.get_current_task()

    def is_cancelled() -> bool:
        task = tasks.get(own)
        return task is None or task.state == "cancelled"

    with kept(key) as (function, shared), stopped_by(is_cancelled):
        try:
            return function(shared, job)
        except Stopped:
            return None
