"""Compilation in two processes: when the second is started, and that nothing is left of it."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

numba = pytest.importorskip("numba", reason="needs Numba")

from pellucid.kernels import beside  # noqa: E402

Started = list[subprocess.Popen[bytes]]


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "allowed_threads", lambda: 2)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Return the processes that are started instead of helpers: each sleeps."""
    found: Started = []

    def start(call: Any) -> "subprocess.Popen[bytes]":
        found.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"]))
        return found[-1]

    monkeypatch.setattr(beside, "start", start)
    return found


def compile_some(n: int) -> None:
    for k in range(n):
        assert numba.njit(_adding(k))(1) == 1 + k


def _adding(k: int) -> Callable[[int], int]:
    return lambda x: x + k


def test_it_is_started_once_with_the_second_kernel_and_ended(started: Started) -> None:
    with beside.helped(compile_some, 3):
        compile_some(1)
        assert not started
        compile_some(2)
        assert [process.poll() for process in started] == [None]
    assert started[0].poll() is not None


def test_it_is_ended_by_control_c(started: Started) -> None:
    def be_interrupted() -> None:
        with beside.helped(compile_some, 2):
            compile_some(2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        be_interrupted()
    assert started[0].poll() is not None


def test_none_is_started_on_one_core_or_by_a_program_around_python(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/usr/bin/editor")
        with beside.helped(compile_some, 2):
            compile_some(2)
    monkeypatch.setattr(beside, "allowed_threads", lambda: 1)
    with beside.helped(compile_some, 2):
        compile_some(2)
    assert not started


@pytest.mark.slow
def test_where_it_cannot_be_started_or_fails_this_process_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with beside.helped(lambda: None):  # which cannot be pickled
        compile_some(2)
    assert beside.start((int, "no number")).wait(60) == 0  # nothing to compile
    assert beside.start((sys.exit, 3)).wait(60) == 3

    def no_process(*arguments: Any, **options: Any) -> None:
        raise OSError

    monkeypatch.setattr(subprocess, "Popen", no_process)
    with beside.helped(compile_some, 2):
        compile_some(2)
