"""Threads that work on parts of one task at the same time.

NumPy and compiled kernels run without the interpreter's lock, so that threads of one process share all memory and
still use all cores. They wait for each other by locks that sleep: a core that another program uses is left to it.
Between compiled kernels they look at counters for a millisecond first, and play programs (:class:`Waits`).
"""

import contextvars
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Protocol

import numpy as np

from pellucid.types import Array

_SHARE: list[int] = []  # cores that are this process's, where others of one training use the rest
# Workers that an op may split its work over; ALONE: others use the other cores; None: neither has been said.
_HELPERS: "contextvars.ContextVar[Workers | str | None]" = contextvars.ContextVar("helpers", default=None)
ALONE = "alone"
_POOL: "dict[tuple[int, bool], Workers]" = {}  # that no block has now, by number and whether they look
LOOK_SECONDS = 0.1  # after which one who waits looks whether those it waits for are still there
LOOKS = 25_000  # at a counter, of some 40 nanoseconds
PAUSES = 200  # of some 30 nanoseconds, in which who was first calls its next kernel
NAP = 1e-4  # seconds between looks at a counter, after these
FIRST_REST, LONGEST_REST = 0.02, 2.0  # seconds in which nothing is split, since a worker came late


class Waits(NamedTuple):
    """Compiled functions, :mod:`pellucid.kernels.waits`: what threads do without the interpreter."""

    meet: Callable[[Array, int, int, int, int], bool]
    wait_for: Callable[[Array, int, int, int, int], bool]
    tell: Callable[[Array, int, int], None]
    play: Callable[[Array, Array, int, int], bool]
    follow: Callable[[Array, Array, Array, Array, int, int, int, int], tuple[int, int]]


TASK, NOTHING, LATE = range(3)  # what a thread does next: a task of Python's, sleep, wait for another


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_POOL.clear)


class _Rest:
    """When work may be split again after a worker came late: its core has other work."""

    def __init__(self) -> None:
        self.until, self.seconds = 0.0, FIRST_REST

    def record(self, is_late: bool) -> None:
        """Rest from now on, twice as long as the last time, or begin anew."""
        if is_late:
            self.until = time.monotonic() + self.seconds
        self.seconds = min(2 * self.seconds, LONGEST_REST) if is_late else FIRST_REST


_REST = _Rest()


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
    return _HELPERS.get() == ALONE


def allowed_threads() -> int:
    """Return on how many threads a prediction may run: one where processes or threads work side by side."""
    return 1 if is_child() or is_side_by_side() else n_cores()


@contextmanager
def side_by_side() -> Iterator[None]:
    """Say that other jobs use the other cores in this block."""
    token = _HELPERS.set(ALONE)
    try:
        yield
    finally:
        _HELPERS.reset(token)


def helpers() -> "Workers | None":
    """Return the workers that an op may split its work over, here; None: it has one thread."""
    workers = _HELPERS.get()
    return workers if isinstance(workers, Workers) and not workers.is_late else None


@contextmanager
def pooled_workers(n: int, waits: Waits | None) -> "Iterator[Workers]":
    """Give workers that go on to wait after the block, for the next that wants as many."""
    key = n, waits is not None
    try:
        workers = _POOL.pop(key)
    except KeyError:  # another thread may use them
        workers = Workers(n, waits)
    try:
        yield workers
    finally:
        if workers.is_over or _POOL.setdefault(key, workers) is not workers:
            workers.close()


@contextmanager
def helped(n: int, waits: Waits | None) -> Iterator[None]:
    """Let ops that can be split run on n threads in this block, if that is several and no other job needs them.

    Where one of them has come late, the caller goes on alone, in this block and for a while.
    """
    if n < 2 or is_side_by_side() or time.monotonic() < _REST.until:
        yield
        return
    with pooled_workers(n, waits) as workers, helped_by(workers):
        workers.is_late = False
        yield
        _REST.record(workers.is_late)


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


class HasRows(Protocol):
    """Programs: a row for each thread."""

    rows: Array


