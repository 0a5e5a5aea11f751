"""Waiting for tasks on a cluster, for as long as it has workers to do them."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Any, NamedTuple

from pellucid.errors import PellucidError

LOOK_SECONDS = 2.0  # between looks at whether there are workers
NAP_SECONDS = 0.02  # the longest between looks at whether a task is done
WORKERS_SECONDS = 30.0  # that a cluster without workers is waited for
FROZEN_SECONDS = 30.0  # without a heartbeat at the scheduler, after which others do a worker's tasks


class ClusterError(PellucidError):
    """A cluster cannot be reached, or cannot do the work."""


class Worker(NamedTuple):
    """What the scheduler knows of a worker."""

    last_seen: float  # by the scheduler's clock, in seconds
    n_threads: int
    memory_limit: int  # bytes; 0: none
    keys: list[str]  # of the tasks that it has to do


class Tasks:
    """Tasks that run, handed out as they finish, whether well or not.

    Parameters
    ----------
    client : distributed.Client
    futures : iterable of distributed.Future, optional
    """

    def __init__(self, client: Any, futures: Iterable[Any] = ()) -> None:
        from distributed import as_completed

        self.client, self._running = client, as_completed(loop=client.loop)
        self._frozen = Frozen(client)
        self.add(futures)

    def add(self, futures: Iterable[Any]) -> None:
        """Wait for these too."""
        self._running.update(list(futures))

    def next(self) -> Any:
        """Return the next that has finished.

        Raises
        ------
        ClusterError
            If the cluster has had no worker for half a minute, or its scheduler is lost.
        """
        nap, look, last_seen = 1e-3, time.monotonic() + LOOK_SECONDS, time.monotonic()
        while not self._running.has_ready():
            time.sleep(nap)
            nap = min(2 * nap, NAP_SECONDS)
            now = time.monotonic()
            if now >= look:
                look = now + LOOK_SECONDS
                last_seen = now if n_workers(self.client) else last_seen
                self._frozen.drop(lambda address, worker: bool(worker.keys))
                if now - last_seen >= WORKERS_SECONDS:
                    raise ClusterError("cluster: no worker is left. Start some, and begin again.")
        future = next(self._running)
        if future.status not in ("finished", "error", "cancelled"):  # lost with its worker, and made anew
            self.add([future])
            return self.next()
        return future


class Signs:
    """Signs of life of workers: when the scheduler had the last of each, and when that was new here."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, float]] = {}

    def silent(self, workers: Mapping[str, Worker]) -> set[str]:
        """Return those without a new sign for ``FROZEN_SECONDS``; to be asked again and again."""
        now = time.monotonic()
        self._last = {
            address: self._last[address]
            if self._last.get(address, (None,))[0] == worker.last_seen
            else (worker.last_seen, now)
            for address, worker in workers.items()
        }
        return {address for address, (_, since) in self._last.items() if now - since > FROZEN_SECONDS}


class Frozen:
    """Workers that say nothing: the scheduler is made to give them up, and others do what they had to do."""

    def __init__(self, client: Any) -> None:
        self.client, self._signs = client, Signs()

    def drop(self, is_needed: Callable[[str, Worker], bool]) -> None:
        """Drop those that are needed and have said nothing for ``FROZEN_SECONDS``; to be called again and again."""
        workers = workers_of(self.client) or {}
        for address in self._signs.silent(workers):
            if is_needed(address, workers[address]):
                drop_worker(self.client, address)


def fetched(future: Any) -> Any:
    """Return a finished task's result; where the worker that holds it says nothing, it is made anew."""
    with suppress(TimeoutError):  # it is large, or its worker is frozen, where no timeout ends the waiting
        return future.result(timeout=LOOK_SECONDS)

    def holders() -> set[str]:
        return set(future.client.who_has([future]).get(future.key, ()))

    return answered(future.client, future.result, holders)


def answered(client: Any, ask: Callable[[], Any], asked: Callable[[], Collection[str]] | None = None) -> Any:
    """Return what workers answer to a question; those that say nothing are dropped meanwhile, so that it ends.

    Parameters
    ----------
    client : distributed.Client
    ask : callable
        Asks, and waits for the answer.
    asked : callable, optional
        Returns the addresses of those it waits for; default: all.
    """
    found: Future[Any] = Future()

    def fetch() -> None:
        try:
            found.set_result(ask())
        except BaseException as error:
            found.set_exception(error)

    Thread(target=fetch, daemon=True, name="pellucid-fetch").start()
    frozen = Frozen(client)
    while True:
        try:
            return found.result(timeout=LOOK_SECONDS)
        except TimeoutError:
            if found.done():  # its own
                raise
            those = None if asked is None else asked()
            frozen.drop(lambda address, _: those is None or address in those)  # noqa: B023 - called here and now


def on_each(client: Any, function: Callable[[], Any]) -> dict[str, Any]:
    """Return what a function returns on each worker that answers, by its address."""
    found = answered(client, partial(client.run, function, on_error="return"))
    lost = {address for address, answer in found.items() if isinstance(answer, OSError)}
    return {address: answer for address, answer in found.items() if address not in lost}


def results(client: Any, futures: Sequence[Any]) -> list[Any]:
    """Return the results of tasks, in their order, whatever becomes of the workers."""
    tasks = Tasks(client, futures)
    for _ in futures:
        tasks.next()
    return [fetched(future) for future in futures]


def workers_of(client: Any) -> Mapping[str, Worker] | None:
    """Return every worker of the cluster by its address; None where the scheduler cannot be asked."""

    def ask(dask_scheduler: Any) -> dict[str, tuple[Any, ...]]:  # sent itself: see cluster.py
        return {
            address: (
                one.last_seen,
                one.nthreads,
                one.memory_limit or 0,
                [str(task.key) for task in one.processing],
            )
            for address, one in dask_scheduler.workers.items()
        }

    try:
        return {address: Worker(*about) for address, about in client.run_on_scheduler(ask).items()}
    except OSError:
        return None


def drop_worker(client: Any, address: str) -> None:
    """Have the scheduler take a worker for dead."""

    async def drop(dask_scheduler: Any) -> None:
        await dask_scheduler.remove_worker(address, stimulus_id="pellucid-frozen")

    client.run_on_scheduler(drop)


def n_workers(client: Any) -> int:
    """Return how many workers a client's cluster has.

    Raises
    ------
    ClusterError
        If the client is closed, or its scheduler does not answer.
    """
    try:
        return len(client.nthreads())
    except Exception:  # of a closed client, or of a connection
        raise ClusterError(
            "cluster: its scheduler does not answer, or the client is closed. Connect to it again."
        ) from None
