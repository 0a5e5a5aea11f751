"""Whole jobs in threads of their own, which end when nobody waits for their results any more."""

import contextvars
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")
NICENESS = 5  # a third of the share that others have of a core
_STOP: contextvars.ContextVar["HasEnd | None"] = contextvars.ContextVar("stop", default=None)


class Stopped(BaseException):
    """Nobody waits for this job's result any more."""


class Later(Protocol):
    """What begins a function, and returns what waits for its result."""

    def __call__(self, function: Callable[[], Result], /) -> Callable[[], Result]:
        """Begin it; what it raises is raised where its result is waited for."""
        ...


class HasEnd(Protocol):
    """What says whether a job is to end: an event, for example."""

    def is_set(self) -> bool:
        """Return whether nobody waits for the result any more."""
        ...


@contextmanager
def stopped_by(end: HasEnd) -> Iterator[None]:
    """Let ``stop_if_nobody_waits`` ask this one within the block."""
    token = _STOP.set(end)
    try:
        yield
    finally:
        _STOP.reset(token)


def stop_if_nobody_waits() -> None:
    """Raise Stopped if this is a job whose result nobody waits for any more."""
    stop = _STOP.get()
    if stop is not None and stop.is_set():
        raise Stopped


def jobs_on_threads(
    function: Callable[[Job], Result], jobs: Sequence[Job], n: int
) -> Generator[tuple[Job, Result], None, None]:
    """Yield each job with its result, in the order in which they are done, from several threads.

    If the caller closes the generator, or Ctrl-C is pressed, or a job fails, the others end at their next
    ``stop_if_nobody_waits``. Each thread has a copy of the caller's context.

    Examples
    --------
    >>> sorted(jobs_on_threads(lambda x: x * x, [1, 2, 3], 2))
    [(1, 1), (2, 4), (3, 9)]
    """
    from concurrent.futures import ThreadPoolExecutor, as_completed

    stop = threading.Event()
    pool = ThreadPoolExecutor(n, thread_name_prefix="pellucid-job")
    with stopped_by(stop):
        futures = {pool.submit(contextvars.copy_context().run, function, job): job for job in jobs}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


@contextmanager
def in_background() -> Iterator[Later]:
    """Yield what begins a function in another thread, and returns what waits for its result.

    What is not done when the block ends, even by Ctrl-C, ends at its next ``stop_if_nobody_waits``. The function
    has a copy of the caller's context. On Linux it and the threads that it begins give way to the caller's where
    cores are few.

    Examples
    --------
    >>> with in_background() as later:
    ...     wait = later(lambda: 2 + 3)
    ...     wait()
    5
    """
    from concurrent.futures import ThreadPoolExecutor

    end = threading.Event()
    pool = ThreadPoolExecutor(1, thread_name_prefix="pellucid-background", initializer=_give_way)

    def begin(function: Callable[[], Result]) -> Callable[[], Result]:
        with stopped_by(end):
            return pool.submit(contextvars.copy_context().run, function).result

    try:
        yield begin
    finally:
        end.set()
        pool.shutdown(cancel_futures=True)


def _give_way() -> None:
    """Lower this thread's priority: Linux has one for each thread, which threads that it begins inherit."""
    if sys.platform == "linux":
        number = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, number, os.getpriority(os.PRIO_PROCESS, number) + NICENESS)


def at_once(function: Callable[[], Result]) -> Callable[[], Result]:
    """Call a function, and return what returns its result: what :func:`in_background` yields, without a thread."""
    result = function()
    return lambda: result
