"""Threads that share a task meet, add up, fail, are interrupted and vanish without leaving anybody waiting."""

import ctypes
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from pellucid import dispatch, threads
from pellucid.blas_threads import one_blas_thread
from pellucid.threads import AllReduce, Waits, WorkerLost, Workers, cut, helped, helped_by, helpers, n_cores
from tests.every import every

HOW = "how", ["locks", "looks"]


def waits(how: str) -> Waits | None:
    """Return how threads wait: by locks, or between compiled kernels."""
    if how == "locks":
        return None
    pytest.importorskip("numba")
    from pellucid.kernels.waits import WAITS

    return WAITS


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Interrupt the block after some seconds as Ctrl-C would."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@every("leaves_first", [0, 1])
def test_blocks_that_overlap_give_blas_its_threads_back(leaves_first: int) -> None:
    """Each in a thread of its own; whoever leaves first, BLAS has one thread until the other leaves too."""

    def n_threads() -> list[int]:
        return [found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"]

    entered, may_leave = ([threading.Event() for _ in range(2)] for _ in range(2))

    def hold(i: int) -> None:
        with one_blas_thread():
            entered[i].set()
            may_leave[i].wait(10)

    np.ones((2, 2)) @ np.ones((2, 2))
    with threadpool_limits(3, user_api="blas"):
        before, threads = n_threads(), [threading.Thread(target=hold, args=(i,)) for i in range(2)]
        for i in range(2):
            threads[i].start()
            entered[i].wait(10)
        seen = []
        for i in (leaves_first, 1 - leaves_first):
            seen.append(n_threads())
            may_leave[i].set()
            threads[i].join()
        assert n_threads() == before
        assert {n for found in seen for n in found} == {1}


def test_slices_cover_all_once() -> None:
    assert n_cores() >= 1
    rows = np.arange(11)
    for n_parts in (1, 2, 3, 7):
        assert np.concatenate([rows[part] for part in cut(11, n_parts)]).tolist() == rows.tolist()


@every(*HOW)
@every("n", [1, 2, 3, 5])
def test_sums_are_those_of_all_parts_in_the_order_of_the_threads(n: int, how: str) -> None:
    found: list[list[float]] = [[] for _ in range(n)]
    seen: list[tuple[str, str]] = [("", "")] * n
    with np.errstate(over="ignore"), dispatch.use("plain"), Workers(n, waits(how)) as workers:
        adder = AllReduce(workers)

        def bring(i: int) -> None:
            seen[i] = dispatch.current(), np.geterr()["over"]
            for turn in range(50):
                part = np.array([10.0**i * (turn + 1)])
                total = adder.sum(i, part)
                part[:] = np.nan  # its buffer is used again
                found[i].append(total[0])

        workers.run(bring)
        time.sleep(0.01)  # they fall asleep
        workers.run(bring)
    wanted = [sum(10.0**i for i in range(n)) * (turn + 1) for turn in range(50)]
    assert found == [wanted * 2] * n
    assert seen == [("plain", "ignore")] * n  # the caller's choices hold in all threads


@every(*HOW)
@every("failing", [0, 1, 2])
@every("error", [ValueError("mine"), SystemExit(3), MemoryError()])
def test_what_fails_is_raised_and_the_others_do_not_wait(
    failing: int, error: BaseException, how: str
) -> None:
    with Workers(3, waits(how)) as workers:

        def task(i: int) -> None:
            if i == failing:
                raise error
            workers.meeting.wait(i)

        with pytest.raises(type(error)) as caught:
            workers.run(task)
        assert caught.value is error
        workers.run(lambda i: workers.meeting.wait(i))  # the next task works


@every(*HOW)
@every("sleeping", [0, 1])
def test_an_interrupt_is_answered_at_once(sleeping: int, how: str) -> None:
    workers = Workers(2, waits(how))
    end = threading.Event()

    def task(i: int) -> None:
        if i == sleeping:
            end.wait(20)

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), alarm(0.2):
        workers.run(task)
    with pytest.raises(WorkerLost):
        workers.run(task)
    workers.close()
    assert time.monotonic() - started < 1
    end.set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@every(*HOW)
def test_a_thread_that_dies_is_noticed(how: str) -> None:
    workers = Workers(2, waits(how))
    time.sleep(0.01)  # it falls asleep
    (thread,) = workers._threads
    assert thread.ident is not None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
    workers._orders[1].put(True)  # it wakes, and meets its end
    thread.join(timeout=10)
    started = time.monotonic()
    with pytest.raises(WorkerLost):
        workers.run(lambda i: None)
    assert workers.is_over  # so that nobody takes them again
    workers.close()
    assert time.monotonic() - started < 1


@every(*HOW)
def test_tasks_have_no_helpers(how: str) -> None:
    found: list[Any] = [0, 0]
    with Workers(2, waits(how)) as workers, helped_by(workers):
        assert helpers() is workers
        workers.run(lambda i: found.__setitem__(i, helpers()))
        workers.is_late = False  # as a new thread may be on a busy machine
        assert helpers() is workers
    assert found == [None, None]


@every(*HOW)
def test_where_no_thread_can_be_started_nothing_hangs(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with Workers(2, waits(how)) as workers, pytest.raises(WorkerLost):
        workers.run(lambda i: None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@every(*HOW)
def test_a_forked_child_has_no_threads_and_knows_it(how: str) -> None:
    with Workers(2, waits(how)) as workers:
        workers.run(lambda i: None)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                workers.run(lambda i: None)
            except WorkerLost:
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        workers.run(lambda i: None)


def test_the_caller_goes_on_alone_where_a_worker_came_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """In its block, and in the blocks of the rest, each of which is twice as long while workers come late."""
    now = [100.0]
    monkeypatch.setattr(threads, "_REST", threads._Rest())
    monkeypatch.setattr(threads.time, "monotonic", lambda: now[0])

    def are_helped(*, is_late: bool) -> bool:
        with helped(2, waits("looks")):
            workers = helpers()
            if workers is not None and is_late:
                workers.run(lambda i: time.sleep(0.1 * i))
                assert helpers() is None
            return workers is not None

    assert are_helped(is_late=True)
    for rest in (0.02, 0.04, 0.08):
        assert not are_helped(is_late=False)
        now[0] += 0.9 * rest
        assert not are_helped(is_late=False)
        now[0] += 0.2 * rest
        assert are_helped(is_late=True)
    now[0] += 10
    assert are_helped(is_late=False)  # comes in time: begins anew
    assert are_helped(is_late=True)
    now[0] += 1.1 * threads.FIRST_REST
    assert are_helped(is_late=False)
