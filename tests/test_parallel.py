"""Jobs over processes: the same results, no process left behind."""

import os
import signal
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.errors import OptionError, PellucidError
from pellucid.job_threads import stop_if_cancelled
from pellucid.parallel import run_jobs
from tests.every import every


def scaled(shared: float, job: int) -> tuple[float, int]:
    return shared * job, os.getpid()


def scaled_sum(shared: Any, job: int) -> tuple[float, bool]:
    return float(job * shared["X"].sum()), isinstance(shared["X"], np.memmap)


def product_bits(shared: int, job: int) -> bytes:
    X = np.random.default_rng(job).standard_normal((shared, 3000))
    return (X @ X.T).tobytes()


def misbehave(shared: str, job: int) -> int:
    if shared == "hang":
        time.sleep(60)
    if job == 2 and shared == "refuse":
        raise OptionError("job 2: no.")
    if job == 2 and shared == "crash":
        raise ZeroDivisionError("job 2")
    if job == 2 and shared == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return job


def children() -> set[int]:
    """The worker processes that this one started; joblib starts others, too, to count cores and track resources."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
            command = (status.parent / "cmdline").read_text()
        except OSError:  # ended meanwhile
            continue
        if f"\nPPid:\t{os.getpid()}\n" in text and "\nState:\tZ" not in text and "popen_loky" in command:
            found.add(int(status.parent.name))
    return found


def assert_no_process_is_left(others: set[int]) -> None:
    deadline = time.perf_counter() + 60  # a process that was killed may take a moment to go
    while children() - others and time.perf_counter() < deadline:
        time.sleep(0.05)
    assert children() <= others


@pytest.fixture
def others() -> set[int]:
    """Children of tests before, in this process."""
    return children()


def test_every_job_is_done_once_in_other_processes(others: set[int]) -> None:
    results = dict(run_jobs(scaled, 0.5, list(range(7)), n_jobs=2))
    assert {job: value for job, (value, _) in results.items()} == {job: 0.5 * job for job in range(7)}
    pids = {pid for _, pid in results.values()}
    assert os.getpid() not in pids
    assert len(pids) <= 2
    assert_no_process_is_left(others)


def test_one_worker_is_this_process() -> None:
    results = list(run_jobs(scaled, 2.0, [3, 1]))
    assert results == [(3, (6.0, os.getpid())), (1, (2.0, os.getpid()))]
    assert list(run_jobs(scaled, 2.0, [])) == []


def test_the_bits_do_not_depend_on_processes_and_threads() -> None:
    one = dict(run_jobs(product_bits, 209, [1, 2, 3]))
    assert one == dict(run_jobs(product_bits, 209, [1, 2, 3], n_jobs=2))
    assert one == dict(run_jobs(product_bits, 209, [1, 2, 3], n_jobs=2, on_threads=True))
    assert {pid for _, (_, pid) in run_jobs(scaled, 1.0, [1, 2], n_jobs=2, on_threads=True)} == {os.getpid()}


def test_large_arrays_are_handed_over_once() -> None:
    shared = {"X": np.zeros(1_000_000)}
    assert dict(run_jobs(scaled_sum, shared, [1, 2], n_jobs=2)) == {1: (0.0, True), 2: (0.0, True)}


@pytest.mark.slow
def test_a_refusal_comes_back_as_it_was(others: set[int]) -> None:
    for how, error in (("refuse", OptionError), ("crash", ZeroDivisionError)):
        with pytest.raises(error, match="job 2"):
            list(run_jobs(misbehave, how, [1, 2, 3], n_jobs=2))
    assert_no_process_is_left(others)


def test_a_killed_process_is_said(others: set[int]) -> None:
    with pytest.raises(PellucidError, match="killed, perhaps for lack of memory"):
        list(run_jobs(misbehave, "die", [1, 2, 3], n_jobs=2))
    assert_no_process_is_left(others)


def test_who_stops_listening_leaves_no_process(others: set[int]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with closing(run_jobs(scaled, 1.0, list(range(50)), n_jobs=2)) as results:
        next(results)
        assert len(children() - others) >= 2
        assert signal.getsignal(signal.SIGINT) is before
    assert_no_process_is_left(others)


# joblib's own thread may look for a job that was withdrawn already, and say so as it ends.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@every(("seconds", "n"), [(1.5, 1), (0.05, 30_000_000)])
def test_ctrl_c_ends_what_hangs_and_is_not_lost_while_processes_start(
    others: set[int], seconds: float, n: int
) -> None:
    import joblib.externals.loky  # noqa: F401 - an interrupted import leaves open files

    function, shared = (misbehave, "hang") if n == 1 else (scaled_sum, {"X": np.zeros(n)})  # takes a while
    started = time.perf_counter()

    def listen() -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        with closing(run_jobs(function, shared, [0, 1, 2], n_jobs=2)) as results:
            list(results)

    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    try:
        with pytest.raises(KeyboardInterrupt):
            listen()
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    assert time.perf_counter() - started < 30  # not the minute that the jobs would take
    assert_no_process_is_left(others)


@every(("which", "seconds"), [(0, 0.0), (1, 1.0)])
def test_ctrl_c_is_answered_where_a_process_was_stopped(others: set[int], which: int, seconds: float) -> None:
    """By SIGSTOP, as a debugger or a batch system stops it: while it starts, or in its work."""
    answered: list[float] = []

    def stop_and_press() -> None:
        while len(workers := sorted(children() - others)) <= which:
            time.sleep(0.005)
        time.sleep(seconds)
        os.kill(workers[which], signal.SIGSTOP)
        time.sleep(0.2)
        answered.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=stop_and_press)
    thread.start()
    with (
        pytest.raises(KeyboardInterrupt),
        closing(run_jobs(misbehave, "hang", [1, 2, 3], n_jobs=2)) as results,
    ):
        list(results)
    answered.append(time.perf_counter())
    thread.join()
    assert answered[1] - answered[0] < 3  # a tenth of a second on a machine of its own
    assert_no_process_is_left(others)


def test_a_failing_thread_is_passed_on_and_a_closed_generator_ends_the_rest() -> None:
    with pytest.raises(OptionError, match="job 2"):
        list(run_jobs(misbehave, "refuse", [1, 2, 3], n_jobs=2, on_threads=True))
    ended = []

    def wait(shared: None, job: int) -> int:
        try:
            while job:
                stop_if_cancelled()
                time.sleep(0.001)
        finally:
            ended.append(job)
        return job

    with closing(run_jobs(wait, None, [0, 1, 2, 3], n_jobs=2, on_threads=True)) as results:
        assert next(results) == (0, 0)
    assert 1 in ended
    assert 3 not in ended
