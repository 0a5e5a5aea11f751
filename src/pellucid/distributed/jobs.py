"""Independent jobs, such as trainings, on the workers of a Dask cluster.

Futures rather than joblib's Dask backend: a job whose worker is killed or stops answering is done by another, one
that is cancelled ends at its next step, and what goes wrong is said with the worker's name.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

from pellucid import dispatch
from pellucid.distributed.cluster import CONNECT_SECONDS, open_cluster
from pellucid.distributed.waiting import WORKERS_SECONDS, Signs, workers_of
from pellucid.distributed.withdrawal import do_job
from pellucid.parallel import JobsLost, jobs_run_by
from pellucid.text import plural, printable

Job = TypeVar("Job")
Result = TypeVar("Result")
POLL_SECONDS = 0.01  # between two looks at what is done
LOOK_SECONDS = 1.0  # between two looks at the workers
RESULT_SECONDS = 15.0  # that fetching one result may take
AHEAD = 2  # jobs handed out for each thread: one runs, one is next, and the shared data stay with the worker
MOST_LOST = 5  # times that jobs are handed out again


@contextmanager
def jobs_on(address: str | None = None, n_workers: int | None = None) -> Iterator[None]:
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
    >>> with jobs_on():
    ...     list(run_jobs(lambda shared, job: shared + job, 10, [1, 2]))
    [(1, 11), (2, 12)]
    """
    if address is None and n_workers is None:
        yield
        return
    with _quiet(), open_cluster(address, n_workers) as client, jobs_run_by(partial(run_on, client)):
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave it to our own messages to say what is lost: Dask's log would fill the terminal."""
    logs = [logging.getLogger(name) for name in ("distributed", "distributed.client", "distributed.core")]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)


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
    JobsLost
        If the scheduler is lost, no worker is left, or a job kills one worker after the other. An exception of a
        job is passed on unchanged.

    Notes
    -----
    Workers may join and leave meanwhile. If the caller closes the generator, jobs that run end at their next
    ``stop_if_cancelled``.
    """
    work = _Work(client, function, shared, jobs)
    try:
        while work.is_left:
            for number in work.finished():
                yield jobs[number], work.results.pop(number)
    finally:
        work.cancel()


class _Work:
    """The jobs that are left, and the futures of those that are handed out."""

    def __init__(
        self, client: Any, function: Callable[[Any, Any], Any], shared: Any, jobs: Sequence[Any]
    ) -> None:
        self.client, self.function, self.shared, self.jobs = client, function, shared, jobs
        self.todo = deque(range(len(jobs)))
        self.out: dict[int, Any] = {}  # the future of each job that is handed out
        self.results: dict[int, Any] = {}
        self.name = printable(str(client.scheduler.address))
        self.kernels = os.environ.get(dispatch.VARIABLE)
        self.sent: Any = None  # the future of the shared data
        self.n_lost, self.n_threads = 0, 0
        self.signs, self.workers, self.frozen = Signs(), set[str](), set[str]()
        self.looked, self.had_workers = 0.0, time.monotonic()

    @property
    def is_left(self) -> bool:
        return bool(self.todo or self.out)

    def finished(self) -> list[int]:
        """Return the numbers of the jobs that are done by now, after a moment where there are none."""
        if time.monotonic() - self.looked > LOOK_SECONDS:
            self._look()
        self._hand_out()
        ended = [number for number, future in self.out.items() if future.status != "pending"]
        if not ended:
            time.sleep(POLL_SECONDS)
            return []
        done = []
        for number in ended:
            if self.out[number].status == "finished":
                with suppress(TimeoutError, CancelledError, OSError):  # who has it does not answer
                    self.results[number] = self.out[number].result(timeout=RESULT_SECONDS)
                    done.append(number)
            elif self.out[number].status == "error":
                with suppress(CancelledError):  # lost in this very moment
                    self._raise(self.out[number].exception(timeout=RESULT_SECONDS))
        for number in done:
            del self.out[number]
        if lost := [number for number in ended if number not in done]:
            self._hand_out_again(lost)
        return done

    def cancel(self) -> None:
        """Take back what is handed out."""
        with suppress(Exception):  # a client that has lost its scheduler
            self.client.cancel(list(self.out.values()), force=True)
        self.out.clear()
        self.sent = None

    def _hand_out(self) -> None:
        if self.todo and self.sent is None:
            with self._lost_scheduler_said():
                [self.sent] = self.client.scatter([self.shared], hash=False, workers=self._answering())
        while self.todo and len(self.out) < max(1, AHEAD * self.n_threads):
            number = self.todo.popleft()
            self.out[number] = self.client.submit(
                do_job,
                self.function,
                self.sent,
                self.jobs[number],
                self.kernels,
                key=f"pellucid-job-{uuid4().hex}",
                pure=False,
                workers=self._answering(),
            )

    def _answering(self) -> list[str] | None:
        """Return the workers that may be asked; None: all."""
        return sorted(self.workers - self.frozen) if self.frozen else None

    def _hand_out_again(self, numbers: list[int]) -> None:
        """Put jobs back whose workers, or whose shared data, are gone."""
        self._wait_for_scheduler()
        self.n_lost += 1
        if self.n_lost > MOST_LOST:
            raise JobsLost(
                f"{self.name}: jobs were lost {MOST_LOST} times with their workers. Look at the workers' logs, and "
                "give them more memory."
            )
        with suppress(Exception):
            self.client.cancel([self.out[number] for number in numbers], force=True)
        for number in numbers:
            del self.out[number]
        self.todo.extendleft(sorted(numbers, reverse=True))
        if self.sent is not None and self.sent.status != "finished":
            self.sent = None

    def _wait_for_scheduler(self) -> None:
        """Return once the client is connected; JobsLost if it stays cut off."""
        deadline = time.monotonic() + 2 * CONNECT_SECONDS
        while self.client.status != "running":
            if self.client.status == "closed" or time.monotonic() > deadline:
                raise JobsLost(f"{self.name}: the scheduler is gone. Start it again, and then this command.")
            time.sleep(POLL_SECONDS)

    @contextmanager
    def _lost_scheduler_said(self) -> Iterator[None]:
        """Raise JobsLost if what is asked of the scheduler fails since it is gone."""
        try:
            yield
        except OSError:
            self._wait_for_scheduler()
            raise JobsLost(f"{self.name}: the scheduler does not answer. Start it again.") from None

    def _look(self) -> None:
        """See which workers there are, and take back the jobs of those that do not answer."""
        self._wait_for_scheduler()
        workers = workers_of(self.client)
        self.looked = now = time.monotonic()
        if workers is None:  # cut off: the next look tells more
            return
        self.workers, self.frozen = set(workers), self.signs.silent(workers)
        answering = {address: one for address, one in workers.items() if address not in self.frozen}
        self.n_threads = sum(one.n_threads for one in answering.values())
        if answering:
            self.had_workers = now
        elif now - self.had_workers > WORKERS_SECONDS:
            raise JobsLost(
                f"{self.name}: no worker is left. Start one with: dask worker {self.name}; then run this again."
            )
        held = {key for address in self.frozen for key in workers[address].keys}
        stuck = [number for number, future in self.out.items() if future.key in held]
        if stuck and answering:
            self.sent = None  # they may have the only copy
            self._hand_out_again(stuck)

    def _raise(self, error: BaseException) -> None:
        from distributed.scheduler import KilledWorker

        if isinstance(error, KilledWorker):
            address = printable(str(getattr(error.last_worker, "address", error.last_worker)))
            times = plural(int(error.allowed_failures) + 1, "worker")
            raise JobsLost(
                f"{address}: {times} in a row ended in the middle of the same job, this one last: killed, perhaps "
                "for lack of memory. Give workers more of it, or fewer threads."
            ) from None
        if isinstance(error, ModuleNotFoundError):
            raise JobsLost(
                f"{self.name}: a worker cannot import {error.name}. Install the same packages there."
            ) from None
        raise error
