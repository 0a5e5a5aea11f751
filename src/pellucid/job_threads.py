"""Whole jobs in threads of their own, which end when they are cancelled."""

import contextvars
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

Job = TypeVar("Job")
Result = TypeVar("Result")
NICENESS = 5  # a third of the share that others have of a core
_STOP: contextvars.ContextVar["Callable[[], bool] | None"] = contextvars.ContextVar("stop", default=None)


class Stopped(BaseException):
    """The job was cancelled."""


@contextmanager
def stopped_by(is_cancelled: Callable[[], bool]) -> Iterator[None]:
    """Let ``stop_if_cancelled`` ask within the block whether the job is cancelled."""
    token = _STOP.set(is_cancelled)
    try:
        yield
    finally:
        _STOP.reset(token)


def stop_if_cancelled() -> None:
    """Raise Stopped if this is a job that was cancelled."""
    stop = _STOP.get()
    if stop is not None and stop():
        raise Stopped


def jobs_on_threads(
    function: Callable[[Job], Result], jobs: Sequence[Job], n: int
) -> Generator[tuple[Job, Result], None, None]:
    """Yield each job with its result, in the order in which they are done, from several threads.

    If the caller closes the generator, or Ctrl-C is pressed, or a job fails, the others end at their next
    ``stop_if_cancelled``. Each thread has a copy of the caller's context.

    Examples
    --------
    >>> sorted(jobs_on_threads(lambda x: x * x, [1, 2, 3], 2))
    [(1, 1), (2, 4), (3, 9)]
    """
    from concurrent.futures import ThreadPoolExecutor, as_completed

    stop = threading.Event()
    pool = ThreadPoolExecutor(n, thread_name_prefix="pellucid-job")
    with stopped_by(stop.is_set):
        futures = {pool.submit(contextvars.copy_context().run, function, job): job for job in jobs}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


@contextmanager
def in_background() -> "Iterator[Executor]":
    """Yield an executor of one thread, for what is needed later.

    What is not done when the block ends, even by Ctrl-C, ends at its next ``stop_if_cancelled``. A function has
    a copy of the caller's context. On Linux it and the threads that it begins give way to the caller's where cores
    are few.

    Examples
    --------
    >>> with in_background() as executor:
    ...     future = executor.submit(lambda: 2 + 3)
    ...     future.result()
    5
    """
    from concurrent.futures import ThreadPoolExecutor

    end = threading.Event()

    class Background(ThreadPoolExecutor):
        def submit(self, function: Any, /, *args: Any, **options: Any) -> Any:
            with stopped_by(end.is_set):
                return super().submit(contextvars.copy_context().run, function, *args, **options)

    pool = Background(1, thread_name_prefix="pellucid-background", initializer=_give_way)
    try:
        yield pool
    finally:
        end.set()
        pool.shutdown(cancel_futures=True)


def _give_way() -> None:
    """Lower this thread's priority: Linux has one for each thread, which threads that it begins inherit."""
    if sys.platform == "linux":
        number = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, number, os.getpriority(os.PRIO_PROCESS, number) + NICENESS)


def submit(executor: "Executor | None", function: Callable[[], Result]) -> "Future[Result]":
    """Return the future of a function that an executor runs; without one it is run before this returns.

    Examples
    --------
    >>> submit(None, lambda: 2 + 3).result()
    5
    """
    from concurrent.futures import Future

    if executor is not None:
        return executor.submit(function)
    future: Future[Result] = Future()
    future.set_result(function())
    return future
