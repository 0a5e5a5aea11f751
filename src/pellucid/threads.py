"""Threads that work on parts of one task at the same time.

NumPy and compiled kernels run without the interpreter's lock, so that threads of one process share all memory and
still use all cores. They wait for each other by locks that sleep: a core that another program uses is left to it.
"""

import contextvars
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from queue import Empty, SimpleQueue
from typing import Any

from pellucid.types import Array

_ARE_BUSY: contextvars.ContextVar[bool] = contextvars.ContextVar("busy", default=False)
_SHARE: list[int] = []  # cores that are this process's, where others of one training use the rest
_HELPERS: "contextvars.ContextVar[Workers | None]" = contextvars.ContextVar("helpers", default=None)
LOOK_SECONDS = 0.1  # after which one who waits looks whether those it waits for are still there


class WorkerFailed(Exception):
    """Another thread failed, so this one cannot go on."""


class WorkerLost(Exception):
    """A thread is gone, as in a child that was forked while it worked: its part is not done."""


def own_cores() -> set[int]:
    """Return the numbers of the cores that this process may use."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


def n_cores() -> int:
    """Return how many cores this process may use."""
    return min([len(own_cores()), *_SHARE])


def limit_cores(n: int) -> None:
    """Leave all but n cores to other processes, for good."""
    _SHARE[:] = [n]


def is_child() -> bool:
    """Return whether this is a process that ``multiprocessing`` or joblib started."""
    processes = sys.modules.get("multiprocessing.process")
    return processes is not None and processes.current_process().name != "MainProcess"


def is_side_by_side() -> bool:
    """Return whether other jobs use the other cores."""
    return _ARE_BUSY.get()


def allowed_threads() -> int:
    """Return on how many threads a prediction may run: one where processes or threads work side by side."""
    return 1 if is_child() or is_side_by_side() else n_cores()


@contextmanager
def side_by_side() -> Iterator[None]:
    """Say that other jobs use the other cores in this block."""
    token = _ARE_BUSY.set(True)
    try:
        yield
    finally:
        _ARE_BUSY.reset(token)


def helpers() -> "Workers | None":
    """Return the workers that an op may split its work over, here; None: it has one thread."""
    return _HELPERS.get()


@contextmanager
def helped_by(workers: "Workers") -> Iterator[None]:
    """Let ops that can be split run on these workers in this block; their threads themselves have no helpers."""
    token = _HELPERS.set(workers)
    try:
        yield
    finally:
        _HELPERS.reset(token)


def cut(size: int, n_parts: int) -> list[slice]:
    """Return slices that divide a length as evenly as possible.

    Examples
    --------
    >>> cut(5, 2)
    [slice(0, 2, None), slice(2, 5, None)]
    """
    bounds = [size * part // n_parts for part in range(n_parts + 1)]
    return [slice(a, b) for a, b in pairwise(bounds)]


class Workers:
    """Threads that run one task at the same time, each with its own number; the caller's is number 0.

    Parameters
    ----------
    n : int
        All, the caller's included. Each has a copy of the caller's context, so that what was chosen by
        ``dispatch.use`` or ``np.errstate`` holds in all of them.

    Examples
    --------
    >>> parts = [0, 0]
    >>> with Workers(2) as workers:
    ...     workers.run(lambda i: parts.__setitem__(i, i + 1))
    >>> parts
    [1, 2]
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.meeting = Meeting(n)
        self.is_over = False
        self._task: Callable[[int], None] | None = None
        self._orders: list[SimpleQueue[bool]] = [SimpleQueue() for _ in range(n)]
        self._done: SimpleQueue[int] = SimpleQueue()
        self._failures: list[BaseException | None] = [None] * n
        contexts = [contextvars.copy_context() for _ in range(n)]
        self._threads = [
            threading.Thread(
                target=contexts[i].run, args=(self._work, i), daemon=True, name=f"pellucid-worker-{i}"
            )
            for i in range(1, n)
        ]
        try:
            for thread in self._threads:
                thread.start()
        except RuntimeError:  # the system has no room for more
            self.is_over = True

    def run(self, task: Callable[[int], None]) -> None:
        """Run ``task(i)`` on each thread and wait for all.

        Raises
        ------
        WorkerLost
            If a thread is gone or could not be started. Nothing more can be run then, nor after
            Ctrl-C, which does not wait for the others.
        BaseException
            What a task raised, first of all what made the others fail.
        """
        self._check()
        self._task = task
        try:
            for order in self._orders[1:]:
                order.put(True)
            self._attempt(0)
            if isinstance(self._failures[0], KeyboardInterrupt | WorkerLost):
                raise self._failures[0]
            for _ in range(1, self.n):
                self._wait_for_one()
        except BaseException:  # Ctrl-C
            self.is_over = self.meeting.is_broken = True
            raise
        finally:
            failures, self._failures, self._task = self._failures, [None] * self.n, None
        raised = [failure for failure in failures if failure is not None]
        if raised:
            self.meeting = Meeting(self.n)
            raise next((failure for failure in raised if not isinstance(failure, WorkerFailed)), raised[0])

    def close(self) -> None:
        """End the threads."""
        for order in self._orders[1:]:
            order.put(False)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=LOOK_SECONDS if self.is_over else None)
        self.is_over = True

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def _work(self, i: int) -> None:
        while self._orders[i].get():
            self._attempt(i)
            self._done.put(i)

    def _attempt(self, i: int) -> None:
        meeting, failures, task = self.meeting, self._failures, self._task
        try:
            if task is not None:
                task(i)
        except BaseException as failure:  # handed to the caller
            failures[i] = failure
            meeting.is_broken = True

    def _wait_for_one(self) -> None:
        while True:
            try:
                self._done.get(timeout=LOOK_SECONDS)
                return
            except Empty:
                self._check()

    def _check(self) -> None:
        if self.is_over or not all(thread.is_alive() for thread in self._threads):
            raise WorkerLost


