"""Jobs over processes: the same results, no process left behind."""

import multiprocessing
import os
import signal
import time
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from pellucid.errors import OptionError, PellucidError
from pellucid.parallel import side_by_side
from pellucid.training.executor.executor import n_cores


def scaled(shared: float, job: int) -> tuple[float, int]:
    return shared * job, os.getpid()


def scaled_sum(shared: Any, job: int) -> float:
    return float(job * shared.sum())


def product_bits(shared: int, job: int) -> bytes:
    X = np.random.default_rng(job).standard_normal((shared, 3000))
    return (X @ X.T).tobytes()


def misbehave(shared: str, job: int) -> int:
    if job == 2 and shared == "refuse":
        raise OptionError("job 2: no.")
    if job == 2 and shared == "crash":
        raise ZeroDivisionError("job 2")
    if job == 2 and shared == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if shared == "hang":
        time.sleep(60)
    return job


@pytest.fixture(autouse=True)
def _others() -> None:
    OTHERS.update(multiprocessing.active_children())  # of tests before this one, in this process


OTHERS: set[Any] = set()


def children() -> int:
    return len(set(multiprocessing.active_children()) - OTHERS)


def test_every_job_is_done_once_in_other_processes() -> None:
    results = dict(side_by_side(scaled, 0.5, list(range(7)), n_workers=2))
    assert {job: value for job, (value, _) in results.items()} == {job: 0.5 * job for job in range(7)}
    pids = {pid for _, pid in results.values()}
    assert os.getpid() not in pids
    assert len(pids) <= 2
    assert children() == 0


def test_one_worker_is_this_process() -> None:
    results = list(side_by_side(scaled, 2.0, [3, 1]))
    assert results == [(3, (6.0, os.getpid())), (1, (2.0, os.getpid()))]
    assert list(side_by_side(scaled, 2.0, [])) == []


def test_the_bits_do_not_depend_on_the_workers() -> None:
    one = dict(side_by_side(product_bits, 209, [1, 2, 3]))
    assert one == dict(side_by_side(product_bits, 209, [1, 2, 3], n_workers=2))


def test_a_refusal_comes_back_as_it_was() -> None:
    with pytest.raises(OptionError, match="job 2: no"):
        list(side_by_side(misbehave, "refuse", [1, 2, 3], n_workers=2))
    with pytest.raises(RuntimeError, match="ZeroDivisionError: job 2"):
        list(side_by_side(misbehave, "crash", [1, 2, 3], n_workers=2))
    assert children() == 0


def test_a_killed_process_is_said() -> None:
    with pytest.raises(PellucidError, match="killed, perhaps for want of memory"):
        list(side_by_side(misbehave, "die", [1, 2, 3], n_workers=2))
    assert children() == 0


def test_who_stops_listening_leaves_no_process() -> None:
    before = signal.getsignal(signal.SIGINT)
    with closing(side_by_side(scaled, 1.0, list(range(50)), n_workers=2)) as results:
        next(results)
        assert children() == 2
        assert signal.getsignal(signal.SIGINT) is before
    assert children() == 0


def test_ctrl_c_ends_what_hangs() -> None:
    started = time.perf_counter()
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 1.5)
    try:
        with (
            pytest.raises(KeyboardInterrupt),
            closing(side_by_side(misbehave, "hang", [1, 2], n_workers=2)) as results,
        ):
            list(results)
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    assert time.perf_counter() - started < 30  # not the minute that the jobs would take
    assert children() == 0


def test_ctrl_c_while_processes_start_is_not_lost() -> None:
    shared = np.zeros(30_000_000)  # handing it over takes a while
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with (
            pytest.raises(KeyboardInterrupt),
            closing(side_by_side(scaled_sum, shared, list(range(3)), n_workers=2)) as results,
        ):
            list(results)
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    assert children() == 0


def test_there_is_a_core() -> None:
    assert n_cores() >= 1
