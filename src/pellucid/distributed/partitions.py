"""Work in partitions on a Dask cluster: each counted once, in their order, whatever becomes of the workers."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from pellucid.distributed.waiting import ClusterError, Signs, Worker, workers_of
from pellucid.text import first_line, join_some

Job = TypeVar("Job")
Result = TypeVar("Result")
WINDOW = 4  # partitions that are under way for each thread of the cluster
LOOK_SECONDS = 1.0  # between two looks at the workers
ALONE_SECONDS = 120.0  # without a worker that answers: then the work ends
RESULT_SECONDS = 30.0  # for a result to come
MOST_ATTEMPTS = 5  # of a partition whose results are lost


@dataclass
class Part(Generic[Job]):
    """A partition that has been submitted."""

    job: Job
    futures: dict[str, Any] = field(default_factory=dict)  # of its attempts, by key
    n_attempts: int = 0
    is_done: bool = False
    result: Any = None


def in_order(
    client: Any,
    function: Callable[[Job], Result],
    jobs: Iterable[Job],
    named: Callable[[Job], str] = str,
) -> Iterator[tuple[Job, Result]]:
    """Yield each job with what a function makes of it on a worker, in the order of the jobs.

    Parameters
    ----------
    client : distributed.Client
    function : callable
        Of a module, without side effects: it may run more than once for a job.
    jobs : iterable
        Taken as they are submitted, ``WINDOW`` for each thread of the cluster ahead of the first that is not done.
        A job and a result pass through the scheduler, so they are to be small.
    named : callable, optional
        Returns what a job is called in messages.

    Raises
    ------
    ClusterError
        If the scheduler is lost, if no worker answers for two minutes, or if workers die at a job.
    PellucidError
        What the function raises.

    Notes
    -----
    Dask gives the tasks of a worker that is lost to others. A worker that is frozen (stopped, swapping, or cut off)
    keeps its connections, so that nobody notices: its tasks are submitted once more, to others, after
    :data:`.waiting.FROZEN_SECONDS` without a heartbeat. Of several results of a job the first
    counts. Workers that join are given work at once.
    """
    run = _Run(client, function, named)
    try:
        yield from run.over(iter(jobs))
    finally:
        run.release()


class _Run(Generic[Job, Result]):
    def __init__(self, client: Any, function: Callable[[Job], Result], named: Callable[[Job], str]) -> None:
        self.client, self.function, self.named = client, function, named
        self.name = f"pellucid-{uuid.uuid4().hex}"
        self.open: dict[int, Part[Job]] = {}  # by number: not yet handed on
        self.numbers: dict[str, int] = {}  # of the keys that are waited for
        self.ended: SimpleQueue[Any] = SimpleQueue()
        self.workers: Mapping[str, Worker] = {}
        self.signs, self.frozen = Signs(), set[str]()
        self.n_submitted = self.n_handed_on = 0
        self.looked, self.answered = 0.0, time.monotonic()

    def over(self, jobs: Iterator[Job]) -> Iterator[tuple[Job, Result]]:
        has_more = True
        while True:
            self.look()
            room = WINDOW * max(1, sum(worker.n_threads for worker in self.workers.values()))
            while has_more and len(self.open) < room:
                try:
                    job = next(jobs)
                except StopIteration:
                    has_more = False
                    break
                self.open[self.n_submitted] = Part(job)
                self.submit(self.n_submitted)
                self.n_submitted += 1
            if not self.open:
                return
            self.wait()
            while (part := self.open.get(self.n_handed_on)) is not None and part.is_done:
                del self.open[self.n_handed_on]
                self.n_handed_on += 1
                yield part.job, part.result

    def submit(self, number: int) -> None:
        part = self.open[number]
        part.n_attempts += 1
        if part.n_attempts > MOST_ATTEMPTS:
            raise ClusterError(
                f"{self.named(part.job)}: the results of {MOST_ATTEMPTS} attempts were lost. Look at the workers' "
                "logs."
            )
        others = self.workers.keys() - self.frozen
        where = {"workers": sorted(others)} if others and self.frozen else {}
        key = f"{self.name}-{number}-{part.n_attempts}"
        self.numbers[key] = number
        try:
            future = self.client.submit(
                self.function, part.job, key=key, pure=False, priority=-number, **where
            )
        except Exception as error:
            raise self.lost(error) from None
        part.futures[key] = future
        future.add_done_callback(self.ended.put)

    def wait(self) -> None:
        """Take what has ended, within the time of a look."""
        try:
            self.take(self.ended.get(timeout=LOOK_SECONDS))
            while True:
                self.take(self.ended.get_nowait())
        except Empty:
            return

    def take(self, future: Any) -> None:
        number = self.numbers.pop(future.key, -1)
        part = self.open.get(number)
        if part is None or part.is_done:
            return
        from distributed import KilledWorker

        try:
            result = future.result(timeout=RESULT_SECONDS)
        except KilledWorker as error:
            raise ClusterError(
                f"{self.named(part.job)}: {error.allowed_failures + 1} workers died at it, the last "
                f"{getattr(error.last_worker, 'address', error.last_worker)}. Give workers more memory, or leave "
                "it out."
            ) from None
        except Exception as error:
            if future.status == "error" and not type(error).__module__.startswith("distributed."):
                raise  # it is the function's
            self.check_client()  # lost, or its worker holds the result and does not answer
            self.submit(number)
            return
        part.result, part.is_done = result, True
        part.futures.clear()  # and so releases those of other attempts

    def look(self) -> None:
        """Ask the scheduler for its workers, and give the partitions of those that are frozen to others."""
        self.check_client()
        if time.monotonic() - self.looked < LOOK_SECONDS:
            return
        workers = workers_of(self.client)
        if workers is None:
            raise self.lost(None)
        self.looked = time.monotonic()
        self.workers, self.frozen = workers, self.signs.silent(workers)
        is_answered = len(self.frozen) < len(workers)
        if is_answered:
            self.answered = self.looked
        elif self.looked - self.answered > ALONE_SECONDS:
            raise ClusterError(
                f"{self.where()}: no worker has answered for {ALONE_SECONDS:.0f} seconds"
                + (f" ({join_some(list(self.workers))} frozen)" if self.workers else "")
                + ". Start workers, and go on where this stopped."
            )
        for address in self.frozen if is_answered else ():
            for key in self.workers[address].keys:
                number = self.numbers.get(key, -1)
                part = self.open.get(number)
                if part is not None and not part.is_done and key == next(reversed(part.futures)):
                    self.submit(number)

    def check_client(self) -> None:
        if self.client.status != "running":
            raise self.lost(None)

    def lost(self, error: Exception | None) -> ClusterError:
        why = f" ({first_line(error)})" if error is not None else ""
        return ClusterError(f"{self.where()}: the scheduler does not answer any more{why}.")

    def where(self) -> str:
        return str(getattr(self.client.scheduler, "address", None) or "the cluster")

    def release(self) -> None:
        """Let go of what is under way: what has not begun is not begun any more."""
        for part in self.open.values():
            part.futures.clear()
        self.open.clear()
