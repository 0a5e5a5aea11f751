"""Many independent jobs, side by side over processes, each with one BLAS thread.

Threads would wait for one another: steps this small spend most of their time in Python. Each process is started
anew (not forked), is handed what all jobs share once, and then one job after another.
"""

import multiprocessing
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from pellucid.errors import PellucidError

Job = TypeVar("Job")
Result = TypeVar("Result")
FULLEST_BAR = 40  # columns


def side_by_side(
    function: Callable[[Any, Job], Result], shared: Any, jobs: Sequence[Job], *, n_workers: int = 1
) -> Generator[tuple[Job, Result], None, None]:
    """Yield each job with ``function(shared, job)``, in the order in which they are done.

    Parameters
    ----------
    function : callable
        Of a module, so that another process can import it.
    shared : object
        Handed to each process once.
    jobs : sequence
    n_workers : int, optional
        Processes; with 1 all is done in this one. The results are the same bit for bit.

    Raises
    ------
    PellucidError
        What a job raises; or that a process was killed. Whatever happens, also where the caller stops listening
        or Ctrl-C is pressed, no process is left behind.
    """
    if n_workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            yield job, _held(function, shared, job)
        return
    workers: Workers = []
    try:
        _start(workers, function, shared, min(n_workers, len(jobs)))
        yield from _hand_out(workers, jobs)
    finally:
        for connection, process in workers:
            process.terminate()
            connection.close()
        for _, process in workers:
            process.join()


def _held(function: Callable[[Any, Job], Result], shared: Any, job: Job) -> Result:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        return function(shared, job)


Workers = list[tuple[Connection, BaseProcess]]


def _start(workers: Workers, function: Callable[[Any, Any], Any], shared: Any, n_workers: int) -> None:
    """Add so many processes that wait for work to ``workers``."""
    context = multiprocessing.get_context("spawn")
    with _interrupts_held():
        for _ in range(n_workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, function, shared), daemon=True)
            process.start()
            theirs.close()
            workers.append((ours, process))


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back until the block ends.

    Processes started in it inherit that and never hear of Ctrl-C: it is this one's business, which then ends them.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # otherwise started in the block, and then it lets interrupts in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _hand_out(workers: Workers, jobs: Sequence[Job]) -> Iterator[tuple[Job, Any]]:
    left = iter(jobs)
    busy: dict[Connection, Job] = {}

    def give(connection: Connection) -> None:
        for job in left:
            busy[connection] = job
            with suppress(OSError):  # it is dead: the next wait says so
                connection.send(job)
            return

    for connection, _ in workers:
        give(connection)
    while busy:
        for ready in wait(list(busy)):
            assert isinstance(ready, Connection)
            try:
                is_well, result = ready.recv()
            except (EOFError, OSError):
                raise PellucidError(
                    "a process ended before its work was done: it was killed, perhaps for want of memory. "
                    "Try fewer at a time with --workers."
                ) from None
            job = busy.pop(ready)
            if not is_well:
                raise result
            give(ready)
            yield job, result


def _work(connection: Connection, function: Callable[[Any, Any], Any], shared: Any) -> None:
    """Do one job after another until the other end closes."""
    with suppress(EOFError, OSError):
        while True:
            job = connection.recv()
            try:
                answer = (True, _held(function, shared, job))
            except PellucidError as error:
                answer = (False, error)
            except Exception as error:
                answer = (False, RuntimeError(f"{type(error).__name__}: {error}"))
            connection.send(answer)


class JobBar:
    """A bar on standard error: jobs done and time left. Silent where that is no terminal."""

    def __init__(self, title: str, n_jobs: int, *, is_shown: bool = True) -> None:
        self.title, self.n_jobs, self.is_shown = title, n_jobs, is_shown and sys.stderr.isatty()
        self._bar: Any = None

    def __enter__(self) -> "JobBar":
        if self.is_shown:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn(self.title),
                BarColumn(FULLEST_BAR),
                MofNCompleteColumn(),
                TextColumn("{task.fields[figures]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
                redirect_stdout=False,
            )
            self._task = self._bar.add_task(self.title, total=self.n_jobs, figures="")
            self._bar.start()
        return self

    def advance(self, figures: str = "") -> None:
        """Count one more job as done."""
        if self._bar is not None:
            self._bar.update(self._task, advance=1, figures=figures)

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()