class Workers:
    """Threads that run one task at the same time, each with its own number; the caller's is number 0.

    Parameters
    ----------
    n : int
        All, the caller's included. A task has a copy of the caller's context in each, so that what was chosen by
        ``dispatch.use`` or ``np.errstate`` holds in all of them.
    waits : Waits, optional
        Between kernels that are compiled already: they wait by looking. Default: by locks.

    Examples
    --------
    >>> parts = [0, 0]
    >>> with Workers(2) as workers:
    ...     workers.run(lambda i: parts.__setitem__(i, i + 1))
    >>> parts
    [1, 2]
    """

    def __init__(self, n: int, waits: Waits | None = None) -> None:
        self.n, self._waits = n, waits
        self.meeting = self._new_meeting()
        self.is_over = self._is_closed = self.is_late = False
        self._n_tasks, self._ordered, self._finished = 0, _counters(1), _counters(n)
        self._progress, self._met = _counters(n), _counters(n)
        self._are_asleep = [False] * n
        self._task: Callable[[int], None] | None = None
        self._playing: HasRows | None = None
        self._orders: list[SimpleQueue[bool]] = [SimpleQueue() for _ in range(n)]
        self._done: SimpleQueue[int] = SimpleQueue()
        self._failures: list[BaseException | None] = [None] * n
        self._contexts: list[contextvars.Context] = []
        self._threads = [
            threading.Thread(target=self._work, args=(i,), daemon=True, name=f"pellucid-worker-{i}")
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
        self._task, self._contexts = task, [contextvars.copy_context() for _ in range(self.n)]
        for context in self._contexts:
            context.run(_HELPERS.set, ALONE if is_side_by_side() else None)
        try:
            self._order()
            self._attempt(0)
            if isinstance(self._failures[0], KeyboardInterrupt | WorkerLost):
                raise self._failures[0]
            for i in range(1, self.n):
                self._wait_until_done(i)
        except BaseException:  # Ctrl-C
            self.is_over = self.meeting.is_broken = True
            raise
        finally:
            failures, self._failures, self._task = self._failures, [None] * self.n, None
        raised = [failure for failure in failures if failure is not None]
        if raised:
            self.meeting = self._new_meeting()
            raise next((failure for failure in raised if not isinstance(failure, WorkerFailed)), raised[0])

    def play(self, programs: HasRows) -> None:
        """Let each thread make the calls of its program, and wait for all; there have to be ``waits``.

        Parameters
        ----------
        programs : pellucid.kernels.waits.Programs
            It is kept until the next: after Ctrl-C a thread may still play.
        """
        self._check()
        assert self._waits is not None
        self._playing = programs
        self._progress[:, : programs.rows.shape[1]] = programs.rows
        try:
            self._order(is_program=True)
            while not self._waits.play(self._progress, self._met, 0, LOOKS):
                self.is_late = True
                self._check()
                time.sleep(NAP)
            for i in range(1, self.n):
                self._wait_until_done(i, n_pauses=0)
        except BaseException:  # Ctrl-C
            self.is_over = True
            raise

    def close(self) -> None:
        """End the threads."""
        self._is_closed = True
        self._order()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=LOOK_SECONDS if self.is_over else None)
        self.is_over = True

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def _order(self, *, is_program: bool = False) -> None:
        """Tell the threads that there is a task or a program, or that they are to end."""
        self._n_tasks += 1
        self._ordered[0, 1] = is_program
        if self._waits is None:
            self._ordered[0, 0] = self._n_tasks
        else:
            self._waits.tell(self._ordered, 0, self._n_tasks)
        for order, is_asleep in zip(self._orders[1:], self._are_asleep[1:], strict=True):
            if is_asleep or self._waits is None:
                order.put(True)

    def _next_task(self, i: int, number: int) -> int:
        """Wait for a task from a number on, as thread i, and play the programs before it; return its number."""
        if self._waits is None:
            self._orders[i].get()
            return number
        while True:
            number, what = self._waits.follow(
                self._ordered, self._finished, self._progress, self._met, i, number, LOOKS, i * PAUSES
            )
            if what == TASK or self.is_over:
                return number
            if what == NOTHING:
                self._are_asleep[i] = True
                while self._ordered[0, 0] < number:
                    self._orders[i].get()
                self._are_asleep[i] = False
            else:
                time.sleep(NAP)

    def _work(self, i: int) -> None:
        number = self._next_task(i, 1)
        while not (self._is_closed or self.is_over):
            self._attempt(i)
            if self._waits is None:
                self._done.put(i)
            else:
                self._finished[i, 0] = number
            number = self._next_task(i, number + 1)

    def _attempt(self, i: int) -> None:
        meeting, failures, task = self.meeting, self._failures, self._task
        try:
            if task is not None:
                self._contexts[i].run(task, i)
        except BaseException as failure:  # handed to the caller
            failures[i] = failure
            meeting.is_broken = True

    def _wait_until_done(self, i: int, n_pauses: int = PAUSES) -> None:
        """Wait for thread i; without counters, for one of those that are not done."""
        n_looks = LOOKS
        while self._waits and not self._waits.wait_for(self._finished, i, self._n_tasks, n_looks, n_pauses):
            self.is_late = True
            self._check()
            time.sleep(NAP)
            n_looks = 1
        while self._waits is None:
            try:
                self._done.get(timeout=LOOK_SECONDS)
                return
            except Empty:
                self._check()

    def _new_meeting(self) -> "Meeting | QuickMeeting":
        return QuickMeeting(self.n, self._waits) if self._waits else Meeting(self.n)

    def _check(self) -> None:
        if self.is_over or not all(thread.is_alive() for thread in self._threads):
            self.is_over = True
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


class QuickMeeting:
    """A :class:`Meeting` between kernels: threads look at counters until all of them have come."""

    def __init__(self, n: int, waits: Waits) -> None:
        self.is_broken = False
        self._waits, self._counts, self._turns = waits, _counters(n), [0] * n

    def wait(self, i: int) -> None:
        """Wait, as thread number ``i``, for all others."""
        self._turns[i] += 1
        n_looks = LOOKS
        while not self._waits.meet(self._counts, i, self._turns[i], n_looks, i * PAUSES):
            if self.is_broken:
                raise WorkerFailed
            time.sleep(NAP)
            n_looks = 1


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


def _counters(n: int) -> Array:
    """Return a counter for each thread, each in lines of the cache of its own."""
    return np.zeros((n, 16), np.int64)


def _closed() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock
