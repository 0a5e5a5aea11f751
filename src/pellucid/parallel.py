"""Independent jobs side by side, each with one BLAS thread.

They run over processes, by joblib, with its failures raised as JobsLost: threads would wait for one another,
since small steps spend most of their time in Python. Jobs that spend it in compiled kernels run on threads, which
need no start and share what is in memory. Within ``jobs_run_by`` they go to another runner, such as a cluster.
"""

import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from multiprocessing import resource_tracker
from threading import current_thread, main_thread
from typing import Any, TypeAlias, TypeVar

from pellucid.blas_threads import one_blas_thread
from pellucid.errors import PellucidError
from pellucid.job_threads import jobs_on_threads
from pellucid.process_state import warnings_ignored
from pellucid.threads import side_by_side

Job = TypeVar("Job")
Result = TypeVar("Result")


class JobsLost(PellucidError):
    """Processes or workers are gone; what was yielded before is done."""


# Runs jobs elsewhere: takes what run_jobs takes first, and yields each job with its result as it is done.
RunsJobs: TypeAlias = Callable[..., Generator[tuple[Any, Any], None, None]]
_ELSEWHERE: ContextVar[RunsJobs | None] = ContextVar("elsewhere", default=None)


@contextmanager
def jobs_run_by(run: RunsJobs | None) -> Iterator[None]:
    """Hand over all that :func:`run_jobs` is asked for in this block; None: run it here.

    Examples
    --------
    >>> def last_first(function, shared, jobs):
    ...     yield from ((job, function(shared, job)) for job in reversed(jobs))
    >>> with jobs_run_by(last_first):
    ...     list(run_jobs(lambda shared, job: shared + job, 10, [1, 2]))
    [(2, 12), (1, 11)]
    """
    token = _ELSEWHERE.set(run)
    try:
        yield
    finally:
        _ELSEWHERE.reset(token)


def run_jobs(
    function: Callable[[Any, Job], Result],
    shared: Any,
    jobs: Sequence[Job],
    *,
    n_jobs: int = 1,
    on_threads: bool = False,
) -> Generator[tuple[Job, Result], None, None]:
    """Yield each job with ``function(shared, job)``, in the order in which they are done.

    Parameters
    ----------
    function : callable
    shared : object
        What all jobs need. Arrays above 1 MB are written once, and memory-mapped by every process, read-only.
    jobs : sequence
    n_jobs : int, optional
        Processes; with 1 everything runs in this one. The results are equal bit for bit. Within ``jobs_run_by`` it
        does not count.
    on_threads : bool, optional
        Threads of this process instead of processes.

    Raises
    ------
    JobsLost
        If a process was killed, or a cluster is gone. An exception of a job is passed on unchanged. Whatever
        happens, even if the caller closes the generator or Ctrl-C is pressed, no process is left behind.

    Examples
    --------
    >>> list(run_jobs(lambda shared, job: shared + job, 10, [1, 2]))
    [(1, 11), (2, 12)]
    """
    elsewhere = _ELSEWHERE.get()
    if elsewhere is not None:
        yield from elsewhere(partial(_on_one_thread, function), shared, jobs)
        return
    if n_jobs <= 1 or len(jobs) <= 1:
        for job in jobs:
            yield job, _on_one_thread(function, shared, job)
        return
    if on_threads:
        with one_blas_thread(), side_by_side():  # set once: the limit is the process's
            yield from jobs_on_threads(partial(function, shared), jobs, min(n_jobs, len(jobs)))
        return
    from joblib import Parallel, delayed

    pool = Parallel(min(n_jobs, len(jobs)), return_as="generator_unordered", batch_size=1)
    results: Any = (_ for _ in ())
    try:
        with interrupts_held():
            results = pool(delayed(_numbered)(function, shared, i, job) for i, job in enumerate(jobs))
        for i, result in results:
            yield jobs[i], result
    except BrokenProcessPool:
        raise JobsLost(
            "a process ended before its work was done: it was killed, perhaps for lack of memory. "
            "Run fewer at a time with --jobs."
        ) from None
    finally:
        _end_processes(results)


def _numbered(
    function: Callable[[Any, Job], Result], shared: Any, number: int, job: Job
) -> tuple[int, Result]:
    return number, _on_one_thread(function, shared, job)


def _on_one_thread(function: Callable[[Any, Job], Result], shared: Any, job: Job) -> Result:
    with one_blas_thread(), side_by_side():
        return function(shared, job)


def _end_processes(results: Any) -> None:
    """Drop the jobs that are left, and end the processes that joblib would keep for a later call."""
    from joblib.externals.loky import get_reusable_executor

    with warnings_ignored(category=UserWarning):  # joblib's advice to the caller to ask for fewer results
        results.close()
    get_reusable_executor().shutdown(wait=True, kill_workers=True)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Defer Ctrl-C until the block ends: processes started in it never see it, and this one ends them."""
    from joblib.externals.loky.backend import resource_tracker as joblib_tracker

    is_main, has_masks = current_thread() is main_thread(), hasattr(signal, "pthread_sigmask")  # not Windows
    for tracker in (resource_tracker, joblib_tracker) if has_masks else ():
        tracker.ensure_running()  # started in the block, it would let interrupts in again
    pressed: list[tuple[int, Any]] = []  # another thread may take the signal, for which the mask is no help
    before = signal.signal(signal.SIGINT, lambda *what: pressed.append(what)) if is_main else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if has_masks else set()
    try:
        yield
    finally:
        if has_masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if is_main:
            signal.signal(signal.SIGINT, before)
    if pressed and callable(before):
        before(*pressed[0])
