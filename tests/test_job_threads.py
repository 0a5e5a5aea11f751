"""Jobs in the background: whose choices hold there, where their failures are raised, and when they end."""

import os
import sys
import threading
import time

import pytest

from pellucid import dispatch
from pellucid.job_threads import in_background, stop_if_cancelled, submit


def test_what_runs_in_the_background_has_the_callers_context_and_fails_where_it_is_waited_for() -> None:
    with in_background() as executor, dispatch.use("plain"):
        future = executor.submit(lambda: (dispatch.current(), threading.current_thread().name))
        assert future.result() == ("plain", "pellucid-background_0")
        failing = executor.submit(lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            failing.result()
    assert submit(None, lambda: 3).result() == 3


def test_nothing_goes_on_in_the_background_once_nobody_waits() -> None:
    began, n = threading.Event(), 0

    def work() -> None:
        nonlocal n
        began.set()
        while True:
            stop_if_cancelled()
            n += 1
            time.sleep(0.001)

    with in_background() as executor:
        executor.submit(work)
        began.wait(10)
    before = n
    time.sleep(0.02)
    assert n == before


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priorities of their own")
def test_what_runs_in_the_background_gives_way() -> None:
    with in_background() as executor:
        low = executor.submit(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())).result()
    assert low == min(os.getpriority(os.PRIO_PROCESS, 0) + 5, 19)