class Meeting:
    """Where threads wait until all of them have come.

    Each has a lock for every other, which that one opens when it comes. Two sets of locks take turns, since who has
    left may come to the next meeting before the others have left this one.

    Attributes
    ----------
    is_broken : bool
        Whether one of them will not come: the others are released with :class:`WorkerFailed`.
    """

    def __init__(self, n: int) -> None:
        self.n, self.is_broken = n, False
        self._turns = [0] * n
        self._gates = [[[_closed() for _ in range(n)] for _ in range(n)] for _ in range(2)]

    def wait(self, i: int) -> None:
        """Wait, as thread number ``i``, for all others."""
        gates = self._gates[self._turns[i]]
        self._turns[i] ^= 1
        for j in range(self.n):
            if j != i:
                gates[j][i].release()
        for j in range(self.n):
            if j != i:
                while not gates[i][j].acquire(timeout=LOOK_SECONDS):
                    if self.is_broken:
                        raise WorkerFailed


class AllReduce:
    """Sums over all threads: each brings a part, and all leave with the sum.

    The parts are added in the order of the threads, so that the sum is the same in every one and on every run.

    Parameters
    ----------
    workers : Workers
    """

    def __init__(self, workers: Workers) -> None:
        self.workers = workers
        self._turns = [0] * workers.n
        # Two places take turns: who is one meeting ahead must not write where others still read.
        self._parts: list[list[Array | None]] = [[None] * workers.n for _ in range(2)]

    def sum(self, i: int, part: Array) -> Array:
        """Return, as thread number ``i``, the sum of all parts, which have one shape."""
        parts = self._parts[self._turns[i]]
        self._turns[i] ^= 1
        parts[i] = part.copy()
        self.workers.meeting.wait(i)
        first, *others = parts
        total: Array = first.copy()  # type: ignore[union-attr]  # everyone has brought one
        for other in others:
            total += other
        return total

    def restart(self) -> None:
        """Forget the turns of a task that failed."""
        self._turns = [0] * self.workers.n


def _closed() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock
