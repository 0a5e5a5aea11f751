"""Limits on time: of a block, by the alarm of the operating system; of a search, as a budget."""

import gc
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

REPEAT = 0.05  # seconds until it is raised again, should a bare except have caught it


class TimeUp(BaseException):
    """The time is over: no Exception, so that a learner's ``except Exception`` does not catch it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeUp in the block once it has taken that long; outside the main thread there is no limit.

    Examples
    --------
    >>> with time_limit(0.01):
    ...     while True: pass
    Traceback (most recent call last):
        ...
    pellucid.learn.limits.TimeUp
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    collecting = False

    def watch(phase: str, info: dict[str, int]) -> None:
        nonlocal collecting
        collecting = phase == "start"

    def stop(number: int, frame: Any) -> None:
        # What runs during a collection of garbage may not fail: Python would print the error and go on.
        callbacks = [getattr(one, "__code__", None) for one in gc.callbacks]
        while not collecting and frame is not None and frame.f_code not in callbacks:
            frame = frame.f_back
        if not collecting and frame is None:
            raise TimeUp

    gc.callbacks.insert(0, watch)
    start, before = time.monotonic(), signal.signal(signal.SIGALRM, stop)
    outer, _ = signal.setitimer(signal.ITIMER_REAL, seconds, REPEAT)
    try:
        yield
    finally:
        gc.callbacks.remove(watch)
        left = max(outer - (time.monotonic() - start), 1e-3) if outer else 0.0
        signal.setitimer(signal.ITIMER_REAL, left, REPEAT)
        signal.signal(signal.SIGALRM, before)


def again(seconds: float) -> None:
    """Give the innermost :func:`time_limit` so many seconds from now on."""
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds, REPEAT)


class Budget:
    """Seconds of the processor, and twice as many by the clock, for code that waits.

    Examples
    --------
    >>> Budget(0.0).is_spent, Budget(60.0).is_spent
    (True, False)
    """

    def __init__(self, seconds: float) -> None:
        self._processor = self._clock = 0.0
        self.extend(seconds)

    def extend(self, seconds: float) -> None:
        """Let at least so many seconds be left."""
        self._processor = max(self._processor, time.process_time() + seconds)
        self._clock = max(self._clock, time.monotonic() + 2 * seconds)

    @property
    def is_spent(self) -> bool:
        """Whether either is over."""
        return time.process_time() >= self._processor or time.monotonic() >= self._clock
