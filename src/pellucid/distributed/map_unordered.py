"""Many jobs on a Dask cluster, each handed on once, whatever becomes of the workers.

Dask does again what a worker had to do that is killed, or frozen for the scheduler's ``worker-ttl``. What it leaves
open is here: how many jobs are handed out at a time, when to give up, and what each worker has once.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar
from uuid import uuid4

from pellucid.dispatch import asked, use
from pellucid.parallel import JobsLost
from pellucid.text import printable

_KEPT: dict[str, Any] = {}  # in a worker's process
Job = TypeVar("Job")
Result = TypeVar("Result")
AHEAD = 4  # jobs that are handed out for each thread of the cluster
LOOK_SECONDS = 1.0  # between two looks at the cluster
SILENT_SECONDS = 30.0  # of a worker, after which Dask takes it for dead; of all, after which the work ends


@contextmanager
def kept_by_workers(client: Any, value: Any) -> Iterator[str]:
    """Send a value to each worker, and yield the key under which tasks find it there, by :func:`kept`.

    Parameters
    ----------
    client : distributed.Client
    value : object
        Anything that can be pickled: it is sent once to each worker, and to one that joins or comes back before its
        first task.
    """
    from distributed import WorkerPlugin

    class Keep(WorkerPlugin):  # type: ignore[misc, unused-ignore] # in a function, it is sent itself
        def __init__(self, key: str, value: Any) -> None:
            self.name, self.value = key, value

        def setup(self, worker: Any) -> None:

            from pellucid.distributed.map_unordered import _KEPT

            _KEPT[self.name] = self.value

        def teardown(self, worker: Any) -> None:

            from pellucid.distributed.map_unordered import _KEPT

            _KEPT.pop(self.name, None)

    key = f"pellucid-{uuid4().hex}"
    client.register_plugin(Keep(key, (value, asked(None))), name=key)
    try:
        yield key
    finally:
        if client.status == "running":
            with suppress(Exception):  # the cluster may be going down
                client.unregister_worker_plugin(key)


@contextmanager
def kept(key: str) -> Iterator[Any]:
    """Give, in a task, the value of a key; the block runs the kernels that were chosen where it was sent."""
    value, kernels = _KEPT[key]
    with nullcontext() if kernels == "auto" else use(kernels):
        yield value


class ClusterError(JobsLost):
    """A cluster cannot be reached, or cannot do the work."""


def map_unordered(
    client: Any,
    function: Callable[[Job], Result],
    jobs: Iterable[Job],
    *,
    is_ordered: bool = False,
    named: Callable[[Job], str] = str,
) -> Iterator[tuple[Job, Result]]:
    """Yield each job with ``function(job)``, computed by a worker, in the order in which they are done.

    Parameters
    ----------
    client : distributed.Client
    function : callable
        Without side effects: it may run more than once for a job.
    jobs : iterable
        Taken as they are handed out. Job and result pass through the scheduler, so they are to be small.
    is_ordered : bool, optional
        Yield in the order of the jobs.
    named : callable, optional
        Returns what a job is called in messages.

    Raises
    ------
    ClusterError
        If the scheduler is lost, there is no worker for half a minute, or workers die at a job. What a job raises
        is passed on.

    Examples
    --------
    >>> from pellucid.distributed.cluster import open_cluster
    >>> with open_cluster(n_workers=1) as client:
    ...     sorted(map_unordered(client, abs, [-2, 3]))
    [(-2, 2), (3, 3)]
    """
    ended: SimpleQueue[int] = SimpleQueue()
    out: dict[int, tuple[Job, Any]] = {}  # a job and its future, until the result is handed on
    results: dict[int, Result] = {}
    cluster, name, left = _Cluster(client), f"pellucid-{uuid4().hex}", enumerate(jobs)
    n_handed_on, has_more = 0, True
    try:
        while True:
            n_threads = cluster.look()
            while has_more and len(out) < AHEAD * max(1, n_threads):
                if has_more := (found := next(left, None)) is not None:
                    number, job = found
                    with cluster.lost_scheduler_said():
                        future = client.submit(
                            function, job, key=f"{name}-{number}", pure=False, priority=-number
                        )
                    out[number] = job, future
                    future.add_done_callback(lambda _, number=number: ended.put(number))
            if not out:
                return
            try:
                number = ended.get(timeout=LOOK_SECONDS)
                results[number] = cluster.result(out[number][1], named(out[number][0]))
            except Empty:
                continue
            except _ResultLost:
                ended.put(number)
                continue
            while (number := n_handed_on if is_ordered else next(iter(results), -1)) in results:
                n_handed_on += 1
                yield out.pop(number)[0], results.pop(number)
    finally:
        with suppress(Exception):  # a client that has lost its scheduler
            client.cancel([future for _, future in out.values()], force=True)


class _ResultLost(Exception):
    """A result has gone with its worker; Dask makes it again."""


class _Cluster:
    """A client's cluster: what it has, and what is wrong with it."""

    def __init__(self, client: Any) -> None:
        self.client, self.address = client, printable(str(client.scheduler.address))
        self._looked, self._n_threads, self._had_threads = 0.0, 0, time.monotonic()

    def look(self) -> int:
        """Return how many threads the workers have; ClusterError where there have been none for long."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return self._n_threads
        if self.client.status != "running":
            raise self._lost()
        with self.lost_scheduler_said():
            self._looked, self._n_threads = now, sum(self.client.nthreads().values())
        if self._n_threads:
            self._had_threads = now
        elif now - self._had_threads > SILENT_SECONDS:
            raise ClusterError(
                f"{self.address}: no worker is left. Start one with: dask worker {self.address}; then go on where "
                "this stopped."
            )
        return self._n_threads

    def result(self, future: Any, name: str) -> Any:
        """Return what a job returned, or raise what it raised; _ResultLost where it does not come."""
        from distributed import KilledWorker

        try:
            return future.result(timeout=SILENT_SECONDS)
        except KilledWorker as error:
            raise ClusterError(
                f"{name}: {error.allowed_failures + 1} workers died at it, the last "
                f"{getattr(error.last_worker, 'address', error.last_worker)}: killed, perhaps for lack of memory. "
                "Give workers more of it, or fewer threads."
            ) from None
        except ModuleNotFoundError as error:
            raise ClusterError(
                f"{self.address}: a worker cannot import {error.name}. Install the same packages there."
            ) from None
        except Exception as error:
            if future.status == "error" and not type(error).__module__.startswith("distributed."):
                raise
            raise _ResultLost if isinstance(error, TimeoutError) else self._lost() from None

    @contextmanager
    def lost_scheduler_said(self) -> Iterator[None]:
        """Raise ClusterError if the scheduler cannot be asked."""
        try:
            yield
        except (OSError, RuntimeError) as error:
            raise self._lost() from error

    def _lost(self) -> ClusterError:
        return ClusterError(
            f"{self.address}: the scheduler does not answer any more. Start it again, and go on where this stopped."
        )
